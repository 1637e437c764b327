//! Logs: one line of JSON an event on standard error, with fields; standard output belongs to the ready line.
//!
//! Never logged: phone numbers, bearer tokens, push endpoints, passwords, document text, file names, personal names.
//! Ids and digests are fine: they lead those who may look to the row. `TRINHKY_LOG` takes an `EnvFilter`, e.g.
//! `info,trinhky_server=debug`.

use tracing_subscriber::EnvFilter;

/// Starts logging for the whole process; a second call changes nothing.
pub fn start() {
    let filter = EnvFilter::try_from_env("TRINHKY_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A second subscriber is refused; in tests that is the ordinary case.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .try_init();
}

/// Prints the one line that tells a supervisor that `what` is ready.
pub fn ready(what: &str, url: Option<&str>) {
    let mut line = serde_json::json!({ "ready": what });
    if let (Some(url), Some(object)) = (url, line.as_object_mut()) {
        object.insert("url".to_owned(), url.into());
    }
    print_line(&line);
}

/// One line on standard output, flushed: whoever waits for it reads a pipe.
#[expect(clippy::print_stdout, reason = "the ready line is this program's output")]
pub(crate) fn print_line(line: &serde_json::Value) {
    use std::io::Write;
    println!("{line}");
    // A closed pipe means that nobody waits for the line.
    let _ = std::io::stdout().flush();
}
