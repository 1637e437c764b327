//! Documents: uploading, submitting, reviewing, reading.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_domain::ids::{AttemptId, DocumentId, PersonId};

use crate::bytes::HexDigest;

/// Answer to `POST /v1/files` (raw PDF body, streamed): the bytes are stored and looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadedFileView {
    /// Of the bytes as uploaded.
    pub sha256: HexDigest,
    /// In bytes.
    pub length: u64,
    /// Pages found.
    pub pages: u32,
    /// True when provisioning will rewrite the file into a clean single revision first.
    pub needs_normalising: bool,
    /// Why, and what else a person should know, as stable codes.
    pub remarks: Vec<String>,
}

/// One file of a bundle (bộ hồ sơ trình ký).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BundleFileView {
    /// `main`, `attachment` (released with it) or `background` (never released).
    pub role: String,
    /// File name for people.
    pub name: String,
    /// The bytes.
    pub sha256: HexDigest,
    /// In bytes.
    pub length: u64,
}

/// Someone who signs, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignerView {
    /// Who.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub person: PersonId,
    /// Their name as printed on the page.
    pub full_name: String,
    /// Their title as printed on the page.
    pub title: String,
    /// Thẩm quyền ký: empty, `KT.`, `TM.`, `TL.`, `TUQ.`, `Q.`.
    pub capacity: String,
}

/// Who receives a copy (nơi nhận).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecipientView {
    /// Mã định danh of the organisation, if it is on the exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Name for people.
    pub name: String,
    /// How the copy travels: `exchange`, `email`, `portal` or `paper`. Always told; when asked without it, `email` with
    /// an address, else `exchange` with a code, else `paper`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Mailbox (thư điện tử công vụ) for a copy by e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// `POST /v1/documents`: a draft from uploaded files. The declared fields are provisioned now, so that every later
/// reader sees the very same base.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateDocumentRequest {
    /// Trích yếu nội dung, at most 500 characters.
    pub subject: String,
    /// Tên loại by its abbreviation (`QĐ`, `TB`, …); empty for a công văn.
    pub document_type: String,
    /// Ký hiệu after the number, e.g. `QĐ-UBND`.
    pub notation: String,
    /// The register the number comes from, by its name within the office.
    pub register: String,
    /// `normal`, `urgent` (khẩn), `very_urgent` (thượng khẩn), `immediate` (hỏa tốc).
    pub urgency: String,
    /// `none`; anything else is refused (R1, R110).
    pub secrecy: String,
    /// In signing order; at least one.
    pub signers: Vec<SignerRequest>,
    /// Người kiểm tra nội dung.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub content_checker: Option<PersonId>,
    /// Người kiểm tra thể thức.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub format_checker: Option<PersonId>,
    /// The văn thư who will number, seal and release.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub clerk: PersonId,
    /// At least one.
    pub recipients: Vec<RecipientView>,
    /// Exactly one `main`, then attachments and background papers.
    pub files: Vec<BundleFileRequest>,
    /// Hạn xử lý.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub due_at: Option<OffsetDateTime>,
    /// Where the declared fields go; without it anchors in the text, then the places of NĐ 30/2020 Phụ lục I.
    #[serde(default)]
    pub places: Vec<PlaceRequest>,
}

/// A signer in a [`CreateDocumentRequest`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignerRequest {
    /// Who.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub person: PersonId,
    /// See [`SignerView::capacity`].
    #[serde(default)]
    pub capacity: String,
}

/// A file in a [`CreateDocumentRequest`], uploaded before.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BundleFileRequest {
    /// See [`BundleFileView::role`].
    pub role: String,
    /// File name for people.
    pub name: String,
    /// As [`UploadedFileView`] gave it.
    pub sha256: HexDigest,
}

/// Where a declared field is to be: points from the lower left of the page as displayed, pages from 1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlaceRequest {
    /// `DocNumber`, `DocDate`, `Signer1` …, `OrgSeal`.
    pub field: String,
    /// From 1.
    pub page: u32,
    /// x, y, width, height.
    pub rect: [f64; 4],
}

/// A document as people and the core see it; `GET /v1/documents/{id}`. `ETag` is the version in quotes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentView {
    /// The document.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: DocumentId,
    /// Rises with every change; send it back in `If-Match`.
    pub version: u64,
    /// Where it stands.
    pub state: DocumentStateView,
    /// Trích yếu.
    pub subject: String,
    /// Tên loại, abbreviated.
    pub document_type: String,
    /// Ký hiệu.
    pub notation: String,
    /// Name of the register the number comes from.
    pub register: String,
    /// See [`CreateDocumentRequest::urgency`].
    pub urgency: String,
    /// In signing order.
    pub signers: Vec<SignerView>,
    /// The văn thư.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub clerk: PersonId,
    /// Who receives it.
    pub recipients: Vec<RecipientView>,
    /// The bundle; the `main` entry names the provisioned base.
    pub files: Vec<BundleFileView>,
    /// The newest revision of the main document.
    pub head: FileRefView,
    /// SHA-256 of the manifest that lists what later revisions may touch.
    pub manifest: HexDigest,
    /// How its number is given: `before_sign`, `at_sign` or `after_sign`.
    pub numbering: String,
    /// Full number as it will be written, once taken, e.g. `29/2021/QĐ-UBND`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Date of issue, once taken, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// When it came to be.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Hạn xử lý.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub due_at: Option<OffsetDateTime>,
}

/// A file by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileRefView {
    /// The bytes.
    pub sha256: HexDigest,
    /// In bytes.
    pub length: u64,
}

/// Where a document stands (architecture, section 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentStateView {
    /// `draft`, `in_review`, `awaiting_signature`, `signing`, `awaiting_number`, `sealing`, `sealed`, `released`,
    /// `returned`, `withdrawn` or `rejected`.
    pub name: String,
    /// Whose turn it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub turn_of: Option<PersonId>,
    /// In `in_review`: `content` or `format`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// In `awaiting_signature` and `signing`: which signer, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<u32>,
    /// In `signing`: the attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub attempt: Option<AttemptId>,
    /// What it waits for though no person must act: `timestamp`, `revocation`, `long_term`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    /// In `returned`, `withdrawn`, `rejected`, and in `released` once it was called back: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In `released`: when it was called back (thu hồi), if it was.
    #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub recalled_at: Option<OffsetDateTime>,
}

/// A page of documents; `GET /v1/inbox` and `GET /v1/documents`. Urgent ones come first, then the oldest.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentsView {
    /// The page.
    pub documents: Vec<DocumentView>,
    /// Give it back as `cursor` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `POST /v1/documents/{id}/opinions`: a checker's opinion (ý kiến), void on any other digest.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpinionRequest {
    /// `approve` or `give_back`.
    pub verdict: String,
    /// The head the opinion is about.
    pub head: HexDigest,
    /// The words; required to give back.
    #[serde(default)]
    pub note: String,
}

/// `POST /v1/documents/{id}/return`, `/reject`, `/withdraw`, `/recall`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReasonRequest {
    /// Why; never empty.
    pub reason: String,
}
