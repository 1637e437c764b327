//! Statements as constants that tests can walk, so that every one is prepared on every backend.
//!
//! The text is the same for SQLite and PostgreSQL: `$1` placeholders, only text, bigint and blob. A statement whose name
//! ends in `_SQLITE` or `_POSTGRES` is for that backend alone; each such pair says why.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)+

        /// Every statement of this module with its name.
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

pub(crate) use statements;

/// Every statement of the store: module, name, text.
pub fn all_statements() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let modules: [(&str, &[(&str, &str)]); 17] = [
        ("open", crate::open::sql::ALL),
        ("people", crate::people::sql::ALL),
        ("credentials", crate::credentials::sql::ALL),
        ("sessions", crate::sessions::sql::ALL),
        ("devices", crate::devices::sql::ALL),
        ("files", crate::files::sql::ALL),
        ("documents", crate::documents::sql::ALL),
        ("attempts", crate::attempts::sql::ALL),
        ("under_way", crate::under_way::sql::ALL),
        ("gate", crate::gate::sql::ALL),
        ("decisions", crate::decisions::sql::ALL),
        ("registers", crate::registers::sql::ALL),
        ("seals", crate::seals::sql::ALL),
        ("copies", crate::copies::sql::ALL),
        ("jobs", crate::jobs::sql::ALL),
        ("idempotency", crate::idempotency::sql::ALL),
        ("audit", crate::audit::sql::ALL),
    ];
    modules
        .into_iter()
        .flat_map(|(module, statements)| statements.iter().map(move |(name, sql)| (module, *name, *sql)))
}
