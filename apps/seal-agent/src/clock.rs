//! The agent's time: the system's, or in debug builds that of a test's world (`TRINHKY_CLOCK=unix:PATH`).

use time::OffsetDateTime;
use trinhky_mobile_core::Clock as _;
use trinhky_mobile_core::native::SystemClock;

use crate::error::Error;

/// Now.
///
/// # Errors
/// [`Error::Config`] if a world's clock was named and does not answer.
pub(crate) fn now() -> Result<OffsetDateTime, Error> {
    #[cfg(all(debug_assertions, unix))]
    if let Some(named) = std::env::var_os("TRINHKY_CLOCK") {
        let named = named.to_string_lossy().into_owned();
        return world(&named).map_err(|why| Error::Config { file: "TRINHKY_CLOCK".into(), why });
    }
    Ok(SystemClock.now())
}

/// One line of microseconds since 1970.
#[cfg(all(debug_assertions, unix))]
fn world(named: &str) -> Result<OffsetDateTime, String> {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::net::UnixStream;

    let path = named.strip_prefix("unix:").ok_or("expected unix:PATH")?;
    let stream = UnixStream::connect(path).map_err(|error| error.to_string())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).map_err(|error| error.to_string())?;
    let microseconds: i128 = line.trim().parse().map_err(|_| format!("it said {line:?}"))?;
    OffsetDateTime::from_unix_timestamp_nanos(microseconds * 1000).map_err(|error| error.to_string())
}
