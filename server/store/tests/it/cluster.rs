//! A PostgreSQL cluster of our own: started once per test process, gone with it.
//!
//! A shell holds it: when this process ends, however it ends, the shell's standard input closes, and it stops the
//! cluster and removes its folder. `initdb` refuses to run as root, so root becomes `postgres` first.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection as _, PgConnection};

struct Cluster {
    folder: PathBuf,
    _shell: Child,
}

const SCRIPT: &str = r#"
set -e
dir=$(mktemp -d /tmp/trinhky-pg-XXXXXX)
"$0/initdb" -D "$dir/data" -U postgres -A trust --no-sync >"$dir/initdb.log" 2>&1
"$0/pg_ctl" -D "$dir/data" -w -s -l "$dir/log" -o "-k $dir -c listen_addresses='' -c fsync=off -c max_connections=300" start
echo "$dir"
cat >/dev/null || true
"$0/pg_ctl" -D "$dir/data" -m immediate -s stop || true
rm -rf "$dir"
"#;

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .expect("PostgreSQL is installed under /usr/lib/postgresql")
            .map(|entry| entry.expect("a version").path().join("bin"))
            .filter(|bin| bin.join("initdb").exists())
            .collect();
        versions.sort();
        let bin = versions.pop().expect("a PostgreSQL with initdb");
        let is_root = std::env::var("USER").is_ok_and(|user| user == "root")
            || std::path::Path::new("/root/.").read_dir().is_ok();
        let mut command = if is_root { Command::new("runuser") } else { Command::new("sh") };
        if is_root {
            command.args(["-u", "postgres", "--", "sh"]);
        }
        let mut shell = command
            .args(["-c", SCRIPT])
            .arg(&bin)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        BufReader::new(shell.stdout.take().expect("piped")).read_line(&mut line).expect("the cluster starts");
        assert!(!line.trim().is_empty(), "the cluster did not start");
        Cluster { folder: PathBuf::from(line.trim()), _shell: shell }
    })
}

/// A fresh, empty database.
pub(crate) async fn database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let cluster = tokio::task::spawn_blocking(cluster).await.expect("the cluster starts");
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let url =
        |database: &str| format!("postgres:///{database}?host={}&user=postgres", cluster.folder.display());
    let mut connection = PgConnection::connect(&url("postgres")).await.expect("the cluster answers");
    let create = sqlx::AssertSqlSafe(format!("create database {name}"));
    sqlx::query(create).execute(&mut connection).await.expect("a database");
    connection.close().await.expect("closes");
    url(&name)
}
