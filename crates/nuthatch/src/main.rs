//! The command `nuthatch`.

use std::process::ExitCode;

fn main() -> ExitCode {
    nuthatch::cli::main()
}
