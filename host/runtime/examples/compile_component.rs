//! The program that a host's compile process runs: `compile_component compile-component IN OUT`.
//!
//! An embedder offers the same as a hidden subcommand of its own program.

use std::{env, path::Path, process::ExitCode};

#[allow(clippy::print_stderr, reason = "standard error is how the reason reaches the parent")]
fn main() -> ExitCode {
    let args: Vec<_> = env::args_os().skip(1).collect();
    let result = match args.as_slice() {
        [command, input, output] if command == handoff_runtime::compile::SUBCOMMAND => {
            handoff_runtime::compile::child_main(Path::new(input), Path::new(output))
        }
        _ => Err("usage: compile_component compile-component IN OUT".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
