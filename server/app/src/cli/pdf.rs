//! `trinhky pdf …`: the PDF engine on files, one step per command; one JSON object on standard output.
//!
//! Rectangles are in points from the lower left corner of the page as displayed, pages count from 1. Exit 1: the step
//! was refused and nothing was written. Exit 2: the input cannot be read, or usage.

mod complete;
mod inspect;
mod prepare;
mod provision;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use trinhky_pades::PagePlace;
use trinhky_pades::pdf::Rect;

use crate::ambient::Clock;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a base with the declared fields, once, before the first signature.
    Provision(provision::Args),
    /// Append a revision that waits for its signature.
    Prepare(prepare::Args),
    /// Put a signature into the revision that waits for it.
    Complete(complete::Args),
    /// Show revisions, fields, signatures, and what each revision changed.
    Inspect(inspect::Args),
}

/// How a step ends that did not fail.
enum Outcome {
    /// Done; the answer.
    Done(serde_json::Value),
    /// Refused, with its code; nothing was written.
    Refused(serde_json::Value),
}

/// A refusal as JSON: stable code and sentence.
fn refused(code: &str, why: &dyn std::fmt::Display) -> Outcome {
    Outcome::Refused(serde_json::json!({ "refused": code, "why": why.to_string() }))
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the answer is this command's output")]
pub(super) fn run(clock: &dyn Clock, command: &Command) -> ExitCode {
    let outcome = match command {
        Command::Provision(args) => provision::run(args),
        Command::Prepare(args) => prepare::run(clock, args),
        Command::Complete(args) => complete::run(clock, args),
        Command::Inspect(args) => inspect::run(args),
    };
    match outcome {
        Ok(Outcome::Done(answer)) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Ok(Outcome::Refused(answer)) => {
            println!("{answer}");
            eprintln!("{}", answer.get("why").and_then(serde_json::Value::as_str).unwrap_or_default());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// Writes a file beside its place and moves it there, so that a failure leaves nothing.
fn write(path: &Path, parts: &[&[u8]]) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut name = path.file_name().context("give a file for --out")?.to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&part)?;
        for bytes in parts {
            file.write_all(bytes)?;
        }
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    written().inspect_err(|_| drop(std::fs::remove_file(&part))).with_context(|| path.display().to_string())
}

/// `NAME@PAGE:X,Y,W,H`, or `NAME` alone where the page's own words decide.
fn named_place(text: &str) -> Result<(String, Option<PagePlace>), String> {
    let Some((name, place)) = text.split_once('@') else { return Ok((text.to_owned(), None)) };
    let usage = || format!("{text}: give NAME@PAGE:X,Y,W,H");
    let (page, rect) = place.split_once(':').ok_or_else(usage)?;
    let page = page.parse().map_err(|_| usage())?;
    Ok((name.to_owned(), Some(PagePlace { page, rect: rectangle(rect)? })))
}

/// `X,Y,W,H`
fn rectangle(text: &str) -> Result<Rect, String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse::<f64>()).collect();
    match numbers.as_deref() {
        Ok([x, y, width, height]) => Ok(Rect::of(*x, *y, *width, *height)),
        _ => Err(format!("{text}: give X,Y,W,H in points")),
    }
}
