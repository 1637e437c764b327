//! The agent's journal: one line for every seal, on disk before the token signs.
//!
//! After a restore of the server's database the journal says which numbers are out (architecture, section 6): it raises
//! the register's floor. It also guards: a number that went to one document never goes to another from this desk
//! ([`numbers`]). So a line that cannot be read stops every seal, until a person has said what stood there ([`repair`]).
//!
//! The one exception is a last line without its end, torn by a power cut: it was never synced, so nothing was signed; it is
//! cut off when the next line is written.

mod line;
mod numbers;
pub(crate) mod repair;

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

pub(crate) use line::Entry;
use line::Line;
pub(crate) use numbers::Claim;

use crate::error::Error;

/// The file.
#[derive(Debug)]
pub(crate) struct Journal(PathBuf);

/// What the file holds.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Every seal, oldest first.
    pub(crate) seals: Vec<Entry>,
    /// The number of the last line, if a power cut tore it.
    pub(crate) torn: Option<usize>,
    /// How many bytes are whole lines.
    whole: u64,
}

impl Journal {
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Whether the claim fits everything sealed here.
    ///
    /// # Errors
    /// [`Error::NumberConflict`], [`Error::SecondNumber`], [`Error::JournalDamaged`], [`Error::Journal`].
    pub(crate) fn check(&self, claim: &Claim<'_>) -> Result<(), Error> {
        numbers::check(&self.read()?.seals, claim)
    }

    /// Checks once more, appends and syncs; no other agent on this machine comes between.
    ///
    /// # Errors
    /// As [`Self::check`]: then nothing may be signed.
    pub(crate) fn enter(&self, entry: &Entry, claim: &Claim<'_>) -> Result<(), Error> {
        let failed = |why: std::io::Error| self.failed(&why);
        let mut options = OpenOptions::new();
        let mut file =
            options.create(true).truncate(false).read(true).write(true).open(&self.0).map_err(failed)?;
        file.lock().map_err(failed)?;
        let contents = self.parse(&read(&mut file).map_err(failed)?)?;
        numbers::check(&contents.seals, claim)?;
        let mut line =
            Line::Seal(entry.clone()).to_bytes().map_err(|error| Error::Journal(error.to_string()))?;
        line.push(b'\n');
        file.set_len(contents.whole).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        file.write_all(&line).and_then(|()| file.sync_all()).map_err(failed)?;
        if contents.whole == 0 {
            self.sync_folder().map_err(failed)?;
        }
        Ok(())
    }

    /// Everything in the file; none is an empty one.
    ///
    /// # Errors
    /// [`Error::JournalDamaged`] for the first line that cannot be read, [`Error::Journal`].
    pub(crate) fn read(&self) -> Result<Contents, Error> {
        match std::fs::read(&self.0) {
            Ok(bytes) => self.parse(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Contents::default()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Contents, Error> {
        let mut contents = Contents::default();
        for (index, text) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let number = index + 1;
            let Some(text) = text.strip_suffix(b"\n") else {
                contents.torn = Some(number);
                break;
            };
            contents.whole += text.len() as u64 + 1;
            // The first version wrote a line feed before a line, too.
            if text.is_empty() {
                continue;
            }
            match Line::from_bytes(text) {
                Ok(Line::Seal(entry)) => contents.seals.push(entry),
                Ok(Line::SetAside(_)) => {}
                Err(why) => {
                    return Err(Error::JournalDamaged {
                        file: self.0.display().to_string(),
                        line: number,
                        why,
                    });
                }
            }
        }
        Ok(contents)
    }

    fn sync_folder(&self) -> std::io::Result<()> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all())
    }

    fn failed(&self, why: &std::io::Error) -> Error {
        Error::Journal(format!("{}: {why}", self.0.display()))
    }
}

fn read(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map(|_| bytes)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use trinhky_protos::HexDigest;
    use trinhky_protos::ids::DocumentId;

    use super::*;

    pub(super) fn entry(document: u128, number: &str, date: &str) -> Entry {
        let at = datetime!(2026-03-02 01:02:03 UTC);
        Entry {
            at,
            document: DocumentId::at(at, document),
            number: number.into(),
            date: date.into(),
            base: Some(HexDigest([1; 32])),
            digest: Some(HexDigest([2; 32])),
            repaired: None,
        }
    }

    pub(super) fn claim(entry: &Entry) -> Claim<'_> {
        let Entry { document, number, date, .. } = entry;
        Claim { document: *document, number, date, numbering: "after_sign", signed_at: None }
    }

    /// A journal with three seals.
    pub(super) fn three() -> (tempfile::TempDir, Journal, Vec<Entry>) {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(&folder.path().join("journal.jsonl"));
        let entries = [1, 2, 3].map(|n: u128| entry(n, &format!("0{n}/QĐ-UBND"), "2026-03-02"));
        for entry in &entries {
            journal.enter(entry, &claim(entry)).unwrap();
        }
        (folder, journal, entries.into())
    }

    #[test]
    fn every_damaged_byte_of_a_whole_line_stops_every_seal_and_the_line_is_named() {
        let (_folder, journal, entries) = three();
        let bytes = std::fs::read(&journal.0).unwrap();
        let next = entry(4, "04/QĐ-UBND", "2026-03-02");
        for at in 0..bytes.len() {
            // What ends one line before the last joins two, and is damage of the first; without its end the last is torn.
            for flip in [0x01, 0x20, 0x80] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                std::fs::write(&journal.0, &damaged).unwrap();
                let line = bytes[..=at].split_inclusive(|byte| *byte == b'\n').count();
                let Err(error) = journal.enter(&next, &claim(&next)) else {
                    assert_eq!(at, bytes.len() - 1, "damage at {at} went unnoticed");
                    assert_eq!(journal.read().unwrap().seals, [&entries[..2], &[next.clone()][..]].concat());
                    continue;
                };
                assert_eq!(error.code(), "journal_damaged", "at {at}: {error}");
                assert!(error.to_string().contains(&format!("line {line}:")), "at {at}: {error}");
                assert_eq!(std::fs::read(&journal.0).unwrap(), damaged, "nothing was written");
            }
        }
    }

    #[test]
    fn a_last_line_torn_anywhere_is_cut_off_by_the_next_seal() {
        let (_folder, journal, entries) = three();
        let bytes = std::fs::read(&journal.0).unwrap();
        let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        for end in last + 1..bytes.len() {
            std::fs::write(&journal.0, &bytes[..end]).unwrap();
            let contents = journal.read().unwrap();
            assert_eq!((contents.torn, contents.seals.as_slice()), (Some(3), &entries[..2]));
            journal.enter(&entries[2], &claim(&entries[2])).unwrap();
            assert_eq!(std::fs::read(&journal.0).unwrap(), bytes);
        }
    }

    #[test]
    fn lines_of_the_first_version_are_read() {
        let (_folder, journal, entries) = three();
        let old = entries.iter().map(|entry| format!("\n{}\n", serde_json::to_string(entry).unwrap()));
        std::fs::write(&journal.0, old.collect::<String>()).unwrap();
        assert_eq!(journal.read().unwrap().seals, entries);
    }

    #[test]
    fn a_journal_that_cannot_be_opened_stops_every_seal() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, entry) = (Journal::at(folder.path()), entry(1, "01/QĐ", "2026-03-02"));
        assert_eq!(journal.check(&claim(&entry)).unwrap_err().code(), "journal_failed");
        assert_eq!(journal.enter(&entry, &claim(&entry)).unwrap_err().code(), "journal_failed");
    }
}
