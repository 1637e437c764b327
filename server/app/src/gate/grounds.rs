//! Whether there are grounds for a prompt: one unused statement by an enrolled device, for exactly this and nothing else.
//!
//! Nobody's word is taken that it was checked before. The device key comes out of the enrolment statement, which the
//! leader's own SIM signed (a CMS of our own content type, so that it can never be a PDF signature), by a certificate
//! that chains to the gate's own roots. Digest, text and certificate come out of the device's statement alone, the
//! number out of the enrolment's; rows are only compared with them. Whatever differs is `decision_unmatched`.

use time::{Duration, OffsetDateTime};
use trinhky_domain::document::State;
use trinhky_domain::ids::{AttemptId, DeviceId};
use trinhky_domain::signing::{Attempt, Decision, DecisionKind, Purpose};
use trinhky_domain::{Digest, Document};
use trinhky_pades::cms;
use trinhky_pades::crypto::Provider;
use trinhky_pades::x509::path::{self, PathInputs, RevocationMode};
use trinhky_pades::x509::{Certificate, RevocationData, TrustAnchors};
use trinhky_protos::HexDigest;
use trinhky_protos::device::{ENROLMENT_TYP, EnrolmentClaims, EnrolmentStatement};
use trinhky_protos::signing::{DECISION_SECONDS, DECISION_TYP, DecisionClaims, bundle_digest_input};
use trinhky_simpki::attempt::Prepared;
use trinhky_simpki::digest::DtbsDigest;
use trinhky_simpki::display::DisplayText;
use trinhky_simpki::ids::Msisdn;

use crate::{jws, wire};

/// Everything the rows say about a wish.
#[derive(Debug, Clone)]
pub struct Case {
    /// The attempt.
    pub attempt: Attempt,
    /// What it was approved by.
    pub decision: Decision,
    /// The device that decided.
    pub device: Device,
    /// The pinned certificate of the person's SIM, DER.
    pub certificate: Vec<u8>,
    /// Its issuers, leaf's issuer first, DER.
    pub chain: Vec<Vec<u8>>,
    /// The document, unless the attempt is an enrolment's.
    pub document: Option<Document>,
}

/// A device as its row says.
#[derive(Debug, Clone)]
pub struct Device {
    /// Which.
    pub id: DeviceId,
    /// Enrolled and neither frozen nor revoked. A device being enrolled is not.
    pub enrolled: bool,
    /// The enrolment statement, exact bytes.
    pub statement: Vec<u8>,
    /// What the SIM signed over it; none while it is being enrolled.
    pub cms: Option<Vec<u8>>,
}

/// Proof that there are grounds; only [`Case::grounds`] makes one.
#[derive(Debug, Clone)]
pub struct Grounds {
    asked: Prepared,
    ticket: Ticket,
}

/// What is used up by a prompt.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) attempt: AttemptId,
    /// `decision:` and its id, or `enrolment:` and its attempt: out of what the device signed, so that a row cannot
    /// give one statement a second name.
    pub(super) key: String,
}

impl Grounds {
    /// What may be asked of the SIM.
    pub fn asked(&self) -> &Prepared {
        &self.asked
    }

    /// What is used up by asking.
    pub(super) fn ticket(&self) -> &Ticket {
        &self.ticket
    }
}

/// There are none; the text says what differs, for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("decision_unmatched: {0}")]
pub struct Unmatched(pub(super) String);

/// Whom the gate believes: its own roots and cryptography, not those of whoever filled the rows.
pub struct Belief<'a> {
    /// Trust anchors of SIM certificates.
    pub anchors: &'a TrustAnchors,
    /// What is known about revocation, fetched just now.
    pub revocation: &'a RevocationData,
    /// Whether a prompt needs it.
    pub mode: RevocationMode,
    /// Checks signatures.
    pub provider: &'a dyn Provider,
}

impl Belief<'_> {
    fn holds(
        &self,
        certificate: &Certificate,
        chain: &[Vec<u8>],
        now: OffsetDateTime,
    ) -> Result<(), Unmatched> {
        let issuers: Result<Vec<_>, _> = chain.iter().map(|der| Certificate::from_der(der)).collect();
        let issuers = issuers.map_err(because("an issuer's certificate"))?;
        let inputs = PathInputs {
            candidates: &issuers,
            revocation: self.revocation,
            mode: self.mode,
            ..PathInputs::new(self.anchors, now)
        };
        path::validate(certificate, &inputs, self.provider).map_err(because("the certificate"))?;
        Ok(())
    }
}

