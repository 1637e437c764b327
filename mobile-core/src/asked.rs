//! A SIM request under way: watched until its end, its raw value verified here, its CMS made here.
//!
//! The server owns the attempt; the phone only watches (long poll), because the SIM's dialog may put the app to sleep.
//! When the raw value comes, it is verified over the attributes computed *here* from the bytes that were shown; only
//! then the detached CMS is assembled and handed in. The server assembles the very same bytes, and says so if not.
//!
//! An app that was killed meanwhile goes on with [`Session::go_on`]: what is needed was noted before the decision left.

use serde::Serialize;
use trinhky_pades::Digest;
use trinhky_pades::cms::{self, ID_DATA, ID_ENROLMENT, SignatureValue, SignedAttributes};
use trinhky_pades::crypto;
use trinhky_pades::x509::Certificate;
use trinhky_protos::Base64Bytes;
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::signing::{AttemptView, CmsRequest};

use crate::error::Error;
use crate::keep::{OpenAttempt, close, recall};
use crate::session::Session;

/// A SIM request this device asked for.
pub struct Asked {
    session: Session,
    open: OpenAttempt,
    attributes: SignedAttributes,
    seen: Option<AttemptView>,
    handed_in: bool,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked")
            .field("attempt", &self.open.attempt)
            .field("handed_in", &self.handed_in)
            .finish_non_exhaustive()
    }
}

/// Where the request stands.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The attempt, as the server tells it.
    pub attempt: AttemptView,
    /// The raw value was verified here and the CMS made here was handed in.
    pub handed_in: bool,
}

impl Progress {
    /// Nothing more will happen, and the signature stands.
    pub fn is_done(&self) -> bool {
        self.attempt.ended && STANDS.contains(&self.attempt.state.as_str())
    }
}

impl Session {
    /// Every request that this device asked for before the app was closed and whose end it has not seen, oldest first.
    ///
    /// # Errors
    /// [`Error::Keep`].
    pub fn go_on(&self) -> Result<Vec<Asked>, Error> {
        let open = recall(self.platform.keep.as_ref())?.open;
        open.into_iter().map(|open| Asked::new(self.clone(), open)).collect()
    }
}

impl Asked {
    /// Sends the consent, `body`, of which the device already remembers `open`. A refusal is remembered, too: nothing is
    /// under way then. Without an answer it may be, and [`Session::go_on`] finds out.
    pub(crate) async fn begin(
        session: Session,
        open: OpenAttempt,
        path: String,
        body: &(impl Serialize + Sync),
    ) -> Result<Self, Error> {
        match session.server.act::<_, AttemptView>("the decision", path, body).await {
            Ok(_) => Self::new(session, open),
            Err(refused) => {
                if matches!(&refused, Error::Refused(problem) if is_final(problem)) {
                    close(session.platform.keep.as_ref(), open.attempt, None)?;
                }
                Err(refused)
            }
        }
    }

    pub(crate) fn new(session: Session, open: OpenAttempt) -> Result<Self, Error> {
        let content_type = if open.document.is_some() { ID_DATA } else { ID_ENROLMENT };
        let attributes = cms::signed_attributes(&Digest(open.content.0), &open.certificate.0, content_type)
            .map_err(|error| Error::CertificateMismatch { why: error.to_string() })?;
        Ok(Self { session, open, attributes, seen: None, handed_in: false })
    }

    /// The attempt's id.
    pub fn attempt(&self) -> trinhky_protos::ids::AttemptId {
        self.open.attempt
    }

    /// The document, or none for an enrolment.
    pub fn document(&self) -> Option<trinhky_protos::ids::DocumentId> {
        self.open.document
    }

    /// What the SIM signs, as computed here.
    pub fn dtbs(&self) -> Digest {
        self.attributes.dtbs_digest()
    }

