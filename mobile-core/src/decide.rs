//! The decision: what a leader consents to, in words a machine can check, signed by the device key.
//!
//! The claims name everything that was shown: bundle, recipients, urgency, capacity, number rule, manifest, head, tail,
//! digest to be signed, certificate, text on the SIM. Whoever holds them can tell what was approved without asking
//! anyone; the gate rebuilds the SIM request from them alone.

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use trinhky_protos::HexDigest;
use trinhky_protos::ids::DecisionId;
use trinhky_protos::signing::{DECISION_TYP, DecisionClaims, DecisionRequest};

use crate::asked::Asked;
use crate::check::Checked;
use crate::error::Error;
use crate::jws;
use crate::keep::{OpenAttempt, remember};

/// The number rule under which the number is drawn in the base, so that the leader decides on it too.
const NUMBER_IN_BASE: &str = "before_sign";

impl Checked {
    /// The leader said yes: the device key signs the decision, and the server is asked to ask the SIM. Uses the
    /// consent up: whatever goes wrong from here on, the next try begins with a new check.
    ///
    /// # Errors
    /// [`Error::DeviceKey`] if the person turned the key's prompt away; [`Error::Keep`]; [`Error::Transport`];
    /// [`Error::Refused`] with the reason, of which `already_deciding` and `revocation_unavailable` are ordinary.
    pub async fn decide(self) -> Result<Asked, Error> {
        let platform = self.session.platform.clone();
        let now = platform.clock.now();
        if self.prepared.expires_at <= now {
            return Err(Error::Expired(self.prepared.expires_at));
        }
        let mut chance = [0; 16];
        platform.chance.fill(&mut chance)?;
        let claims = self.claims(DecisionId::at(now, u128::from_be_bytes(chance)), now);
        let kid = self.pin.device.to_string();
        let public = platform.key.public_jwk().await?;
        let jws = jws::sign(platform.key.as_ref(), &public, DECISION_TYP, &kid, &claims).await?;

        let Self { session, prepared, finding, reviewed, .. } = self;
        let open = OpenAttempt {
            attempt: prepared.attempt,
            document: Some(reviewed.document().id),
            content: HexDigest(finding.content.0),
            certificate: prepared.certificate,
            chain: prepared.chain,
            pin: None,
        };
        // Noted before it leaves: a phone that dies here still knows its own decision, and can go on watching.
        remember(platform.keep.as_ref(), |memory| {
            memory.history.confirm(prepared.previous_decision);
            memory.history.send(HexDigest(Sha256::digest(&jws).into()));
            memory.watch(open.clone());
        })?;
        let path = format!("/v1/attempts/{}/decision", open.attempt);
        Asked::begin(session, open, path, &DecisionRequest { jws }).await
    }

    fn claims(&self, jti: DecisionId, now: OffsetDateTime) -> DecisionClaims {
        let Self { session, reviewed, prepared, pin, finding } = self;
        let document = reviewed.document();
        DecisionClaims {
            jti,
            iss: pin.device,
            sub: pin.person,
            iat: now.unix_timestamp(),
            exp: prepared.expires_at.unix_timestamp(),
            attempt: prepared.attempt,
            challenge: prepared.challenge.clone(),
            document: document.id,
            bundle: reviewed.bundle(),
            files: document.files.clone(),
            recipients: document.recipients.clone(),
            urgency: document.urgency.clone(),
            capacity: finding.signer.capacity.clone(),
            numbering: document.numbering.clone(),
            number: document.number.clone().filter(|_| document.numbering == NUMBER_IN_BASE),
            manifest: document.manifest,
            head: document.head.sha256,
            tail: finding.tail,
            dtbs: HexDigest(finding.dtbs.0),
            certificate: HexDigest(finding.certificate.sha256().0),
            display_text: finding.prompt.text.as_str().into(),
            client: session.platform.client.into(),
            previous: prepared.previous_decision,
            checkpoint: prepared.checkpoint.clone(),
        }
    }
}