impl Case {
    /// Whether the document was given back since the decision: then nothing is asked of the SIM.
    pub fn is_given_back(&self) -> bool {
        self.document.as_ref().is_some_and(|document| document.wish.is_some())
    }

    /// Looks for grounds. Revocation must be known already: `belief` brings it.
    ///
    /// # Errors
    /// [`Unmatched`]: no prompt may be raised.
    pub fn grounds(&self, belief: &Belief<'_>, now: OffsetDateTime) -> Result<Grounds, Unmatched> {
        let certificate = Certificate::from_der(&self.certificate).map_err(because("the certificate"))?;
        same("attempt.certificate", self.attempt.certificate.0, certificate.sha256().0)?;
        belief.holds(&certificate, &self.chain, now)?;
        let statement: EnrolmentStatement =
            serde_json::from_slice(&self.device.statement).map_err(because("the enrolment statement"))?;
        self.statement_is_of_this_person(&statement)?;
        match self.attempt.purpose {
            Purpose::Document { .. } => self.document_grounds(&statement, belief.provider, now),
            Purpose::Enrolment { device } => self.enrolment_grounds(&statement, device, now),
        }
    }

    fn statement_is_of_this_person(&self, statement: &EnrolmentStatement) -> Result<(), Unmatched> {
        same("statement.version", statement.version, 1)?;
        same("statement.person", statement.person, self.attempt.person)?;
        same("statement.device", statement.device, self.device.id)?;
        same("statement.certificate", statement.certificate, wire::hex(self.attempt.certificate))?;
        same("statement.msisdn", statement.msisdn.as_str(), self.attempt.msisdn.digits())?;
        same(
            "statement.key_thumbprint",
            statement.key_thumbprint,
            wire::hex(jws::thumbprint(&statement.public_key)),
        )?;
        same("decision.person", self.decision.person, self.attempt.person)?;
        same("decision.device", self.decision.device, self.device.id)?;
        same("decision.kind", self.decision.kind, DecisionKind::Approve)?;
        same("decision.attempt", self.decision.attempt, self.attempt.id)
    }

    fn document_grounds(
        &self,
        statement: &EnrolmentStatement,
        provider: &dyn Provider,
        now: OffsetDateTime,
    ) -> Result<Grounds, Unmatched> {
        if !self.device.enrolled {
            return Err(Unmatched("the device is not enrolled, or is frozen".to_owned()));
        }
        let signed =
            self.device.cms.as_deref().ok_or_else(|| Unmatched("the device has no enrolment".to_owned()))?;
        let digest = trinhky_pades::digest::Digest::of(&self.device.statement);
        cms::check_statement(signed, &digest, &self.certificate, cms::ID_ENROLMENT, provider)
            .map_err(because("the enrolment's signature"))?;
        let verified = jws::verify::<DecisionClaims>(&self.decision.jws, &statement.public_key, DECISION_TYP)
            .map_err(because("the decision"))?;
        let claims = verified.claims();
        same("kid", verified.kid(), self.device.id.to_string().as_str())?;
        same("jti", claims.jti, self.decision.id)?;
        same("iss", claims.iss, self.device.id)?;
        same("sub", claims.sub, self.attempt.person)?;
        same("attempt", claims.attempt, self.attempt.id)?;
        same("certificate", claims.certificate, statement.certificate)?;
        same("dtbs", claims.dtbs, wire::hex(self.attempt.dtbs))?;
        in_time(claims.iat, claims.exp, now)?;
        self.document_is_as_decided(claims)?;
        self.ground(format!("decision:{}", claims.jti), claims.dtbs, &claims.display_text, &statement.msisdn)
    }

