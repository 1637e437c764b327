//! The scanner gateway against a real clamd with a signature of our own, where clamd is installed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use trinhky_server::config::{Scanner as Config, ScannerMode};
use trinhky_server::gateways::GatewayError;
use trinhky_server::gateways::clamd::{Scanner, Verdict};

struct Clamd {
    process: Child,
    folder: tempfile::TempDir,
}

impl Drop for Clamd {
    fn drop(&mut self) {
        // It is ours and holds nothing.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const PATTERN: &[u8] = b"trinhky-test-signature-0001";
const STREAM_LIMIT: u64 = 1024 * 1024;

/// Starts clamd on a Unix socket with one signature; `None` where it is not installed.
fn clamd() -> Option<Clamd> {
    let binary =
        ["/usr/sbin/clamd", "/usr/local/sbin/clamd"].into_iter().find(|path| Path::new(path).exists())?;
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("db")).expect("a folder");
    let hex = hex::encode(PATTERN);
    std::fs::write(at("db/test.ndb"), format!("Trinhky.Test:0:*:{hex}\n")).expect("written");
    let settings = format!(
        "Foreground yes\nDatabaseDirectory {}\nLocalSocket {}\nStreamMaxLength {STREAM_LIMIT}\n",
        at("db").display(),
        at("socket").display()
    );
    std::fs::write(at("clamd.conf"), settings).expect("written");
    let process = Command::new(binary)
        .arg("--config-file")
        .arg(at("clamd.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let clamd = Clamd { process, folder };
    for _ in 0..300 {
        if std::os::unix::net::UnixStream::connect(clamd.folder.path().join("socket")).is_ok() {
            return Some(clamd);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("clamd did not open its socket within 30 s");
}

async fn scan(scanner: &Scanner, parts: &[&[u8]]) -> Result<Verdict, GatewayError> {
    let mut scan = scanner.begin().await?;
    for part in parts {
        scan.feed(part).await?;
    }
    scan.finish().await
}

#[tokio::test]
async fn a_real_clamd_is_believed() {
    let Some(clamd) = clamd() else {
        eprintln!("skipped: clamd is not installed");
        return;
    };
    let config = Config {
        mode: ScannerMode::Required,
        address: Some(format!("unix:{}", clamd.folder.path().join("socket").display())),
        timeout_seconds: 30,
    };
    let scanner = Scanner::new(&config).expect("an address");
    assert_eq!(scan(&scanner, &[b"%PDF-1.7 harmless"]).await.expect("answers"), Verdict::Clean);
    let (head, tail) = PATTERN.split_at(10);
    let verdict = scan(&scanner, &[b"%PDF-1.7 ", head, tail]).await.expect("answers");
    assert_eq!(verdict, Verdict::Infected("Trinhky.Test.UNOFFICIAL".into()), "a signature across two parts");
    scanner.takes(STREAM_LIMIT).await.expect("takes what it is set up for");
    assert!(scanner.takes(STREAM_LIMIT + 1).await.is_err(), "its limit is found out");
}
