//! `docs/refusals.md` says what the code says, and names tests that exist.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use trinhky_flows::judges::repository;
use trinhky_protos::problem::Code;

/// Codes that no test can show from outside: nothing raises them yet, or only what must never happen.
const NOT_SHOWN: &[Code] = &[Code::RegisterClosed, Code::InFlight, Code::Unavailable, Code::Internal];

#[test]
fn the_table_of_refusals_is_that_of_the_code() -> Result<()> {
    let text = std::fs::read_to_string(repository().join("docs/refusals.md"))?;
    let (by_issue, by_code) = text.split_once("## Every code").context("two tables")?;
    let tests = tests_below(&repository())?;

    let rows: BTreeMap<String, Vec<String>> =
        rows(by_code).into_iter().filter_map(|row| Some((row.first()?.clone(), row))).collect();
    for code in Code::ALL {
        let row = rows.get(code.as_str()).with_context(|| format!("no row for {}", code.as_str()))?;
        let [_, status, sentence, shown] = &row[..] else { anyhow::bail!("{row:?} has not four columns") };
        ensure!(*status == code.status().to_string(), "{}: the status is {}", code.as_str(), code.status());
        ensure!(sentence == code.vietnamese(), "{}: the sentence is {}", code.as_str(), code.vietnamese());
        ensure!((shown == "–") == NOT_SHOWN.contains(code), "{}: shown by {shown}", code.as_str());
        ensure!(shown == "–" || tests.contains(shown), "{}: there is no test {shown}", code.as_str());
    }
    ensure!(rows.len() == Code::ALL.len(), "a row for a code that is not there");

    let listed = rows_of_the_issue(by_issue);
    ensure!(listed.len() > 20, "the issue's refusals are not listed");
    for [refusal, code, shown] in listed {
        let known = Code::parse(&code).is_some();
        ensure!(known, "{refusal}: {code} is no code");
        ensure!(tests.contains(&shown), "{refusal}: there is no test {shown}");
    }
    Ok(())
}

fn rows_of_the_issue(text: &str) -> Vec<[String; 3]> {
    rows(text).into_iter().filter_map(|row| row.try_into().ok()).collect()
}

/// The cells of every table row, headings and rules left out, backticks taken away.
fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_matches('|');
        inner.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let lines = text.lines().filter(|line| line.starts_with('|') && !line.starts_with("|--"));
    lines.map(cells).filter(|row| !["refusal", "code"].contains(&row[0].as_str())).collect()
}

/// Names of functions in test code of the workspace.
fn tests_below(folder: &Path) -> Result<std::collections::HashSet<String>> {
    let mut found = std::collections::HashSet::new();
    let mut folders: Vec<_> =
        ["crates", "protos", "mobile-core", "server", "apps", "tests"].map(|name| folder.join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path)?;
                let mut is_test = false;
                for line in text.lines().map(str::trim) {
                    is_test |= line.starts_with("#[") && line.contains("test");
                    if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
                        found.extend(rest.split_once('(').map(|(name, _)| name.to_owned()));
                        is_test = false;
                    }
                }
            }
        }
    }
    Ok(found)
}
