//! How good a page felt, from its web vitals (`reference/ingest-protocol.md` §12.12).

use std::f64::consts::SQRT_2;

use serde_json::{Map, Value};

use super::measurements::{put_ratio, value};

/// A vital as a part of the score.
struct Component {
    vital: &'static str,
    weight: f64,
    /// A tenth of all pages are better than this value.
    p10: f64,
    /// Half of all pages are better than this value.
    p50: f64,
    /// Whether there is a score without it.
    is_optional: bool,
}

const fn needed(vital: &'static str, weight: f64, p10: f64, p50: f64) -> Component {
    Component { vital, weight, p10, p50, is_optional: false }
}

const fn optional(vital: &'static str, weight: f64, p10: f64, p50: f64) -> Component {
    Component { is_optional: true, ..needed(vital, weight, p10, p50) }
}

const CHROMIUM: [&str; 8] = [
    "chrome",
    "chrome mobile",
    "chrome mobile webview",
    "edge",
    "edge mobile",
    "google chrome",
    "opera",
    "opera mobile",
];
const FIREFOX: [&str; 2] = ["firefox", "firefox mobile"];
const SAFARI: [&str; 2] = ["mobile safari", "safari"];

/// What a page load is judged by in each family of browsers.
const PAGE_LOADS: [(&[&str], &[Component]); 3] = [
    (
        &CHROMIUM,
        &[
            optional("fcp", 0.15, 900.0, 1600.0),
            optional("lcp", 0.30, 1200.0, 2400.0),
            optional("cls", 0.15, 0.1, 0.25),
            optional("ttfb", 0.10, 200.0, 400.0),
            optional("inp", 0.30, 200.0, 500.0),
            optional("fid", 0.30, 100.0, 300.0),
        ],
    ),
    (
        &FIREFOX,
        &[
            needed("fcp", 0.15, 900.0, 1600.0),
            needed("lcp", 0.30, 1200.0, 2400.0),
            optional("cls", 0.15, 0.1, 0.25),
            needed("ttfb", 0.10, 200.0, 400.0),
        ],
    ),
    (&SAFARI, &[needed("fcp", 0.15, 900.0, 1600.0), needed("ttfb", 0.10, 200.0, 400.0)]),
];

/// What an interaction alone is judged by.
const INTERACTION: [Component; 1] = [needed("inp", 1.0, 200.0, 500.0)];

/// Adds `score.<vital>`, `score.weight.<vital>` and `score.total` to the measurements, if there is a score. The weights
/// of the vitals that are there add up to one.
pub(super) fn add(measurements: &mut Map<String, Value>, browser: Option<&str>) {
    let Some(browser) = browser.map(str::to_ascii_lowercase) else { return };
    let Some((browsers, page_load)) = PAGE_LOADS.iter().find(|(names, _)| names.contains(&browser.as_str())) else {
        return;
    };
    let has = |vital: &str| value(measurements, vital).is_some();
    let is_interaction = has("inp") && !["fcp", "lcp", "cls", "ttfb", "fid"].into_iter().any(has);
    // Only these browsers measure interactions.
    if is_interaction && *browsers != CHROMIUM {
        return;
    }
    let components = if is_interaction { &INTERACTION[..] } else { page_load };
    // The newer measure of responsiveness stands for the older one.
    let replaced = |component: &Component| component.vital == "fid" && has("inp");
    let judged: Vec<(&Component, Option<f64>)> = components
        .iter()
        .filter(|component| !replaced(component))
        .map(|component| (component, value(measurements, component.vital).filter(|value| *value >= 0.0)))
        .collect();
    if judged.iter().any(|(component, value)| value.is_none() && !component.is_optional) {
        return;
    }
    let there = judged.iter().filter(|(_, value)| value.is_some());
    let weights: f64 = there.map(|(component, _)| component.weight).sum();
    if weights <= 0.0 {
        return;
    }
    let mut total = 0.0;
    for (Component { vital, weight, p10, p50, .. }, value) in judged {
        let weight = value.map_or(0.0, |_| weight / weights);
        if let Some(value) = value {
            let score = weight * share_of_worse_pages(value, *p10, *p50);
            total += score;
            put_ratio(measurements, &format!("score.{vital}"), score);
        }
        put_ratio(measurements, &format!("score.weight.{vital}"), weight);
    }
    put_ratio(measurements, "score.total", total);
}

/// The share of pages with a larger value, taking the logarithms of values to be normally distributed.
fn share_of_worse_pages(value: f64, p10: f64, p50: f64) -> f64 {
    /// The inverse error function of 0.8, which is where a tenth of a distribution ends.
    const INVERSE_ERF_OF_08: f64 = 0.906_193_8;
    let sigma = (p10.ln() - p50.ln()).abs() / (SQRT_2 * INVERSE_ERF_OF_08);
    let share = 0.5 * (1.0 - libm::erf((value.ln() - p50.ln()) / (SQRT_2 * sigma)));
    share.clamp(0.0, 1.0)
}
