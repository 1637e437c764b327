//! `trinhky openapi`: prints what `protos/openapi.json` must be.

use std::process::ExitCode;

#[expect(clippy::print_stdout, reason = "the document is this command's output")]
pub(super) fn run() -> ExitCode {
    print!("{}", crate::routes::openapi_text());
    ExitCode::SUCCESS
}
