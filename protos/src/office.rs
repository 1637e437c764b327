//! What an office offers to whoever fills a form: its registers, chains, recipients, units and people, as the administrator
//! described them. `GET /v1/office/forms`.

use serde::{Deserialize, Serialize};
use trinhky_domain::ids::PersonId;

/// Everything that can be chosen from. Nothing binds: a document names its own signers and recipients.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OfficeFormsView {
    /// Địa danh, as it stands before the date; empty when it was not said.
    pub place: String,
    /// The office's mailbox; empty when it was not said.
    pub email: String,
    /// Who holds the seal: the clerk of most documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub clerk: Option<PersonId>,
    /// Kinds of documents, with the book their numbers stand in.
    pub registers: Vec<RegisterFormView>,
    /// Who checks and signs, as it is mostly done.
    pub chains: Vec<ChainFormView>,
    /// Who mostly receives copies.
    pub recipients: Vec<RecipientFormView>,
    /// Units of the office, with their people.
    pub units: Vec<UnitFormView>,
}

/// A book as people call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegisterFormView {
    /// Its name.
    pub name: String,
    /// Tên loại by its abbreviation; empty for a công văn.
    pub document_type: String,
    /// Ký hiệu after the number, e.g. `QĐ-UBND`.
    pub notation: String,
}

/// A chain as it is mostly walked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChainFormView {
    /// Its name.
    pub name: String,
    /// Người kiểm tra nội dung.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub content_checker: Option<PersonId>,
    /// Người kiểm tra thể thức.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub format_checker: Option<PersonId>,
    /// In signing order.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub signers: Vec<PersonId>,
}

/// A recipient of many copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecipientFormView {
    /// Name for people.
    pub name: String,
    /// Mã định danh, if it is on the exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Mailbox (thư điện tử công vụ).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A unit of the office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnitFormView {
    /// As the administrator names it, for instance `vp`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who serves there.
    pub people: Vec<UnitPersonView>,
}

/// Somebody in a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnitPersonView {
    /// Who.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub person: PersonId,
    /// Họ và tên.
    pub full_name: String,
    /// Chức vụ.
    pub title: String,
    /// Mailbox; empty when it was not said.
    pub email: String,
}
