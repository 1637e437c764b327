//! A child process of the product: it prints one JSON line when it is ready, more JSON lines when it has something to say,
//! and its log goes to a file. It dies with the test, and can be killed as a power cut would.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long a child may take to say that it is ready. Generous: tests run on busy machines.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// Nobody listens there: a child that lets its surroundings name a proxy reaches nothing.
const DEAD_PROXY: [(&str, &str); 4] = [
    ("HTTP_PROXY", "http://127.0.0.1:1"),
    ("HTTPS_PROXY", "http://127.0.0.1:1"),
    ("ALL_PROXY", "http://127.0.0.1:1"),
    ("all_proxy", "http://127.0.0.1:1"),
];

/// A running child.
pub struct Running {
    name: &'static str,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
    /// What its ready line said.
    pub ready: Value,
}

impl Running {
    /// Starts `command`, sends its standard error to `log` (appended) and waits for the first JSON line.
    ///
    /// # Errors
    /// It did not start, ended early, or said nothing within a minute; the text carries the end of its log.
    pub async fn start(name: &'static str, mut command: Command, log: &Path) -> Result<Self> {
        let errors = std::fs::File::options().create(true).append(true).open(log)?;
        command.envs(DEAD_PROXY).env_remove("NO_PROXY").env_remove("no_proxy");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}: {command:?}"))?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut running = Self {
            name,
            child,
            lines: BufReader::new(stdout).lines(),
            log: log.to_owned(),
            ready: Value::Null,
        };
        running.ready = running.line(READY_WITHIN).await?;
        Ok(running)
    }

    /// The next JSON line on its standard output.
    ///
    /// # Errors
    /// It ended, or was silent for `within`.
    pub async fn line(&mut self, within: Duration) -> Result<Value> {
        let next = async {
            while let Some(line) = self.lines.next_line().await? {
                if let Ok(value) = serde_json::from_str(&line) {
                    return Ok(value);
                }
            }
            bail!("{} ended", self.name)
        };
        match tokio::time::timeout(within, next).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(anyhow!("{error}; its log ends:\n{}", self.log_end())),
            Err(_) => {
                Err(anyhow!("{} said nothing for {within:?}; its log ends:\n{}", self.name, self.log_end()))
            }
        }
    }

    /// Pulls the plug: SIGKILL, no chance to tidy up.
    ///
    /// # Errors
    /// The process cannot be waited for.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.name))
    }

    /// Asks it to stop (SIGTERM) and waits.
    ///
    /// # Errors
    /// It did not end within twenty seconds, or ended badly.
    pub async fn stop(mut self) -> Result<()> {
        let Some(id) = self.child.id() else { return Ok(()) };
        let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        if !asked.success() {
            bail!("cannot signal {}", self.name);
        }
        let status = tokio::time::timeout(Duration::from_secs(20), self.child.wait())
            .await
            .map_err(|_| anyhow!("{} did not stop; its log ends:\n{}", self.name, self.log_end()))??;
        if !status.success() {
            bail!("{} stopped with {status}; its log ends:\n{}", self.name, self.log_end());
        }
        Ok(())
    }

    /// The process id, for looking at its memory.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    fn log_end(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }
}

/// One of our own binaries, built before: it lies beside the one that is running.
///
/// # Errors
/// It is not there.
pub fn binary(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("{name} is not built; run: cargo build --workspace --bins"))
}

/// A command that inherits none of our own settings from the caller's environment.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRINHKY_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `command` to its end and gives its standard output.
///
/// # Errors
/// It ended badly; the text carries what it printed.
pub async fn output(mut command: Command) -> Result<String> {
    command.stdin(Stdio::null());
    let output = command.output().await.with_context(|| format!("cannot start {command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!(
            "{command:?} ended with {}:\n{text}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(text)
}
