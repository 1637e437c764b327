//! `POST /v1/documents/{id}/number` and `GET /v1/documents/{id}/seal-task`: number and date are taken, never typed, and one
//! revision that draws them and carries the seal is prepared for the clerk's token. Asked again, the same number again.

use std::ops::ControlFlow;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use time::Date;
use trinhky_domain::document::{Document, NumberedSeal};
use trinhky_domain::ids::{DocumentId, SealId};
use trinhky_domain::people::Actor;
use trinhky_domain::register::DocumentNumber;
use trinhky_domain::seal::{SEAL_FIELD, SealTask, SignatureCheck};
use trinhky_domain::{Digest, Edge};
use trinhky_pades::cms::{ID_DATA, signed_attributes};
use trinhky_pades::look::PreparedImage;
use trinhky_pades::manifest::{FieldKind, Manifest};
use trinhky_pades::prepare::{Fill, Prepared, SignRequest, prepare as append};
use trinhky_protos::Base64Bytes;
use trinhky_protos::document::FileRefView;
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::seal::{FilledFieldView, SealTaskView, SignatureEvidenceView};
use trinhky_store::{OrgSeal, Tx};

use super::prepare::issuers;
use super::{acting, show};
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::extract::{IdempotencyKey, IfMatch, Path};
use crate::once::Once;
use crate::seal_dossier::{GOOD_FOR, SealDossier};
use crate::stop::stop_at;
use crate::verifying::{Verifier, material_of};
use crate::{blocking, notices, numbering, pdfs, wire};

/// Take number and date, and prepare the seal.
#[utoipa::path(
    post,
    path = "/v1/documents/{id}/number",
    tag = "seal",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = SealTaskView),
        (status = 403, description = "`not_the_clerk`", body = Problem),
        (status = 409, description = "`wrong_state`, `leader_signature_missing`, `signature_broken`, `register_closed`, `stale`", body = Problem),
        (status = 422, description = "`printed_differs`", body = Problem),
        (status = 503, description = "`revocation_unavailable`", body = Problem),
    )
)]
pub(super) async fn take_number(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    if_match: IfMatch,
    key: IdempotencyKey,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let actor = &caller.actor;
    let once = Once::new(actor, "number", &id, key, &())?;
    let mut tx = app.store.read().await?;
    if let Some(answer) = once.kept(&mut tx).await? {
        return Ok(answer);
    }
    let document = show::mine(&mut tx, id, actor).await?;
    // Who and where first, so that nobody else makes the server verify and ask.
    document.awaits_seal(actor)?;
    let messages = leaders_messages(&mut tx, &document).await?;
    let source = pdfs::source(&app, &mut tx, document.head.sha256).await?;
    let head = document.head.sha256;
    drop(tx);
    let material = material_of(&app, &messages).await?;
    let verifier = Verifier::of(&app);
    let checks = blocking(move || verifier.checks(&source, &material)).await??;

    let turn = app.numbering.lock().await;
    let drawn = draw(&app, actor, document, &checks).await?;
    stop_at(Edge::SealTailWritten);

    let (mut tx, document) = match acting::begin(&app, actor, id, if_match, &once, now).await? {
        ControlFlow::Continue(begun) => begun,
        ControlFlow::Break(answer) => return Ok(answer),
    };
    if document.head.sha256 != head {
        return Err(Code::HeadMoved.into());
    }
    let sealable = document.sealable(actor, &checks)?;
    let register =
        numbering::register_if(sealable.takes_number(), &app, &mut tx, sealable.document(), now).await?;
    let numbered = sealable.number(register.as_ref(), now)?;
    let Drawn { dossier, tail, seal, .. } = if drawn.says(numbered.number()) {
        drawn
    } else {
        // Another process took that number meanwhile. Under the register's lock nobody can do so again.
        append_seal(&app, &mut tx, &numbered).await?
    };
    let attributes = signed_attributes(&dossier.prepared.digest, &seal.certificate, ID_DATA);
    let task = SealTask {
        id: SealId::at(now, app.random.chance()),
        document: id,
        clerk: actor.person,
        head,
        tail,
        dtbs: pdfs::domain(attributes.map_err(ApiError::internal)?.dtbs_digest()),
        certificate: Digest::of(&seal.certificate),
        at: now,
    };
    let seal_id = task.id;
    let change = numbered.prepared(actor, task, now)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    dossier.keep(&mut tx, seal_id).await?;
    let view = task_view(&app, &mut tx, id, &dossier).await?;
    let answer = once.keep(&mut tx, StatusCode::CREATED, &view).await?;
    tx.commit().await?;
    drop(turn);
    stop_at(Edge::SealPreparedCommitted);
    Ok(answer)
}

