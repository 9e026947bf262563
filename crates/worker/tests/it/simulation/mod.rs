//! Whole histories of the worker, each made from a seed: producers that repeat themselves, stores that are slow, away
//! or forget to answer, a clock that jumps, a process that dies between any two operations. Whatever happens, the stores
//! end where the serial model does that handles the log one record at a time.
//!
//! Time is virtual and everything runs on one thread, so a seed is a history: `SIMULATE_SEED=17` runs that one again.
//! `SIMULATE_HISTORIES` says how many there are, `SIMULATE_FIRST` where they begin.

mod check;
mod plan;
mod tally;
mod world;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use plan::Plan;
use tally::Tally;
use world::World;

/// Histories of a plain test run.
const HISTORIES: u64 = 10_000;

/// From so many histories on, everything that can happen is expected to have happened.
const VARIED_FROM: u64 = 1_000;

/// Runs the history of a seed and holds its end against the model.
fn run(seed: u64) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World::run(Plan::new(seed)).await;
        check::ends_like_the_model(&world).await
    })
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, expected a number")))
}

#[test]
fn whatever_happens_the_stores_end_where_the_serial_model_does() {
    if let Some(seed) = number("SIMULATE_SEED") {
        println!("seed {seed}: {}", run(seed));
        return;
    }
    let first = number("SIMULATE_FIRST").unwrap_or(0);
    let histories = number("SIMULATE_HISTORIES").unwrap_or(HISTORIES);
    let (next, failed) = (AtomicU64::new(first), AtomicU64::new(u64::MAX));
    let total = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut tally = Tally::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + histories || failed.load(Ordering::Relaxed) < seed {
                        break;
                    }
                    match catch_unwind(AssertUnwindSafe(|| run(seed))) {
                        Ok(one) => tally.add(&one),
                        Err(_) => _ = failed.fetch_min(seed, Ordering::Relaxed),
                    }
                }
                total.lock().unwrap().add(&tally);
            });
        }
    });
    let failed = failed.into_inner();
    assert_eq!(failed, u64::MAX, "seed {failed} fails; SIMULATE_SEED={failed} runs it again");
    let total = total.into_inner().unwrap();
    println!("{histories} histories from seed {first} on: {total}");
    if histories >= VARIED_FROM {
        assert_eq!(total.never(), Vec::<&str>::new(), "nothing of this ever happened: {total}");
    }
}

#[test]
fn a_seed_is_one_history() {
    for seed in 0..20 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}
