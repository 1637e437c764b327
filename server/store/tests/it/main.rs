//! The store on both engines it ships with: a SQLite file, and a private PostgreSQL cluster that the tests start.

mod audit;
mod cluster;
mod files;
mod jobs;
mod life;
mod people;
mod races;
mod schema;
mod world;

/// Makes one test per engine of each scenario, and lists the scenarios so that one test can run them all in one process
/// and name the statements that never ran.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(crate::world::World::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(crate::world::World::postgres().await).await;
            }
        })+

        pub(crate) async fn all_on_sqlite() {
            $($name(crate::world::World::sqlite().await).await;)+
        }

        pub(crate) async fn all_on_postgres() {
            $($name(crate::world::World::postgres().await).await;)+
        }
    };
}
pub(crate) use on_both;
