//! What the engine says of a file at the door, as the wire says it; shared by upload, provisioning and verification.

use trinhky_pades::intake::{Finding, Ingested, Refusal};
use trinhky_protos::problem::Code;
use trinhky_store::StoredFile;

use crate::error::{ApiError, ApiResult};

/// What the engine refuses.
pub(crate) fn refused(refusal: &Refusal, most: u64) -> ApiError {
    let code = match refusal {
        Refusal::TooLarge { .. } => return too_large(most),
        Refusal::Source(_) | Refusal::Write(_) => return ApiError::internal(refusal.clone()),
        Refusal::Empty => Code::EmptyFile,
        Refusal::NotAPdf => Code::NotAPdf,
        Refusal::Truncated => Code::Truncated,
        Refusal::Encrypted => Code::Encrypted,
        Refusal::Broken(_) => Code::BrokenPdf,
        Refusal::OffPage { .. } | Refusal::NoRoom { .. } => Code::BadPlace,
        Refusal::Text { .. } => Code::MissingMetadata,
        Refusal::Printed { .. } => Code::PrintedDiffers,
        Refusal::XfaDynamic | Refusal::TooComplex(_) | Refusal::AlreadySigned | Refusal::FieldTaken(_) => {
            Code::UnsupportedPdf
        }
    };
    ApiError::new(code).with(refusal.to_string())
}

/// Over the limit, which is said in megabytes.
pub(crate) fn too_large(most: u64) -> ApiError {
    ApiError::new(Code::TooLarge).with(format!("{} MB", most / (1024 * 1024)))
}

/// What intake found in an uploaded file, as its row keeps it.
pub(crate) fn ingested(file: &StoredFile) -> ApiResult<Ingested> {
    serde_json::from_slice(file.midstate.as_deref().unwrap_or_default()).map_err(ApiError::internal)
}

/// The stable word of a finding.
pub(crate) fn word(finding: Finding) -> String {
    // A fieldless enum with `rename_all` is a JSON string.
    serde_json::to_value(finding).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
