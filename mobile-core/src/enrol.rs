//! Enrolling this device: its key counts only once the leader's own SIM has signed a statement that names it.
//!
//! ```text
//! begin_enrolment ─► EnrolmentChecked ─ confirm ─► Asked ─ next … ─► the certificate is pinned, the device remembered
//!   the statement     statement, number and text    the new key signs the claims (proof of possession); the SIM signs
//!   is the server's   are shown to the leader       the statement's attributes, with our own content type
//! ```
//!
//! The statement's exact bytes are read here: person, key, number and certificate must be those of this device and its
//! owner, so a SIM can never be led to enrol somebody else's key.

use time::{Duration, OffsetDateTime};
use trinhky_pades::Digest;
use trinhky_pades::cms::{self, ID_ENROLMENT};
use trinhky_protos::HexDigest;
use trinhky_protos::device::{
    BeginEnrolmentRequest, BeginEnrolmentResponse, ConfirmEnrolmentRequest, ENROLMENT_TYP, EnrolmentClaims,
    EnrolmentStatement, PublicJwk,
};
use trinhky_protos::ids::AttemptId;
use trinhky_protos::session::PersonView;
use trinhky_protos::signing::DECISION_SECONDS;
use trinhky_simpki::code::VerificationCode;

use crate::asked::Asked;
use crate::certificate;
use crate::error::Error;
use crate::jws;
use crate::keep::{OpenAttempt, Pin, remember};
use crate::prompt::{self, Prompt};
use crate::session::Session;

/// A statement that speaks of this person and this device's key; only [`Session::begin_enrolment`] makes one.
pub struct EnrolmentChecked {
    session: Session,
    begun: BeginEnrolmentResponse,
    key: PublicJwk,
    statement: EnrolmentStatement,
    content: Digest,
    dtbs: Digest,
    prompt: Prompt,
}

impl std::fmt::Debug for EnrolmentChecked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolmentChecked").field("device", &self.begun.device).finish_non_exhaustive()
    }
}

impl Session {
    /// Asks the server to enrol this device and checks the statement that the SIM is to sign. `name` is what its owner
    /// calls it.
    ///
    /// # Errors
    /// [`Error::Statement`], [`Error::CertificateMismatch`], [`Error::CertificateExpired`], [`Error::DisplayText`] if
    /// the answer speaks of anybody or anything else; [`Error::DeviceKey`], [`Error::Transport`], [`Error::Refused`].
    pub async fn begin_enrolment(&self, name: &str) -> Result<EnrolmentChecked, Error> {
        let key = self.platform.key.public_jwk().await?;
        let request = BeginEnrolmentRequest {
            name: name.into(),
            client: self.platform.client.into(),
            public_key: key.clone(),
        };
        let begun: BeginEnrolmentResponse =
            self.server.act("the enrolment", "/v1/devices".into(), &request).await?;
        let now = self.platform.clock.now();
        let (statement, content, dtbs, prompt) = examine(&begun, self.person(), &key, now)?;
        Ok(EnrolmentChecked { session: self.clone(), begun, key, statement, content, dtbs, prompt })
    }
}

impl EnrolmentChecked {
    /// What the SIM will sign.
    pub fn statement(&self) -> &EnrolmentStatement {
        &self.statement
    }

    /// The code that both screens show; none if the SIM computes none.
    pub fn code(&self) -> Option<&str> {
        self.prompt.code.as_ref().map(VerificationCode::as_str)
    }

    /// What the screen says in the place of a code that there is not.
    pub fn without_code(&self) -> Option<&'static str> {
        self.prompt.without_code()
    }

    /// "SIM sẽ hiện: …", code and all.
    pub fn sim_shows(&self) -> String {
        self.prompt.shown()
    }

    /// The text as it is signed, with the literal `%%VC%%`.
    pub fn display_text(&self) -> &str {
        self.prompt.text.as_str()
    }

    /// The attempt that will ask the SIM.
    pub fn attempt(&self) -> AttemptId {
        self.begun.attempt
    }

    /// The digest that the SIM signs.
    pub fn dtbs(&self) -> Digest {
        self.dtbs
    }

    /// Confirms: the device key signs, and the SIM is asked.
    ///
    /// # Errors
    /// [`Error::DeviceKey`], [`Error::Keep`], [`Error::Transport`], [`Error::Refused`].
    pub async fn confirm(self) -> Result<Asked, Error> {
        let Self { session, begun, key, statement, content, dtbs, prompt } = self;
        let claims = EnrolmentClaims {
            iss: begun.device,
            sub: statement.person,
            iat: session.platform.clock.now().unix_timestamp(),
            exp: begun.expires_at.unix_timestamp(),
            attempt: begun.attempt,
            challenge: begun.challenge,
            statement: HexDigest(content.0),
            dtbs: HexDigest(dtbs.0),
            certificate: statement.certificate,
            display_text: prompt.text.as_str().into(),
        };
        let kid = begun.device.to_string();
        let jws = jws::sign(session.platform.key.as_ref(), &key, ENROLMENT_TYP, &kid, &claims).await?;
        let pin = Pin {
            device: begun.device,
            person: statement.person,
            certificate: begun.certificate.clone(),
            code_kind: statement.code_kind,
        };
        let open = OpenAttempt {
            attempt: begun.attempt,
            document: None,
            content: HexDigest(content.0),
            certificate: begun.certificate,
            chain: begun.chain,
            pin: Some(pin),
        };
        remember(session.platform.keep.as_ref(), |memory| memory.watch(open.clone()))?;
        let path = format!("/v1/devices/{kid}/confirm");
        Asked::begin(session, open, path, &ConfirmEnrolmentRequest { jws }).await
    }
}

