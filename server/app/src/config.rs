//! Settings: one TOML file and `TRINHKY_*` variables, read once and checked before anything starts.
//!
//! ```text
//! trinhky.toml ──► Config ──► overlaid by TRINHKY_<SECTION>_<KEY> ──► checked ──► Config (never changes again)
//! ```
//!
//! An unknown key, a missing file or a value out of range stops the start with the line or the variable that is wrong:
//! a server that guessed what an operator meant would be found out on the worst day. Paths are relative to the file's
//! folder. Secrets are named by file and never stand here.

mod examine;
mod overlay;
mod sections;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use trinhky_domain::email::EmailAddress;

pub use sections::{
    Database, Files, Gate, Jobs, Keys, Limits, Mail, Policy, Push, Revocation, Scanner, ScannerMode, Seal,
    Server, Trust, Tsa,
};

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
    /// The installation's own keys.
    #[serde(default)]
    pub keys: Keys,
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
    /// Copies by e-mail; without it they wait, and say so.
    #[serde(default)]
    pub mail: Option<Mail>,
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

    /// The folder of the installation's own keys: the one named, or `keys` beside the files.
    pub fn keys_folder(&self) -> PathBuf {
        self.keys.folder.clone().unwrap_or_else(|| self.files_folder().with_file_name("keys"))
    }

    fn resolve(&mut self, base: &Path) {
        let absolute = |path: &mut PathBuf| {
            if path.is_relative() {
                *path = base.join(&*path);
            }
        };
        self.trust.roots.iter_mut().for_each(absolute);
        self.trust.intermediates.iter_mut().for_each(absolute);
        self.keys.folder.as_mut().map(absolute);
        if let Some(push) = &mut self.push {
            absolute(&mut push.vapid_key);
        }
        if let Some(mail) = &mut self.mail {
            absolute(&mut mail.ca);
            mail.password_file.as_mut().map(absolute);
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
        if let Some(mail) = &self.mail {
            check_mail(mail)?;
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
        let mail = self
            .mail
            .iter()
            .flat_map(|mail| std::iter::once(mail.ca.as_path()).chain(mail.password_file.as_deref()));
        let trust = self.trust.roots.iter().chain(&self.trust.intermediates).map(PathBuf::as_path);
        trust.chain(push).chain(mail).chain(seal)
    }
}

fn check_mail(mail: &Mail) -> Result<(), ConfigError> {
    let unusable = |key, message: &str| Err(ConfigError::Unusable { key, message: message.to_owned() });
    if let Err(message) = crate::gateways::mail::Server::parse(&mail.url) {
        return unusable("mail] url", message);
    }
    if mail.from.parse::<EmailAddress>().is_err() {
        return unusable("mail] from", "give the office's mailbox, e.g. vanthu@coquan.gov.vn");
    }
    if mail.username.is_some() != mail.password_file.is_some() {
        return unusable(
            "mail] password_file",
            "username and password_file go together: give both or neither",
        );
    }
    if mail.message_bytes == 0 || mail.timeout_seconds == 0 || mail.concurrent == 0 {
        return unusable("mail", "message_bytes, timeout_seconds and concurrent must be above zero");
    }
    Ok(())
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
    fn mail_is_never_sent_in_the_clear_and_half_an_account_is_none() {
        let mail =
            "\n[mail]\nurl = \"smtp://mail.example:587\"\nca = \"roots.pem\"\nfrom = \"vanthu@x.example\"\n";
        let text = format!("{LEAST}{mail}");
        let config = load(&text, &[]).expect("loads").mail.expect("is set");
        assert!(config.ca.is_absolute());
        for (name, value, key) in [
            ("TRINHKY_MAIL_URL", "http://mail.example", "mail] url"),
            ("TRINHKY_MAIL_URL", "smtp://u:hush@mail.example", "mail] url"),
            ("TRINHKY_MAIL_FROM", "Văn thư", "mail] from"),
            ("TRINHKY_MAIL_USERNAME", "vanthu", "mail] password_file"),
            ("TRINHKY_MAIL_MESSAGE_BYTES", "0", "mail"),
            ("TRINHKY_MAIL_CA", "absent.pem", "absent.pem"),
        ] {
            let message = load(&text, &[(name, value)]).expect_err(name).to_string();
            assert!(message.contains(key) && !message.contains("hush"), "{message}");
        }
    }

    #[test]
    fn a_database_password_is_not_shown() {
        let config = load(&LEAST.replace("sqlite:rows.db", "postgres://u:hush@h/d"), &[]).expect("loads");
        assert!(!format!("{config:?}").contains("hush"));
    }
}
