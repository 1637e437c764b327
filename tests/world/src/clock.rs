//! The world's time: the machine's clock plus an offset that tests set.
//!
//! OCSP, time stamps and the MSSP use it; TLS and foreign judges live in real time. It is served on a Unix socket, so that
//! every process of a test sees the same instant: one line of decimal microseconds since 1970 on connect, and one more for
//! each line received.

use std::{
    path::Path,
    sync::Arc,
    sync::atomic::{AtomicI64, Ordering},
};

use anyhow::{Context, Result};
use time::{Duration, OffsetDateTime};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

/// Cheap to clone; all clones share the offset.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    offset_microseconds: Arc<AtomicI64>,
}

impl Clock {
    /// The instant that this world believes in.
    pub(crate) fn now(&self) -> OffsetDateTime {
        real() + Duration::microseconds(self.offset_microseconds.load(Ordering::Relaxed))
    }

    pub(crate) fn set_offset(&self, offset: Duration) {
        let microseconds = i64::try_from(offset.whole_microseconds()).unwrap_or(i64::MAX);
        self.offset_microseconds.store(microseconds, Ordering::Relaxed);
    }

    pub(crate) fn offset_seconds(&self) -> f64 {
        Duration::microseconds(self.offset_microseconds.load(Ordering::Relaxed)).as_seconds_f64()
    }

    /// Answers on a Unix socket until the task is dropped.
    pub(crate) fn serve(&self, path: &Path) -> Result<tokio::task::JoinHandle<()>> {
        // A socket file left by a killed world would refuse the bind.
        let _ = std::fs::remove_file(path);
        let listener =
            UnixListener::bind(path).with_context(|| format!("clock socket {}", path.display()))?;
        let clock = self.clone();
        Ok(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let clock = clock.clone();
                tokio::spawn(async move {
                    // A client that went away is no concern of the clock.
                    let _ = clock.answer(stream).await;
                });
            }
        }))
    }

    async fn answer(&self, stream: UnixStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        loop {
            let microseconds = self.now().unix_timestamp_nanos() / 1000;
            writer.write_all(format!("{microseconds}\n").as_bytes()).await?;
            if lines.next_line().await?.is_none() {
                return Ok(());
            }
        }
    }
}

/// The machine's clock: validity of certificates, which foreign judges and TLS read in real time.
#[expect(
    clippy::disallowed_methods,
    reason = "the world owns the real clock; everything else takes it from here"
)]
pub(crate) fn real() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