/// Everything the answer must be, from what this device knows.
fn examine(
    begun: &BeginEnrolmentResponse,
    person: &PersonView,
    key: &PublicJwk,
    now: OffsetDateTime,
) -> Result<(EnrolmentStatement, Digest, Digest, Prompt), Error> {
    let wrong = |why: &str| Error::Statement { why: why.into() };
    let statement: EnrolmentStatement = serde_json::from_slice(&begun.statement.0)
        .map_err(|error| Error::Statement { why: error.to_string() })?;
    if statement.version != STATEMENT_VERSION {
        return Err(wrong("it is of a version this app does not know"));
    }
    if statement.person != person.id || statement.full_name != person.full_name {
        return Err(wrong("it names another person"));
    }
    if statement.device != begun.device {
        return Err(wrong("it names another device"));
    }
    if statement.public_key != *key || statement.key_thumbprint != jws::thumbprint(key) {
        return Err(wrong("it names another key"));
    }
    if statement.code_kind != Some(begun.code_kind) {
        return Err(wrong("it does not say how the code is made, or otherwise than the server"));
    }
    if begun.expires_at <= now {
        return Err(wrong("it has expired"));
    }
    if begun.expires_at - now > Duration::seconds(DECISION_SECONDS) {
        return Err(Error::GoodForTooLong(begun.expires_at));
    }
    let certificate = certificate::of_person(&begun.certificate.0, &person.full_name, now)?;
    if statement.certificate.0 != certificate.sha256().0 {
        return Err(wrong("it names another certificate"));
    }
    let content = Digest::of(&begun.statement.0);
    let dtbs = cms::signed_attributes(&content, &begun.certificate.0, ID_ENROLMENT)
        .map_err(|error| Error::CertificateMismatch { why: error.to_string() })?
        .dtbs_digest();
    let prompt = prompt::for_enrolment(&begun.display_text, &person.full_name, begun.code_kind, &dtbs)?;
    Ok((statement, content, dtbs, prompt))
}

