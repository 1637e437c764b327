//! The peers: pdfsig as a process; pyHanko (`peer.py`), `PDFBox` and EU DSS (`Timed.java`) by programs that time
//! themselves and are stopped at a limit.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::documents::Key;
use crate::measure::run_timed;
use crate::row::{PeerFigure, median};

/// Operation → peer → what it took.
pub(crate) type Figures = BTreeMap<String, BTreeMap<String, PeerFigure>>;

/// `pdfsig` over signed files, process start included. It knows no differences between revisions.
///
/// # Errors
/// It cannot be started.
pub(crate) fn pdfsig(signed: &BTreeMap<&str, PathBuf>, runs: u32) -> Result<Figures> {
    let mut figures = Figures::new();
    for (operation, file) in signed {
        let mut times = Vec::new();
        for _ in 0..runs.min(3) {
            let (_, said, ms) =
                run_timed(Command::new("pdfsig").arg("-nocert").arg(file)).context("pdfsig")?;
            times.push(ms);
            if !said.contains("Signature is Valid") {
                bail!("pdfsig on {}: {said}", file.display());
            }
        }
        let figure = PeerFigure { ms: median(&times), at_least: false, peak_kb: None };
        figures.entry((*operation).to_owned()).or_default().insert("pdfsig".to_owned(), figure);
    }
    Ok(figures)
}

/// A peer that prints what it does, a line of JSON when an operation begins and one when it is done.
pub(crate) struct Talking {
    /// As it is called in rows.
    pub name: &'static str,
    /// Its program, to which file, folder of signed files, key, certificate and number of runs are added.
    pub program: Vec<OsString>,
}

/// Peers on a JVM by their names here and in `Timed.java`.
pub(crate) const JVM: [&str; 2] = ["pdfbox", "dss"];

/// `name` on a JVM, from what `tests/setup.sh` built into `judges`.
///
/// # Errors
/// In words, why there is none.
pub(crate) fn on_jvm(judges: &Path, name: &'static str) -> Result<Talking, String> {
    if Command::new("java").arg("-version").output().is_err() {
        return Err("java is not installed (apt-get install default-jdk-headless)".to_owned());
    }
    if !judges.join("classes/vn/trinhky/bench/Timed.class").exists() {
        let said = std::fs::read_to_string(judges.join("trouble")).unwrap_or_default();
        let unsaid = said.trim().is_empty();
        return Err(if unsaid { "not built: run tests/setup.sh".to_owned() } else { said.trim().to_owned() });
    }
    let mut classes = judges.join("classes").into_os_string();
    classes.push(":");
    classes.push(judges.join("lib/*"));
    let mut program: Vec<OsString> =
        ["java", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Xmx2g", "-cp"].map(Into::into).into();
    program.extend([classes, "vn.trinhky.bench.Timed".into(), name.into()]);
    Ok(Talking { name, program })
}

/// The status with which a JVM ends whose heap is full.
const HEAP_FULL: i32 = 3;

/// What a peer says.
#[derive(Deserialize)]
struct Line {
    operation: String,
    ms: Option<f64>,
    peak_kb: Option<u64>,
}

impl Talking {
    /// Lets it do the same work on `file`, and on the files in `signed`; what it does not finish within `limit` counts as
    /// "at least".
    ///
    /// # Errors
    /// It fails, other than by being stopped or by wanting more memory than two gigabytes.
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
    pub(crate) fn measure(
        &self,
        file: &Path,
        signed: &Path,
        key: &Key,
        runs: u32,
        limit: Duration,
        figures: &mut Figures,
    ) -> Result<()> {
        let (program, words) = self.program.split_first().context("a program")?;
        let mut child = Command::new(program)
            .args(words)
            .args([file, signed, &key.key, &key.cert])
            .arg(runs.min(3).to_string())
            .stdout(Stdio::piped())
            .spawn()?;
        let (send, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().context("its output")?);
        let reader = std::thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| send.send(line).ok())
        });
        let deadline = Instant::now() + limit;
        let mut said: BTreeMap<String, (Vec<f64>, Option<u64>)> = BTreeMap::new();
        let mut under_way: Option<(String, Instant)> = None;
        let stopped = loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let Line { operation, ms, peak_kb } =
                        serde_json::from_str(&line).with_context(|| line.clone())?;
                    under_way = ms.is_none().then(|| (operation.clone(), Instant::now()));
                    let known = said.entry(operation).or_default();
                    known.0.extend(ms);
                    known.1 = peak_kb;
                }
                Err(mpsc::RecvTimeoutError::Timeout) => break true,
                Err(mpsc::RecvTimeoutError::Disconnected) => break false,
            }
        };
        if stopped {
            child.kill()?;
        }
        let status = child.wait()?;
        let _ = reader.join();
        let full = status.code() == Some(HEAP_FULL);
        if !stopped && !status.success() && !full {
            bail!("{} on {}: {status}", self.name, file.display());
        }
        for (operation, (times, peak_kb)) in said {
            let began = under_way.as_ref().filter(|(name, _)| *name == operation && times.is_empty());
            let figure = match began {
                // It ran out of memory: no time would be a measure of it.
                Some(_) if full => continue,
                Some((_, began)) => {
                    PeerFigure { ms: began.elapsed().as_secs_f64() * 1000.0, at_least: true, peak_kb: None }
                }
                None => PeerFigure { ms: median(&times), at_least: false, peak_kb },
            };
            figures.entry(operation).or_default().insert(self.name.to_owned(), figure);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(script: &str, limit: Duration) -> Figures {
        let peer = Talking { name: "peer", program: ["sh", "-c", script].map(Into::into).into() };
        let (nowhere, mut figures) = (Path::new("/"), Figures::new());
        let key = Key { cert: PathBuf::new(), key: PathBuf::new() };
        peer.measure(nowhere, nowhere, &key, 3, limit, &mut figures).unwrap();
        figures
    }

    const DONE: &str = r#"
        say() { echo "{\"operation\": \"$1\"$2}"; }
        say prepare; say prepare ', "ms": 2.0, "peak_kb": 7'; say verify;"#;

    #[test]
    fn what_a_stopped_peer_was_at_took_at_least_that_long() {
        let figures = figures(&format!("{DONE} exec sleep 60"), Duration::from_millis(400));
        let prepare = &figures["prepare"]["peer"];
        assert_eq!((prepare.ms.to_bits(), prepare.at_least), (2.0_f64.to_bits(), false));
        assert!(figures["verify"]["peer"].at_least && figures["verify"]["peer"].ms > 0.0);
    }

    #[test]
    fn what_a_full_heap_ended_has_no_figure() {
        let figures = figures(&format!("{DONE} exit {HEAP_FULL}"), Duration::from_mins(1));
        assert_eq!(figures.keys().collect::<Vec<_>>(), ["prepare"]);
    }

    #[test]
    fn a_peer_that_is_not_built_says_so() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("trouble"), "no network\n").unwrap();
        assert!(on_jvm(folder.path(), "dss").is_err_and(|why| why == "no network" || why.contains("java")));
    }
}
