//! Opening the database: which engine, how durable, and the schema brought up to date.

use std::borrow::Cow;
use std::panic::Location;
use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Any, Pool, SqlSafeStr};

use crate::error::{Error, Result};
use crate::tx::{Backend, Columns, Held, Tx, query};

/// The rows of one installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Backend,
    /// On SQLite one connection, so that writers queue here and not in the file lock.
    writer: Pool<Any>,
    reader: Pool<Any>,
}

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        /// Each engine has its own way of saying what it is and how durable.
        ENGINE_SQLITE = "select 'sqlite ' || sqlite_version() || ' journal_mode=' || journal_mode.journal_mode
                || ' synchronous=' || synchronous.synchronous || ' foreign_keys=' || foreign_keys.foreign_keys as engine
            from pragma_journal_mode as journal_mode, pragma_synchronous as synchronous,
                pragma_foreign_keys as foreign_keys";
        ENGINE_POSTGRES = "select 'postgresql ' || current_setting('server_version')
                || ' synchronous_commit=' || current_setting('synchronous_commit') as engine";
    }
}

impl Store {
    /// Opens `sqlite:PATH` (made when absent) or `postgres://…` with up to `connections` of them. The schema is not
    /// touched: call [`migrate`](Self::migrate).
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Database`] when nothing answers.
    pub async fn open(url: &str, connections: u32) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let connections = connections.max(2);
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.trim_start_matches("//");
            let bare = path.split('?').next().unwrap_or_default();
            if bare.is_empty() || bare.contains(":memory:") {
                return Err(Error::Address("a database in memory would not survive".to_owned()));
            }
            let options = connect_options(&format!("sqlite://{bare}?mode=rwc"))?;
            let writer = pool(1, DURABLE).connect_with(options.clone()).await.map_err(Error::Database)?;
            let reader = pool(connections, READING).connect_with(options).await.map_err(Error::Database)?;
            return Ok(Self { backend: Backend::Sqlite, writer, reader });
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool =
                pool(connections, "").connect_with(connect_options(url)?).await.map_err(Error::Database)?;
            return Ok(Self { backend: Backend::Postgres, writer: pool.clone(), reader: pool });
        }
        let scheme = url.split(':').next().unwrap_or_default();
        Err(Error::Address(scheme.to_owned()))
    }

    /// Brings the schema up to date; several processes may do so at once.
    ///
    /// # Errors
    /// [`Error::Migration`] when a migration fails, or one that was applied is not ours.
    pub async fn migrate(&self) -> Result<()> {
        migrator(self.backend).run(&self.writer).await.map_err(Error::from)
    }

    /// Which engine.
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("select 1").execute(&self.reader).await.map(drop).map_err(Error::Database)
    }

    /// What the engine is and how durable it says it is, for `doctor`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn engine(&self) -> Result<String> {
        let statement = match self.backend {
            Backend::Sqlite => sql::ENGINE_SQLITE,
            Backend::Postgres => sql::ENGINE_POSTGRES,
        };
        let row = self.begin().await?.one("engine", query(statement)).await?;
        Columns::of("engine", "engine", &row).text("engine")
    }

    /// Begins a writing transaction. On SQLite it holds the write lock from the start, so it never has to be given up
    /// half way; keep it short, and never begin a second one while holding a first: it would wait for itself.
    ///
    /// # Errors
    /// [`Error::Database`].
    #[track_caller]
    pub fn begin(&self) -> impl Future<Output = Result<Tx>> + Send + '_ {
        let caller = Location::caller();
        async move {
            let begun = match self.backend {
                Backend::Sqlite => self.writer.begin_with("begin immediate").await,
                Backend::Postgres => self.writer.begin().await,
            };
            let inner = begun.map_err(Error::Database)?;
            Ok(Tx { inner, backend: self.backend, _held: Some(Held::since_now(caller)) })
        }
    }

    /// Begins a reading transaction: one moment of the data, whatever is written meanwhile.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn read(&self) -> Result<Tx> {
        let begun = match self.backend {
            Backend::Sqlite => self.reader.begin().await,
            Backend::Postgres => {
                self.reader.begin_with("begin isolation level repeatable read read only").await
            }
        };
        Ok(Tx { inner: begun.map_err(Error::Database)?, backend: self.backend, _held: None })
    }

    /// Closes every connection; SQLite then folds its log into the file.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// Whether every statement can be prepared on this engine; the ones that cannot, with the reason.
    ///
    /// # Errors
    /// [`Error::Database`] when there is no connection.
    pub async fn check_statements(&self) -> Result<Vec<(&'static str, String)>> {
        use sqlx::Executor as _;
        let mut connection = self.writer.acquire().await.map_err(Error::Database)?;
        let other = match self.backend {
            Backend::Sqlite => "_POSTGRES",
            Backend::Postgres => "_SQLITE",
        };
        let mut failed = Vec::new();
        for (_, name, sql) in crate::sql::all_statements().filter(|(_, name, _)| !name.ends_with(other)) {
            if let Err(error) = connection.prepare(sql.into_sql_str()).await {
                failed.push((name, error.to_string()));
            }
        }
        Ok(failed)
    }
}

/// SQLite, writing: the log is synced at every commit, so what was committed survives a power cut.
const DURABLE: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
     pragma busy_timeout = 15000; pragma temp_store = memory";
/// SQLite, reading.
const READING: &str = "pragma busy_timeout = 15000; pragma foreign_keys = on; pragma query_only = on; \
     pragma temp_store = memory";

fn connect_options(url: &str) -> Result<AnyConnectOptions> {
    AnyConnectOptions::from_str(url).map_err(|_| Error::Address("the address cannot be read".to_owned()))
}

fn pool(connections: u32, on_connect: &'static str) -> AnyPoolOptions {
    let options = AnyPoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(30));
    // A file does not hang up, so nothing is asked of it before each use.
    options.test_before_acquire(on_connect.is_empty()).after_connect(move |connection, _| {
        Box::pin(async move {
            use sqlx::Executor as _;
            if !on_connect.is_empty() {
                connection.execute(on_connect).await?;
            }
            Ok(())
        })
    })
}

/// Each engine's schema, step by step. A step that was released is never edited: its digest is in every database.
macro_rules! migrations {
    ($($number:literal $name:literal),+ $(,)?) => {
        const SQLITE: &[(i64, &str, &str)] =
            &[$(($number, $name, include_str!(concat!("../migrations/sqlite/", $name, ".sql")))),+];
        const POSTGRES: &[(i64, &str, &str)] =
            &[$(($number, $name, include_str!(concat!("../migrations/postgres/", $name, ".sql")))),+];
    };
}
migrations! {
    1 "0001_start",
    2 "0002_attempt_changed",
    3 "0003_copy_hindrance",
    4 "0004_uploads",
    5 "0005_held_decisions",
    6 "0006_lists",
    7 "0007_office_forms",
    8 "0008_lists_by_state",
}

fn migrator(backend: Backend) -> Migrator {
    let steps = match backend {
        Backend::Sqlite => SQLITE,
        Backend::Postgres => POSTGRES,
    };
    let migration = |&(number, name, sql): &(i64, &'static str, &'static str)| {
        let name = Cow::Borrowed(name.split_once('_').map_or(name, |(_, name)| name));
        Migration::new(number, name, MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator { migrations: steps.iter().map(migration).collect(), ..Migrator::DEFAULT }
}