    /// Waits for the next change, at most about [`WAIT_SECONDS`]; when the raw value is there, verifies it, makes the
    /// CMS and hands it in. Call it until [`AttemptView::ended`].
    ///
    /// # Errors
    /// [`Error::SignatureInvalid`] if the raw value is not this certificate's over these bytes: nothing was handed in.
    /// [`Error::Transport`]: call again. [`Error::Refused`], with `cms_mismatch` if the server made other bytes.
    pub async fn next(&mut self) -> Result<Progress, Error> {
        let after = self.seen.as_ref().map_or(0, |view| view.version);
        let path = format!("/v1/attempts/{}?after={after}&wait={WAIT_SECONDS}", self.open.attempt);
        let answer = self.session.server.get_within("the attempt", path, WAIT_SECONDS + MARGIN_SECONDS).await;
        if let Err(Error::Refused(problem)) = &answer
            && problem.code == Code::NotFound.as_str()
        {
            close(self.session.platform.keep.as_ref(), self.open.attempt, None)?;
        }
        let mut view: AttemptView = answer?;
        if let Some(raw) = view.signature.as_ref().filter(|_| view.wants_cms && !self.handed_in) {
            let cms = self.assemble(&raw.0)?;
            view = self.hand_in(cms).await?.unwrap_or(view);
        }
        if view.ended {
            // A device whose enrolment stands is remembered.
            let pin = self.open.pin.clone().filter(|_| STANDS.contains(&view.state.as_str()));
            close(self.session.platform.keep.as_ref(), self.open.attempt, pin)?;
        }
        self.seen = Some(view.clone());
        Ok(Progress { attempt: view, handed_in: self.handed_in })
    }

    /// The detached CMS around a raw value, after the value was verified.
    fn assemble(&self, raw: &[u8]) -> Result<Vec<u8>, Error> {
        let invalid = |why: String| Error::SignatureInvalid { why };
        let certificate = &self.open.certificate.0;
        let signer = Certificate::from_der(certificate).map_err(|error| invalid(error.to_string()))?;
        let value = SignatureValue::from_raw(raw, certificate).map_err(|error| invalid(error.to_string()))?;
        crypto::pure()
            .verify(value.algorithm(), signer.spki(), self.attributes.as_der(), value.as_bytes())
            .map_err(|error| invalid(error.to_string()))?;
        let chain: Vec<&[u8]> = self.open.chain.iter().map(|issuer| issuer.0.as_slice()).collect();
        cms::assemble(&self.attributes, &value, certificate, &chain)
            .map_err(|error| invalid(error.to_string()))
    }

