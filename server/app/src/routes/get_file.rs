//! `GET /v1/files/{sha256}`: the bytes, with ranges (RFC 9110 section 14), for those who have a part in a document that
//! holds them. A file is named by its digest, so it never changes: its `ETag` is its name.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use trinhky_protos::HexDigest;
use trinhky_protos::problem::{Code, Problem};

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::extract::Path;
use crate::wire;

/// The bytes of a file.
#[utoipa::path(
    get,
    path = "/v1/files/{sha256}",
    tag = "file",
    params(("sha256" = String, Path), ("Range" = Option<String>, Header), ("If-Range" = Option<String>, Header)),
    responses(
        (status = 200, description = "All of it", content_type = "application/pdf"),
        (status = 206, description = "A part of it", content_type = "application/pdf"),
        (status = 304, description = "You have it"),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 416, description = "No such part"),
    )
)]
pub(super) async fn get_file(
    State(app): State<App>,
    caller: Caller,
    Path(sha256): Path<HexDigest>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let digest = wire::digest(sha256);
    let mut tx = app.store.read().await?;
    if !tx.may_read(caller.actor.person, digest).await? {
        return Err(Code::NotFound.into());
    }
    let segments = tx.segments(digest).await?;
    drop(tx);
    let length: u64 = segments.iter().map(|segment| segment.length).sum();
    let tag = format!("\"{sha256}\"");
    let common = [
        (header::ETAG, tag.clone()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable".to_owned()),
    ];
    if text(&headers, &header::IF_NONE_MATCH).is_some_and(|tags| tags.split(',').any(|one| one.trim() == tag))
    {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let unchanged = text(&headers, &header::IF_RANGE).is_none_or(|seen| seen == tag);
    let wanted =
        text(&headers, &header::RANGE).filter(|_| unchanged).map_or(Wanted::All, |text| wanted(text, length));
    let (status, from, until) = match wanted {
        Wanted::All => (StatusCode::OK, 0, length),
        Wanted::Part { from, until } => (StatusCode::PARTIAL_CONTENT, from, until),
        Wanted::Nothing => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
    };
    let stream = app.blobs.stream(&segments, from..until).map_err(ApiError::internal)?;
    let mut response = (status, common, Body::from_stream(stream)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, (until - from).into());
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(range) = format!("bytes {from}-{}/{length}", until - 1).parse()
    {
        headers.insert(header::CONTENT_RANGE, range);
    }
    Ok(response)
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part { from: u64, until: u64 },
    Nothing,
}

/// One range of a `Range` header. Several ranges, other units and what cannot be read mean the whole file, as RFC 9110
/// section 14.2 lets a server choose.
fn wanted(text: &str, length: u64) -> Wanted {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Wanted::All;
    };
    let (from, until) = match (first.trim(), last.trim()) {
        ("", suffix) => match suffix.parse::<u64>() {
            Ok(0) => return Wanted::Nothing,
            Ok(count) => (length.saturating_sub(count), length),
            Err(_) => return Wanted::All,
        },
        (first, last) => {
            let Ok(from) = first.parse::<u64>() else { return Wanted::All };
            let until = match last {
                "" => length,
                last => match last.parse::<u64>() {
                    Ok(last) if last >= from => last.saturating_add(1).min(length),
                    _ => return Wanted::All,
                },
            };
            (from, until)
        }
    };
    if from >= length { Wanted::Nothing } else { Wanted::Part { from, until } }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        let part = |from, until| Wanted::Part { from, until };
        for (text, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=0-99", part(0, 10)),
            ("bytes=5-", part(5, 10)),
            ("bytes=-3", part(7, 10)),
            ("bytes=-99", part(0, 10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=3-2", Wanted::All),
            ("bytes=0-1,4-5", Wanted::All),
            ("lines=0-1", Wanted::All),
            ("bytes=x-", Wanted::All),
            ("bytes=0-18446744073709551615", part(0, 10)),
        ] {
            assert_eq!(wanted(text, 10), expected, "{text}");
        }
        assert_eq!(wanted("bytes=0-0", 0), Wanted::Nothing);
    }
}
