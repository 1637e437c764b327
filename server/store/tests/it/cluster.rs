//! The PostgreSQL cluster of this test process.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use trinhky_cluster::{Cluster, Durability};

/// A fresh, empty database.
pub(crate) async fn database() -> String {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let made = tokio::task::spawn_blocking(|| {
        let cluster = CLUSTER.get_or_init(|| Cluster::start(Durability::None).expect("the cluster starts"));
        cluster.database(&format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    });
    made.await.expect("runs").expect("a database")
}
