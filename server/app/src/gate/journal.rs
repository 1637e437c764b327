//! The gate's own record of prompts: one line per decision, ever, in a file that only grows.
//!
//! ```text
//! {"at":"…","key":"decision:01…","attempt":"01…","ap_trans_id":"T01…","dtbs":"…","previous":"sha256 of the line before"}
//! ```
//!
//! It lies on the gate's disk, outside the database, so that rows restored from a backup, or written by whoever has
//! taken over the server, cannot make the gate ask a SIM a second time for one decision. A line is written and synced
//! before the request may leave. Each line names the digest of the one before: a line taken out shows.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_domain::Digest;
use trinhky_domain::ids::AttemptId;
use trinhky_simpki::digest::DtbsDigest;
use trinhky_simpki::ids::ApTransId;

/// The open journal; one process at a time.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    seen: HashMap<String, ApTransId>,
    last: Digest,
    /// Bytes of whole lines: what a write that failed has left behind them is cut off before the next.
    whole: u64,
}

/// One prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// When it was about to be raised.
    #[serde(with = "time::serde::rfc3339")]
    pub(super) at: OffsetDateTime,
    /// What entitles to it, once: `decision:` and the decision's id, or `enrolment:` and the attempt's.
    pub(super) key: String,
    /// For which attempt.
    pub(super) attempt: AttemptId,
    /// The name it has at the provider.
    pub(super) ap_trans_id: ApTransId,
    /// What is to be signed.
    pub(super) dtbs: DtbsDigest,
}

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    line: Line,
    previous: Digest,
}

/// Why a prompt is not recorded, and so not raised.
#[derive(Debug, thiserror::Error)]
pub(super) enum JournalError {
    /// A prompt was raised for it before.
    #[error("a prompt was raised for {key} before, as {ap_trans_id}")]
    Seen {
        /// What was used up.
        key: String,
        /// The name of that prompt.
        ap_trans_id: ApTransId,
    },
    /// The disk.
    #[error("the prompt journal {path} cannot be written: {source}")]
    Disk {
        /// Which file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
}

impl Journal {
    /// Opens the journal in a folder, making both where they are not.
    ///
    /// A last line without its end was being written when the power went: its prompt was not raised, since the line is
    /// synced first, and it is cut off.
    ///
    /// # Errors
    /// When another process has it open, or a line before the last is damaged or missing.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(FILE);
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => anyhow::bail!("{}: another gate has it open", path.display()),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let (mut seen, mut last, mut whole) = (HashMap::new(), Digest([0; 32]), 0u64);
        let mut reader = BufReader::new(&mut file);
        let mut text = String::new();
        for number in 1u64.. {
            text.clear();
            let read = reader.read_line(&mut text)?;
            if !text.ends_with('\n') {
                break;
            }
            let damaged =
                || anyhow::anyhow!("{} line {number} is damaged; restore it from the backup", path.display());
            let written: Written = serde_json::from_str(&text).map_err(|_| damaged())?;
            if written.previous != last {
                return Err(damaged());
            }
            last = Digest::of(text.as_bytes());
            whole += u64::try_from(read)?;
            seen.insert(written.line.key, written.line.ap_trans_id);
        }
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        Ok(Self { path, file, seen, last, whole })
    }

    /// Whether a prompt was raised for this before.
    ///
    /// # Errors
    /// [`JournalError::Seen`] with the name it had.
    pub(super) fn unused(&self, key: &str) -> Result<(), JournalError> {
        match self.seen.get(key) {
            Some(ap_trans_id) => {
                Err(JournalError::Seen { key: key.to_owned(), ap_trans_id: ap_trans_id.clone() })
            }
            None => Ok(()),
        }
    }

    /// Records a prompt, durably, before it is raised.
    ///
    /// # Errors
    /// [`JournalError::Seen`], or the disk.
    pub(super) fn admit(&mut self, line: Line) -> Result<(), JournalError> {
        self.unused(&line.key)?;
        let (key, ap_trans_id) = (line.key.clone(), line.ap_trans_id.clone());
        let path = self.path.clone();
        let disk = |source| JournalError::Disk { path: path.clone(), source };
        let mut text = serde_json::to_string(&Written { line, previous: self.last })
            .map_err(|error| disk(std::io::Error::other(error)))?;
        text.push('\n');
        self.append(&text).map_err(disk)?;
        self.last = Digest::of(text.as_bytes());
        self.seen.insert(key, ap_trans_id);
        Ok(())
    }

