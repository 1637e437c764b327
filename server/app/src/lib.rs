//! The server of Trình Ký: HTTP, jobs, gateways and the command line of the binary `trinhky`. All I/O of the server
//! side is here and in `trinhky-store`; what is true is asked of `trinhky-domain`.
//!
//! | module | what |
//! |---|---|
//! | [`cli`] | the subcommands |
//! | [`config`] | settings, checked at the start |
//! | [`app`] | what handlers and jobs share |
//! | [`http`], [`routes`] | the router and one file an operation |
//! | [`error`], [`extract`] | refusals as RFC 9457, what handlers take from requests |
//! | [`jobs`], [`notices`] | durable work, telling people |
//! | [`provisioning`], [`dossier`], [`assembling`], [`stamping`], [`sealing`], [`releasing`] | the steps of the main job that routes and jobs share |
//! | [`trust`], [`verifying`] | whether a certificate stands, whether a file verifies |
//! | [`watching`] | long polls |
//! | [`gate`] | the one process that may ask a SIM |
//! | [`gateways`] | whom the server asks: scanner, time stamps, revocation, push |
//! | [`auth`] | passwords, TOTP, tokens |
//! | [`keys`], [`checkpoints`] | the installation's own keys; signed checkpoints of the journal |
//! | [`ambient`] | the clock and the random source, as values |

pub mod ambient;
pub mod app;
pub mod assembling;
pub mod auth;
pub mod checkpoints;
pub mod cli;
pub mod config;
mod copy_words;
pub mod dossier;
pub mod error;
pub mod extract;
pub mod gate;
pub mod gateways;
pub mod held;
pub mod http;
pub mod jobs;
pub mod jws;
pub mod keys;
mod letters;
mod lingering;
pub mod notices;
pub mod numbering;
pub mod once;
pub mod pdfs;
pub mod prompts;
pub mod provisioning;
pub mod releasing;
pub mod routes;
pub mod seal_dossier;
pub mod sealing;
pub mod stamping;
pub mod stop;
pub mod telemetry;
pub mod trust;
pub mod verifying;
pub mod views;
pub mod watching;
pub mod wire;

/// Runs what keeps a core busy or waits for a disk where it holds up no request.
///
/// # Errors
/// [`error::ApiError::internal`] when it panicked.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> error::ApiResult<T> {
    tokio::task::spawn_blocking(work).await.map_err(error::ApiError::internal)
}
