//! Instruction counts of the operations under callgrind: what a busy machine cannot blur. The counts stand in a table
//! in the repository; a rise beyond the tolerance fails until the table is written anew, with the reason in the commit.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::documents::Key;
use crate::measure::Operation;

/// Which table to compare with.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of input files.
    folder: PathBuf,
    #[command(flatten)]
    key: Key,
    /// The table.
    #[arg(long, default_value = "tests/bench/instructions.toml")]
    table: PathBuf,
    /// Writes the table instead of comparing with it.
    #[arg(long)]
    write: bool,
}

/// Operation and file → instructions.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

/// A rise beyond this share fails.
const TOLERANCE: f64 = 0.05;

const FILES: [&str; 4] = ["100kB-table", "100kB-stream", "30k-table", "30k-stream"];
const OPERATIONS: [Operation; 6] = [
    Operation::Ingest,
    Operation::Provision,
    Operation::Prepare,
    Operation::Complete,
    Operation::Verify,
    Operation::VerifyTwo,
];

/// Counts, and compares or writes.
///
/// # Errors
/// valgrind is missing, or a count rose.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut counts = Counts::new();
    for name in FILES {
        let file = arguments.folder.join(format!("{name}.pdf"));
        for operation in OPERATIONS {
            let count = count(operation, &file, &arguments.key)?;
            eprintln!("{:<12} {name:<14} {count:>14} instructions", operation.word());
            counts.entry(operation.word().to_owned()).or_default().insert(name.to_owned(), count);
        }
    }
    if arguments.write {
        return std::fs::write(&arguments.table, written(&counts)).map_err(Into::into);
    }
    let text = std::fs::read_to_string(&arguments.table)
        .with_context(|| format!("{} (write it with --write)", arguments.table.display()))?;
    let known: Counts = toml::from_str(&text)?;
    let risen = risen(&known, &counts);
    if !risen.is_empty() {
        bail!(
            "more instructions than {} allows:\n  {}\nMend the cause; or, if the work is worth it, run this command with \
             --write and give the reason in the commit.",
            arguments.table.display(),
            risen.join("\n  ")
        );
    }
    Ok(())
}

fn risen(known: &Counts, counts: &Counts) -> Vec<String> {
    let mut risen = Vec::new();
    for (operation, files) in counts {
        for (file, &count) in files {
            let Some(&was) = known.get(operation).and_then(|files| files.get(file)) else {
                risen.push(format!("{operation} {file}: {count}, not in the table"));
                continue;
            };
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            let (was_f, count_f) = (was as f64, count as f64);
            if count_f > was_f * (1.0 + TOLERANCE) {
                let change = count_f / was_f - 1.0;
                risen.push(format!("{operation} {file}: {was} → {count} (+{:.1} %)", change * 100.0));
            }
        }
    }
    risen
}

/// Runs one measurement under callgrind, which collects within `counted` alone.
fn count(operation: Operation, file: &Path, key: &Key) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("callgrind");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*measure*counted*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["measure", operation.word(), "--runs", "1", "--cert"])
        .arg(&key.cert)
        .arg("--key")
        .arg(&key.key)
        .arg(file)
        .output()
        .context("valgrind (apt-get install valgrind)")?;
    if !output.status.success() {
        bail!("{} of {}: {}", operation.word(), file.display(), String::from_utf8_lossy(&output.stderr));
    }
    let text = std::fs::read_to_string(&out)?;
    let total =
        text.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    let count = total.and_then(|total| total.trim().parse().ok()).context("callgrind's total")?;
    if count == 0 {
        bail!("callgrind collected nothing: is the program stripped?");
    }
    Ok(count)
}

fn written(counts: &Counts) -> String {
    let mut text = String::from(
        "# Instructions of one operation on one file, counted by `trinhky-bench instructions` under callgrind (where SHA-256 runs\n\
         # without hardware help). `make bench` fails when one rises by more than 5 %: mend the cause, or write the table anew\n\
         # (`trinhky-bench instructions … --write`) and give the reason in the commit.\n",
    );
    for (operation, files) in counts {
        let _ = write!(text, "\n[{operation}]\n");
        for (file, count) in files {
            let _ = writeln!(text, "{file} = {count}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_beyond_the_tolerance_is_told() {
        let counts = |count| Counts::from([("ingest".to_owned(), BTreeMap::from([("a".to_owned(), count)]))]);
        assert!(risen(&counts(100), &counts(105)).is_empty());
        assert_eq!(risen(&counts(100), &counts(106)).len(), 1);
        assert_eq!(risen(&Counts::new(), &counts(1)).len(), 1);
        let read: Counts = toml::from_str(&written(&counts(7))).unwrap();
        assert_eq!(read, counts(7));
    }
}
