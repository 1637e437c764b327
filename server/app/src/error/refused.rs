//! What the rules refuse, as the wire says it.

use trinhky_domain::Refused;
use trinhky_domain::people::Role;
use trinhky_domain::seal::SEAL_FIELD;
use trinhky_protos::problem::Code;

use super::ApiError;

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        Self::new(code(&refused)).with(refused.to_string())
    }
}

fn code(refused: &Refused) -> Code {
    match refused {
        Refused::WrongAttemptState { state } if state.is_final() => Code::AttemptEnded,
        Refused::WrongState { .. }
        | Refused::WrongAttemptState { .. }
        | Refused::DateBeforeSeries { .. }
        | Refused::DateBeforeSignature { .. }
        | Refused::NumberOfAnotherYear { .. }
        | Refused::WrongCopyState { .. } => Code::WrongState,
        Refused::WrongAttempt | Refused::OpinionOnOtherBytes => Code::HeadMoved,
        Refused::RoleNeeded { role: Role::Clerk } | Refused::NotAssignedClerk => Code::NotTheClerk,
        Refused::NotYours | Refused::RoleNeeded { .. } => Code::NotYours,
        Refused::UnknownSigner { role: Role::Leader, .. } | Refused::NotAppointed { .. } => {
            Code::UnknownSigner
        }
        Refused::UnknownSigner { .. } => Code::UnknownPerson,
        Refused::Classified { .. } => Code::Classified,
        Refused::MetadataMissing { .. }
        | Refused::ChainUnusable { .. }
        | Refused::NumberUnwritable { .. }
        | Refused::ReasonNeeded
        | Refused::NoRecipient => Code::MissingMetadata,
        Refused::ContentChanged { .. } => Code::DecisionInvalid,
        Refused::AlreadyDeciding => Code::AlreadyDeciding,
        Refused::DecisionExpired => Code::DecisionExpired,
        Refused::ClientRefused | Refused::DeviceNeeded => Code::DeviceUnknown,
        Refused::SignatureMissing { field } if field != SEAL_FIELD => Code::LeaderSignatureMissing,
        Refused::SignatureMissing { .. } | Refused::SignatureBroken { .. } => Code::SignatureBroken,
        Refused::SignedByOther { .. } => Code::CertificateMismatch,
        Refused::OutsideDecision { .. } => Code::OutsideDecision,
        Refused::Infected => Code::Infected,
        Refused::NotScanned => Code::ScannerUnavailable,
        Refused::WrongReceipt => Code::Malformed,
        // The caller brought the wrong register, none, or another document's copy: that is this program's mistake, not the reader's.
        Refused::RegisterNeeded | Refused::WrongRegister | Refused::WrongCopy => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_leader_and_a_missing_seal_are_told_apart() {
        let missing = |field: &str| ApiError::from(Refused::SignatureMissing { field: field.into() }).code();
        assert_eq!(missing("Signer1"), Code::LeaderSignatureMissing);
        assert_eq!(missing("OrgSeal"), Code::SignatureBroken);
    }
}