/// The seal that is prepared.
#[utoipa::path(
    get,
    path = "/v1/documents/{id}/seal-task",
    tag = "seal",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = SealTaskView),
        (status = 403, description = "`not_the_clerk`", body = Problem),
        (status = 409, description = "`wrong_state`", body = Problem),
    )
)]
pub(super) async fn get_seal_task(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
) -> ApiResult<axum::Json<SealTaskView>> {
    let mut tx = app.store.read().await?;
    let document = show::mine(&mut tx, id, &caller.actor).await?;
    let sealing = document.sealing(&caller.actor)?;
    let dossier = SealDossier::of(&mut tx, sealing.seal()).await?;
    Ok(axum::Json(task_view(&app, &mut tx, id, &dossier).await?))
}

/// The embedded messages of the leaders, in order.
pub(crate) async fn leaders_messages(tx: &mut Tx, document: &Document) -> ApiResult<Vec<Vec<u8>>> {
    let mut messages = Vec::with_capacity(document.signed.len());
    for signed in &document.signed {
        let received = tx.signature_of(signed.attempt).await?;
        messages.extend(received.and_then(|received| received.stamped_cms));
    }
    Ok(messages)
}

/// The seal of the document's office.
pub(super) async fn org_seal(tx: &mut Tx, document: &Document) -> ApiResult<OrgSeal> {
    match tx.org_seal(document.office).await {
        Ok(seal) => Ok(seal),
        Err(trinhky_store::Error::NotFound(_)) => {
            Err(ApiError::new(Code::CertificateInvalid).with("no seal is registered for the office"))
        }
        Err(other) => Err(other.into()),
    }
}

/// A revision that is written and in no row yet.
struct Drawn {
    dossier: SealDossier,
    tail: Digest,
    seal: OrgSeal,
    number: String,
    date: Date,
}

impl Drawn {
    fn says(&self, number: &DocumentNumber) -> bool {
        self.number == number.to_string() && self.date == number.date
    }
}

/// Makes the revision with the number that the register will give next, before the register is locked: everybody who
/// writes would wait meanwhile. Nothing is taken yet; the change that takes the number is decided on under the lock.
async fn draw(app: &App, actor: &Actor, document: Document, checks: &[SignatureCheck]) -> ApiResult<Drawn> {
    let mut tx = app.store.read().await?;
    let sealable = document.sealable(actor, checks)?;
    let now = app.clock.now();
    let register =
        numbering::peek_if(sealable.takes_number(), app, &mut tx, sealable.document(), now).await?;
    let numbered = sealable.number(register.as_ref(), now)?;
    append_seal(app, &mut tx, &numbered).await
}

