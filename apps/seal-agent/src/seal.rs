//! Sealing one document: fetch, examine, show, ask for the PIN, sign on the token, hand in. The same steps serve the
//! terminal ([`seal`]) and the window.
//!
//! The journal's line is on disk before the token signs. Sealing the same document again (after a lost answer) gives the
//! same number and another line; the server takes one seal.

use trinhky_mobile_core::{CoreError, Error as CoreInternal, Server};
use trinhky_pades::cms::{self, SignatureValue};
use trinhky_pades::crypto;
use trinhky_pades::x509::TrustAnchors;
use trinhky_protos::document::DocumentView;
use trinhky_protos::ids::DocumentId;
use trinhky_protos::seal::{SealRequest, SealTaskView};
use trinhky_protos::{Base64Bytes, HexDigest};

use crate::checks::{Check, Trail};
use crate::clock;
use crate::config::{Config, read_file};
use crate::error::Error;
use crate::examine::{Sealable, examine};
use crate::journal::{Claim, Entry, Journal};
use crate::pin::PinFrom;
use crate::screen;
use crate::token::{Module, PinState, SealKey};

/// How this run behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// Nobody is there to confirm.
    pub(crate) unattended: bool,
    pub(crate) pin: PinFrom,
}

/// What the server says about one document, not yet looked at.
pub(crate) struct Fetched {
    pub(crate) document: DocumentView,
    task: SealTaskView,
    base: Vec<u8>,
}

/// A document that may be sealed, with the bytes that the examination was about.
pub(crate) struct Reviewed {
    pub(crate) sealable: Sealable,
    pub(crate) base: Vec<u8>,
}

/// Seals at the terminal, and tells what was sealed.
///
/// # Errors
/// [`Error`]; whatever it is, no seal left this machine unless it is [`Error::Server`].
pub(crate) async fn seal(
    config: &Config,
    module: &Module,
    server: &Server,
    document: DocumentId,
    manner: Manner,
) -> Result<serde_json::Value, Error> {
    let fetched = fetch(server, document).await?;
    let mut trail = plan(&fetched);
    let reviewed = review(config, fetched, &mut trail);
    screen::show_checks(&trail);
    let Reviewed { sealable, .. } = reviewed?;

    screen::show(&sealable);
    let token = module.token(&config.token.label)?;
    match token.pin {
        PinState::Locked => return Err(Error::PinLocked),
        PinState::FinalTry if manner.unattended => return Err(Error::PinLocked),
        PinState::FinalTry => screen::warn("Chỉ còn MỘT lần nhập PIN: nhập sai thiết bị sẽ bị khóa."),
        PinState::CountLow => screen::warn("Đã có lần nhập sai PIN."),
        PinState::Good => {}
    }
    if !(manner.unattended || screen::confirmed()?) {
        return Err(Error::NotConfirmed);
    }
    let mut key = token.open(manner.pin.read()?, &config.token.key_label)?;
    let request = make(config, &sealable, &mut key)?;
    let sealed = hand_in(server, &sealable, &request).await?;
    let task = &sealable.task;
    Ok(serde_json::json!({
        "document": document,
        "number": task.number,
        "date": task.date,
        "base_sha256": task.base.sha256,
        "sealed_sha256": sealed.head.sha256,
        "state": sealed.state.name,
        "leaders": sealable.leaders.iter().map(|leader| &leader.name).collect::<Vec<_>>(),
        "sealed": true,
    }))
}

/// The document, its task and its bytes.
///
/// # Errors
/// [`Error::Server`].
pub(crate) async fn fetch(server: &Server, document: DocumentId) -> Result<Fetched, Error> {
    let path = format!("/v1/documents/{document}");
    let view: DocumentView = server.get("the document", path.clone()).await.map_err(told)?;
    let task: SealTaskView =
        server.get("the seal's task", format!("{path}/seal-task")).await.map_err(told)?;
    let base = server.file(task.base, "the document to be sealed").await.map_err(told)?;
    Ok(Fetched { document: view, task, base })
}

