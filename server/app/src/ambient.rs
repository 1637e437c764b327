//! Time and chance, the two things that come from outside without being asked for: traits, and the only places in the
//! server that read the real ones.
//!
//! Debug builds take the time from a Unix socket when `TRINHKY_CLOCK=unix:PATH` is set: microseconds since 1970 in
//! decimal, one line on connecting and one more for each line sent. Release builds do not contain that code.

use std::sync::Arc;

use time::OffsetDateTime;

/// What time it is.
pub trait Clock: Send + Sync + 'static {
    /// Now, in UTC.
    fn now(&self) -> OffsetDateTime;

    /// Whether this is a clock that someone can turn; `doctor` then fails.
    fn is_adjustable(&self) -> bool {
        false
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that owns the machine's clock")]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// The clock this process is to use.
///
/// # Errors
/// When `TRINHKY_CLOCK` is set in a release build, malformed, or nobody answers there.
pub fn clock_from(variable: Option<&str>) -> anyhow::Result<Arc<dyn Clock>> {
    match variable {
        None => Ok(Arc::new(SystemClock)),
        #[cfg(debug_assertions)]
        Some(text) => {
            let path = text
                .strip_prefix("unix:")
                .ok_or_else(|| anyhow::anyhow!("TRINHKY_CLOCK: give unix:PATH, not {text:?}"))?;
            Ok(Arc::new(told::ToldClock::connect(path.into())?))
        }
        #[cfg(not(debug_assertions))]
        Some(_) => anyhow::bail!("TRINHKY_CLOCK is for debug builds only"),
    }
}

#[cfg(debug_assertions)]
mod told {
    //! A clock that a test tells.

    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixStream;
    use std::path::PathBuf;
    use std::sync::{Mutex, PoisonError};

    use anyhow::Context;
    use time::OffsetDateTime;

    pub(super) struct ToldClock {
        path: PathBuf,
        state: Mutex<State>,
    }

    struct State {
        stream: Option<BufReader<UnixStream>>,
        last: OffsetDateTime,
    }

    impl ToldClock {
        pub(super) fn connect(path: PathBuf) -> anyhow::Result<Self> {
            let (stream, last) = dial(&path).with_context(|| format!("clock at {}", path.display()))?;
            Ok(Self { path, state: Mutex::new(State { stream: Some(stream), last }) })
        }
    }

    impl super::Clock for ToldClock {
        fn now(&self) -> OffsetDateTime {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let asked = state.stream.as_mut().and_then(|stream| {
                stream.get_mut().write_all(b"\n").ok()?;
                read(stream).ok()
            });
            match asked {
                Some(now) => state.last = now,
                // The world has been started anew, or it has stopped: then time stands still.
                None => {
                    state.stream = dial(&self.path).ok().map(|(stream, now)| {
                        state.last = now;
                        stream
                    });
                }
            }
            state.last
        }

        fn is_adjustable(&self) -> bool {
            true
        }
    }

    fn dial(path: &std::path::Path) -> anyhow::Result<(BufReader<UnixStream>, OffsetDateTime)> {
        let mut stream = BufReader::new(UnixStream::connect(path)?);
        let now = read(&mut stream)?;
        Ok((stream, now))
    }

    fn read(stream: &mut BufReader<UnixStream>) -> anyhow::Result<OffsetDateTime> {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let microseconds: i128 = line.trim().parse()?;
        Ok(OffsetDateTime::from_unix_timestamp_nanos(microseconds * 1_000)?)
    }
}

/// Where random bits come from.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes` with bits nobody can foretell.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Random {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// The random part of a new id.
    pub fn chance(&self) -> u128 {
        u128::from_le_bytes(self.bytes())
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that owns the system's random source")]
    fn fill(&self, bytes: &mut [u8]) {
        // Without randomness there are no safe tokens, nonces or ids: stopping is the only honest answer.
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_differ() {
        let random: &dyn Random = &SystemRandom;
        assert_ne!(random.bytes::<16>(), random.bytes::<16>());
    }

    #[cfg(debug_assertions)]
    #[test]
    fn the_told_clock_says_what_it_is_told() {
        use std::io::{BufRead, BufReader, Write};
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("clock");
        let listener = std::os::unix::net::UnixListener::bind(&path).expect("binds");
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a caller");
            let mut lines = BufReader::new(stream.try_clone().expect("clones")).lines();
            let mut stream = stream;
            for second in 1.. {
                writeln!(stream, "{}", second * 1_000_000).expect("writes");
                if !matches!(lines.next(), Some(Ok(_))) {
                    break;
                }
            }
        });
        let clock = clock_from(Some(&format!("unix:{}", path.display()))).expect("connects");
        assert!(clock.is_adjustable());
        assert_eq!(clock.now().unix_timestamp(), 2);
        assert_eq!(clock.now().unix_timestamp(), 3);
        assert!(clock_from(Some("tcp:1")).is_err());
    }
}