/// Makes the revision: number and date, unless the base draws them already, and the seal.
async fn append_seal(app: &App, tx: &mut Tx, numbered: &NumberedSeal) -> ApiResult<Drawn> {
    let now = app.clock.now();
    let document = numbered.document();
    let seal = org_seal(tx, document).await?;
    let opened = pdfs::open(app, tx, document.head.sha256).await?;
    let chain = issuers(app, &seal.certificate)?;
    let fills = if document.number_drawn {
        Vec::new()
    } else {
        fills(numbered.number(), &pdfs::manifest(app, document.manifest).await?.1)
    };
    let office = tx.office(document.office).await?;
    let mut request = SignRequest::new(
        SEAL_FIELD,
        &seal.certificate,
        now.to_offset(super::prepare::HANOI),
        app.random.bytes(),
    );
    request.reserve = Some(super::prepare::reserve(&seal.certificate, &chain));
    request.name = Some(office.name);
    request.fills =
        fills.iter().map(|fill| Fill { field: fill.field.clone(), text: fill.text.clone() }).collect();
    let blobs = app.blobs.clone();
    let image = seal.image;
    let (prepared, tail) = blocking(move || {
        let picture = image
            .map(|image| blobs.small(image, pdfs::LARGEST_PART))
            .transpose()
            .map_err(ApiError::internal)?;
        request.image =
            picture.as_deref().map(PreparedImage::from_png).transpose().map_err(ApiError::internal)?;
        let prepared: Prepared = append(&opened.source, &opened.site.index, &opened.site.midstate, &request)
            .map_err(ApiError::internal)?;
        let tail = blobs.keep(&prepared.tail).map_err(ApiError::internal)?;
        Ok::<_, ApiError>((prepared, tail.sha256))
    })
    .await??;
    let dossier = SealDossier {
        prepared: Box::new(prepared),
        certificate: Base64Bytes(seal.certificate.clone()),
        chain,
        fills,
        expires_at: now + GOOD_FOR,
        cms: None,
        stamped: None,
        waiting_for: None,
    };
    let number = numbered.number();
    Ok(Drawn { dossier, tail, seal, number: number.to_string(), date: number.date })
}

fn fills(number: &DocumentNumber, manifest: &Manifest) -> Vec<FilledFieldView> {
    let full = number.to_string();
    let drawn = manifest.of_kind(FieldKind::Number).map_or(full.as_str(), |declared| declared.to_draw(&full));
    let filled = |kind: FieldKind, text| FilledFieldView { field: kind.name(), text };
    vec![
        filled(FieldKind::Number, drawn.to_owned()),
        filled(FieldKind::Date, numbering::date_in_words(number.date)),
    ]
}

async fn task_view(app: &App, tx: &mut Tx, id: DocumentId, dossier: &SealDossier) -> ApiResult<SealTaskView> {
    let document = tx.document(id).await?;
    let number = document.number.as_ref().ok_or(ApiError::new(Code::WrongState))?;
    let (manifest, _) = pdfs::manifest(app, document.manifest).await?;
    Ok(SealTaskView {
        document: id,
        version: document.version.0.into(),
        base: FileRefView { sha256: wire::hex(document.head.sha256), length: document.head.length },
        tail: Base64Bytes(dossier.prepared.tail.clone()),
        field: SEAL_FIELD.to_owned(),
        number: number.to_string(),
        date: number.date.to_string(),
        fills: dossier.fills.clone(),
        manifest: Base64Bytes(manifest),
        certificate: dossier.certificate.clone(),
        chain: dossier.chain.clone(),
        evidence: evidence(tx, &document).await?,
        expires_at: dossier.expires_at,
    })
}

/// Why each leader's signature stands.
pub(super) async fn evidence(tx: &mut Tx, document: &Document) -> ApiResult<Vec<SignatureEvidenceView>> {
    let mut found = Vec::with_capacity(document.signed.len());
    for signed in &document.signed {
        let decision =
            tx.decision(signed.decision).await?.ok_or(trinhky_store::Error::NotFound("decision"))?;
        let device = tx.device(decision.device).await?;
        found.push(SignatureEvidenceView {
            person: signed.person,
            field: signed.field.clone(),
            decision: decision.jws,
            enrolment_statement: Base64Bytes(device.statement.unwrap_or_default()),
            enrolment_cms: Base64Bytes(device.cms.unwrap_or_default()),
            cms_from: signed.cms_from.as_str().to_owned(),
        });
    }
    Ok(found)
}
