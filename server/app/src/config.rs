//! Settings: one TOML file and `TRINHKY_*` variables, read once and checked before anything starts.
//!
//! ```text
//! trinhky.toml ──► Config ──► overlaid by TRINHKY_<SECTION>_<KEY> ──► checked ──► Config (never changes again)
//! ```
//!
//! An unknown key, a missing file or a value out of range stops the start with the line or the variable that is wrong:
//! a server that guessed what an operator meant would be found out on the worst day. Paths are relative to the file's
//! folder. Secrets are named by file and never stand here.

mod overlay;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

/// Everything an operator may set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen and how long to wait.
    #[serde(default)]
    pub server: Server,
    /// Rows.
    pub database: Database,
    /// Files by digest.
    pub files: Files,
    /// Whom we believe.
    pub trust: Trust,
    /// RFC 3161 time stamps.
    pub tsa: Tsa,
    /// OCSP and CRL.
    #[serde(default)]
    pub revocation: Revocation,
    /// Virus scanning at the door.
    pub scanner: Scanner,
    /// Sizes and counts.
    #[serde(default)]
    pub limits: Limits,
    /// Intervals and leases.
    #[serde(default)]
    pub jobs: Jobs,
    /// Web Push.
    #[serde(default)]
    pub push: Option<Push>,
    /// The organisation's seal, as far as the server knows it: the certificate, never the key.
    #[serde(default)]
    pub seal: Option<Seal>,
    /// The process that alone may ask a SIM (`trinhky gate`).
    #[serde(default)]
    pub gate: Option<Gate>,
    /// Agency policy.
    #[serde(default)]
    pub policy: Policy,
}

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
}

impl Default for Server {
    fn default() -> Self {
        Self { listen: ([127, 0, 0, 1], 8080).into(), shutdown_seconds: 20, session_hours: 12 }
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

/// The settings cannot be used; the text says what to change.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of the wrong kind; carries line and column.
    #[error("{path}: {message}", path = path.display())]
    NotUnderstood {
        /// Which file.
        path: PathBuf,
        /// What and where.
        message: String,
    },
    /// A `TRINHKY_*` variable that means nothing here.
    #[error("variable {name}: {message}")]
    Variable {
        /// Which one.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// Understood, but it cannot work.
    #[error("[{key}]: {message}")]
    Unusable {
        /// Section and key.
        key: &'static str,
        /// What to do.
        message: String,
    },
}

impl Config {
    /// Reads `path`, lays `variables` over it (usually `std::env::vars()`), resolves paths and checks everything that
    /// can be checked without a network.
    ///
    /// # Errors
    /// [`ConfigError`], whose text names the line, the variable or the key to change.
    pub fn load(
        path: &Path,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let base = path.parent().unwrap_or(Path::new("."));
        Self::from_text(&text, path, base, variables)
    }

    fn from_text(
        text: &str,
        path: &Path,
        base: &Path,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let not_understood = |message: String| ConfigError::NotUnderstood { path: path.to_owned(), message };
        let mut table: toml::Table = toml::from_str(text).map_err(|e| not_understood(e.to_string()))?;
        let laid_over = overlay::lay_over(&mut table, variables)?;
        let mut config: Self = if laid_over {
            table.try_into().map_err(|e: toml::de::Error| not_understood(e.to_string()))?
        } else {
            // From the text itself, so that the message carries line and column.
            toml::from_str(text).map_err(|e| not_understood(e.to_string()))?
        };
        config.resolve(base);
        config.check()?;
        Ok(config)
    }

    /// The folder of `[files] url`.
    pub fn files_folder(&self) -> PathBuf {
        PathBuf::from(self.files.url.trim_start_matches("file://").trim_start_matches("file:"))
    }

    fn resolve(&mut self, base: &Path) {
        let absolute = |path: &mut PathBuf| {
            if path.is_relative() {
                *path = base.join(&*path);
            }
        };
        self.trust.roots.iter_mut().for_each(absolute);
        self.trust.intermediates.iter_mut().for_each(absolute);
        if let Some(push) = &mut self.push {
            absolute(&mut push.vapid_key);
        }
        if let Some(seal) = &mut self.seal {
            absolute(&mut seal.certificate);
            seal.image.as_mut().map(absolute);
        }
        if let Some(gate) = &mut self.gate {
            for path in [
                &mut gate.mssp_ca,
                &mut gate.ap_cert,
                &mut gate.ap_key,
                &mut gate.ap_password_file,
                &mut gate.journal,
            ] {
                absolute(path);
            }
            gate.roots.iter_mut().for_each(absolute);
        }
        for url in [&mut self.database.url, &mut self.files.url] {
            for scheme in ["sqlite:", "file:"] {
                if let Some(path) = url.strip_prefix(scheme)
                    && !path.starts_with('/')
                    && !path.starts_with(":memory:")
                {
                    *url = format!("{scheme}{}", base.join(path).display());
                }
            }
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let unusable = |key, message: &str| Err(ConfigError::Unusable { key, message: message.to_owned() });
        if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| self.database.url.starts_with(scheme))
        {
            return unusable("database] url", "give sqlite:PATH or postgres://…");
        }
        if !self.files.url.starts_with("file:") {
            return unusable("files] url", "give file:PATH");
        }
        if self.trust.roots.is_empty() {
            return unusable(
                "trust] roots",
                "name at least one PEM file; without anchors nothing can be verified",
            );
        }
        if !is_http(&self.tsa.url) {
            return unusable("tsa] url", "give an http: or https: URL");
        }
        match (self.scanner.mode, &self.scanner.address) {
            (ScannerMode::Required, None) => {
                return unusable(
                    "scanner] address",
                    "mode is \"required\": give tcp:HOST:PORT or unix:PATH of clamd",
                );
            }
            (_, Some(address)) if !address.starts_with("tcp:") && !address.starts_with("unix:") => {
                return unusable("scanner] address", "give tcp:HOST:PORT or unix:PATH");
            }
            _ => {}
        }
        if self.jobs.poll_milliseconds == 0 || self.jobs.lease_seconds == 0 || self.jobs.concurrent == 0 {
            return unusable("jobs", "poll_milliseconds, lease_seconds and concurrent must be above zero");
        }
        if self.limits.upload_bytes == 0 || self.limits.concurrent_uploads == 0 || self.limits.page_rows == 0
        {
            return unusable("limits", "upload_bytes, concurrent_uploads and page_rows must be above zero");
        }
        if let Some(push) = &self.push
            && !push.subject.starts_with("mailto:")
            && !push.subject.starts_with("https:")
        {
            return unusable("push] subject", "give a mailto: or https: address that people read");
        }
        self.files_named().try_for_each(|path| {
            std::fs::File::open(path)
                .map(drop)
                .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
        })
    }

    /// Every file that `serve` and `work` need to read. The gate's own secrets are not among them: on a separate host
    /// this process could not open them, and must not.
    fn files_named(&self) -> impl Iterator<Item = &Path> {
        let push = self.push.iter().map(|push| push.vapid_key.as_path());
        let seal = self
            .seal
            .iter()
            .flat_map(|seal| std::iter::once(seal.certificate.as_path()).chain(seal.image.as_deref()));
        let trust = self.trust.roots.iter().chain(&self.trust.intermediates).map(PathBuf::as_path);
        trust.chain(push).chain(seal)
    }
}

fn is_http(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = r#"
[database]
url = "sqlite:rows.db"
[files]
url = "file:files"
[trust]
roots = ["roots.pem"]
[tsa]
url = "http://tsa.example/tsa"
[scanner]
mode = "off"
"#;

    fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("roots.pem"), "").expect("a file");
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_text(text, Path::new("trinhky.toml"), folder.path(), variables)
    }

