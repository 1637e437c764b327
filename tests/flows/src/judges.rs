//! Foreign judges: the Python package `tests/judges` asks pyHanko, pdfsig, qpdf and others about a released document.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};

/// What the judges are asked.
pub struct Case<'a> {
    /// The released document.
    pub pdf: &'a Path,
    /// PEM of the trust anchors.
    pub trust: &'a Path,
    /// Earlier revisions, whose bytes must stand unchanged.
    pub bases: &'a [PathBuf],
    /// The input whose pages must all be there.
    pub pages_of: Option<&'a Path>,
    /// How many signatures there must be, document time stamps not counted.
    pub signatures: u32,
}

/// Asks them all; their findings as JSON.
///
/// # Errors
/// A required judge is missing or does not agree; the text says which and why.
pub async fn ask(case: &Case<'_>) -> Result<Value> {
    let request = json!({
        "pdf": case.pdf,
        "trust": case.trust,
        "bases": case.bases,
        "pages_of": case.pages_of,
        "signatures": case.signatures,
    });
    let answer = tokio::task::spawn_blocking(move || Bench::ask(&request)).await??;
    ensure!(answer["accepted"] == true, "the judges do not accept the document: {}", objections(&answer));
    Ok(answer)
}

/// Who says what against the document.
fn objections(answer: &Value) -> String {
    if let Some(error) = answer["error"].as_str() {
        return error.to_owned();
    }
    let judges = answer["judges"].as_array().map(Vec::as_slice).unwrap_or_default();
    let refusing = judges.iter().filter(|one| one["ok"] == false);
    let lines: Vec<String> = refusing
        .map(|one| format!("{}: {} {}", one["judge"], one["missing"].as_str().unwrap_or(""), one["problems"]))
        .collect();
    lines.join("; ")
}

/// The judges' process, one for all that a program asks: Python, its packages and a JVM take seconds to start.
struct Bench {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// It ends with this program, whose end of the pipe closes.
static BENCH: Mutex<Option<Bench>> = Mutex::new(None);

impl Bench {
    /// One question, one answer; a process that broke off is started anew for the next.
    fn ask(request: &Value) -> Result<Value> {
        let mut bench = BENCH.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seated = match bench.take() {
            Some(seated) => seated,
            None => Self::start()?,
        };
        let answer = seated.answer(request);
        if answer.is_ok() {
            *bench = Some(seated);
        }
        answer
    }

    fn start() -> Result<Self> {
        let mut command = std::process::Command::new(python());
        command.current_dir(repository()).env("PYTHONPATH", "tests").args(["-m", "judges", "--serve"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start the judges: {command:?}"))?;
        let requests = child.stdin.take().context("standard input is piped")?;
        let answers = BufReader::new(child.stdout.take().context("standard output is piped")?);
        Ok(Self { child, requests, answers })
    }

    fn answer(&mut self, request: &Value) -> Result<Value> {
        writeln!(self.requests, "{request}")?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(anyhow!("the judges ended: {}", self.child.wait()?));
        }
        serde_json::from_str(&line).with_context(|| format!("the judges said {line}"))
    }
}

/// The interpreter with the judges' packages.
pub fn python() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    variable("TRINHKY_PYTHON").unwrap_or_else(|| {
        let home = variable("HOME").unwrap_or_default();
        variable("TRINHKY_CACHE").unwrap_or_else(|| home.join(".cache/trinhky")).join("venv/bin/python")
    })
}

/// The clone this was built from.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
