//! An answer given in the middle of a request's body, whoever refuses and why: the rest is read and forgotten for a while,
//! since a client whose connection is cut while it is still sending never sees the answer.
//!
//! A client that waits for `100 Continue` and was not told to go on is not sending, and is not listened to: reading would
//! tell it to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::poll_fn;

/// What is read of a body after its answer. Whoever sends more, or longer, is told by the end of the connection.
const MOST_HEARD: usize = 256 << 20;
const HEARD_FOR: Duration = Duration::from_secs(15);

/// Hears a refused request out before its answer is sent.
pub(crate) async fn hear_out(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let waits_for_word = request.headers().contains_key(header::EXPECT);
    let (parts, body) = request.into_parts();
    let sent = Arc::new(Sent { body: Mutex::new(body.into_data_stream()), begun: AtomicBool::new(false) });
    let handed_on = sent.clone();
    let body = Body::from_stream(poll_fn(move |cx| handed_on.poll(cx)));
    let response = next.run(Request::from_parts(parts, body)).await;
    let refused = response.status().is_client_error() || response.status().is_server_error();
    if refused && (sent.begun.load(Ordering::Relaxed) || !waits_for_word) {
        // Answered in either case.
        drop(tokio::time::timeout(HEARD_FOR, sent.forget()).await);
    }
    response
}

/// A body that is read by its route, and what the route leaves of it here.
struct Sent {
    body: Mutex<BodyDataStream>,
    begun: AtomicBool,
}

impl Sent {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        self.begun.store(true, Ordering::Relaxed);
        match self.body.lock() {
            Ok(mut body) => body.poll_next_unpin(cx),
            // Whoever read it panicked: nobody knows where it stands.
            Err(_) => Poll::Ready(None),
        }
    }

    async fn forget(&self) {
        let mut rest = poll_fn(|cx| self.poll(cx));
        let mut heard = 0;
        while let Some(Ok(chunk)) = rest.next().await {
            heard += chunk.len();
            if heard > MOST_HEARD {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use axum::Router;
    use axum::http::{HeaderValue, StatusCode};
    use axum::middleware::from_fn;
    use axum::routing::post;
    use tower::ServiceExt;

    use super::*;

    const CHUNKS: usize = 20;

    /// How many chunks of a body were read when `status` was answered without a look at it.
    async fn heard(status: StatusCode, expect: bool) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let counting = count.clone();
        let body = futures::stream::iter(0..CHUNKS).map(move |_| {
            counting.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(b"chunk"))
        });
        let mut request = Request::post("/").body(Body::from_stream(body)).expect("a request");
        if expect {
            request.headers_mut().insert(header::EXPECT, HeaderValue::from_static("100-continue"));
        }
        let router = Router::new().route("/", post(move || async move { status })).layer(from_fn(hear_out));
        assert_eq!(router.oneshot(request).await.expect("an answer").status(), status);
        count.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn a_refused_sender_is_heard_out_unless_it_waits_for_a_word() {
        assert_eq!(heard(StatusCode::PAYLOAD_TOO_LARGE, false).await, CHUNKS);
        assert_eq!(heard(StatusCode::UNAUTHORIZED, false).await, CHUNKS);
        assert_eq!(heard(StatusCode::PAYLOAD_TOO_LARGE, true).await, 0);
        assert_eq!(heard(StatusCode::OK, false).await, 0);
    }

    #[tokio::test]
    async fn the_route_reads_the_body_as_it_was_sent() {
        let router = Router::new().route("/", post(|body: Bytes| async { body })).layer(from_fn(hear_out));
        let request = Request::post("/").body(Body::from("all of it")).expect("a request");
        let answer = router.oneshot(request).await.expect("an answer").into_body();
        assert_eq!(axum::body::to_bytes(answer, 100).await.expect("read"), "all of it");
    }
}
