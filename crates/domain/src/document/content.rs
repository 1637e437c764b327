//! What a document consists of: its particulars (data of outgoing documents, C1.5), files and chain of people.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::{Date, OffsetDateTime};

use crate::codes::codes;
use crate::digest::Digest;
use crate::ids::{AttemptId, DecisionId, PersonId};
use crate::paper::DocumentType;
use crate::paper::{Capacity, Channel, Family, FileRole, Recipient, Secrecy, Urgency};
use crate::people::{Person, Role};
use crate::refused::Refused;
use crate::signing::CmsFrom;

/// What the drafter or clerk fills in (R15, R31); the rest of C1.5 fills itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// Administrative or legal normative.
    pub family: Family,
    /// Kind of document.
    pub kind: DocumentType,
    /// Trích yếu, at most 500 characters.
    pub subject: String,
    /// Symbol of the drafting unit; a công văn needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Symbol of an advisory council with its own series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub council: Option<String>,
    /// Độ khẩn, as proposed; the signer decides.
    pub urgency: Urgency,
    /// Độ mật: anything but none is refused (R1).
    pub secrecy: Secrecy,
    /// Language, `vi` unless said otherwise.
    pub language: String,
    /// Number of pages of the main file.
    pub pages: u32,
    /// Hạn trả lời.
    #[serde(default, with = "crate::dates::option", skip_serializing_if = "Option::is_none")]
    pub reply_by: Option<Date>,
    /// Ghi chú, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// Nơi nhận.
    pub recipients: Vec<Recipient>,
}

impl Particulars {
    /// Checks what every outgoing document must carry (R1, R31).
    ///
    /// # Errors
    /// [`Refused::Classified`], or [`Refused::MetadataMissing`] with the short names of the fields.
    pub fn check(&self) -> Result<(), Refused> {
        if self.secrecy != Secrecy::None {
            return Err(Refused::Classified { secrecy: self.secrecy });
        }
        let mut wrong = Vec::new();
        let mut need = |ok: bool, field| {
            if !ok {
                wrong.push(field);
            }
        };
        let subject = self.subject.trim();
        need(!subject.is_empty() && subject.chars().count() <= 500, "Subject");
        need(self.pages >= 1 && self.pages <= 9_999, "PageAmount");
        need(!self.language.trim().is_empty() && self.language.chars().count() <= 30, "Language");
        need(self.remark.as_ref().is_none_or(|remark| remark.chars().count() <= 500), "Description");
        need(!self.recipients.is_empty() && self.recipients.iter().all(is_addressable), "To");
        need(self.kind.abbreviation().is_some() || self.unit.is_some(), "CodeNotation");
        if wrong.is_empty() { Ok(()) } else { Err(Refused::MetadataMissing { fields: wrong.join(", ") }) }
    }
}

fn is_addressable(recipient: &Recipient) -> bool {
    let named = !recipient.name.trim().is_empty() && recipient.name.chars().count() <= 200;
    let coded = recipient.code.as_ref().is_none_or(|code| !code.is_empty() && code.len() <= 35);
    let reachable = match recipient.channel {
        Channel::Exchange => recipient.code.is_some(),
        Channel::Email => recipient.email.is_some(),
        Channel::Portal | Channel::Paper => true,
    };
    named && coded && reachable
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleFile {
    /// What it is within the bundle.
    pub role: FileRole,
    /// Name as uploaded, for people.
    pub name: String,
    /// Its bytes. For the main file: the provisioned base, before any signature.
    pub sha256: Digest,
    /// Length in bytes.
    pub length: u64,
}

/// The files of a document, in the order people see them (R11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle(pub Vec<BundleFile>);

impl Bundle {
    /// The main file.
    pub fn main(&self) -> Option<&BundleFile> {
        self.0.iter().find(|file| file.role == FileRole::Main)
    }

    /// The files that leave the house.
    pub fn released(&self) -> impl Iterator<Item = &BundleFile> {
        self.0.iter().filter(|file| file.role != FileRole::Background)
    }

    /// The digest a decision names: SHA-256 over one line a file, in order, `role SP sha256 SP length LF`. Names are for
    /// people and do not count.
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        for file in &self.0 {
            hash.update(format!("{} {} {}\n", file.role, file.sha256, file.length));
        }
        Digest(hash.finalize().into())
    }

    pub(crate) fn check(&self) -> Result<(), Refused> {
        let mains = self.0.iter().filter(|file| file.role == FileRole::Main).count();
        if mains == 1 { Ok(()) } else { Err(Refused::MetadataMissing { fields: "main file".to_owned() }) }
    }
}

