//! `GET /`: one page with the state of things, until the web app takes its place.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::Html;
use time::format_description::well_known::Rfc3339;
use trinhky_domain::document::StateName;

use super::prepare::HANOI;
use crate::app::App;
use crate::error::{ApiError, ApiResult};

const TEMPLATE: &str = include_str!("page.html");

/// The state of things.
#[utoipa::path(get, path = "/", tag = "operations", security(()), responses((status = 200, content_type = "text/html")))]
pub(super) async fn page(State(app): State<App>) -> ApiResult<Html<String>> {
    let mut tx = app.store.read().await?;
    let offices = tx.offices().await?;
    let (mut walking, mut ended) = (String::new(), String::new());
    for state in StateName::ALL {
        let mut count = 0;
        for office in &offices {
            count += tx.count_documents_in(office.id, *state).await?;
        }
        let (label, turn) = words(*state);
        let rows = if turn.is_some() { &mut walking } else { &mut ended };
        let none = if count == 0 { " class=\"none\"" } else { "" };
        let turn = turn.map(|who| format!("<td>{who}</td>")).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "<tr{none}><th scope=\"row\">{label}</th>{turn}<td class=\"count\">{count}</td></tr>"
        );
    }
    let now = app.clock.now().to_offset(HANOI).truncate_to_second();
    let shown = format!(
        "{:02}:{:02}:{:02} ngày {:02}/{:02}/{}",
        now.hour(),
        now.minute(),
        now.second(),
        now.day(),
        u8::from(now.month()),
        now.year()
    );
    let now = now.format(&Rfc3339).map_err(ApiError::internal)?;
    let page = TEMPLATE
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{now}}", &now)
        .replace("{{shown}}", &shown)
        .replace("{{walking}}", walking.trim_end())
        .replace("{{ended}}", ended.trim_end());
    Ok(Html(page))
}

/// What a state is called, and whose turn it is; nobody's where the way has ended.
const fn words(state: StateName) -> (&'static str, Option<&'static str>) {
    match state {
        StateName::Draft => ("Dự thảo", Some("người soạn thảo")),
        StateName::InReview => ("Chờ kiểm tra", Some("người kiểm tra")),
        StateName::AwaitingSignature => ("Chờ ký", Some("lãnh đạo")),
        StateName::Signing => ("Đang ký số", Some("lãnh đạo, trên SIM")),
        StateName::AwaitingNumber => ("Chờ cấp số", Some("văn thư")),
        StateName::Sealing => ("Chờ đóng dấu", Some("văn thư")),
        StateName::Sealed => ("Chờ phát hành", Some("văn thư")),
        StateName::Released => ("Đã phát hành", None),
        StateName::Returned => ("Bị trả lại", None),
        StateName::Withdrawn => ("Đã rút lại", None),
        StateName::Rejected => ("Từ chối ký", None),
    }
}
