//! A world in a temporary folder, and the foreign programs that judge it.

use std::process::Command;

use tempfile::TempDir;
use trinhky_world::{Options, Ready, Running};

/// A running world with its runtime and folder.
pub(crate) struct Fixture {
    pub ready: Ready,
    pub dir: TempDir,
    _running: Running,
    _runtime: tokio::runtime::Runtime,
}

impl Fixture {
    /// Starts a world whose SIMs accept after 20 ms.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| ())
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::new(dir.path().join("world"));
        options.accept_after_ms = Some(20);
        options.pool = Some(concat!(env!("CARGO_TARGET_TMPDIR"), "/world-pool").into());
        change(&mut options);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let running = runtime.block_on(Running::start(&options)).unwrap();
        Self { ready: running.ready().clone(), dir, _running: running, _runtime: runtime }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// A control call; `body` empty is a GET.
    pub(crate) fn control(&self, path: &str, body: &str) -> String {
        let url = format!("{}{path}", self.ready.control_url);
        let mut arguments = vec!["-sS", url.as_str()];
        if !body.is_empty() {
            arguments.extend(["-H", "content-type: application/json", "-d", body]);
        }
        run("curl", &arguments).0
    }
}

/// Runs a program; its output (both streams) and whether it said yes.
pub(crate) fn run(program: &str, arguments: &[&str]) -> (String, bool) {
    let output =
        Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (text, output.status.success())
}

/// Runs a program that must say yes.
pub(crate) fn must(program: &str, arguments: &[&str]) -> String {
    let (text, ok) = run(program, arguments);
    assert!(ok, "{program} {arguments:?}\n{text}");
    text
}
