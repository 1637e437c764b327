//! Foreign judges: the Python package `tests/judges` asks pyHanko, pdfsig, qpdf and others about a released document.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{command, output};

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
    let mut judge = command(python());
    judge.current_dir(repository()).env("PYTHONPATH", "tests").args(["-m", "judges"]).arg(case.pdf);
    judge.arg("--trust").arg(case.trust);
    judge.args(["--signatures", &case.signatures.to_string(), "--json"]);
    for base in case.bases {
        judge.arg("--base").arg(base);
    }
    if let Some(input) = case.pages_of {
        judge.arg("--pages-of").arg(input);
    }
    let text = output(judge).await.context("the judges do not accept the document")?;
    Ok(serde_json::from_str(&text)?)
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