const STATEMENT_VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use trinhky_pades::crypto;
    use trinhky_protos::Base64Bytes;
    use trinhky_protos::ids::{DeviceId, PersonId};
    use trinhky_protos::signing::{AttemptView, CmsRequest, CodeKind};

    use super::*;
    use crate::CoreError;
    use crate::keep::recall;
    use crate::testing::fixture::Sim;
    use crate::testing::{Bench, NOW};

    struct Offer {
        bench: Bench,
        sim: Sim,
        statement: EnrolmentStatement,
        begun: BeginEnrolmentResponse,
    }

    impl Offer {
        /// What an honest server answers, and what it was made from.
        async fn new() -> Self {
            let bench = Bench::new().await;
            let person = bench.session.person().clone();
            let sim = Sim::of(&person.full_name);
            let public_key = bench.session.platform.key.public_jwk().await.unwrap();
            let statement = EnrolmentStatement {
                version: 1,
                person: person.id,
                full_name: person.full_name,
                device: DeviceId::at(NOW, 5),
                key_thumbprint: jws::thumbprint(&public_key),
                public_key,
                msisdn: "84900000001".into(),
                certificate: HexDigest(Digest::of(&sim.certificate).0),
                code_kind: Some(CodeKind::MobileId4OverDigest),
                made_at: NOW,
            };
            let begun = BeginEnrolmentResponse {
                device: statement.device,
                attempt: AttemptId::at(NOW, 6),
                statement: Base64Bytes(serde_json::to_vec(&statement).unwrap()),
                certificate: Base64Bytes(sim.certificate.clone()),
                chain: vec![],
                challenge: "challenge".into(),
                display_text: "Dang ky thiet bi cho Nguyen Van A. Ma %%VC%%".into(),
                code_kind: CodeKind::MobileId4OverDigest,
                expires_at: NOW + Duration::minutes(15),
            };
            Self { bench, sim, statement, begun }
        }

        async fn code_when(
            &self,
            change: impl FnOnce(&mut EnrolmentStatement, &mut BeginEnrolmentResponse),
        ) -> String {
            let (mut statement, mut begun) = (self.statement.clone(), self.begun.clone());
            change(&mut statement, &mut begun);
            begun.statement = Base64Bytes(serde_json::to_vec(&statement).unwrap());
            self.bench.server.json(201, &begun);
            let error = self.bench.session.begin_enrolment("máy của tôi").await.expect_err("must be refused");
            self.bench.server.asked();
            match CoreError::from(error) {
                CoreError::DoNotSign(told) => told.code,
                other => panic!("{other} is no refusal"),
            }
        }
    }

    #[tokio::test]
    async fn an_honest_enrolment_ends_with_the_certificate_pinned() {
        let offer = Offer::new().await;
        let bench = &offer.bench;
        bench.server.json(201, &offer.begun);
        let checked = bench.session.begin_enrolment("máy của tôi").await.unwrap();
        assert_eq!(checked.statement(), &offer.statement);
        assert!(!bench.session.is_enrolled().unwrap());

        let content = Digest::of(&offer.begun.statement.0);
        let attributes = cms::signed_attributes(&content, &offer.sim.certificate, ID_ENROLMENT).unwrap();
        assert_eq!(checked.dtbs(), attributes.dtbs_digest());
        let view = |state: &str, raw: Option<Vec<u8>>| AttemptView {
            id: offer.begun.attempt,
            version: 2,
            purpose: "enrolment".into(),
            state: state.into(),
            ended: state == "verified",
            place: None,
            message: "…".into(),
            wants_cms: raw.is_some(),
            signature: raw.map(Base64Bytes),
            cms_from: None,
            changed_at: NOW,
        };
        bench.server.json(202, &view("approved", None));
        let mut asked = checked.confirm().await.unwrap();
        let confirmation: ConfirmEnrolmentRequest =
            serde_json::from_slice(&bench.server.asked().pop().unwrap().body).unwrap();
        let claims =
            jws::verify::<EnrolmentClaims>(&confirmation.jws, &offer.statement.public_key, ENROLMENT_TYP)
                .unwrap();
        assert_eq!(claims.claims.dtbs.0, attributes.dtbs_digest().0);

        let raw = offer.sim.sign(attributes.as_der());
        bench.server.json(200, &view("signed_raw", Some(raw))).json(200, &view("verified", None));
        assert!(asked.next().await.unwrap().is_done());
        let CmsRequest { cms } = serde_json::from_slice(&bench.server.asked().pop().unwrap().body).unwrap();
        let provider = crypto::pure();
        cms::check_statement(&cms.0, &content, &offer.sim.certificate, ID_ENROLMENT, provider).unwrap();
        cms::check(&cms.0, &content, &offer.sim.certificate, provider)
            .expect_err("it is no document signature");
        assert!(bench.session.is_enrolled().unwrap());
        let pin = recall(bench.notes.as_ref()).unwrap().pin.unwrap();
        assert_eq!(pin.code_kind, Some(CodeKind::MobileId4OverDigest));
        assert_eq!((pin.device, pin.certificate.0), (offer.statement.device, offer.sim.certificate.clone()));
    }

    #[tokio::test]
    async fn a_statement_about_anybody_or_anything_else_is_refused() {
        let offer = Offer::new().await;
        let other = HexDigest([9; 32]);
        let mismatch = "statement_mismatch";
        assert_eq!(offer.code_when(|statement, _| statement.person = PersonId::at(NOW, 99)).await, mismatch);
        assert_eq!(offer.code_when(|statement, _| statement.full_name = "Trần Thị B".into()).await, mismatch);
        assert_eq!(offer.code_when(|statement, _| statement.device = DeviceId::at(NOW, 99)).await, mismatch);
        assert_eq!(offer.code_when(|statement, _| statement.key_thumbprint = other).await, mismatch);
        assert_eq!(offer.code_when(|statement, _| statement.public_key.x = "AA".into()).await, mismatch);
        assert_eq!(offer.code_when(|statement, _| statement.certificate = other).await, mismatch);
        assert_eq!(offer.code_when(|statement, _| statement.version = 2).await, mismatch);
        assert_eq!(offer.code_when(|statement, _| statement.code_kind = None).await, mismatch);
        let none = |_: &mut _, begun: &mut BeginEnrolmentResponse| begun.code_kind = CodeKind::None;
        assert_eq!(offer.code_when(none).await, mismatch);
        assert_eq!(offer.code_when(|_, begun| begun.expires_at = NOW).await, mismatch);
        let long =
            |_: &mut _, begun: &mut BeginEnrolmentResponse| begun.expires_at = NOW + Duration::hours(1);
        assert_eq!(offer.code_when(long).await, "validity_too_long");
        let stranger = Sim::of("Trần Thị B");
        let code = offer.code_when(|statement, begun| {
            statement.certificate = HexDigest(Digest::of(&stranger.certificate).0);
            begun.certificate.0.clone_from(&stranger.certificate);
        });
        assert_eq!(code.await, "certificate_mismatch");
        let code = offer.code_when(|_, begun| begun.display_text = "Ky so VB 1/QD-UBND. Ma %%VC%%".into());
        assert_eq!(code.await, "display_text_mismatch");
    }
}
