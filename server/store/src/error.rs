//! What a statement can come to, besides its answer.

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such row.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The row has moved since it was read, or what must be unique is there already: load again and decide again.
    #[error("{0} has changed meanwhile: load it again")]
    Conflict(&'static str),
    /// A row does not say anything the rules know. Nothing was changed; somebody must look.
    #[error("{table} {row} is corrupt: {what}")]
    Corrupt {
        /// Which table.
        table: &'static str,
        /// Which row.
        row: String,
        /// What is wrong with it.
        what: String,
    },
    /// The database failed; the same call may succeed later.
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The address names no database we know.
    #[error("{0}: expected sqlite:PATH or postgres://…")]
    Address(String),
}

impl Error {
    /// The stable code for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Conflict(_) => "conflict",
            Self::Corrupt { .. } => "corrupt",
            Self::Database(_) | Self::Migration(_) => "database",
            Self::Address(_) => "address",
        }
    }

    /// A row that does not say anything the rules know.
    pub(crate) fn corrupt(
        table: &'static str,
        row: impl std::fmt::Display,
        what: impl std::fmt::Display,
    ) -> Self {
        Self::Corrupt { table, row: row.to_string(), what: what.to_string() }
    }

    /// A statement failed; what must be unique counts as a conflict, and so does a transaction that lost a race.
    pub(crate) fn of(what: &'static str, error: sqlx::Error) -> Self {
        let lost = error.as_database_error().is_some_and(|database| {
            let code = database.code();
            database.is_unique_violation() || matches!(code.as_deref(), Some("40001" | "40P01"))
        });
        if lost { Self::Conflict(what) } else { Self::Database(error) }
    }
}

/// The store's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