    #[test]
    fn the_least_settings_are_enough_and_paths_follow_the_file() {
        let config = load(LEAST, &[]).expect("loads");
        assert!(config.database.url.starts_with("sqlite:/"), "{}", config.database.url);
        assert!(config.trust.roots[0].is_absolute());
        assert_eq!(config.policy.profile, "nd30_default");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let text = LEAST.replace("[files]", "[files]\nfolder = 1");
        let message = load(&text, &[]).expect_err("refused").to_string();
        assert!(message.contains("folder") && message.contains("line 5"), "{message}");
    }

    #[test]
    fn variables_win_over_the_file_and_unknown_ones_are_refused() {
        let config = load(
            LEAST,
            &[("TRINHKY_JOBS_POLL_MILLISECONDS", "7"), ("TRINHKY_DATABASE_URL", "postgres://h/d")],
        )
        .expect("loads");
        assert_eq!((config.jobs.poll_milliseconds, config.database.url.as_str()), (7, "postgres://h/d"));
        for name in ["TRINHKY_JOBS_POLL", "TRINHKY_NOPE_X"] {
            let message = load(LEAST, &[(name, "7")]).expect_err("refused").to_string();
            assert!(message.contains("poll") || message.contains(name), "{message}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_key() {
        for (from, to, key) in [
            ("mode = \"off\"", "mode = \"required\"", "scanner"),
            ("sqlite:rows.db", "mysql:rows", "database"),
            ("roots = [\"roots.pem\"]", "roots = []", "trust"),
            ("roots.pem", "absent.pem", "absent.pem"),
            ("http://tsa", "ftp://tsa", "tsa"),
        ] {
            let message = load(&LEAST.replace(from, to), &[]).expect_err(to).to_string();
            assert!(message.contains(key), "{message}");
        }
    }

    #[test]
    fn a_database_password_is_not_shown() {
        let config = load(&LEAST.replace("sqlite:rows.db", "postgres://u:hush@h/d"), &[]).expect("loads");
        assert!(!format!("{config:?}").contains("hush"));
    }
}
