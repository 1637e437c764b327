//! What a SIM will show and how the code on both screens is made, from policy. The phone composes the same text for
//! itself and refuses any other.

use trinhky_domain::Document;
use trinhky_domain::policy::{CodeOver, Profile, VerificationCode};
use trinhky_protos::problem::Code;
use trinhky_protos::signing::CodeKind;
use trinhky_simpki::code::{self, CodePolicy};
use trinhky_simpki::display::{CODE_LITERAL, DEFAULT_BUDGET, DisplayText, Item, fold_vi};

use crate::error::{ApiError, ApiResult};

/// How the code is made, as the wire says it.
pub const fn code_kind(profile: &Profile) -> CodeKind {
    match (profile.verification_code, profile.verification_code_over) {
        (VerificationCode::MobileId4, CodeOver::Digest) => CodeKind::MobileId4OverDigest,
        (VerificationCode::MobileId4, CodeOver::DigestInfo) => CodeKind::MobileId4OverDigestInfo,
        (VerificationCode::Vn6, CodeOver::Digest) => CodeKind::Vn6OverDigest,
        (VerificationCode::Vn6, CodeOver::DigestInfo) => CodeKind::Vn6OverDigestInfo,
        (VerificationCode::None, _) => CodeKind::None,
    }
}

/// The prompt for a signature on a document.
///
/// # Errors
/// [`Code::MissingMetadata`] when neither number nor subject can be shown.
pub fn for_document(document: &Document, kind: CodeKind) -> ApiResult<DisplayText> {
    let number = document.number.as_ref();
    let text = number.map(ToString::to_string);
    let item = Item {
        number: text.as_deref(),
        date: number.map(|number| number.date),
        subject: &document.particulars.subject,
    };
    DisplayText::compose(&item, policy(kind), DEFAULT_BUDGET)
        .map_err(|error| ApiError::new(Code::MissingMetadata).with(error.to_string()))
}

/// The prompt for enrolling a device of a person.
///
/// # Errors
/// [`Code::MissingMetadata`] when the name cannot be shown.
pub fn for_enrolment(full_name: &str, kind: CodeKind) -> ApiResult<DisplayText> {
    let code = if policy(kind).on_prompt() { format!(". Ma {CODE_LITERAL}") } else { String::new() };
    DisplayText::parse(&format!("Dang ky thiet bi cho {}{code}", fold_vi(full_name)))
        .map_err(|error| ApiError::new(Code::MissingMetadata).with(error.to_string()))
}

fn policy(kind: CodeKind) -> CodePolicy {
    let computed = |kind, over| CodePolicy::SimComputed { kind, over };
    match kind {
        CodeKind::MobileId4OverDigest => computed(code::CodeKind::MobileId4, code::CodeOver::Digest),
        CodeKind::MobileId4OverDigestInfo => computed(code::CodeKind::MobileId4, code::CodeOver::DigestInfo),
        CodeKind::Vn6OverDigest => computed(code::CodeKind::Vn6, code::CodeOver::Digest),
        CodeKind::Vn6OverDigestInfo => computed(code::CodeKind::Vn6, code::CodeOver::DigestInfo),
        CodeKind::None => CodePolicy::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enrolment_names_its_owner_and_carries_the_code() {
        let text = for_enrolment("Trần Quốc Cường", CodeKind::MobileId4OverDigest).expect("a text");
        assert_eq!(text.as_str(), "Dang ky thiet bi cho Tran Quoc Cuong. Ma %%VC%%");
        assert!(!for_enrolment("Trần Quốc Cường", CodeKind::None).expect("a text").carries_code());
        let longest = for_enrolment(&"Ắ".repeat(50), CodeKind::Vn6OverDigest).expect("a text");
        assert!(longest.septets() <= DEFAULT_BUDGET);
    }
}
