//! The command `nuthatch`.

use std::process::ExitCode;

/// Many threads allocate what others free, for months: jemalloc takes less time for that than the C library and gives memory
/// back (`docs/performance.md`).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    nuthatch::cli::main()
}