codes! {
    /// Which check a step of the chain is.
    StepKind "step_kind" {
        /// By the manager in charge, who answers for the content (R16).
        Content = "content",
        /// Of format and layout (R17).
        Format = "format",
    }
}

/// One check before the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which check.
    pub kind: StepKind,
    /// By whom.
    pub person: PersonId,
}

/// One leader's place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// Who signs.
    pub person: PersonId,
    /// In which capacity.
    pub capacity: Capacity,
    /// The declared field that takes the signature: `Signer1` and so on.
    pub field: String,
}

/// Who checks, signs and seals, in order (R29, R30).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Checks.
    pub steps: Vec<Step>,
    /// Leaders; signatures are strictly sequential (R45).
    pub signers: Vec<Signer>,
    /// The one văn thư who numbers, seals and releases it (R19, R20).
    pub clerk: PersonId,
}

impl Chain {
    /// Checks the chain against the people of the house.
    ///
    /// # Errors
    /// [`Refused::ChainUnusable`] without a signer, with one twice or with too many places;
    /// [`Refused::UnknownSigner`] for somebody unknown, inactive or without the role the place asks for.
    pub fn check(&self, people: &[Person]) -> Result<(), Refused> {
        if self.signers.is_empty() {
            return Err(Refused::ChainUnusable { what: "no signer" });
        }
        if self.signers.len() > MAX_CHAIN || self.steps.len() > MAX_CHAIN {
            return Err(Refused::ChainUnusable { what: "too many places" });
        }
        for (place, signer) in self.signers.iter().enumerate() {
            let earlier = self.signers.iter().take(place);
            if earlier.clone().any(|other| other.person == signer.person) {
                return Err(Refused::ChainUnusable { what: "one signer twice" });
            }
            if signer.field.is_empty() || earlier.clone().any(|other| other.field == signer.field) {
                return Err(Refused::ChainUnusable { what: "each signer needs a field of their own" });
            }
            must_be(people, signer.person, &[Role::Leader])?;
        }
        for step in &self.steps {
            let role = match step.kind {
                StepKind::Content => Role::ContentChecker,
                StepKind::Format => Role::FormatChecker,
            };
            must_be(people, step.person, &[role, Role::Leader])?;
        }
        must_be(people, self.clerk, &[Role::Clerk])
    }
}

/// More places than any agency's rules have.
const MAX_CHAIN: usize = 20;

fn must_be(people: &[Person], id: PersonId, roles: &[Role]) -> Result<(), Refused> {
    let known = people.iter().find(|person| person.id == id && person.active);
    if known.is_some_and(|person| roles.iter().any(|role| person.roles.contains(role))) {
        return Ok(());
    }
    let role = roles.first().copied().unwrap_or(Role::Leader);
    Err(Refused::UnknownSigner { person: id, role })
}

/// The bytes as they stand: what the next revision is appended to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// SHA-256 of the whole file.
    pub sha256: Digest,
    /// Its length in bytes.
    pub length: u64,
}

/// A leader's embedded signature, with what it was given for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedBy {
    /// Who signed.
    pub person: PersonId,
    /// In which declared field.
    pub field: String,
    /// Through which attempt.
    pub attempt: AttemptId,
    /// By which decision.
    pub decision: DecisionId,
    /// SHA-256 of the signer's certificate.
    pub certificate: Digest,
    /// The time stamp's time.
    #[serde(with = "time::serde::rfc3339")]
    pub stamped: OffsetDateTime,
    /// Who assembled the CMS.
    pub cms_from: CmsFrom,
    /// The bundle decided on.
    pub bundle: Digest,
    /// The recipients decided on.
    pub recipients: Vec<Recipient>,
}
