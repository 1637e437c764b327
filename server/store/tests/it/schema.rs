//! The schema says what the rules say, on both engines, and every statement fits it.

use std::collections::BTreeSet;

use trinhky_domain::document::{StateName, StepKind, Verdict};
use trinhky_domain::paper::{Capacity, Channel, FileRole};
use trinhky_domain::people::Client;
use trinhky_domain::policy::Numbering;
use trinhky_domain::release::{CopyState, Hindrance};
use trinhky_domain::signing::{AttemptStateName, CmsFrom, DecisionKind};
use trinhky_store::{DeviceState, Store};

use crate::world::World;

const SQLITE: &str = include_str!("../../migrations/sqlite/0001_start.sql");
const POSTGRES: &str = include_str!("../../migrations/postgres/0001_start.sql");
/// What came after the start, alike on both engines.
const LATER: &[(&str, &str)] = &[
    (
        include_str!("../../migrations/sqlite/0002_attempt_changed.sql"),
        include_str!("../../migrations/postgres/0002_attempt_changed.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0003_copy_hindrance.sql"),
        include_str!("../../migrations/postgres/0003_copy_hindrance.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0004_uploads.sql"),
        include_str!("../../migrations/postgres/0004_uploads.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0005_held_decisions.sql"),
        include_str!("../../migrations/postgres/0005_held_decisions.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0006_lists.sql"),
        include_str!("../../migrations/postgres/0006_lists.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0007_office_forms.sql"),
        include_str!("../../migrations/postgres/0007_office_forms.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0008_lists_by_state.sql"),
        include_str!("../../migrations/postgres/0008_lists_by_state.sql"),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_can_be_prepared_on_both_engines() {
    for world in [World::sqlite().await, World::postgres().await] {
        let failed = world.store.check_statements().await.expect("a connection");
        assert!(failed.is_empty(), "{:?}: {failed:#?}", world.store.backend());
    }
}

/// Runs every scenario in this process, then names what never ran.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_is_run_by_some_scenario() {
    Box::pin(crate::audit::all_on_sqlite()).await;
    Box::pin(crate::files::all_on_sqlite()).await;
    Box::pin(crate::jobs::all_on_sqlite()).await;
    Box::pin(crate::life::all_on_sqlite()).await;
    Box::pin(crate::people::all_on_sqlite()).await;
    Box::pin(crate::races::all_on_sqlite()).await;
    // Those that only PostgreSQL runs.
    Box::pin(crate::audit::all_on_postgres()).await;
    Box::pin(crate::files::all_on_postgres()).await;
    Box::pin(crate::jobs::all_on_postgres()).await;
    Box::pin(crate::life::all_on_postgres()).await;
    Box::pin(crate::people::all_on_postgres()).await;
    Box::pin(crate::races::all_on_postgres()).await;
    World::postgres().await.store.engine().await.expect("answers");
    let run = trinhky_store::statements_run();
    let never: Vec<_> = trinhky_store::all_statements()
        .filter(|(_, _, sql)| !run.contains(sql))
        .map(|(module, name, _)| format!("{module}::{name}"))
        .collect();
    assert!(never.is_empty(), "never run: {never:?}");
}

#[test]
fn the_two_migrations_differ_only_in_the_name_of_bytes_and_the_triggers() {
    let tables = |sql: &str| {
        let end = sql.find("create function").or_else(|| sql.find("create trigger")).expect("triggers");
        let body = sql[..end].split_once("create table").expect("tables").1.to_owned();
        body.replace("bytea", "blob")
    };
    assert_eq!(tables(SQLITE), tables(POSTGRES));
    for (sqlite, postgres) in LATER {
        assert_eq!(*sqlite, postgres.replace("bytea", "blob"));
    }
}

/// An installation of the first schema keeps its rows: an attempt is as old as it was, and changed last when it was made;
/// a copy that nobody handed over says what it waits for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_the_first_schema_are_carried_over() {
    use sqlx::{Connection as _, Executor as _, Row as _};
    let mut connection = sqlx::SqliteConnection::connect("sqlite::memory:").await.expect("opens");
    connection.execute("pragma foreign_keys = off").await.expect("a pragma");
    connection.execute(SQLITE).await.expect("the first schema");
    let insert = "insert into attempts (attempt_id, version, state, device_id, person_id, msisdn,
            certificate_sha256, dtbs, urgency, created)
        values ('a', 1, 'prepared', 'd', 'p', '84900000001', 'c', 's', 0, 1000)";
    connection.execute(insert).await.expect("a row");
    let insert = "insert into copies (copy_id, version, document_id, recipient, channel, state, note, since)
        values ('a', 1, 'd', '{}', 'paper', 'queued', null, 7), ('b', 2, 'd', '{}', 'exchange', 'queued', null, 8),
            ('c', 3, 'd', '{}', 'paper', 'refused', 'nhầm nơi', 9)";
    connection.execute(insert).await.expect("rows");
    for (sqlite, _) in LATER {
        connection.execute(*sqlite).await.expect("a later step");
    }
    let row = connection.fetch_one("select changed from attempts").await.expect("the row");
    assert_eq!(row.get::<i64, _>("changed"), 1000);
    let copies = connection.fetch_all("select hindrance, note, since from copies order by copy_id").await;
    let copies: Vec<(Option<String>, Option<String>, i64)> =
        copies.expect("rows").iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let text = |text: &str| Some(text.to_owned());
    let expected =
        [(text("by_hand"), None, 7), (text("channel_not_set_up"), None, 8), (None, text("nhầm nơi"), 9)];
    assert_eq!(copies, expected);
}

