//! The agent's journal: one line for every seal, on disk before the seal leaves this machine.
//!
//! After a restore of the server's database the journal says which numbers are out (architecture, section 6): it raises
//! the register's floor. It is appended to and synced, never rewritten; a torn last line (power cut) is passed over.
//! It also guards: a number that went to one document never goes to another from this desk.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_protos::HexDigest;
use trinhky_protos::ids::DocumentId;

use crate::error::Error;

/// One seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    pub(crate) document: DocumentId,
    pub(crate) number: String,
    pub(crate) date: String,
    /// The head that was sealed.
    pub(crate) base: HexDigest,
    /// What the token signed: SHA-256 of the signed attributes.
    pub(crate) digest: HexDigest,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Journal(PathBuf);

impl Journal {
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Whether `number` may go to `document`: neither has another partner in the journal.
    ///
    /// # Errors
    /// [`Error::NumberConflict`], [`Error::Journal`].
    pub(crate) fn check(&self, document: DocumentId, number: &str, date: &str) -> Result<(), Error> {
        let year = |date: &str| date.get(..4).map(str::to_owned);
        for entry in self.entries()? {
            let same_number = entry.number == number && year(&entry.date) == year(date);
            if same_number != (entry.document == document) {
                let told = format!("{} went to document {} on {}", entry.number, entry.document, entry.date);
                return Err(Error::NumberConflict(told));
            }
        }
        Ok(())
    }

    /// Appends and syncs.
    ///
    /// # Errors
    /// [`Error::Journal`]: then the seal must not leave.
    pub(crate) fn append(&self, entry: &Entry) -> Result<(), Error> {
        let failed = |why: std::io::Error| Error::Journal(format!("{}: {why}", self.0.display()));
        let line = serde_json::to_string(entry).map_err(|error| Error::Journal(error.to_string()))?;
        let fresh = !self.0.exists();
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0).map_err(failed)?;
        // The line feed comes first, so that a line torn by a power cut cannot swallow this one.
        let line = if fresh { format!("{line}\n") } else { format!("\n{line}\n") };
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        if fresh && let Some(folder) = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<Entry>, Error> {
        match std::fs::read_to_string(&self.0) {
            Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::Journal(format!("{}: {error}", self.0.display()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn entry(document: u128, number: &str) -> Entry {
        let at = datetime!(2026-03-02 01:02:03 UTC);
        Entry {
            at,
            document: DocumentId::at(at, document),
            number: number.into(),
            date: "2026-03-02".into(),
            base: HexDigest([1; 32]),
            digest: HexDigest([2; 32]),
        }
    }

    #[test]
    fn a_number_goes_to_one_document_a_year_and_a_document_has_one_number() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(&folder.path().join("journal.jsonl"));
        let (one, two) = (entry(1, "29/QĐ-UBND"), entry(2, "30/QĐ-UBND"));
        journal.check(one.document, &one.number, &one.date).unwrap();
        journal.append(&one).unwrap();
        journal.append(&two).unwrap();
        journal.check(one.document, &one.number, &one.date).unwrap();
        let conflict =
            |document, number, date| journal.check(document, number, date).unwrap_err().code().to_owned();
        assert_eq!(conflict(two.document, "29/QĐ-UBND", "2026-03-03"), "number_conflict");
        assert_eq!(conflict(one.document, "31/QĐ-UBND", "2026-03-03"), "number_conflict");
        journal.check(entry(3, "").document, "29/QĐ-UBND", "2027-01-04").unwrap();
    }

    #[test]
    fn a_torn_line_is_passed_over_and_swallows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = Journal::at(&path);
        journal.append(&entry(1, "1/QĐ")).unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"at\":\"2026-03").unwrap();
        journal.append(&entry(2, "2/QĐ")).unwrap();
        assert_eq!(journal.entries().unwrap(), [entry(1, "1/QĐ"), entry(2, "2/QĐ")]);
    }
}
