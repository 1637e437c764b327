//! Repairing a damaged line: a person says what stood there, from the book of the register, or that nothing was sealed.
//!
//! The journal as it was stays beside the new one, which takes its place in one rename.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use time::OffsetDateTime;
use time::macros::format_description;
use trinhky_protos::ids::DocumentId;

use super::Journal;
use super::line::{Entry, Line, SetAside};
use crate::error::Error;

/// What a person found out about the line.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// This seal.
    Seal { document: DocumentId, number: String, date: String },
    /// No seal.
    Nothing,
}

/// What was done.
#[derive(Debug)]
pub(crate) struct Repaired {
    /// The journal as it was.
    pub(crate) kept: PathBuf,
    /// The next damaged line, if there is one.
    pub(crate) next: Option<Error>,
}

/// A day as the journal writes it; for the command line.
pub(crate) fn day(text: &str) -> Result<String, String> {
    time::Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map(|_| text.to_owned())
        .map_err(|error| format!("{error}; write YYYY-MM-DD"))
}

impl Journal {
    /// Writes `found` in the place of the damaged line of that number, from 1.
    ///
    /// # Errors
    /// [`Error::NotDamaged`] if that line is whole or is no line, [`Error::Journal`].
    pub(crate) fn repair(
        &self,
        number: usize,
        found: Found,
        reason: String,
        now: OffsetDateTime,
    ) -> Result<Repaired, Error> {
        let failed = |why: std::io::Error| self.failed(&why);
        let file = OpenOptions::new().read(true).write(true).open(&self.0).map_err(failed)?;
        file.lock().map_err(failed)?;
        let bytes = std::fs::read(&self.0).map_err(failed)?;
        let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let place = number.checked_sub(1).and_then(|index| lines.get_mut(index));
        let place = place.ok_or_else(|| Error::NotDamaged(format!("there is no line {number}")))?;
        match place.strip_suffix(b"\n") {
            Some(text) if !text.is_empty() && Line::from_bytes(text).is_err() => {}
            Some(_) => return Err(Error::NotDamaged(format!("line {number} is whole"))),
            None => {
                let why =
                    format!("line {number} was torn before anything was signed; the next seal cuts it off");
                return Err(Error::NotDamaged(why));
            }
        }
        let line = match found {
            Found::Seal { document, number, date } => Line::Seal(Entry {
                at: now,
                document,
                number,
                date,
                base: None,
                digest: None,
                repaired: Some(reason),
            }),
            Found::Nothing => Line::SetAside(SetAside { at: now, set_aside: reason }),
        };
        let mut line = line.to_bytes().map_err(|error| Error::Journal(error.to_string()))?;
        line.push(b'\n');
        *place = &line;

        let stamp = now.format(format_description!("[year][month][day]T[hour][minute][second]Z"));
        let stamp = stamp.map_err(|error| Error::Journal(error.to_string()))?;
        let kept = self.beside(&format!("damaged-{stamp}"));
        let new = self.beside("new");
        for (path, bytes) in [(&kept, &bytes), (&new, &lines.concat())] {
            let mut file =
                OpenOptions::new().create(true).truncate(true).write(true).open(path).map_err(failed)?;
            file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        std::fs::rename(&new, &self.0).and_then(|()| self.sync_folder()).map_err(failed)?;
        Ok(Repaired { kept, next: self.read().err() })
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push(format!(".{ending}"));
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::journal::tests::{claim, entry, three};

    const NOW: OffsetDateTime = datetime!(2026-03-05 01:02:03 UTC);

    #[test]
    fn a_repaired_line_guards_again_and_the_damaged_journal_is_kept() {
        let (_folder, journal, entries) = three();
        let whole = std::fs::read_to_string(&journal.0).unwrap();
        let damaged = whole.replacen("02/Q", "92/Q", 1);
        std::fs::write(&journal.0, &damaged).unwrap();
        let Entry { document, number, date, .. } = entries[1].clone();
        let found = Found::Seal { document, number, date };

        let not_damaged =
            |line| journal.repair(line, found.clone(), "sổ".into(), NOW).unwrap_err().code().to_owned();
        assert_eq!([1, 3, 4, 0].map(not_damaged), ["line_not_damaged"; 4]);
        let repaired = journal.repair(2, found.clone(), "theo sổ đăng ký".into(), NOW).unwrap();
        assert!(repaired.next.is_none());
        assert_eq!(std::fs::read_to_string(&repaired.kept).unwrap(), damaged);
        assert!(repaired.kept.to_string_lossy().ends_with(".damaged-20260305T010203Z"));

        let stolen = entry(9, "02/QĐ-UBND", "2026-03-05");
        assert_eq!(journal.check(&claim(&stolen)).unwrap_err().code(), "number_conflict");
        journal.enter(&entries[1], &claim(&entries[1])).unwrap();
    }

    #[test]
    fn a_line_that_holds_no_seal_is_set_aside_and_the_next_damaged_one_is_named() {
        let (_folder, journal, entries) = three();
        let text = std::fs::read_to_string(&journal.0).unwrap();
        std::fs::write(&journal.0, format!("xin chào\n{text}\u{0}\n")).unwrap();
        let repaired = journal.repair(1, Found::Nothing, "gõ nhầm".into(), NOW).unwrap();
        assert!(repaired.next.unwrap().to_string().contains("line 5:"));
        assert!(journal.repair(5, Found::Nothing, "gõ nhầm".into(), NOW).unwrap().next.is_none());
        assert_eq!(journal.read().unwrap().seals, entries);
    }
}