    fn document_is_as_decided(&self, claims: &DecisionClaims) -> Result<(), Unmatched> {
        let Some(document) = &self.document else { return Err(Unmatched("there is no document".to_owned())) };
        let Purpose::Document { document: id, signer, head } = self.attempt.purpose else {
            return Err(Unmatched("the attempt is for no document".to_owned()));
        };
        same("document", claims.document, id)?;
        same("document", document.id, id)?;
        same("document.state", document.state.clone(), State::Signing { signer, attempt: self.attempt.id })?;
        same("document.wish", self.is_given_back(), false)?;
        same("head", claims.head, wire::hex(head))?;
        same("document.head", document.head.sha256, head)?;
        same("manifest", claims.manifest, wire::hex(document.manifest))?;
        let files: Vec<_> = document.bundle.0.iter().map(wire::bundle_file).collect();
        same("files", &claims.files, &files)?;
        same("bundle", claims.bundle, wire::hex(Digest::of(bundle_digest_input(&files).as_bytes())))?;
        let recipients: Vec<_> = document.particulars.recipients.iter().map(wire::recipient).collect();
        same("recipients", &claims.recipients, &recipients)?;
        same("numbering", claims.numbering.as_str(), document.numbering.as_str())?;
        same("number", claims.number.as_ref(), document.number_in_base().map(ToString::to_string).as_ref())?;
        same("urgency", claims.urgency.as_str(), wire::urgency(document.particulars.urgency))?;
        let place = document.chain.signers.get(usize::from(signer));
        let place = place.ok_or_else(|| Unmatched("there is no such signer".to_owned()))?;
        same("signer", place.person, self.attempt.person)?;
        same("capacity", claims.capacity.as_str(), wire::capacity(place.capacity))
    }

    fn enrolment_grounds(
        &self,
        statement: &EnrolmentStatement,
        device: DeviceId,
        now: OffsetDateTime,
    ) -> Result<Grounds, Unmatched> {
        same("attempt.device", device, self.device.id)?;
        // No SIM has vouched for this key yet: the statement that asks it to is what the device signs for.
        let verified =
            jws::verify::<EnrolmentClaims>(&self.decision.jws, &statement.public_key, ENROLMENT_TYP)
                .map_err(because("the enrolment"))?;
        let claims = verified.claims();
        same("kid", verified.kid(), self.device.id.to_string().as_str())?;
        same("iss", claims.iss, self.device.id)?;
        same("sub", claims.sub, self.attempt.person)?;
        same("attempt", claims.attempt, self.attempt.id)?;
        same("certificate", claims.certificate, statement.certificate)?;
        let digest = trinhky_pades::digest::Digest::of(&self.device.statement);
        same("statement", claims.statement.0, digest.0)?;
        let attributes = cms::signed_attributes(&digest, &self.certificate, cms::ID_ENROLMENT)
            .map_err(because("the enrolment's attributes"))?;
        same("dtbs", claims.dtbs.0, attributes.dtbs_digest().0)?;
        same("attempt.dtbs", self.attempt.dtbs.0, claims.dtbs.0)?;
        in_time(claims.iat, claims.exp, now)?;
        if !claims.display_text.starts_with(ENROLMENT_TEXT) {
            return Err(Unmatched("the prompt does not say that it enrols a device".to_owned()));
        }
        let key = format!("enrolment:{}", claims.attempt);
        self.ground(key, claims.dtbs, &claims.display_text, &statement.msisdn)
    }

    fn ground(&self, key: String, dtbs: HexDigest, text: &str, msisdn: &str) -> Result<Grounds, Unmatched> {
        let msisdn: Msisdn = msisdn.parse().map_err(because("the number"))?;
        let display = DisplayText::parse(text).map_err(because("the prompt's text"))?;
        let asked = Prepared { msisdn, digest: DtbsDigest(dtbs.0), display };
        Ok(Grounds { asked, ticket: Ticket { attempt: self.attempt.id, key } })
    }
}

fn in_time(iat: i64, exp: i64, now: OffsetDateTime) -> Result<(), Unmatched> {
    let now_seconds = now.unix_timestamp();
    if iat > now_seconds.saturating_add(SKEW.whole_seconds()) {
        return Err(Unmatched("the decision is from the future".to_owned()));
    }
    if exp <= now_seconds {
        return Err(Unmatched("the decision has expired".to_owned()));
    }
    if exp.saturating_sub(iat) > DECISION_SECONDS {
        return Err(Unmatched("the decision counts for too long".to_owned()));
    }
    Ok(())
}

/// Equal, or [`Unmatched`] naming what is not; the values stay out of the log, since some are personal.
#[expect(
    clippy::needless_pass_by_value,
    reason = "both sides are compared once and read better without borrows"
)]
fn same<T: PartialEq>(what: &str, one: T, other: T) -> Result<(), Unmatched> {
    if one == other { Ok(()) } else { Err(Unmatched(format!("{what} differs"))) }
}

fn because<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> Unmatched {
    move |error| Unmatched(format!("{what}: {error}"))
}

/// How far a phone's clock may be ahead.
const SKEW: Duration = Duration::minutes(5);
/// An enrolment's prompt says what it is, so that it cannot be taken for a document's.
const ENROLMENT_TEXT: &str = "Dang ky thiet bi";

#[cfg(test)]
mod tests;
