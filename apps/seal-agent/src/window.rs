//! The agent's own window: one page on a loopback port, for the clerk who seals forty documents before noon.
//!
//! The page is the agent's, not the server's: what it shows the agent computed from bytes it verified, and the PIN goes
//! from the page to this process alone (ADR 0006). It is reached only through an address with a secret that opens it
//! once, only under its own host and origin, and it loads nothing from anywhere else.
//!
//! ```text
//! GET  /, /page.css, /page.js                  the page itself; says nothing about any document
//! POST /open                                   the address's secret ─► the window's key, once
//! GET  /desk                                   token, queue, what was sealed
//! POST /documents/{id}/examine                 every check with its result, and what would be sealed
//! GET  /documents/{id}/pages/{n}               one page as a picture, of what was examined
//! POST /documents/{id}/seal                    body: the PIN, or nothing while the token is logged in
//! POST /documents/{id}/return                  back to the drafting unit, with a reason
//! POST /close                                  ends the agent
//! ```

mod acts;
mod answer;
mod desk;
mod guard;

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use trinhky_mobile_core::Server;

use crate::config::Config;
use crate::error::Error;
use desk::Desk;
use guard::Guard;

/// How the window is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    /// Print the address instead of opening the clerk's browser.
    pub(crate) print_only: bool,
    /// The port; 0 for one that is free.
    pub(crate) port: u16,
}

/// Serves the window until the clerk closes it.
///
/// # Errors
/// [`Error::Config`] if the port is taken or chance fails.
pub(crate) async fn serve(config: Config, server: Server, opening: Opening) -> Result<Value, Error> {
    let port = |error: std::io::Error| Error::Config {
        file: format!("port {}", opening.port),
        why: format!("{error}; choose another with --port, or 0 for a free one"),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, opening.port)).await.map_err(port)?;
    let address = listener.local_addr().map_err(port)?;
    let (guard, secret) = Guard::new(address)?;
    let url = format!("http://{address}/#{secret}");
    let desk = Arc::new(Desk::new(config, server));
    let closed = desk.closed();
    tokio::spawn(Arc::clone(&desk).forget_when_idle());
    show(&url, opening);
    let app = router(Arc::clone(&desk), Arc::new(guard));
    axum::serve(listener, app).with_graceful_shutdown(closed).await.map_err(port)?;
    Ok(json!({"closed": true, "sealed": desk.sealed()}))
}

fn router(desk: Arc<Desk>, guard: Arc<Guard>) -> Router {
    let private = Router::new()
        .route("/desk", get(acts::desk))
        .route("/documents/{id}/examine", post(acts::examine))
        .route("/documents/{id}/pages/{number}", get(acts::page))
        .route("/documents/{id}/seal", post(acts::seal))
        .route("/documents/{id}/return", post(acts::give_back))
        .route("/close", post(acts::close))
        .with_state(desk)
        .layer(middleware::from_fn_with_state(Arc::clone(&guard), guard::holds_the_key));
    Router::new()
        .route("/", get(|| async { own("text/html; charset=utf-8", include_str!("window/page.html")) }))
        .route("/page.css", get(|| async { own("text/css; charset=utf-8", include_str!("window/page.css")) }))
        .route(
            "/page.js",
            get(|| async { own("text/javascript; charset=utf-8", include_str!("window/page.js")) }),
        )
        .route("/open", post(guard::open).with_state(Arc::clone(&guard)))
        .merge(private)
        .layer(middleware::from_fn_with_state(guard, guard::own_host_and_origin))
}

fn own(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

/// Opens the clerk's browser, or says where the window is.
fn show(url: &str, opening: Opening) {
    let program: &[&str] = if cfg!(target_os = "macos") {
        &["open"]
    } else if cfg!(windows) {
        &["rundll32", "url.dll,FileProtocolHandler"]
    } else {
        &["xdg-open"]
    };
    let opened = !opening.print_only
        && program.split_first().is_some_and(|(program, arguments)| {
            let quiet = std::process::Stdio::null;
            let mut command = std::process::Command::new(program);
            command.args(arguments).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().is_ok()
        });
    if opened {
        eprintln!("Cửa sổ đóng dấu đã mở trong trình duyệt. Nếu không thấy, hãy chạy lại với --no-open.");
    } else {
        // One JSON line, as every program of the house says that it is ready.
        println!("{}", json!({"ready": "seal-agent", "window": url}));
        eprintln!("Mở địa chỉ này trong trình duyệt trên chính máy này (dùng một lần): {url}");
    }
    eprintln!("Ctrl-C để kết thúc.");
}
