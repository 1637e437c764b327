//! A SIM request under way: watched until its end, its raw value verified here, its CMS made here.
//!
//! The server owns the attempt; the phone only watches (long poll), because the SIM's dialog may put the app to sleep.
//! When the raw value comes, it is verified over the attributes computed *here* from the bytes that were shown; only
//! then the detached CMS is assembled and handed in. The server assembles the very same bytes, and says so if not.
//!
//! An app that was killed meanwhile goes on with [`Session::go_on`]: what is needed was noted before the decision left.

use trinhky_pades::Digest;
use trinhky_pades::cms::{self, ID_DATA, ID_ENROLMENT, SignatureValue, SignedAttributes};
use trinhky_pades::crypto;
use trinhky_pades::x509::Certificate;
use trinhky_protos::Base64Bytes;
use trinhky_protos::problem::Code;
use trinhky_protos::signing::{AttemptView, CmsRequest};

use crate::error::Error;
use crate::keep::{OpenAttempt, Pin, recall, remember};
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
            .finish()
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
    /// Goes on with a request that this device asked for before the app was closed, if there is one.
    ///
    /// # Errors
    /// [`Error::Keep`].
    pub fn go_on(&self) -> Result<Option<Asked>, Error> {
        recall(self.platform.keep.as_ref())?.open.map(|open| Asked::new(self.clone(), open)).transpose()
    }
}

impl Asked {
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
            self.forget(None)?;
        }
        let mut view: AttemptView = answer?;
        if let Some(raw) = view.signature.as_ref().filter(|_| view.wants_cms && !self.handed_in) {
            let cms = self.assemble(&raw.0)?;
            view = self.hand_in(cms).await?.unwrap_or(view);
        }
        if view.ended {
            self.close(&view)?;
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

    /// The end: nothing is under way any more; a device whose enrolment stands is remembered.
    fn close(&self, view: &AttemptView) -> Result<(), Error> {
        self.forget(self.open.pin.clone().filter(|_| STANDS.contains(&view.state.as_str())))
    }

    fn forget(&self, pin: Option<Pin>) -> Result<(), Error> {
        remember(self.session.platform.keep.as_ref(), |memory| {
            memory.open.take_if(|open| open.attempt == self.open.attempt);
            if pin.is_some() {
                memory.pin = pin;
            }
        })
    }
}

/// How long the server may hold a question back; below what proxies and phones cut.
pub const WAIT_SECONDS: u32 = 25;
const MARGIN_SECONDS: u32 = 15;
/// States in which an ended attempt has done what it was for. An enrolment ends when its CMS is verified.
const STANDS: [&str; 3] = ["verified", "stamped", "embedded"];
const TOO_LATE: [Code; 2] = [Code::AttemptEnded, Code::WrongState];
