//! Plain records for the screens; digests are lower-case hex, ids are ULIDs, both as text.

use std::time::SystemTime;

use trinhky_mobile_core as core;
use trinhky_protos::{device, document, session};

/// Where the server is and whom TLS trusts.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Settings {
    /// `https://…`; `http://` to this very machine only.
    pub server_url: String,
    /// PEM certificates that alone are trusted for TLS; empty for the platform's.
    pub roots_pem: String,
}

/// The public half of the device key (RFC 7517), coordinates in base64url without padding.
#[derive(Debug, Clone, uniffi::Record)]
pub struct PublicJwk {
    /// x.
    pub x: String,
    /// y.
    pub y: String,
}

impl From<PublicJwk> for device::PublicJwk {
    fn from(key: PublicJwk) -> Self {
        Self { kty: "EC".into(), crv: "P-256".into(), x: key.x, y: key.y }
    }
}

/// A person.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Person {
    /// Id.
    pub id: String,
    /// Họ và tên.
    pub full_name: String,
    /// Chức vụ.
    pub title: String,
    /// What the person may do.
    pub roles: Vec<String>,
}

impl From<&session::PersonView> for Person {
    fn from(person: &session::PersonView) -> Self {
        let session::PersonView { id, full_name, title, office: _, roles } = person.clone();
        Self { id: id.to_string(), full_name, title, roles }
    }
}

/// Someone who signs, in order.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Signer {
    /// Id.
    pub person: String,
    /// As printed on the page.
    pub full_name: String,
    /// As printed on the page.
    pub title: String,
    /// Thẩm quyền ký.
    pub capacity: String,
}

/// Who receives a copy.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Recipient {
    /// Mã định danh.
    pub code: Option<String>,
    /// Name.
    pub name: String,
    /// How the copy travels: `exchange`, `email`, `portal` or `paper`.
    pub channel: Option<String>,
    /// Mailbox for a copy by e-mail.
    pub email: Option<String>,
}

/// A file of the bundle.
#[derive(Debug, Clone, uniffi::Record)]
pub struct BundleFile {
    /// `main`, `attachment`, `background`.
    pub role: String,
    /// Name for people.
    pub name: String,
    /// SHA-256.
    pub sha256: String,
    /// In bytes.
    pub length: u64,
}

/// A document as the screens show it.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Document {
    /// Id.
    pub id: String,
    /// Version.
    pub version: u64,
    /// State's name.
    pub state: String,
    /// Trích yếu.
    pub subject: String,
    /// Tên loại.
    pub document_type: String,
    /// Ký hiệu.
    pub notation: String,
    /// Độ khẩn.
    pub urgency: String,
    /// Number, once taken.
    pub number: Option<String>,
    /// Date, once taken.
    pub date: Option<String>,
    /// How the number is given.
    pub numbering: String,
    /// In order.
    pub signers: Vec<Signer>,
    /// Nơi nhận.
    pub recipients: Vec<Recipient>,
    /// The bundle.
    pub files: Vec<BundleFile>,
    /// SHA-256 of the newest revision of the main document.
    pub head: String,
    /// Hạn xử lý.
    pub due_at: Option<SystemTime>,
}

impl From<&document::DocumentView> for Document {
    fn from(view: &document::DocumentView) -> Self {
        let view = view.clone();
        Self {
            id: view.id.to_string(),
            version: view.version,
            state: view.state.name,
            subject: view.subject,
            document_type: view.document_type,
            notation: view.notation,
            urgency: view.urgency,
            number: view.number,
            date: view.date,
            numbering: view.numbering,
            signers: view
                .signers
                .into_iter()
                .map(|s| Signer {
                    person: s.person.to_string(),
                    full_name: s.full_name,
                    title: s.title,
                    capacity: s.capacity,
                })
                .collect(),
            recipients: view
                .recipients
                .into_iter()
                .map(|r| Recipient { code: r.code, name: r.name, channel: r.channel, email: r.email })
                .collect(),
            files: view.files.iter().map(BundleFile::from).collect(),
            head: view.head.sha256.to_string(),
            due_at: view.due_at.map(SystemTime::from),
        }
    }
}

impl From<&document::BundleFileView> for BundleFile {
    fn from(file: &document::BundleFileView) -> Self {
        let document::BundleFileView { role, name, sha256, length } = file.clone();
        Self { role, name, sha256: sha256.to_string(), length }
    }
}