/// What will be looked at.
pub(crate) fn plan(fetched: &Fetched) -> Trail {
    Trail::plan(fetched.document.signers.iter().map(|signer| signer.full_name.as_str()))
}

/// Everything that must hold, against the agent's own roots, list, clock and journal.
///
/// # Errors
/// [`Error`] for the first that does not hold; `trail` shows which.
pub(crate) fn review(config: &Config, fetched: Fetched, trail: &mut Trail) -> Result<Reviewed, Error> {
    let reviewed = (|| {
        let Fetched { document, task, base } = fetched;
        let sealable = examine(task, document, &base, config, &anchors(config)?, clock::now()?, trail)?;
        Journal::at(&config.journal).check(&claim(&sealable))?;
        Ok(Reviewed { sealable, base })
    })();
    if reviewed.is_ok() {
        trail.pass(Check::Journal);
    } else {
        trail.fail();
    }
    reviewed
}

/// The seal: in the journal, then made by the token and verified.
///
/// # Errors
/// [`Error::TokenFailed`], [`Error::KeyMismatch`], and what the journal refuses: then nothing was signed.
pub(crate) fn make(config: &Config, sealable: &Sealable, key: &mut SealKey) -> Result<SealRequest, Error> {
    let task = &sealable.task;
    let entry = Entry {
        at: clock::now()?,
        document: task.document,
        number: task.number.clone(),
        date: task.date.clone(),
        base: Some(task.base.sha256),
        digest: Some(HexDigest(sealable.attributes.dtbs_digest().0)),
        repaired: None,
    };
    Journal::at(&config.journal).enter(&entry, &claim(sealable))?;
    let cms = sign(sealable, key)?;
    Ok(SealRequest { base: task.base.sha256, cms: Base64Bytes(cms) })
}

fn claim(sealable: &Sealable) -> Claim<'_> {
    let Sealable { task, document, leaders, .. } = sealable;
    Claim {
        document: task.document,
        number: &task.number,
        date: &task.date,
        numbering: &document.numbering,
        signed_at: leaders.last().and_then(|leader| leader.at),
    }
}

/// Hands the seal to the server.
///
/// # Errors
/// [`Error::Server`].
pub(crate) async fn hand_in(
    server: &Server,
    sealable: &Sealable,
    request: &SealRequest,
) -> Result<DocumentView, Error> {
    let path = format!("/v1/documents/{}/seal", sealable.task.document);
    server.act("the seal", path, request).await.map_err(told)
}

/// The token's value, verified under the organisation's certificate, in its CMS.
fn sign(sealable: &Sealable, key: &mut SealKey) -> Result<Vec<u8>, Error> {
    let mismatch = |why: String| Error::KeyMismatch(why);
    let organisation = &sealable.organisation;
    let attributes = &sealable.attributes;
    let raw = key.sign(attributes)?;
    let value =
        SignatureValue::from_raw(&raw, organisation.as_der()).map_err(|error| mismatch(error.to_string()))?;
    crypto::pure()
        .verify(value.algorithm(), organisation.spki(), attributes.as_der(), value.as_bytes())
        .map_err(|error| mismatch(error.to_string()))?;
    let chain: Vec<&[u8]> = sealable.task.chain.iter().map(|issuer| issuer.0.as_slice()).collect();
    cms::assemble(attributes, &value, organisation.as_der(), &chain)
        .map_err(|error| mismatch(error.to_string()))
}

/// The agent's own roots.
pub(crate) fn anchors(config: &Config) -> Result<TrustAnchors, Error> {
    let mut anchors = TrustAnchors::new([]);
    for path in &config.roots {
        let wrong = |why: String| Error::Config { file: path.display().to_string(), why };
        let pem = String::from_utf8(read_file(path)?).map_err(|error| wrong(error.to_string()))?;
        let own = TrustAnchors::from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
        own.iter().for_each(|root| anchors.push(root.clone()));
    }
    Ok(anchors)
}

pub(crate) fn told(error: CoreInternal) -> Error {
    Error::Server(CoreError::from(error))
}
