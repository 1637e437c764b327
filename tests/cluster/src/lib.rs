//! A private PostgreSQL cluster for tests and benchmarks: made in a temporary folder, reached over a Unix socket there,
//! gone with whoever started it.
//!
//! A shell holds it: when the process that started it ends, however it ends, the shell's standard input closes, and it
//! stops the cluster and removes its folder. `initdb` refuses to run as root, so root becomes `postgres` first.

use std::io::{BufRead as _, BufReader, Error, Result};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A running cluster; dropped, it is stopped and gone.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    bin: PathBuf,
    shell: Child,
}

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As an operator runs it: for whatever is measured.
    Real,
    /// Nothing is synced: for whatever is tested.
    None,
}

const SCRIPT: &str = r#"
set -e
dir=$(mktemp -d /tmp/trinhky-pg-XXXXXX)
"$0/initdb" -D "$dir/data" -U postgres -A trust --no-sync >"$dir/initdb.log" 2>&1
"$0/pg_ctl" -D "$dir/data" -w -s -l "$dir/log" -o "-k $dir -c listen_addresses='' -c fsync=$1 -c max_connections=300" start
echo "$dir"
cat >/dev/null || true
"$0/pg_ctl" -D "$dir/data" -m immediate -s stop || true
rm -rf "$dir"
"#;

impl Cluster {
    /// Makes a cluster and starts it. Blocks for a second or two.
    ///
    /// # Errors
    /// PostgreSQL is not installed under `/usr/lib/postgresql`, or does not start.
    pub fn start(durability: Durability) -> Result<Self> {
        let bin = newest()?;
        let is_root = std::path::Path::new("/root/.").read_dir().is_ok();
        let mut command = if is_root { Command::new("runuser") } else { Command::new("sh") };
        if is_root {
            command.args(["-u", "postgres", "--", "sh"]);
        }
        let fsync = if durability == Durability::Real { "on" } else { "off" };
        command.args(["-c", SCRIPT]).arg(&bin).arg(fsync);
        let mut shell = command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(said) = shell.stdout.take() {
            BufReader::new(said).read_line(&mut line)?;
        }
        if line.trim().is_empty() {
            return Err(Error::other("the PostgreSQL cluster did not start"));
        }
        Ok(Self { folder: PathBuf::from(line.trim()), bin, shell })
    }

    /// Makes an empty database and gives its URL. Blocks.
    ///
    /// # Errors
    /// There is one of this name, or the cluster does not answer.
    pub fn database(&self, name: &str) -> Result<String> {
        let host = self.folder.display().to_string();
        let made = Command::new(self.bin.join("createdb"))
            .args(["-h", &host, "-U", "postgres", name])
            .stdin(Stdio::null())
            .output()?;
        if !made.status.success() {
            return Err(Error::other(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
        Ok(format!("postgres:///{name}?host={host}&user=postgres"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The shell reads to the end of its input, then stops the cluster.
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}

fn newest() -> Result<PathBuf> {
    let missing = || Error::other("PostgreSQL is not installed under /usr/lib/postgresql");
    let versions = std::fs::read_dir("/usr/lib/postgresql").map_err(|_| missing())?;
    let mut found: Vec<PathBuf> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().ok_or_else(missing)
}
