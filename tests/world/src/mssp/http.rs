//! `POST /soap/services/{port}`: one request in, one reply or fault out, and every way to spoil it on purpose.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};

use super::{
    Answer, Mssp,
    behaviour::Quirk,
    fault::SoapFault,
    log::Entry,
    reply::Reply,
    request::{self, Body, Operation, Request, SignatureRequest},
};
use crate::{
    World,
    faults::{Fault, Service},
    serve::{HangUp, error_page},
};

const CONTENT_TYPE: &str = "application/soap+xml; charset=utf-8";

/// The MSSP's own router; it is served over mutual TLS only.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/soap/services/{port}", post(soap)).layer(DefaultBodyLimit::max(64 * 1024))
}

async fn soap(
    State(world): State<Arc<World>>,
    Path(port): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match world.faults.hit(Service::Mssp).await {
        Some(Fault::Down) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Fault::Close) => return HangUp::response(),
        Some(Fault::ErrorPage) => return error_page(),
        _ => {}
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !(kind.starts_with("application/soap+xml") || kind.starts_with("text/xml")) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let now = world.clock.now();
    let mut entry = Entry {
        seq: 0,
        at: now,
        operation: None,
        ap_trans_id: None,
        mssp_trans_id: None,
        msisdn: None,
        displayed: None,
        code: None,
        digest: None,
        http: 0,
        status: None,
        outcome: "fault",
        detail: None,
    };
    let text = String::from_utf8_lossy(&body);
    let answered = match read(&world.mssp, &text, &port, &mut entry, now) {
        Ok(request) => dispatch(&world, &request, &mut entry).await,
        Err(fault) => Err(fault),
    };
    let response = answered.unwrap_or_else(|fault| {
        entry.outcome = "fault";
        entry.status = fault.code;
        entry.detail = Some(fault.to_string());
        (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, CONTENT_TYPE)], fault.xml())
            .into_response()
    });
    if response.extensions().get::<HangUp>().is_some() {
        entry.outcome = "dropped";
    } else {
        entry.http = response.status().as_u16();
    }
    world.mssp.record(entry);
    response
}

fn read(
    mssp: &Mssp,
    text: &str,
    port: &str,
    entry: &mut Entry,
    now: time::OffsetDateTime,
) -> Result<Request, SoapFault> {
    let (operation, message) = request::open(text, port)?;
    entry.operation = Some(operation);
    let request = request::read(operation, &message)?;
    entry.ap_trans_id = Some(request.ap.trans_id.clone());
    mssp.admit(&request, now)?;
    Ok(request)
}

async fn dispatch(world: &World, request: &Request, entry: &mut Entry) -> Result<Response, SoapFault> {
    let mssp = &world.mssp;
    match &request.body {
        Body::Signature(wish) => sign(world, request, wish, entry).await,
        Body::Status { mssp_trans_id } => {
            entry.mssp_trans_id = Some(mssp_trans_id.clone());
            status(world, request, mssp_trans_id, entry)
        }
        Body::Registration { msisdn } => {
            entry.msisdn = Some(msisdn.clone());
            let sim = mssp.known(msisdn)?;
            if let Some(Quirk::RegistrationFault { code }) = sim.behaviour().quirk {
                sim.take_behaviour();
                return Err(SoapFault::of(code, None));
            }
            entry.outcome = "certificate";
            let certificate = sim.holder().certificate.clone();
            Ok(send(
                world,
                entry,
                &Reply { msisdn: Some(msisdn), certificate: Some(&certificate), ..bare(request, 408) },
            ))
        }
        Body::Profile { msisdn } => {
            entry.msisdn = Some(msisdn.clone());
            mssp.known(msisdn)?;
            Ok(send(world, entry, &Reply { msisdn: Some(msisdn), ..bare(request, 100) }))
        }
        Body::Receipt { mssp_trans_id, msisdn, message } => {
            entry.mssp_trans_id = Some(mssp_trans_id.clone());
            entry.msisdn = Some(msisdn.clone());
            entry.displayed.clone_from(message);
            mssp.with(mssp_trans_id, |_| ()).ok_or_else(no_such_transaction)?;
            entry.outcome = "receipt";
            let reply =
                Reply { msisdn: Some(msisdn), mssp_trans_id: Some(mssp_trans_id), ..bare(request, 100) };
            Ok(send(world, entry, &reply))
        }
    }
}

