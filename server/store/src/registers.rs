//! Registers of numbers and their books. Gap-free: the next number is taken under the register's row lock, in the
//! transaction of the change that uses it, and a rollback gives it back.

use time::OffsetDateTime;
use trinhky_domain::document::Version;
use trinhky_domain::ids::{DocumentId, OfficeId, RegisterId};
use trinhky_domain::register::{Register, Serial, Series, Taken, Voided};

use crate::error::Result;
use crate::people::Day;
use crate::tx::{Columns, Tx, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        MAKE = "insert into registers (register_id, office_id, series, year, version, last, last_date, given_before)
            values ($1, $2, $3, $4, 1, 0, null, 0) on conflict do nothing";
        /// The update changes nothing: it takes the row's lock, and what it returns is what stands under that lock.
        LOCK = "update registers set last = last where office_id = $1 and series = $2 and year = $3
            returning register_id, office_id, series, year, version, last, last_date, given_before";
        PEEK = "select register_id, office_id, series, year, version, last, last_date, given_before from registers
            where office_id = $1 and series = $2 and year = $3";
        OF_OFFICE = "select register_id, office_id, series, year, version, last, last_date, given_before from registers
            where office_id = $1 order by year desc, series";
        ADVANCE = "update registers set last = $2, last_date = $3, version = version + 1
            where register_id = $1 and version = $4 and last = $2 - 1";
        /// As long as no number was taken here.
        BEGIN_AFTER = "update registers set last = $2, given_before = $2, version = version + 1
            where register_id = $1 and last = given_before";
        TAKE = "insert into numbers (register_id, serial, notation, day, document_id, taken_at)
            values ($1, $2, $3, $4, $5, $6)";
        VOID = "update numbers set void_reason = $3, void_at = $4
            where register_id = $1 and serial = $2 and void_at is null";
        BOOK = "select register_id, serial, notation, day, document_id, taken_at, void_reason, void_at from numbers
            where register_id = $1 and serial > $2 order by serial limit $3";
    }
}

/// One line of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The serial.
    pub serial: Serial,
    /// The number as written.
    pub number: String,
    /// The date of the document.
    pub date: time::Date,
    /// Which document took it.
    pub document: DocumentId,
    /// When it was taken.
    pub taken_at: OffsetDateTime,
    /// Why and when it was made void.
    pub void: Option<(String, OffsetDateTime)>,
}

impl Tx {
    /// The register of an office, series and year, made with `new` when there is none yet, and locked: nobody else takes
    /// a number from it until this transaction ends.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn register(
        &mut self,
        office: OfficeId,
        series: &Series,
        year: i32,
        new: RegisterId,
    ) -> Result<Register> {
        let lock =
            || query(sql::LOCK).bind(office.to_string()).bind(series.to_string()).bind(i64::from(year));
        if let Some(row) = self.optional("register", lock()).await? {
            return register(&Columns::of("registers", "register_id", &row));
        }
        let make = query(sql::MAKE)
            .bind(new.to_string())
            .bind(office.to_string())
            .bind(series.to_string())
            .bind(i64::from(year));
        self.change("register", make).await?;
        let row = self.one("register", lock()).await?;
        register(&Columns::of("registers", "register_id", &row))
    }

    /// The register as it stands now, not locked: to draw the number it will most likely give; the change that takes it
    /// is a [`Conflict`](crate::Error::Conflict) when somebody was faster.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn peek_register(
        &mut self,
        office: OfficeId,
        series: &Series,
        year: i32,
    ) -> Result<Option<Register>> {
        let statement =
            query(sql::PEEK).bind(office.to_string()).bind(series.to_string()).bind(i64::from(year));
        let row = self.optional("register", statement).await?;
        row.map(|row| register(&Columns::of("registers", "register_id", &row))).transpose()
    }

    /// Leaves the numbers up to `given` to whoever gave them before this book was kept here: the next one is the one after.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when a number was taken here already.
    pub async fn begin_register_after(&mut self, register: RegisterId, given: u32) -> Result<()> {
        let statement = query(sql::BEGIN_AFTER).bind(register.to_string()).bind(i64::from(given));
        self.change_one("register", statement).await
    }

    /// An office's registers, newest year first.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn registers_of(&mut self, office: OfficeId) -> Result<Vec<Register>> {
        let rows = self.all("register", query(sql::OF_OFFICE).bind(office.to_string())).await?;
        rows.iter().map(|row| register(&Columns::of("registers", "register_id", row))).collect()
    }

    /// The book of a register after a serial, in order; void numbers stand in it too.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn book(&mut self, register: RegisterId, after: Serial, limit: u32) -> Result<Vec<Line>> {
        let statement =
            query(sql::BOOK).bind(register.to_string()).bind(i64::from(after.0)).bind(i64::from(limit));
        let rows = self.all("number", statement).await?;
        rows.iter()
            .map(|row| {
                let columns = Columns::of("numbers", "register_id", row);
                let serial = Serial(columns.number("serial")?);
                let void = match (columns.text_or_null("void_reason")?, columns.time_or_null("void_at")?) {
                    (Some(reason), Some(at)) => Some((reason, at)),
                    (None, None) => None,
                    _ => return Err(columns.corrupt("half void")),
                };
                Ok(Line {
                    serial,
                    number: format!("{serial}/{}", columns.text("notation")?),
                    date: columns.word::<Day>("day")?.0,
                    document: columns.word("document_id")?,
                    taken_at: columns.time("taken_at")?,
                    void,
                })
            })
            .collect()
    }

    pub(crate) async fn write_taken(
        &mut self,
        taken: &Taken,
        document: DocumentId,
        now: OffsetDateTime,
    ) -> Result<()> {
        let number = taken.number();
        let serial = i64::from(number.serial.0);
        let advance = query(sql::ADVANCE)
            .bind(number.register.to_string())
            .bind(serial)
            .bind(number.date.to_string())
            .bind(i64::from(taken.expected().0));
        self.change_one("register", advance).await?;
        let take = query(sql::TAKE)
            .bind(number.register.to_string())
            .bind(serial)
            .bind(number.notation.clone())
            .bind(number.date.to_string())
            .bind(document.to_string())
            .bind(micros(now));
        self.change_one("number", take).await
    }

    pub(crate) async fn write_voided(&mut self, voided: &Voided) -> Result<()> {
        let statement = query(sql::VOID)
            .bind(voided.register().to_string())
            .bind(i64::from(voided.serial().0))
            .bind(voided.reason().to_owned())
            .bind(micros(voided.at()));
        self.change_one("number", statement).await
    }
}

fn register(columns: &Columns<'_>) -> Result<Register> {
    Ok(Register {
        id: columns.word("register_id")?,
        office: columns.word("office_id")?,
        series: columns.word("series")?,
        year: columns.number("year")?,
        last: columns.number("last")?,
        last_date: columns.word_or_null::<Day>("last_date")?.map(|day| day.0),
        given_before: columns.number("given_before")?,
        version: Version(columns.number("version")?),
    })
}