    /// Half a line of a full disk, or a whole one that was never synced, may lie at the end: a line behind it would make
    /// the journal unreadable for the next start.
    fn append(&mut self, line: &str) -> std::io::Result<()> {
        match self.file.metadata()?.len().cmp(&self.whole) {
            Ordering::Equal => {}
            Ordering::Greater => self.file.set_len(self.whole)?,
            Ordering::Less => {
                return Err(std::io::Error::other("lines are missing; restore them from the backup"));
            }
        }
        self.file.write_all(line.as_bytes())?;
        self.file.sync_data()?;
        self.whole += line.len() as u64;
        Ok(())
    }
}

const FILE: &str = "prompts.jsonl";

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2025-03-05 08:00 UTC);

    fn line(key: &str) -> Line {
        Line {
            at: NOW,
            key: key.to_owned(),
            attempt: AttemptId::at(NOW, 1),
            ap_trans_id: ApTransId::mint(NOW, [7; 10]),
            dtbs: DtbsDigest([9; 32]),
        }
    }

    #[test]
    fn one_prompt_per_decision_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        journal.admit(line("decision:1")).unwrap();
        assert!(matches!(journal.admit(line("decision:1")), Err(JournalError::Seen { .. })));
        journal.admit(line("decision:2")).unwrap();
        drop(journal);
        let journal = Journal::open(folder.path()).unwrap();
        for used in ["decision:1", "decision:2"] {
            assert!(matches!(journal.unused(used), Err(JournalError::Seen { .. })));
        }
        assert!(journal.unused("decision:3").is_ok());
    }

    #[test]
    fn what_a_full_disk_left_of_a_line_does_not_damage_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        journal.admit(line("a")).unwrap();
        journal.file.write_all(b"{\"at\":\"2025-").unwrap();
        journal.admit(line("b")).unwrap();
        drop(journal);
        let journal = Journal::open(folder.path()).unwrap();
        assert!(journal.unused("a").is_err() && journal.unused("b").is_err());
    }

    #[test]
    fn a_second_gate_on_the_same_journal_does_not_start() {
        let folder = tempfile::tempdir().unwrap();
        let _open = Journal::open(folder.path()).unwrap();
        assert!(Journal::open(folder.path()).unwrap_err().to_string().contains("another gate"));
    }

    #[test]
    fn what_a_failed_write_left_behind_is_cut_before_the_next_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut journal = Journal::open(folder.path()).unwrap();
        journal.admit(line("a")).unwrap();
        let half = OpenOptions::new().append(true).open(&path).unwrap();
        (&half).write_all(b"{\"at\":\"2025-03-05T08:").unwrap();
        journal.admit(line("b")).unwrap();
        drop(journal);
        let journal = Journal::open(folder.path()).unwrap();
        assert!(journal.unused("a").is_err() && journal.unused("b").is_err());
    }

    #[test]
    fn a_journal_that_was_shortened_under_a_running_gate_raises_no_prompt() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        journal.admit(line("a")).unwrap();
        File::options().write(true).open(folder.path().join(FILE)).unwrap().set_len(0).unwrap();
        assert!(matches!(journal.admit(line("b")), Err(JournalError::Disk { .. })));
    }

    #[test]
    fn a_torn_last_line_is_cut_and_a_missing_line_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut journal = Journal::open(folder.path()).unwrap();
        for key in ["a", "b", "c"] {
            journal.admit(line(key)).unwrap();
        }
        drop(journal);
        let whole = std::fs::read_to_string(&path).unwrap();

        std::fs::write(&path, &whole[..whole.len() - 20]).unwrap();
        let mut torn = Journal::open(folder.path()).unwrap();
        assert!(torn.unused("c").is_ok() && torn.unused("b").is_err());
        torn.admit(line("c")).unwrap();
        drop(torn);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);

        let without: String = whole.split_inclusive('\n').filter(|line| !line.contains("\"b\"")).collect();
        std::fs::write(&path, without).unwrap();
        assert!(Journal::open(folder.path()).unwrap_err().to_string().contains("line 2"));
    }
}
