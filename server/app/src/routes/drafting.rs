//! What a drafter or clerk brings, whether for a new document or to correct one that was given back: read, refused at once
//! where it must be, and its main file provisioned. Nothing is in a row before the act that asked for it.

use trinhky_domain::Refused;
use trinhky_domain::document::{Bundle, BundleFile, Chain, Draft, Particulars, Signer, Step, StepKind};
use trinhky_domain::paper::{Capacity, DocumentType, Family, FileRole};
use trinhky_domain::people::{Office, Person};
use trinhky_protos::document::{CreateDocumentRequest, SignerRequest};
use trinhky_protos::problem::Code;
use trinhky_store::{StoredFile, Tx};

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::provisioning::{self, Base, Plan};
use crate::wire;

/// A draft whose base is on disk.
pub(super) struct Drafted {
    pub(super) base: Base,
    pub(super) draft: Draft,
    pub(super) office: Office,
    pub(super) people: Vec<Person>,
}

/// Reads it and makes the base.
///
/// # Errors
/// What the rules, the engine and the store refuse; then nothing is left behind.
pub(super) async fn read(app: &App, caller: &Caller, request: &CreateDocumentRequest) -> ApiResult<Drafted> {
    let mut tx = app.store.read().await?;
    let office = tx.office(caller.actor.office).await?;
    let people = tx.people_of(office.id).await?;
    let particulars = particulars(request, &office)?;
    // What must be refused is refused before the file is worked on.
    particulars.check()?;
    let chain = chain(request)?;
    chain.check(&people)?;
    let (files, main) = bundle(&mut tx, caller, request).await?;
    let today = trinhky_domain::calendar::day(app.clock.now());
    let plan = Plan::new(&chain, &people, &office, &request.places, &request.notation, today)?;
    let base = provisioning::provision(app, &mut tx, &main, &plan, None).await?;
    let draft = Draft {
        particulars: Particulars { pages: base.pages, ..particulars },
        chain,
        bundle: base.as_main_of(files),
        manifest: base.manifest,
        head: base.head,
    };
    Ok(Drafted { base, draft, office, people })
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
        recipients: request.recipients.iter().cloned().map(wire::read_recipient).collect::<ApiResult<_>>()?,
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
        if !tx.has_brought(person, sha256).await? && !tx.may_read(person, sha256).await? {
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
