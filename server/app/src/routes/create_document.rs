//! `POST /v1/documents`: a draft from uploaded files. The declared fields are provisioned now, once, so that every later
//! reader sees the very same base; the manifest lists what later revisions may touch.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::document::{
    Bundle, BundleFile, Chain, Document, Draft, Particulars, Signer, Step, StepKind,
};
use trinhky_domain::ids::DocumentId;
use trinhky_domain::paper::{Capacity, DocumentType, Family, FileRole};
use trinhky_domain::people::Office;
use trinhky_domain::{Edge, Refused};
use trinhky_protos::document::{CreateDocumentRequest, DocumentView, SignerRequest};
use trinhky_protos::problem::{Code, Problem};
use trinhky_store::{StoredFile, Tx};

use super::show;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::extract::{IdempotencyKey, Json};
use crate::notices;
use crate::once::Once;
use crate::provisioning::{self, Plan};
use crate::stop::stop_at;
use crate::wire;

/// Make a draft from uploaded files.
#[utoipa::path(
    post,
    path = "/v1/documents",
    tag = "document",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = CreateDocumentRequest,
    responses(
        (status = 201, body = DocumentView),
        (status = 422, description = "`classified`, `missing_metadata`, `unknown_signer`, `unknown_person`, `unknown_file`, `bad_place`, `unsupported_pdf`, `idempotency_mismatch`", body = Problem),
    )
)]
pub(super) async fn create_document(
    State(app): State<App>,
    caller: Caller,
    key: IdempotencyKey,
    Json(request): Json<CreateDocumentRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "documents", &caller.actor.office, key, &request)?;
    let mut tx = app.store.read().await?;
    let office = tx.office(caller.actor.office).await?;
    let people = tx.people_of(office.id).await?;
    let particulars = particulars(&request, &office)?;
    // What must be refused is refused before the file is worked on.
    particulars.check()?;
    let chain = chain(&request)?;
    chain.check(&people)?;
    let (files, main) = bundle(&mut tx, &caller, &request).await?;
    let plan = Plan::new(&chain, &people, &office, &request.places)?;
    let base = provisioning::provision(&app, &mut tx, &main, &plan, None).await?;
    drop(tx);
    stop_at(Edge::UploadWritten);

    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    base.keep(&mut tx, Some(&caller.actor), now).await?;
    let profile = app.profile_of(&office)?;
    let id = DocumentId::at(now, app.random.chance());
    let draft = Draft {
        particulars: Particulars { pages: base.pages, ..particulars },
        chain,
        bundle: base.as_main_of(files),
        manifest: base.manifest,
        head: base.head,
    };
    let change = Document::draft(id, draft, &caller.actor, &office, &people, &profile, now)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    let document = tx.document(id).await?;
    let view = show::view(&mut tx, &document).await?;
    let answer = once.keep(&mut tx, StatusCode::CREATED, &view).await?;
    tx.commit().await?;
    stop_at(Edge::DraftCommitted);
    Ok(answer)
}

fn particulars(request: &CreateDocumentRequest, office: &Office) -> ApiResult<Particulars> {
    let kind = wire::read_document_type(&request.document_type)?;
    Ok(Particulars {
        family: Family::Administrative,
        kind,
        subject: request.subject.trim().to_owned(),
        unit: unit_in(&request.notation, kind, office)?,
        council: None,
        urgency: wire::read_urgency(&request.urgency)?,
        secrecy: wire::read_secrecy(&request.secrecy),
        language: "vi".to_owned(),
        // The provisioned base tells; until then at least one.
        pages: 1,
        reply_by: request.due_at.map(trinhky_domain::calendar::day),
        remark: None,
        recipients: request.recipients.iter().cloned().map(wire::read_recipient).collect(),
    })
}

/// The drafting unit of a công văn's notation (`UBND-VX`). The notation of every other kind follows from kind and office
/// and is only compared.
fn unit_in(notation: &str, kind: DocumentType, office: &Office) -> ApiResult<Option<String>> {
    let wrong = || ApiError::new(Code::MissingMetadata).with("notation");
    match kind.abbreviation() {
        Some(abbreviation) if notation == format!("{abbreviation}-{}", office.symbol) => Ok(None),
        Some(_) => Err(wrong()),
        None => {
            let unit = notation.strip_prefix(&office.symbol).and_then(|rest| rest.strip_prefix('-'));
            unit.filter(|unit| !unit.is_empty()).map(|unit| Some(unit.to_owned())).ok_or_else(wrong)
        }
    }
}

fn chain(request: &CreateDocumentRequest) -> ApiResult<Chain> {
    let step = |kind, person: Option<_>| person.map(|person| Step { kind, person });
    let steps =
        [step(StepKind::Content, request.content_checker), step(StepKind::Format, request.format_checker)];
    let signer = |(place, signer): (usize, &SignerRequest)| {
        let capacity = match signer.capacity.trim() {
            "" => Capacity::Head,
            word => wire::read_capacity(word)?,
        };
        Ok(Signer { person: signer.person, capacity, field: format!("Signer{}", place + 1) })
    };
    Ok(Chain {
        steps: steps.into_iter().flatten().collect(),
        signers: request.signers.iter().enumerate().map(signer).collect::<ApiResult<_>>()?,
        clerk: request.clerk,
    })
}

/// The files named, each known here and the caller's to use; and the main one's row.
async fn bundle(
    tx: &mut Tx,
    caller: &Caller,
    request: &CreateDocumentRequest,
) -> ApiResult<(Bundle, StoredFile)> {
    let mut files = Vec::with_capacity(request.files.len());
    let mut main = None;
    for named in &request.files {
        let unknown = || ApiError::new(Code::UnknownFile).with(named.sha256.to_string());
        let role = wire::read_file_role(&named.role)?;
        let sha256 = wire::digest(named.sha256);
        let file = match tx.file(sha256).await {
            Err(trinhky_store::Error::NotFound(_)) => return Err(unknown()),
            other => other?,
        };
        let person = caller.actor.person;
        if file.by != Some(person) && !tx.may_read(person, sha256).await? {
            return Err(unknown());
        }
        files.push(BundleFile { role, name: named.name.clone(), sha256, length: file.length });
        if role == FileRole::Main {
            main = Some(file);
        }
    }
    let main = main.ok_or(Refused::MetadataMissing { fields: "main file".to_owned() })?;
    Ok((Bundle(files), main))
}
