//! What the window's page is told: JSON views of what the agent found, and refusals in the shape of the terminal's.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use trinhky_protos::document::DocumentView;
use trinhky_simpki::digest::DtbsDigest;

use crate::checks::Row;
use crate::config::Config;
use crate::error::Error;
use crate::seal::Reviewed;
use crate::token::PinState;

/// Token, queue, what was sealed.
#[derive(Debug, Serialize)]
pub(super) struct DeskView {
    pub(super) token: TokenView,
    pub(super) queue: Vec<QueueRow>,
    /// More wait than are listed.
    pub(super) more: bool,
    pub(super) sealed: u32,
}

/// Whether the token is ready.
#[derive(Debug, Serialize)]
pub(super) struct TokenView {
    /// `ready` (a PIN is due), `logged_in`, `careful` (a wrong PIN before), `final_try`, `locked` or `absent`.
    state: &'static str,
    message: String,
}

/// One document that waits for the seal.
#[derive(Debug, Serialize)]
pub(super) struct QueueRow {
    id: String,
    subject: String,
    urgency: String,
    number: Option<String>,
    signers: Vec<String>,
}

/// What was examined.
#[derive(Debug, Serialize)]
pub(super) struct ReviewView {
    id: String,
    subject: String,
    document_type: String,
    urgency: String,
    recipients: Vec<String>,
    attachments: Vec<String>,
    checks: Vec<Row>,
    /// What would be sealed; absent if a check failed.
    seal: Option<SealView>,
    error: Option<Refused>,
}

/// What would be sealed.
#[derive(Debug, Serialize)]
struct SealView {
    number: String,
    date: String,
    organisation: String,
    certificate_until: String,
    leaders: Vec<LeaderView>,
    pages: u32,
    base_sha256: String,
    signs_sha256: String,
}

/// A leader who approved.
#[derive(Debug, Serialize)]
struct LeaderView {
    name: String,
    title: String,
    at: Option<String>,
    /// The code on phone and SIM; absent where the agency's policy has none or the agent does not know it.
    code: Option<String>,
}

/// Why not.
#[derive(Debug, Serialize)]
struct Refused {
    code: String,
    message: String,
    what: String,
}

impl TokenView {
    pub(super) fn of(state: &Result<PinState, Error>, logged_in: bool) -> Self {
        let (state, message) = match state {
            Err(error) => ("absent", error.vietnamese()),
            Ok(PinState::Locked) => ("locked", Error::PinLocked.vietnamese()),
            Ok(_) if logged_in => ("logged_in", "Thiết bị lưu khóa đã mở."),
            Ok(PinState::FinalTry) => {
                ("final_try", "Chỉ còn MỘT lần nhập PIN: nhập sai thiết bị sẽ bị khóa.")
            }
            Ok(PinState::CountLow) => ("careful", "Đã có lần nhập sai PIN: hãy nhập cẩn thận."),
            Ok(PinState::Good) => ("ready", "Thiết bị lưu khóa đã sẵn sàng."),
        };
        Self { state, message: message.to_owned() }
    }
}

impl QueueRow {
    pub(super) fn of(document: &DocumentView) -> Self {
        Self {
            id: document.id.to_string(),
            subject: document.subject.clone(),
            urgency: document.urgency.clone(),
            number: document.number.clone(),
            signers: document.signers.iter().map(|signer| signer.full_name.clone()).collect(),
        }
    }
}

impl ReviewView {
    pub(super) fn of(
        config: &Config,
        document: &DocumentView,
        checks: &[Row],
        reviewed: Result<&Reviewed, &Error>,
    ) -> Self {
        let attached = document.files.iter().filter(|file| file.role == "attachment");
        Self {
            id: document.id.to_string(),
            subject: document.subject.clone(),
            document_type: document.document_type.clone(),
            urgency: document.urgency.clone(),
            recipients: document.recipients.iter().map(|recipient| recipient.name.clone()).collect(),
            attachments: attached.map(|file| file.name.clone()).collect(),
            checks: checks.to_vec(),
            seal: reviewed.ok().map(|reviewed| SealView::of(config, reviewed)),
            error: reviewed.err().map(Refused::of),
        }
    }
}

impl SealView {
    fn of(config: &Config, reviewed: &Reviewed) -> Self {
        let sealable = &reviewed.sealable;
        let leaders = sealable.leaders.iter().map(|leader| LeaderView {
            name: leader.name.clone(),
            title: leader.title.clone(),
            at: leader.at.and_then(|at| at.format(&Rfc3339).ok()),
            code: config
                .verification_code
                .and_then(|policy| policy.code(&DtbsDigest(leader.dtbs.0)))
                .map(|code| code.to_string()),
        });
        let until = sealable.organisation.not_after().date();
        Self {
            number: sealable.task.number.clone(),
            date: sealable.task.date.clone(),
            organisation: sealable.organisation.subject().common_name().unwrap_or_default().to_owned(),
            certificate_until: until.to_string(),
            leaders: leaders.collect(),
            pages: sealable.pages,
            base_sha256: sealable.task.base.sha256.to_string(),
            signs_sha256: sealable.attributes.dtbs_digest().to_string(),
        }
    }
}

impl Refused {
    fn of(error: &Error) -> Self {
        Self {
            code: error.code().to_owned(),
            message: error.vietnamese().to_owned(),
            what: error.to_string(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Server(_) => StatusCode::BAD_GATEWAY,
            _ => StatusCode::CONFLICT,
        };
        refusal(status, self.code(), self.vietnamese(), &self.to_string())
    }
}

/// A refusal in the shape that the terminal prints.
pub(super) fn refusal(status: StatusCode, code: &str, message: &str, what: &str) -> Response {
    (status, Json(json!({"error": {"code": code, "message": message, "what": what}}))).into_response()
}
