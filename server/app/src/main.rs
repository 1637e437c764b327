//! The trinhky binary: serve, work, gate, admin, verify, pdf.

fn main() -> std::process::ExitCode {
    trinhky_server::cli::run()
}
