//! The router and what surrounds every route: request ids, limits, headers, logs, the way down.
//!
//! ```text
//! request ─► id ─► span ─► busy? 503 ─► security headers ─► body limit ─► route
//! ```

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;
use trinhky_protos::problem::Code;

use crate::ambient::Random;
use crate::app::App;
use crate::error::ApiError;
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
        .layer(TraceLayer::new_for_http().make_span_with(span).on_request(()))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(request_ids))
}

/// Serves `router` on `listener` until `stop` resolves; then requests under way get `grace` to end.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> std::io::Result<()> {
    let (stopping, mut stopped) = tokio::sync::watch::channel(false);
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.await;
        // The receiver lives as long as this function.
        let _ = stopping.send(true);
    });
    tokio::select! {
        ended = serving.into_future() => ended,
        () = async {
            // An error means that serving has ended, which the other branch sees.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            tokio::time::sleep(grace).await;
        } => {
            tracing::warn!("requests were still under way when the time to stop was over");
            Ok(())
        }
    }
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
