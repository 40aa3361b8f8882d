//! The `till` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    till::cli::main()
}
