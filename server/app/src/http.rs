//! The router and what surrounds every route: request ids, limits, headers, logs, the way down.
//!
//! ```text
//! request ─► id ─► span ─► heard out when refused ─► busy? 503 ─► security headers ─► body limit ─► route
//! ```

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;
use trinhky_protos::problem::Code;

use crate::ambient::Random;
use crate::app::App;
use crate::error::ApiError;
use crate::lingering::hear_out;
use crate::routes;

/// Headers that every answer carries unless its route says otherwise. The start page needs its own style and nothing
/// else; no answer may be framed, sniffed or kept by a shared cache.
const HEADERS: &[(HeaderName, &str)] = &[
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Every route with everything around it.
pub fn router(app: App) -> Router {
    let slots = Arc::new(Semaphore::new(app.config.limits.concurrent_requests));
    let body_limit = DefaultBodyLimit::max(app.config.limits.json_bytes);
    let request_ids = RequestIds(app.random.clone());
    let (router, _) = routes::all().split_for_parts();
    let mut router = router.fallback(not_found).with_state(app).layer(body_limit);
    for (name, value) in HEADERS {
        let layer = SetResponseHeaderLayer::if_not_present(name.clone(), HeaderValue::from_static(value));
        router = router.layer(layer);
    }
    router
        .layer(middleware::from_fn_with_state(slots, refuse_when_busy))
        .layer(middleware::from_fn(hear_out))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_request(()))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(request_ids))
}

/// How long others may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of a request, from the connection or the answer before: whoever sends a byte now and then holds a
    /// connection no longer than this.
    pub head: Duration,
    /// For requests under way when the process is to stop.
    pub grace: Duration,
}

/// Serves `router` on `listener` until `stop` resolves; then requests under way get some time to end.
///
/// # Errors
/// None so far: a connection that cannot be taken is logged.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
    patience: Patience,
) -> std::io::Result<()> {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience.head);
    let connections = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let service = TowerToHyperService::new(router.clone());
                let connection = builder.serve_connection(TokioIo::new(stream), service);
                let connection = connections.watch(connection);
                tokio::spawn(async move {
                    // A client that went away or was too slow is nobody's fault here.
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection ended");
                    }
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Out of descriptors, say: it passes, and hurrying makes it worse.
                tracing::error!(%error, "no connection can be taken now");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(patience.grace, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way when the time to stop was over");
    }
    Ok(())
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset)
}

/// Resolves on SIGTERM or SIGINT.
///
/// # Errors
/// When the process cannot listen to signals.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}

async fn not_found() -> ApiError {
    Code::NotFound.into()
}

async fn refuse_when_busy(State(slots): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    match slots.try_acquire() {
        Ok(_slot) => next.run(request).await,
        Err(_) => ApiError::new(Code::Unavailable).retry_after(1).into_response(),
    }
}

/// The pattern of the route, never the path itself nor the query: they may carry what is not for logs.
fn span(request: &Request) -> tracing::Span {
    let id = request
        .extensions()
        .get::<RequestId>()
        .and_then(|id| id.header_value().to_str().ok())
        .unwrap_or_default();
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    tracing::info_span!("request", id, method = %request.method(), route)
}

#[derive(Clone)]
struct RequestIds(Arc<dyn Random>);

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<RequestId> {
        let id = hex::encode(self.0.bytes::<8>());
        HeaderValue::from_str(&id).ok().map(RequestId::new)
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::*;

    const SOON: Duration = Duration::from_millis(300);
    const LATER: Duration = Duration::from_secs(20);

    async fn serving(router: Router) -> (std::net::SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let patience = Patience { head: SOON, grace: LATER };
        let until = async move {
            let _ = stopped.await;
        };
        let task =
            tokio::spawn(async move { serve(listener, router, until, patience).await.expect("served") });
        (address, stop, task)
    }

    async fn sends(address: std::net::SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(bytes).await.expect("sends");
        stream
    }

    /// What comes until the other side closes.
    async fn hears(stream: &mut TcpStream) -> String {
        let mut heard = Vec::new();
        let end = tokio::time::timeout(LATER, stream.read_to_end(&mut heard)).await.expect("it is closed");
        // A reset closes it as well.
        drop(end);
        String::from_utf8_lossy(&heard).into_owned()
    }

    #[tokio::test]
    async fn half_a_head_holds_a_connection_for_a_while_and_nobody_else() {
        let (address, _stop, _task) = serving(Router::new().route("/", get(|| async { "there" }))).await;
        let mut slow = sends(address, b"GET / HTTP/1.1\r\nhost: a\r\nx-").await;
        let mut silent = sends(address, b"").await;
        let mut quick = sends(address, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        assert!(hears(&mut quick).await.ends_with("there"));
        for stream in [&mut slow, &mut silent] {
            let heard = hears(stream).await;
            assert!(!heard.starts_with("HTTP/1.1 200"), "{heard}");
        }
    }

    #[tokio::test]
    async fn an_answer_may_take_longer_than_a_head_and_is_given_before_the_process_stops() {
        let slow = || async {
            tokio::time::sleep(SOON * 3).await;
            "at last"
        };
        let (address, stop, task) = serving(Router::new().route("/", get(slow))).await;
        let mut asking = sends(address, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        tokio::time::sleep(SOON / 3).await;
        stop.send(()).expect("it serves");
        assert!(hears(&mut asking).await.ends_with("at last"));
        tokio::time::timeout(LATER, task).await.expect("it stops").expect("well");
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }
}
