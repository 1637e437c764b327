//! The agent's own configuration: one TOML file that the server cannot write.
//!
//! ```toml
//! server      = "https://trinhky.example.gov.vn"   # http only for this very machine
//! server_ca   = "tls-ca.pem"                       # optional: trust this alone for TLS
//! roots       = ["roots.pem"]                      # trust anchors for leaders' and the organisation's certificates
//! journal     = "seal-journal.jsonl"
//! username    = "vanthu"                           # optional: else asked for at the terminal
//!
//! verification_code = { sim_computed = { kind = "mobile_id_4", over = "digest" } }   # optional: shows the leader's code
//!
//! [token]
//! module      = "/usr/lib/softhsm/libsofthsm2.so"
//! label       = "con-dau"
//! key_label   = "seal"
//! login_minutes = 15                               # the window asks for the PIN again after so long; 0: every time
//!
//! [[leaders]]                                      # who may sign here; anyone else's signature counts as missing
//! name        = "Nguyễn Văn An"
//! certificates = ["9f86d081…"]                     # optional: SHA-256 of DER; given, only these are accepted
//! ```
//!
//! Password and authenticator code are typed at the terminal. For a desk without one (a test, a demo) `password_file` and
//! `totp_secret_file` may name files; two secrets on one disk are one factor, so people do not use that. The PIN has
//! no such way: it is never read from a file. `token_file` names a session that is open already (the desk's web app hands
//! one over): then nothing is asked but the PIN. Relative paths count from this file's folder; an unknown key is refused.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use trinhky_protos::HexDigest;
use trinhky_simpki::code::CodePolicy;

use crate::error::Error;

/// Everything configured.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) server: String,
    pub(crate) server_ca: Option<PathBuf>,
    pub(crate) username: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) totp_secret_file: Option<PathBuf>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) journal: PathBuf,
    /// How the code that the leader compared is made; the agency's policy says.
    pub(crate) verification_code: Option<CodePolicy>,
    pub(crate) token: TokenConfig,
    pub(crate) leaders: Vec<KnownLeader>,
}

/// Where the organisation's key is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenConfig {
    pub(crate) module: PathBuf,
    pub(crate) label: String,
    pub(crate) key_label: String,
    /// How long the window keeps the token logged in after the last seal.
    #[serde(default = "fifteen")]
    pub(crate) login_minutes: u32,
}

const fn fifteen() -> u32 {
    15
}

/// Someone whose signature the organisation seals.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KnownLeader {
    /// As on the certificate.
    pub(crate) name: String,
    /// Given, no other certificate of that name is accepted.
    #[serde(default)]
    pub(crate) certificates: Vec<HexDigest>,
}

impl Config {
    /// Reads the file; paths come back absolute or relative to the working folder.
    pub(crate) fn read(file: &Path) -> Result<Self, Error> {
        let wrong = |why: String| Error::Config { file: file.display().to_string(), why };
        let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        let mut config: Self = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let folder = file.parent().unwrap_or(Path::new("."));
        let own = [&mut config.journal, &mut config.token.module];
        let secrets = config.password_file.iter_mut().chain(config.totp_secret_file.iter_mut());
        let optional = config.server_ca.iter_mut().chain(secrets).chain(config.token_file.iter_mut());
        for path in own.into_iter().chain(optional).chain(config.roots.iter_mut()) {
            *path = folder.join(&path);
        }
        if config.roots.is_empty() {
            return Err(wrong("roots: name at least one PEM file of trust anchors".into()));
        }
        if config.leaders.is_empty() {
            return Err(wrong("leaders: name at least one leader whose signature may be sealed".into()));
        }
        Ok(config)
    }

    /// The leader of that name, if a certificate of that digest is accepted from them.
    pub(crate) fn knows(&self, name: &str, certificate: HexDigest) -> bool {
        self.leaders.iter().any(|leader| {
            leader.name == name
                && (leader.certificates.is_empty() || leader.certificates.contains(&certificate))
        })
    }
}

/// A file of the configuration.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path)
        .map_err(|error| Error::Config { file: path.display().to_string(), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        server = "http://127.0.0.1:8080"
        roots = ["roots.pem"]
        journal = "journal.jsonl"
        [token]
        module = "/usr/lib/softhsm/libsofthsm2.so"
        label = "t"
        key_label = "k"
        [[leaders]]
        name = "Nguyễn Văn An"
        [[leaders]]
        name = "Trần Thị Bình"
        certificates = ["0101010101010101010101010101010101010101010101010101010101010101"]
    "#;

    fn read(text: &str) -> Result<Config, Error> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.toml");
        std::fs::write(&file, text).unwrap();
        Config::read(&file)
    }

    #[test]
    fn only_listed_leaders_and_certificates_are_known() {
        let config = read(TEXT).unwrap();
        let (one, two) = (HexDigest([1; 32]), HexDigest([2; 32]));
        assert!(config.knows("Nguyễn Văn An", two) && config.knows("Trần Thị Bình", one));
        assert!(!config.knows("Trần Thị Bình", two) && !config.knows("Lê Văn Cường", one));
        assert!(config.journal.is_absolute() && config.token.module.starts_with("/usr/lib"));
    }

    #[test]
    fn an_unknown_key_and_an_empty_list_are_refused() {
        assert_eq!(read(&format!("pin = \"1234\"\n{TEXT}")).unwrap_err().code(), "config_invalid");
        assert_eq!(read(&TEXT.replace("[\"roots.pem\"]", "[]")).unwrap_err().code(), "config_invalid");
        assert_eq!(read("").unwrap_err().code(), "config_invalid");
    }
}
