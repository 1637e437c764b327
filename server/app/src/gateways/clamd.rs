//! The virus scanner: clamd's INSTREAM over TCP or a Unix socket, fed while the file is being received.
//!
//! ```text
//! zINSTREAM NUL  (length:u32be bytes)*  0:u32be   ─►   "stream: OK" | "stream: NAME FOUND" | "… ERROR"   NUL
//! ```
//!
//! Anything but a clear answer counts as no answer. clamd's own `StreamMaxLength` must not be below our upload limit:
//! [`Scanner::takes`] finds out.

use std::time::Duration;

use anyhow::bail;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::GatewayError;
use crate::config::{self, ScannerMode};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const LONGEST_REPLY: usize = 4096;

/// The scanner, or the decision to go without.
#[derive(Debug)]
pub struct Scanner {
    address: Option<Address>,
    timeout: Duration,
}

#[derive(Debug)]
enum Address {
    Tcp(String),
    Unix(String),
}

/// What the scanner said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing found.
    Clean,
    /// Something found, by this name.
    Infected(String),
    /// The settings say that nothing is scanned.
    NotScanned,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Scanner {
    /// Reads the address; connects to nothing.
    ///
    /// # Errors
    /// When the address is missing or cannot be read.
    pub fn new(config: &config::Scanner) -> anyhow::Result<Self> {
        let address = match (config.mode, config.address.as_deref()) {
            (ScannerMode::Off, _) => None,
            (ScannerMode::Required, Some(text)) => Some(match text.split_once(':') {
                Some(("tcp", address)) => Address::Tcp(address.to_owned()),
                Some(("unix", path)) => Address::Unix(path.to_owned()),
                _ => bail!("[scanner] address: give tcp:HOST:PORT or unix:PATH"),
            }),
            (ScannerMode::Required, None) => bail!("[scanner] address is missing"),
        };
        Ok(Self { address, timeout: Duration::from_secs(config.timeout_seconds) })
    }

    /// Whether files are scanned at all.
    pub const fn is_on(&self) -> bool {
        self.address.is_some()
    }

    /// Begins to scan one file.
    ///
    /// # Errors
    /// [`GatewayError::Unavailable`] when the scanner cannot be reached.
    pub async fn begin(&self) -> Result<Scan, GatewayError> {
        let Some(address) = &self.address else { return Ok(Scan { stream: None, timeout: self.timeout }) };
        let mut stream = timeout(CONNECT_TIMEOUT, address.connect()).await.map_err(late)?.map_err(failed)?;
        timeout(self.timeout, stream.write_all(b"zINSTREAM\0")).await.map_err(late)?.map_err(failed)?;
        Ok(Scan { stream: Some(stream), timeout: self.timeout })
    }

    /// Whether the scanner answers and takes a file of `length` bytes.
    ///
    /// # Errors
    /// [`GatewayError::Unavailable`] when it does not.
    pub async fn takes(&self, length: u64) -> Result<(), GatewayError> {
        let mut scan = self.begin().await?;
        let zeros = vec![0; 64 * 1024];
        let mut left = length;
        while left > 0 {
            let part = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
            scan.feed(zeros.get(..part).unwrap_or(&zeros)).await?;
            left -= part as u64;
        }
        scan.finish().await.map(drop)
    }
}

impl Address {
    async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(address) => Box::new(TcpStream::connect(address).await?),
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
        })
    }
}

/// One file on its way through the scanner.
pub struct Scan {
    stream: Option<Box<dyn Stream>>,
    timeout: Duration,
}

impl Scan {
    /// Gives it the next bytes.
    ///
    /// # Errors
    /// [`GatewayError::Unavailable`] when the scanner went away; clamd closes the connection at its stream limit.
    pub async fn feed(&mut self, bytes: &[u8]) -> Result<(), GatewayError> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        for part in bytes.chunks(1 << 20) {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes();
            timeout(self.timeout, async {
                stream.write_all(&length).await?;
                stream.write_all(part).await
            })
            .await
            .map_err(late)?
            .map_err(failed)?;
        }
        Ok(())
    }

    /// Says that this was all, and waits for the verdict.
    ///
    /// # Errors
    /// [`GatewayError::Unavailable`] unless the answer is a clear one.
    pub async fn finish(self) -> Result<Verdict, GatewayError> {
        let Some(mut stream) = self.stream else { return Ok(Verdict::NotScanned) };
        let reply = timeout(self.timeout, async {
            stream.write_all(&0_u32.to_be_bytes()).await?;
            stream.flush().await?;
            let mut reply = Vec::new();
            (&mut stream).take(LONGEST_REPLY as u64).read_to_end(&mut reply).await?;
            std::io::Result::Ok(reply)
        })
        .await
        .map_err(late)?
        .map_err(failed)?;
        verdict(&reply)
    }
}

fn verdict(reply: &[u8]) -> Result<Verdict, GatewayError> {
    let text = String::from_utf8_lossy(reply);
    let text = text.trim_end_matches(['\0', '\n']);
    match text.strip_prefix("stream: ") {
        Some("OK") => Ok(Verdict::Clean),
        Some(rest) if rest.ends_with(" FOUND") => {
            Ok(Verdict::Infected(rest.trim_end_matches(" FOUND").chars().take(200).collect()))
        }
        _ => Err(failed(format!("answered {text:?}"))),
    }
}

fn late(_: tokio::time::error::Elapsed) -> GatewayError {
    failed("no answer in time")
}

fn failed(what: impl std::fmt::Display) -> GatewayError {
    GatewayError::Unavailable { who: "the virus scanner", what: what.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_answer_counts() {
        assert_eq!(verdict(b"stream: OK\0").ok(), Some(Verdict::Clean));
        assert_eq!(
            verdict(b"stream: Win.Test.EICAR_HDB-1 FOUND\0").ok(),
            Some(Verdict::Infected("Win.Test.EICAR_HDB-1".into()))
        );
        for reply in ["", "stream: ", "INSTREAM size limit exceeded. ERROR\0", "stream: x ERROR\0", "OK\0"] {
            assert!(verdict(reply.as_bytes()).is_err(), "{reply}");
        }
    }

    #[tokio::test]
    async fn a_scanner_that_is_not_there_is_unavailable() {
        let config = config::Scanner {
            mode: ScannerMode::Required,
            address: Some("unix:/nonexistent/clamd".into()),
            timeout_seconds: 1,
        };
        let scanner = Scanner::new(&config).expect("an address");
        assert!(matches!(scanner.begin().await, Err(GatewayError::Unavailable { .. })));
    }
}