    /// None if the server no longer waits for it: it has made the same bytes itself.
    async fn hand_in(&mut self, cms: Vec<u8>) -> Result<Option<AttemptView>, Error> {
        let path = format!("/v1/attempts/{}/cms", self.open.attempt);
        match self.session.server.act("the CMS", path, &CmsRequest { cms: Base64Bytes(cms) }).await {
            Ok(view) => {
                self.handed_in = true;
                Ok(Some(view))
            }
            Err(Error::Refused(problem)) if TOO_LATE.iter().any(|code| code.as_str() == problem.code) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether a refusal says that what was asked was not done; "busy" after an answer that was lost does not.
fn is_final(problem: &Problem) -> bool {
    let perhaps = [Code::InFlight, Code::RateLimited].map(Code::as_str);
    (400..500).contains(&problem.status) && !perhaps.contains(&problem.code.as_str())
}

/// How long the server may hold a question back; below what proxies and phones cut.
pub const WAIT_SECONDS: u32 = 25;
const MARGIN_SECONDS: u32 = 15;
/// States in which an ended attempt has done what it was for. An enrolment ends when its CMS is verified.
const STANDS: [&str; 3] = ["verified", "stamped", "embedded"];
const TOO_LATE: [Code; 2] = [Code::AttemptEnded, Code::WrongState];

#[cfg(test)]
mod tests {
    use trinhky_protos::ids::AttemptId;
    use trinhky_protos::signing::{DECISION_TYP, DecisionClaims, DecisionRequest};

    use super::*;
    use crate::jws;
    use crate::testing::fixture::{Ready, Sim};
    use crate::testing::{NOW, TestKey};
    use crate::{CoreError, DeviceKey as _};

    /// Checks and decides; gives back the compact JWS that was sent.
    async fn decided(ready: &Ready) -> (Asked, String) {
        ready.bench.server.json(201, &ready.prepared).json(202, &ready.attempt(1, "approved", None));
        let checked = ready.bench.session.check(&ready.reviewed).await.unwrap();
        let asked = checked.decide().await.unwrap();
        let sent = ready.bench.server.asked().pop().unwrap();
        let request: DecisionRequest = serde_json::from_slice(&sent.body).unwrap();
        (asked, request.jws)
    }

    fn dtbs_message(ready: &Ready) -> Vec<u8> {
        cms::signed_attributes(&ready.kept.digest, &ready.sim.certificate, ID_DATA).unwrap().as_der().to_vec()
    }

    #[tokio::test]
    async fn the_decision_names_everything_that_was_shown() {
        let ready = Ready::new().await;
        let (asked, compact) = decided(&ready).await;
        let key = TestKey::new(7).public_jwk().await.unwrap();
        let claims = jws::verify::<DecisionClaims>(&compact, &key, DECISION_TYP).unwrap().claims;
        let document = ready.reviewed.document();
        assert_eq!((claims.document, claims.attempt), (document.id, ready.prepared.attempt));
        assert_eq!((claims.bundle, &claims.files), (ready.reviewed.bundle(), &document.files));
        assert_eq!((&claims.recipients, claims.head), (&document.recipients, document.head.sha256));
        assert_eq!((claims.manifest, claims.dtbs.0), (document.manifest, asked.dtbs().0));
        assert_eq!((claims.tail.0, claims.client.as_str()), (Digest::of(&ready.kept.tail).0, "native"));
        assert_eq!(claims.display_text, ready.prepared.display_text);

        let memory = recall(ready.bench.notes.as_ref()).unwrap();
        assert_eq!(memory.history.sent, [trinhky_protos::HexDigest(Digest::of(compact.as_bytes()).0)]);
        assert_eq!(memory.open[0].attempt, ready.prepared.attempt);
    }

    #[tokio::test]
    async fn the_cms_made_here_is_byte_for_byte_the_servers_and_embeds() {
        let ready = Ready::new().await;
        let (mut asked, _) = decided(&ready).await;
        let raw = ready.sim.sign(&dtbs_message(&ready));
        ready.bench.server.json(200, &ready.attempt(4, "signed_raw", Some(raw.clone())));
        ready.bench.server.json(200, &ready.attempt(5, "verified", None));
        assert!(asked.next().await.unwrap().handed_in);
        let sent = ready.bench.server.asked().pop().unwrap();
        let CmsRequest { cms: handed_in } = serde_json::from_slice(&sent.body).unwrap();

        let attributes = cms::signed_attributes(&ready.kept.digest, &ready.sim.certificate, ID_DATA).unwrap();
        let value = SignatureValue::from_raw(&raw, &ready.sim.certificate).unwrap();
        let servers = cms::assemble(&attributes, &value, &ready.sim.certificate, &[]).unwrap();
        assert_eq!(handed_in.0, servers);
        let checked =
            cms::check(&handed_in.0, &ready.kept.digest, &ready.sim.certificate, crypto::pure()).unwrap();
        ready.kept.clone().complete(&checked).unwrap();

        ready.bench.server.json(200, &ready.attempt(6, "embedded", None));
        let end = asked.next().await.unwrap();
        assert!(end.is_done() && end.handed_in);
        assert!(recall(ready.bench.notes.as_ref()).unwrap().open.is_empty());
        assert!(ready.bench.server.asked()[0].path.contains("after=5&"));
    }

    #[tokio::test]
    async fn a_raw_value_over_anything_else_is_never_handed_in() {
        let ready = Ready::new().await;
        let (mut asked, _) = decided(&ready).await;
        let another_sim = Sim::of(&ready.bench.session.person().full_name);
        let mut cut = ready.sim.sign(&dtbs_message(&ready));
        cut.pop();
        for raw in [ready.sim.sign(b"another document"), another_sim.sign(&dtbs_message(&ready)), cut, vec![]]
        {
            ready.bench.server.json(200, &ready.attempt(4, "signed_raw", Some(raw)));
            let error = asked.next().await.unwrap_err();
            let CoreError::DoNotSign(told) = error.into() else { panic!("must not be signed") };
            assert_eq!(told.code, "signature_invalid");
            assert_eq!(ready.bench.server.asked().len(), 1, "nothing was handed in");
        }
    }

    #[tokio::test]
    async fn an_app_that_was_closed_goes_on_and_makes_the_same_cms() {
        let ready = Ready::new().await;
        let (asked, _) = decided(&ready).await;
        let (attempt, dtbs) = (asked.attempt(), asked.dtbs());
        drop(asked);
        // Another one was under way before.
        let earlier = AttemptId::at(NOW, 77);
        ready.bench.remember(|memory| {
            let other = OpenAttempt { attempt: earlier, ..memory.open[0].clone() };
            memory.open.insert(0, other);
        });
        let under_way = ready.bench.session.go_on().unwrap();
        assert_eq!(under_way.iter().map(Asked::attempt).collect::<Vec<_>>(), [earlier, attempt]);
        let mut again = under_way.into_iter().next_back().unwrap();
        assert_eq!((again.dtbs(), again.document()), (dtbs, Some(ready.reviewed.document().id)));
        let raw = ready.sim.sign(&dtbs_message(&ready));
        ready.bench.server.json(200, &ready.attempt(4, "signed_raw", Some(raw)));
        ready.bench.server.json(200, &ready.attempt(6, "embedded", None));
        assert!(again.next().await.unwrap().is_done());
        let [mut earlier]: [Asked; 1] = ready.bench.session.go_on().unwrap().try_into().unwrap();
        ready.bench.server.asked();
        let gone = trinhky_protos::problem::Problem::new(Code::NotFound);
        ready.bench.server.json(404, &gone);
        earlier.next().await.unwrap_err();
        assert!(ready.bench.session.go_on().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_decision_that_was_refused_leaves_nothing_to_watch_and_one_without_an_answer_does() {
        let ready = Ready::new().await;
        let refusal = |code| trinhky_protos::problem::Problem::new(code);
        for (code, under_way) in [
            (Code::HeadMoved, false),
            (Code::DecisionInvalid, false),
            (Code::InFlight, true),
            (Code::Unavailable, true),
        ] {
            ready.bench.server.json(201, &ready.prepared).json(code.status(), &refusal(code));
            let checked = ready.bench.session.check(&ready.reviewed).await.unwrap();
            let error = checked.decide().await.unwrap_err();
            assert!(matches!(error, Error::Refused(_)), "{error}");
            assert_eq!(!ready.bench.session.go_on().unwrap().is_empty(), under_way, "{code:?}");
        }
        ready.bench.server.json(201, &ready.prepared).breaks().breaks().breaks();
        ready.bench.session.check(&ready.reviewed).await.unwrap().decide().await.unwrap_err();
        assert!(!ready.bench.session.go_on().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_cms_that_comes_too_late_is_no_error() {
        let ready = Ready::new().await;
        let (mut asked, _) = decided(&ready).await;
        let raw = ready.sim.sign(&dtbs_message(&ready));
        let late = trinhky_protos::problem::Problem::new(Code::AttemptEnded);
        ready.bench.server.json(200, &ready.attempt(4, "signed_raw", Some(raw))).json(409, &late);
        let progress = asked.next().await.unwrap();
        assert!(!progress.handed_in && !progress.attempt.ended);
    }
}
