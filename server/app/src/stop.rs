//! Stopping this process at a named write edge, so that a test can pull the plug exactly there.
//!
//! Debug builds read `TRINHKY_STOP_AT` once: at that [`Edge`] the process says so in one line on standard output and
//! then stands still, every thread of it, until it is killed. Release builds contain nothing of this.

use trinhky_domain::Edge;

/// Call it right after the write that `edge` names.
#[cfg(debug_assertions)]
pub fn stop_at(edge: Edge) {
    use std::sync::LazyLock;
    static WHERE: LazyLock<Option<Edge>> = LazyLock::new(|| {
        let word = std::env::var("TRINHKY_STOP_AT").ok()?;
        // A misspelt edge would make the crash test pass without a crash.
        Some(word.parse().expect("TRINHKY_STOP_AT names an edge"))
    });
    if *WHERE == Some(edge) {
        crate::telemetry::print_line(&serde_json::json!({ "stopped_at": edge.as_str() }));
        // SIGSTOP stops every thread at once; nothing else of this process may go on.
        let stopped =
            std::process::Command::new("kill").args(["-STOP", &std::process::id().to_string()]).status();
        drop(stopped);
        loop {
            std::thread::park();
        }
    }
}

/// Call it right after the write that `edge` names.
#[cfg(not(debug_assertions))]
pub const fn stop_at(_edge: Edge) {}
