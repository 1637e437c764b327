//! The sections of the settings file, each with its defaults. What is required has none.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port; port 0 takes a free one, printed in the ready line.
    pub listen: std::net::SocketAddr,
    /// How long requests under way may go on after a stop signal.
    pub shutdown_seconds: u64,
    /// How long a session lasts.
    pub session_hours: u32,
    /// How long the head of a request may take, from the connection or the answer before; then the connection is closed. A
    /// proxy that keeps connections open must give them up sooner.
    pub head_milliseconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 8080).into(),
            shutdown_seconds: 20,
            session_hours: 12,
            head_milliseconds: 75_000,
        }
    }
}

/// `[database]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Connections at most; for SQLite, readers beside the one writer.
    #[serde(default = "Database::default_connections")]
    pub connections: u32,
}

impl Database {
    const fn default_connections() -> u32 {
        8
    }
}

/// A PostgreSQL URL may carry a password.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = self.url.split_once(':').map_or("", |(scheme, _)| scheme);
        f.debug_struct("Database").field("scheme", &scheme).finish_non_exhaustive()
    }
}

/// `[files]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// `file:PATH`.
    pub url: String,
}

/// `[keys]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// Folder of the installation's own keys, made at the first start; without one, `keys` beside the files.
    pub folder: Option<PathBuf>,
    /// Name of the journal in its signed checkpoints (C2SP), e.g. `trinhky.muongthanh.gov.vn/journal`.
    pub journal: Option<String>,
}

/// `[trust]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// PEM files of the trust anchors for signers, seals, time stamps and OCSP.
    pub roots: Vec<PathBuf>,
    /// PEM files of intermediate certificates, so that a chain can be built when a SIM hands out its leaf alone.
    #[serde(default)]
    pub intermediates: Vec<PathBuf>,
}

/// `[tsa]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tsa {
    /// Where time-stamp requests go (RFC 3161 section 3.4).
    pub url: String,
    /// For the whole exchange.
    #[serde(default = "Tsa::default_timeout")]
    pub timeout_seconds: u64,
}

impl Tsa {
    const fn default_timeout() -> u64 {
        10
    }
}

/// `[revocation]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Revocation {
    /// Hosts (with port where it is not the scheme's own) that a certificate may send us to. A certificate names its own
    /// responder, so without this list whoever makes a certificate could make the server call any address.
    pub allow: Vec<String>,
    /// For one exchange.
    pub timeout_seconds: u64,
}

impl Default for Revocation {
    fn default() -> Self {
        Self { allow: Vec::new(), timeout_seconds: 8 }
    }
}

/// `[scanner]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scanner {
    /// Whether a file may come in unscanned.
    pub mode: ScannerMode,
    /// `tcp:HOST:PORT` or `unix:PATH` of clamd.
    #[serde(default)]
    pub address: Option<String>,
    /// For one file.
    #[serde(default = "Scanner::default_timeout")]
    pub timeout_seconds: u64,
}

impl Scanner {
    const fn default_timeout() -> u64 {
        60
    }
}

/// Whether a file may come in unscanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScannerMode {
    /// No scanner, no upload.
    Required,
    /// Nothing is scanned; `doctor` says so.
    Off,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// One uploaded file.
    pub upload_bytes: u64,
    /// A JSON body.
    pub json_bytes: usize,
    /// Requests at once, beyond which 503 is answered.
    pub concurrent_requests: usize,
    /// Uploads at once.
    pub concurrent_uploads: usize,
    /// Failed sign-ins of one account within a quarter of an hour.
    pub sign_in_tries: u32,
    /// Rows in one page of a list.
    pub page_rows: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            upload_bytes: 100 * 1024 * 1024,
            json_bytes: 1024 * 1024,
            concurrent_requests: 1024,
            concurrent_uploads: 4,
            sign_in_tries: 5,
            page_rows: 50,
        }
    }
}

/// `[jobs]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jobs {
    /// Between two looks at an empty queue.
    pub poll_milliseconds: u64,
    /// How long a worker holds a job before another may take it.
    pub lease_seconds: u64,
    /// First wait after a failure; doubles up to `retry_max_milliseconds`.
    pub retry_milliseconds: u64,
    /// The longest wait between two tries.
    pub retry_max_milliseconds: u64,
    /// How long the server waits for the device's CMS while the device watches (architecture, step 10).
    pub cms_wait_milliseconds: u64,
    /// A device counts as watching when it was seen within this time.
    pub watcher_milliseconds: u64,
    /// Jobs at once in one process.
    pub concurrent: usize,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            poll_milliseconds: 500,
            lease_seconds: 60,
            retry_milliseconds: 1_000,
            retry_max_milliseconds: 60_000,
            cms_wait_milliseconds: 30_000,
            watcher_milliseconds: 15_000,
            concurrent: 8,
        }
    }
}

