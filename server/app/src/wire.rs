//! Between the domain's words and the wire's: total in one direction, refusing in the other. No rule is decided here.

use trinhky_domain::Digest;
use trinhky_domain::document::{BundleFile, Document, State, StepKind, WishKind};
use trinhky_domain::email::EmailAddress;
use trinhky_domain::paper::{Capacity, Channel, DocumentType, FileRole, Recipient, Secrecy, Urgency};
use trinhky_domain::people::Person;
use trinhky_protos::HexDigest;
use trinhky_protos::document::{
    BundleFileView, DocumentStateView, DocumentView, FileRefView, RecipientView, SignerView,
};
use trinhky_protos::problem::Code;
use trinhky_protos::session::PersonView;

use crate::error::ApiError;

/// The same digest in the wire's type.
pub const fn hex(digest: Digest) -> HexDigest {
    HexDigest(digest.0)
}

/// The same digest in the domain's type.
pub const fn digest(hex: HexDigest) -> Digest {
    Digest(hex.0)
}

/// The wire's word for an urgency.
pub const fn urgency(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Normal => "normal",
        Urgency::Urgent => "urgent",
        Urgency::VeryUrgent => "very_urgent",
        Urgency::Flash => "immediate",
    }
}

/// The urgency of a wire word.
///
/// # Errors
/// [`Code::MissingMetadata`] for any other word.
pub fn read_urgency(word: &str) -> Result<Urgency, ApiError> {
    let found = Urgency::ALL.iter().copied().find(|candidate| urgency(*candidate) == word);
    found.ok_or_else(|| ApiError::new(Code::MissingMetadata).with("urgency"))
}

/// The secrecy of a wire word. Any word but `none` is somebody saying that the document is secret: then it is.
pub fn read_secrecy(word: &str) -> Secrecy {
    match word {
        "none" => Secrecy::None,
        word => word.parse().unwrap_or(Secrecy::Secret),
    }
}

/// The wire's word for a capacity: what is printed before the title.
pub fn capacity(capacity: Capacity) -> &'static str {
    capacity.prefix().unwrap_or_default()
}

/// The capacity of a wire word.
///
/// # Errors
/// [`Code::MissingMetadata`] for any other word.
pub fn read_capacity(word: &str) -> Result<Capacity, ApiError> {
    let found = Capacity::ALL.iter().copied().find(|candidate| capacity(*candidate) == word);
    found.ok_or_else(|| ApiError::new(Code::MissingMetadata).with("capacity"))
}

/// The kind of document of an abbreviation; the empty one is a công văn.
///
/// # Errors
/// [`Code::MissingMetadata`] for an abbreviation that Decree 30/2020 does not have.
pub fn read_document_type(abbreviation: &str) -> Result<DocumentType, ApiError> {
    if abbreviation.is_empty() {
        return Ok(DocumentType::Letter);
    }
    let found = DocumentType::ALL.iter().copied().find(|kind| kind.abbreviation() == Some(abbreviation));
    found.ok_or_else(|| ApiError::new(Code::MissingMetadata).with("document_type"))
}

/// The role of a file in its bundle.
///
/// # Errors
/// [`Code::MissingMetadata`] for any other word.
pub fn read_file_role(word: &str) -> Result<FileRole, ApiError> {
    word.parse().map_err(|_| ApiError::new(Code::MissingMetadata).with("files.role"))
}

/// A recipient as asked for: by the channel named; else by e-mail with an address, on the exchange with a code, on paper
/// without either (R77).
///
/// # Errors
/// [`Code::MissingMetadata`] for a channel or an address that is none.
pub fn read_recipient(view: RecipientView) -> Result<Recipient, ApiError> {
    let email = view.email.as_deref().map(read_email).transpose()?;
    let channel = match &view.channel {
        Some(word) => {
            word.parse().map_err(|_| ApiError::new(Code::MissingMetadata).with("recipients.channel"))?
        }
        None if email.is_some() => Channel::Email,
        None if view.code.is_some() => Channel::Exchange,
        None => Channel::Paper,
    };
    Ok(Recipient { code: view.code, name: view.name, channel, email })
}

/// An address as asked for.
///
/// # Errors
/// [`Code::MissingMetadata`] when it is none.
pub fn read_email(text: &str) -> Result<EmailAddress, ApiError> {
    text.trim().parse().map_err(|_| ApiError::new(Code::MissingMetadata).with("email"))
}

/// A recipient, shown.
pub fn recipient(recipient: &Recipient) -> RecipientView {
    RecipientView {
        code: recipient.code.clone(),
        name: recipient.name.clone(),
        channel: Some(recipient.channel.as_str().to_owned()),
        email: recipient.email.as_ref().map(ToString::to_string),
    }
}

