//! The leader: the Python package `tests/leader`, which drives `mobile-core` through the real FFI. The device key lives in
//! its state folder, as it would in a phone's keystore.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use trinhky_domain::ids::DocumentId;

use crate::clerk::{Account, Desk};
use crate::judges::{python, repository};
use crate::process::{command, output};
use crate::push;

/// A leader with a phone.
#[derive(Debug, Clone)]
pub struct Leader {
    server: String,
    account: Account,
    state: PathBuf,
    clock: Option<String>,
}

impl Leader {
    /// Takes up the phone whose state lies in `state` (made when it is not there).
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(server: &str, account: &Account, state: &Path) -> Result<Self> {
        std::fs::create_dir_all(state)?;
        Ok(Self { server: server.to_owned(), account: account.clone(), state: state.to_owned(), clock: None })
    }

    /// The phone lives in the world's time.
    #[must_use]
    pub fn in_the_time_of(mut self, clock: &str) -> Self {
        self.clock = Some(clock.to_owned());
        self
    }

    /// Enrols this phone: one SIM prompt.
    ///
    /// # Errors
    /// The server, the gate or the SIM refuses.
    pub async fn enrol(&self) -> Result<Value> {
        self.run(&["enrol"]).await
    }

    /// Reads, checks, decides, watches and hands the CMS in: one SIM prompt.
    ///
    /// # Errors
    /// The core, the server, the gate or the SIM refuses.
    pub async fn approve(&self, document: DocumentId) -> Result<Value> {
        self.run(&["approve", "--document", &document.to_string()]).await
    }

    /// Signatures of this leader that came after their wish was withdrawn.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn held(&self) -> Result<Vec<Value>> {
        let said = self.run(&["held"]).await?;
        Ok(said["held"].as_array().cloned().unwrap_or_default())
    }

    /// Reads the document again and adopts a late signature; no SIM prompt.
    ///
    /// # Errors
    /// The core or the server refuses.
    pub async fn adopt(&self, attempt: &str) -> Result<Value> {
        self.run(&["adopt", "--attempt", attempt]).await
    }

    /// Gives a late signature up.
    ///
    /// # Errors
    /// The core or the server refuses.
    pub async fn void(&self, attempt: &str, reason: &str) -> Result<Value> {
        self.run(&["void", "--attempt", attempt, "--reason", reason]).await
    }

    /// What waits for this leader.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn inbox(&self) -> Result<Value> {
        self.run(&["inbox"]).await
    }

    /// Lets the push service reach this phone, as its browser or app would.
    ///
    /// # Errors
    /// The push service or the server refuses.
    pub async fn subscribe(&self, control_url: &str, device: &str) -> Result<()> {
        push::subscribe(&self.desk()?, control_url, device).await
    }

    /// The phone's session, for asking the server what the core has no words for.
    ///
    /// # Errors
    /// The phone has not signed in yet.
    pub fn desk(&self) -> Result<Desk> {
        let kept = std::fs::read_to_string(self.state.join("session.json"))?;
        let (token, _until): (String, String) = serde_json::from_str(&kept)?;
        Desk::with_token(&self.server, token)
    }

    async fn run(&self, arguments: &[&str]) -> Result<Value> {
        let mut leader = command(python());
        leader.current_dir(repository()).env("PYTHONPATH", "tests").args(["-m", "leader"]);
        leader.arg("--library").arg(library()?);
        leader.args(["--server", &self.server, "--username", &self.account.username]);
        leader.args(["--password", &self.account.password, "--totp-secret", &self.account.totp_secret]);
        if let Some(clock) = &self.clock {
            leader.args(["--clock", clock]);
        }
        leader.arg("--state").arg(&self.state).arg("--json").args(arguments);
        let text = output(leader).await.with_context(|| format!("the leader's {arguments:?} failed"))?;
        let last = text.lines().rfind(|line| line.starts_with('{')).context("the leader printed no JSON")?;
        Ok(serde_json::from_str(last)?)
    }
}

/// The shared library that the bindings load; it lies beside our own binaries.
fn library() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("libtrinhky_mobile_ffi.so"))
        .find(|path| path.is_file())
        .context("libtrinhky_mobile_ffi.so is not built; run: cargo build --workspace")
}