impl Jobs {
    /// Between two looks at an empty queue.
    pub const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_milliseconds)
    }
}

/// `[push]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// PEM file (PKCS#8) of the VAPID key, P-256 (RFC 8292).
    pub vapid_key: PathBuf,
    /// `mailto:` or `https:` of whoever answers for this server; push services write there when it misbehaves.
    pub subject: String,
    /// Hosts of push services that a device may name, e.g. `fcm.googleapis.com`; `*.push.apple.com` covers subdomains.
    pub allow: Vec<String>,
    /// Tests only: also plain http, and addresses that are not on the public internet.
    #[serde(default)]
    pub allow_private: bool,
    /// For one exchange.
    #[serde(default = "Push::default_timeout")]
    pub timeout_seconds: u64,
}

impl Push {
    const fn default_timeout() -> u64 {
        10
    }
}

/// `[mail]`: where recipients' copies by e-mail are handed over (message submission, RFC 6409).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// `smtp://HOST[:587]` (TLS by STARTTLS, always demanded) or `smtps://HOST[:465]` (TLS from the first byte).
    pub url: String,
    /// PEM file of the authorities believed for the mail server's certificate.
    pub ca: PathBuf,
    /// The office's mailbox: letters come from it, answers and failed deliveries go to it.
    pub from: String,
    /// Name to sign in with; without one the server must take mail from this machine as it is.
    #[serde(default)]
    pub username: Option<String>,
    /// File that holds its password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The largest message the mail server takes, as it travels (attachments grow by a third).
    #[serde(default = "Mail::default_message_bytes")]
    pub message_bytes: u64,
    /// For one message, from connecting to the server's word that it has it.
    #[serde(default = "Mail::default_timeout")]
    pub timeout_seconds: u64,
    /// Messages at once in one process, so that a slow mail server holds up nothing else.
    #[serde(default = "Mail::default_concurrent")]
    pub concurrent: usize,
}

impl Mail {
    const fn default_message_bytes() -> u64 {
        25 * 1024 * 1024
    }
    const fn default_timeout() -> u64 {
        300
    }
    const fn default_concurrent() -> usize {
        2
    }
}

/// `[seal]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// PEM file of the organisation's certificate.
    pub certificate: PathBuf,
    /// PNG of the seal (dấu) as it is drawn on the page.
    #[serde(default)]
    pub image: Option<PathBuf>,
}

/// `[gate]`: what the gate alone may read. Its own process, user and host wherever possible (architecture, section 1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Base URL of the MSSP's services.
    pub mssp_url: String,
    /// PEM file of the authority behind the MSSP's TLS certificate.
    pub mssp_ca: PathBuf,
    /// PEM file of our TLS client certificate.
    pub ap_cert: PathBuf,
    /// PEM file of its key.
    pub ap_key: PathBuf,
    /// The identifier the MSSP gave us.
    pub ap_id: String,
    /// File that holds the password the MSSP gave us.
    pub ap_password_file: PathBuf,
    /// Folder of the gate's own prompt journal.
    pub journal: PathBuf,
    /// PEM files of the gate's own trust anchors; those of `[trust]` are not asked.
    pub roots: Vec<PathBuf>,
    /// For one exchange with the MSSP.
    #[serde(default = "Gate::default_timeout")]
    pub timeout_seconds: u32,
    /// Between two status queries of one attempt; the first comes after twice as long, and so do those after a minute.
    #[serde(default = "Gate::default_poll")]
    pub poll_milliseconds: u32,
    /// How long the SIM dialog may stand open.
    #[serde(default = "Gate::default_dialog")]
    pub dialog_seconds: u16,
    /// How long an answer is still waited for once the dialog's time is over.
    #[serde(default = "Gate::default_grace")]
    pub grace_seconds: u32,
    /// How long an approval at the head of its number's queue may wait for its request to leave.
    #[serde(default = "Gate::default_send_window")]
    pub send_window_seconds: u32,
    /// How long a gate that has died keeps its attempts from the next one; a living one renews in time.
    #[serde(default = "Gate::default_lease")]
    pub lease_milliseconds: u32,
}

impl Gate {
    const fn default_timeout() -> u32 {
        15
    }
    const fn default_poll() -> u32 {
        5_000
    }
    const fn default_dialog() -> u16 {
        180
    }
    const fn default_grace() -> u32 {
        30
    }
    const fn default_send_window() -> u32 {
        120
    }
    const fn default_lease() -> u32 {
        5_000
    }
}

/// `[policy]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Profile of offices that name none of their own.
    pub profile: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self { profile: "nd30_default".to_owned() }
    }
}