async fn sign(
    world: &World,
    request: &Request,
    wish: &SignatureRequest,
    entry: &mut Entry,
) -> Result<Response, SoapFault> {
    let mssp = &world.mssp;
    entry.msisdn = Some(wish.msisdn.clone());
    entry.digest = Some(hex::encode(wish.digest));
    match mssp.sim(&wish.msisdn).and_then(|sim| sim.take_quirk(&[Quirk::ErrorPage, Quirk::Empty500])) {
        Some(Quirk::ErrorPage) => return Ok(error_page()),
        Some(_) => return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        None => {}
    }
    let id = mssp.begin(request, wish, entry.at)?;
    let quirk = mssp.with(&id, |transaction| {
        entry.displayed = Some(transaction.shown.clone());
        entry.code = Some(transaction.code.clone());
        transaction.behaviour.quirk
    });
    let quirk = quirk.flatten();
    entry.mssp_trans_id = Some(id.clone());
    entry.outcome = "prompt";
    match quirk {
        Some(Quirk::DropAck) => return Ok(HangUp::response()),
        Some(Quirk::DelayAck { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
        _ => {}
    }
    if wish.synchronous || quirk == Some(Quirk::DuplicateReply) {
        return finished(world, request, wish, &id, quirk, entry).await;
    }
    let reply = Reply { msisdn: Some(&wish.msisdn), mssp_trans_id: Some(&id), quirk, ..bare(request, 100) };
    if quirk == Some(Quirk::TruncatedAck) {
        let xml = reply.xml(world.clock.now());
        let half = xml.get(..xml.len() / 2).unwrap_or_default().to_owned();
        return Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], half).into_response());
    }
    Ok(send(world, entry, &reply))
}

/// Waits for the end of the transaction in the same connection.
async fn finished(
    world: &World,
    request: &Request,
    wish: &SignatureRequest,
    id: &str,
    quirk: Option<Quirk>,
    entry: &mut Entry,
) -> Result<Response, SoapFault> {
    loop {
        match world.mssp.answer(id, world.clock.now()).ok_or_else(no_such_transaction)? {
            Answer::Pending => tokio::time::sleep(Duration::from_millis(20)).await,
            Answer::Failed(fault) => return Err(fault),
            Answer::Signed { status, signature } => {
                let reply = Reply {
                    msisdn: Some(&wish.msisdn),
                    mssp_trans_id: Some(id),
                    signature: Some(&signature),
                    quirk,
                    ..bare(request, status)
                };
                return Ok(send(world, entry, &reply));
            }
        }
    }
}

fn status(world: &World, request: &Request, id: &str, entry: &mut Entry) -> Result<Response, SoapFault> {
    let answer = world.mssp.answer(id, world.clock.now()).ok_or_else(no_such_transaction)?;
    let ended = answer != Answer::Pending;
    let seen = world.mssp.with(id, |transaction| {
        let quirk = transaction.behaviour.quirk;
        let drop = ended && quirk == Some(Quirk::DropFinal) && !transaction.dropped_final;
        transaction.dropped_final |= drop;
        (transaction.msisdn.clone(), quirk, drop)
    });
    let (msisdn, quirk, drop) = seen.ok_or_else(no_such_transaction)?;
    entry.msisdn = Some(msisdn.clone());
    if drop {
        return Ok(HangUp::response());
    }
    let base = Reply { msisdn: Some(&msisdn), mssp_trans_id: Some(id), quirk, ..bare(request, 504) };
    match answer {
        Answer::Failed(fault) => Err(fault),
        Answer::Pending => {
            entry.outcome = "pending";
            Ok(send(world, entry, &base))
        }
        Answer::Signed { status, signature } => {
            entry.outcome = "signed";
            Ok(send(world, entry, &Reply { status, signature: Some(&signature), ..base }))
        }
    }
}

fn no_such_transaction() -> SoapFault {
    SoapFault::wrong("There is no such transaction.")
}

fn bare(request: &Request, status: u16) -> Reply<'_> {
    Reply {
        operation: request.operation,
        ap: &request.ap,
        msisdn: None,
        mssp_trans_id: None,
        status,
        signature: None,
        certificate: None,
        quirk: None,
    }
}

fn send(world: &World, entry: &mut Entry, reply: &Reply<'_>) -> Response {
    entry.status = Some(reply.status);
    if reply.operation == Operation::ProfileQuery {
        entry.outcome = "certificate";
    }
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], reply.xml(world.clock.now())).into_response()
}
