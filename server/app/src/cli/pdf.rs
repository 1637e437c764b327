//! `trinhky pdf …`: the PDF engine on files, one step per command; one JSON object on standard output.
//!
//! Rectangles are in points from the lower left corner of the page as displayed, pages count from 1. Exit 1: the step
//! was refused and nothing was written. Exit 2: the input cannot be read, or usage.

mod complete;
mod inspect;
mod prepare;
mod provision;
mod upgrade;

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use trinhky_pades::pdf::Rect;
use trinhky_pades::{PagePlace, Refusal};

use crate::ambient::Clock;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a base with the declared fields, once, before the first signature.
    Provision(provision::Args),
    /// Append a revision that waits for its signature.
    Prepare(prepare::Args),
    /// Put a signature into the revision that waits for it.
    Complete(complete::Args),
    /// Raise a signed file to a level that lasts, or renew its archive.
    Upgrade(upgrade::Args),
    /// Show revisions, fields, signatures, and what each revision changed.
    Inspect(inspect::Args),
}

/// How a step ends that did not fail.
enum Outcome {
    /// Done; the answer.
    Done(serde_json::Value),
    /// Refused, with its code; nothing was written.
    Refused(serde_json::Value),
    /// The input cannot be read as what it should be.
    Unreadable(serde_json::Value),
}

/// A refusal as JSON: stable code and sentence.
fn refused(code: &str, why: &dyn std::fmt::Display) -> Outcome {
    Outcome::Refused(serde_json::json!({ "refused": code, "why": why.to_string() }))
}

/// What intake says of a file: unreadable, or readable and not to be signed.
fn not_taken(path: &Path, refusal: &Refusal) -> Outcome {
    let answer = serde_json::json!({
        "refused": refusal.code(), "why": format!("{}: {refusal}", path.display()),
    });
    match refusal {
        Refusal::Empty
        | Refusal::NotAPdf
        | Refusal::Truncated
        | Refusal::Broken(_)
        | Refusal::Source(_)
        | Refusal::Write(_) => Outcome::Unreadable(answer),
        _ => Outcome::Refused(answer),
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the answer is this command's output")]
pub(super) fn run(settings: &Path, clock: &dyn Clock, command: &Command) -> ExitCode {
    let outcome = match command {
        Command::Provision(args) => provision::run(args),
        Command::Prepare(args) => prepare::run(clock, args),
        Command::Complete(args) => complete::run(clock, args),
        Command::Upgrade(args) => upgrade::run(settings, clock, args),
        Command::Inspect(args) => inspect::run(args),
    };
    let answered = |answer: &serde_json::Value, code: u8| {
        println!("{answer}");
        eprintln!("{}", answer.get("why").and_then(serde_json::Value::as_str).unwrap_or_default());
        ExitCode::from(code)
    };
    match outcome {
        Ok(Outcome::Done(answer)) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Ok(Outcome::Refused(answer)) => answered(&answer, 1),
        Ok(Outcome::Unreadable(answer)) => answered(&answer, 2),
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// Writes `base` with `tail` behind it, copied by the system: memory does not grow with the file.
fn append(base: &Path, path: &Path, tail: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    in_place(path, |file| {
        copy(base, file)?;
        file.write_all(tail)
    })
}

/// Writes `base` with `bytes` at `at` instead of what is there.
fn patch(base: &Path, path: &Path, at: u64, bytes: &[u8]) -> anyhow::Result<()> {
    use std::os::unix::fs::FileExt as _;
    in_place(path, |file| {
        copy(base, file)?;
        file.write_all_at(bytes, at)
    })
}

/// The bytes alone: a copy is the caller's to write, whatever the original allows.
fn copy(from: &Path, to: &mut File) -> std::io::Result<()> {
    std::io::copy(&mut File::open(from)?, to).map(drop)
}

/// Fills a file beside its place, syncs it and moves it there, so that a failure leaves nothing.
///
/// # Errors
/// What `write` says, and the disk's; the file that was there before stays.
fn in_place<T, E>(path: &Path, write: impl FnOnce(&mut File) -> Result<T, E>) -> anyhow::Result<T>
where
    anyhow::Error: From<E>,
{
    let mut name = path.file_name().context("give a file for --out")?.to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let named = || path.display().to_string();
    let mut file = File::create_new(&part).with_context(named)?;
    let filled = write(&mut file).map_err(anyhow::Error::from);
    let written = filled.and_then(|value| {
        file.sync_all()?;
        std::fs::rename(&part, path)?;
        Ok(value)
    });
    written.inspect_err(|_| drop(std::fs::remove_file(&part))).with_context(named)
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
