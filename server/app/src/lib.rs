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
//! | [`gateways`] | whom the server asks: scanner, time stamps, revocation, push |
//! | [`auth`] | passwords, TOTP, tokens |
//! | [`ambient`] | the clock and the random source, as values |

pub mod ambient;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod error;
pub mod extract;
pub mod gate;
pub mod gateways;
pub mod http;
pub mod jws;
pub mod once;
pub mod routes;
pub mod stop;
pub mod telemetry;
pub mod wire;

/// Runs what keeps a core busy or waits for a disk where it holds up no request.
///
/// # Errors
/// [`error::ApiError::internal`] when it panicked.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> error::ApiResult<T> {
    tokio::task::spawn_blocking(work).await.map_err(error::ApiError::internal)
}