/// A page of the inbox.
#[derive(Debug, Clone, uniffi::Record)]
pub struct InboxPage {
    /// Urgent ones first.
    pub documents: Vec<Document>,
    /// For the next page.
    pub next: Option<String>,
}

/// A declared field, read from the bytes; drawn with "văn thư sẽ điền".
#[derive(Debug, Clone, uniffi::Record)]
pub struct DeclaredField {
    /// Its name.
    pub name: String,
    /// From 1; 0 for none.
    pub page: u32,
    /// Left, in points from the lower left of the page as displayed.
    pub x: f64,
    /// Bottom.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl From<&core::DeclaredField> for DeclaredField {
    fn from(field: &core::DeclaredField) -> Self {
        let [x, y, width, height] = field.rect;
        Self { name: field.name.clone(), page: field.page, x, y, width, height }
    }
}

/// What the leader consents to.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Consent {
    /// The document.
    pub document: String,
    /// The attempt.
    pub attempt: String,
    /// The code to compare; none if the SIM computes none, and then the screen says so.
    pub code: Option<String>,
    /// What the screen says in the place of a code that there is not, in Vietnamese.
    pub without_code: Option<String>,
    /// "SIM sẽ hiện: …".
    pub sim_shows: String,
    /// The text as signed, with the literal `%%VC%%`.
    pub display_text: String,
    /// SHA-256 of the signed attributes: what the SIM signs.
    pub dtbs: String,
    /// SHA-256 of the signer's certificate.
    pub certificate: String,
    /// Thẩm quyền ký.
    pub capacity: String,
    /// What the clerk will fill in, and where.
    pub fields: Vec<DeclaredField>,
    /// After this, check again.
    pub expires_at: SystemTime,
}

/// What the leader confirms when enrolling.
#[derive(Debug, Clone, uniffi::Record)]
pub struct EnrolmentConsent {
    /// The device to be.
    pub device: String,
    /// The attempt.
    pub attempt: String,
    /// The number whose SIM signs.
    pub msisdn: String,
    /// The code to compare.
    pub code: Option<String>,
    /// What the screen says in the place of a code that there is not, in Vietnamese.
    pub without_code: Option<String>,
    /// "SIM sẽ hiện: …".
    pub sim_shows: String,
    /// The text as signed.
    pub display_text: String,
    /// What the SIM signs.
    pub dtbs: String,
    /// RFC 7638 thumbprint of this device's key.
    pub key_thumbprint: String,
}

/// Where a SIM request stands.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Progress {
    /// The attempt.
    pub attempt: String,
    /// State's name.
    pub state: String,
    /// Nothing more will happen by itself.
    pub ended: bool,
    /// Ended, and the signature stands.
    pub done: bool,
    /// How many are before it on this number.
    pub place: Option<u32>,
    /// What happened, in Vietnamese.
    pub message: String,
    /// The CMS made on this device was handed in.
    pub handed_in: bool,
    /// `device` or `server`.
    pub cms_from: Option<String>,
}

impl From<core::Progress> for Progress {
    fn from(progress: core::Progress) -> Self {
        let done = progress.is_done();
        let view = progress.attempt;
        Self {
            attempt: view.id.to_string(),
            state: view.state,
            ended: view.ended,
            done,
            place: view.place,
            message: view.message,
            handed_in: progress.handed_in,
            cms_from: view.cms_from,
        }
    }
}

/// An HTTP request for a transport of the platform's own.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Request {
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Path and query below the server's URL.
    pub path: String,
    /// Header fields; they hold the session's token.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
    /// How long the answer may take.
    pub timeout_seconds: u32,
    /// The longest body that may be read.
    pub answer_limit: u64,
}

/// A header field.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Header {
    /// Lower case.
    pub name: String,
    /// Value.
    pub value: String,
}

/// Its answer.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
}

impl From<core::Request> for Request {
    fn from(request: core::Request) -> Self {
        Self {
            method: request.method.as_str().into(),
            path: request.path,
            headers: request.headers.into_iter().map(|(name, value)| Header { name, value }).collect(),
            body: request.body,
            timeout_seconds: request.timeout_seconds,
            answer_limit: request.answer_limit,
        }
    }
}

impl From<Response> for core::Response {
    fn from(response: Response) -> Self {
        let headers = response.headers.into_iter().map(|field| (field.name, field.value)).collect();
        Self { status: response.status, headers, body: response.body }
    }
}