/// A file of a bundle, shown.
pub fn bundle_file(file: &BundleFile) -> BundleFileView {
    BundleFileView {
        role: file.role.as_str().to_owned(),
        name: file.name.clone(),
        sha256: hex(file.sha256),
        length: file.length,
    }
}

/// A person, shown.
pub fn person(person: &Person) -> PersonView {
    PersonView {
        id: person.id,
        full_name: person.name.clone(),
        title: person.title.clone(),
        office: person.office,
        roles: person.roles.iter().map(|role| role.as_str().to_owned()).collect(),
    }
}

/// A document, shown. `people` holds at least its signers; `waiting_for` is what its running attempt waits for.
pub fn document(document: &Document, people: &[Person], waiting_for: Option<String>) -> DocumentView {
    let signers = document.chain.signers.iter().map(|signer| {
        let known = people.iter().find(|person| person.id == signer.person);
        SignerView {
            person: signer.person,
            full_name: known.map(|person| person.name.clone()).unwrap_or_default(),
            title: known.map(|person| person.title.clone()).unwrap_or_default(),
            capacity: capacity(signer.capacity).to_owned(),
        }
    });
    let particulars = &document.particulars;
    let year = document.number.as_ref().map_or_else(|| document.created.year(), |number| number.date.year());
    DocumentView {
        id: document.id,
        version: document.version.0.into(),
        state: state(document, waiting_for),
        subject: particulars.subject.clone(),
        document_type: particulars.kind.abbreviation().unwrap_or_default().to_owned(),
        notation: document.symbol.notation(year).unwrap_or_default(),
        register: document.series.to_string(),
        urgency: urgency(particulars.urgency).to_owned(),
        signers: signers.collect(),
        clerk: document.chain.clerk,
        recipients: particulars.recipients.iter().map(recipient).collect(),
        files: document.bundle.0.iter().map(bundle_file).collect(),
        head: FileRefView { sha256: hex(document.head.sha256), length: document.head.length },
        manifest: hex(document.manifest),
        numbering: document.numbering.as_str().to_owned(),
        number: document.number.as_ref().map(ToString::to_string),
        date: document.number.as_ref().map(|number| number.date.to_string()),
        created_at: document.created,
        due_at: particulars.reply_by.map(|day| day.midnight().assume_offset(HANOI)),
    }
}

/// Indochina time, all year.
const HANOI: time::UtcOffset = time::macros::offset!(+7);

fn state(document: &Document, waiting_for: Option<String>) -> DocumentStateView {
    let view = DocumentStateView {
        name: document.state.name().as_str().to_owned(),
        turn_of: document.waits_for(),
        step: None,
        signer: None,
        attempt: None,
        waiting_for,
        reason: None,
        recalled_at: None,
    };
    match &document.state {
        State::InReview { step } => {
            let kind = document.chain.steps.get(usize::from(*step)).map(|step| match step.kind {
                StepKind::Content => "content".to_owned(),
                StepKind::Format => "format".to_owned(),
            });
            DocumentStateView { step: kind, ..view }
        }
        State::AwaitingSignature { signer } => {
            DocumentStateView { signer: Some(u32::from(*signer) + 1), ..view }
        }
        State::Signing { signer, attempt } => {
            DocumentStateView { signer: Some(u32::from(*signer) + 1), attempt: Some(*attempt), ..view }
        }
        State::Returned { reason, .. } | State::Rejected { reason, .. } => {
            DocumentStateView { reason: Some(reason.clone()), ..view }
        }
        State::Released { recall: Some(recall), .. } => {
            DocumentStateView { reason: Some(recall.reason.clone()), recalled_at: Some(recall.at), ..view }
        }
        State::Draft
        | State::AwaitingNumber
        | State::Sealing { .. }
        | State::Sealed
        | State::Released { .. }
        | State::Withdrawn => view,
    }
}

/// The way out of the chain that a route's name means.
pub fn read_wish(word: &str) -> Option<WishKind> {
    WishKind::ALL.iter().copied().find(|kind| kind.as_str() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_there_and_back() {
        for known in Urgency::ALL {
            assert_eq!(read_urgency(urgency(*known)).ok(), Some(*known));
        }
        for known in Capacity::ALL {
            assert_eq!(read_capacity(capacity(*known)).ok(), Some(*known));
        }
        assert_eq!(read_document_type("QĐ").ok(), Some(DocumentType::Decision));
        assert_eq!(read_document_type("").ok(), Some(DocumentType::Letter));
        assert!(read_document_type("CV").is_err());
    }

    #[test]
    fn what_is_not_plainly_open_is_secret() {
        assert_eq!(read_secrecy("none"), Secrecy::None);
        for word in ["mat", "toi_mat", "tuyet_mat", "", "None", "secret", "mật"] {
            assert_ne!(read_secrecy(word), Secrecy::None, "{word}");
        }
    }
}
