//! `GET /`: one page with the state of things, until the web app takes its place.

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
    let mut rows = String::new();
    for state in StateName::ALL {
        let mut count = 0;
        for office in &offices {
            count += tx.count_documents_in(office.id, *state).await?;
        }
        let label = label(*state);
        rows = rows + "<tr><th scope=\"row\">" + label + "</th><td>" + &count.to_string() + "</td></tr>\n";
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
        .replace("{{rows}}", rows.trim_end());
    Ok(Html(page))
}

const fn label(state: StateName) -> &'static str {
    match state {
        StateName::Draft => "Dự thảo",
        StateName::InReview => "Chờ kiểm tra",
        StateName::AwaitingSignature => "Chờ ký",
        StateName::Signing => "Đang ký số",
        StateName::AwaitingNumber => "Chờ cấp số",
        StateName::Sealing => "Chờ ký số cơ quan",
        StateName::Sealed => "Chờ phát hành",
        StateName::Released => "Đã phát hành",
        StateName::Returned => "Bị trả lại",
        StateName::Withdrawn => "Đã rút lại",
        StateName::Rejected => "Từ chối ký",
    }
}