/// The words of the `column in (…)` check of a table.
fn checked(table: &str, column: &str) -> BTreeSet<String> {
    let sqlite = || std::iter::once(SQLITE).chain(LATER.iter().map(|(sqlite, _)| *sqlite));
    let start = format!("create table {table} (");
    let body = sqlite().filter_map(|sql| sql.split_once(&start)).next_back().expect("the table").1;
    let body = &body[..body.find("\n);").expect("its end")];
    let list = body.split_once(&format!("check ({column} in (")).expect("the check").1;
    let list = &list[..list.find(')').expect("its end")];
    list.split(',').map(|word| word.trim().trim_matches('\'').to_owned()).collect()
}

macro_rules! same_words {
    ($table:literal, $column:literal, $list:ty) => {
        let words: BTreeSet<String> = <$list>::ALL.iter().map(|word| word.as_str().to_owned()).collect();
        assert_eq!(checked($table, $column), words, "{}.{}", $table, $column);
    };
}

#[test]
fn the_checks_repeat_the_enums() {
    same_words!("documents", "state", StateName);
    same_words!("documents", "numbering", Numbering);
    same_words!("attempts", "state", AttemptStateName);
    same_words!("attempts", "cms_from", CmsFrom);
    same_words!("copies", "state", CopyState);
    same_words!("copies", "channel", Channel);
    same_words!("copies", "hindrance", Hindrance);
    same_words!("appointments", "capacity", Capacity);
    same_words!("devices", "client", Client);
    same_words!("sessions", "client", Client);
    same_words!("decisions", "client", Client);
    same_words!("decisions", "kind", DecisionKind);
    same_words!("opinions", "kind", StepKind);
    same_words!("opinions", "verdict", Verdict);
    let devices: BTreeSet<String> = DeviceState::ALL.iter().map(|(_, word)| (*word).to_owned()).collect();
    assert_eq!(checked("devices", "state"), devices);
    let mut roles: BTreeSet<String> = FileRole::ALL.iter().map(|role| role.as_str().to_owned()).collect();
    roles.insert("revision".to_owned());
    assert_eq!(checked("document_files", "role"), roles);
}

#[test]
fn the_live_index_covers_exactly_the_live_states() {
    let index = SQLITE.split_once("attempts_one_live_per_number on attempts (msisdn)").expect("the index").1;
    let list = index.split_once("in (").expect("a list").1;
    let list = &list[..list.find(')').expect("its end")];
    let indexed: BTreeSet<String> =
        list.split(',').map(|word| word.trim().trim_matches('\'').to_owned()).collect();
    let live = AttemptStateName::ALL.iter().filter(|state| state.is_live());
    assert_eq!(indexed, live.map(|state| state.as_str().to_owned()).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrating_twice_and_at_once_is_harmless() {
    for world in [World::sqlite().await, World::postgres().await] {
        let again = Store::open(&world.url, 2).await.expect("opens");
        let (one, two) = tokio::join!(world.store.migrate(), again.migrate());
        one.expect("migrates");
        two.expect("migrates");
    }
}

#[tokio::test]
async fn an_address_that_names_no_database_is_refused_without_repeating_it() {
    for url in ["mysql://user:secret@host/db", "sqlite::memory:", "postgres"] {
        let error = Store::open(url, 2).await.expect_err("refused").to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_is_as_durable_as_promised() {
    let world = World::sqlite().await;
    let engine = world.store.engine().await.expect("answers");
    for promise in ["journal_mode=wal", "synchronous=2", "foreign_keys=1"] {
        assert!(engine.contains(promise), "{engine}");
    }
    let world = World::postgres().await;
    assert!(world.store.engine().await.expect("answers").contains("synchronous_commit=on"));
}

/// The lists people and workers look at all day must not grow with what is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn busy_lists_walk_an_index_and_sort_nothing() {
    use sqlx::{Connection as _, Row as _};
    let world = World::sqlite().await;
    let url = world.url.replace("sqlite:", "sqlite://");
    let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("opens");
    for (module, name, index) in [
        ("documents", "INBOX", "documents_inbox"),
        ("documents", "INBOX_AFTER", "documents_inbox"),
        ("documents", "IN_STATE", "documents_by_state"),
        ("documents", "OF_PERSON", "document_people_in_order"),
        ("documents", "OF_PERSON_IN", "document_people_by_state"),
        ("jobs", "DUE", "jobs_due"),
        ("gate", "CANDIDATE", "attempts_queue"),
        ("decisions", "LAST_OF_DEVICE", "decisions_by_device"),
        ("registers", "LOCK", "sqlite_autoindex_registers_2"),
    ] {
        let (_, _, sql) = trinhky_store::all_statements()
            .find(|(of, called, _)| *of == module && *called == name)
            .expect("a statement of this name");
        let explain = sqlx::AssertSqlSafe(format!("explain query plan {sql}"));
        let rows = sqlx::query(explain).fetch_all(&mut connection).await.expect("explains");
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{name}: {plan:?}");
        assert!(
            !plan.iter().any(|line| line.starts_with("SCAN") && !line.contains(index)),
            "{name}: {plan:?}"
        );
        let sorts = plan.iter().any(|line| line == "USE TEMP B-TREE FOR ORDER BY");
        assert!(!sorts, "{name} sorts: {plan:?}");
    }
}
