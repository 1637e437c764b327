//! The mail server of the province's offices: takes messages by submission, signed in and under TLS, and keeps them all.
//!
//! It is the office's own server and everybody's mailbox at once: what it accepted counts as delivered. Messages are read
//! by a parser that is not the product's, so that a header only the sender understands is found out.

pub(crate) mod http;
mod session;

use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use mail_parser::{MessageParser, MimeHeaders as _};
use serde::Serialize;
use time::OffsetDateTime;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

use crate::{World, keys};

/// The office's mailbox and name to sign in with.
pub(crate) const MAILBOX: &str = "vanthu@muongthanh.example";

/// Everything that was taken.
pub(crate) struct Mail {
    password: String,
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    message: Message,
    raw: Vec<u8>,
}

/// One message that was taken, as its receiver reads it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    pub(crate) seq: u64,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    /// Envelope.
    pub(crate) from: String,
    /// Envelope.
    pub(crate) to: Vec<String>,
    /// Bytes as they travelled.
    pub(crate) size: usize,
    /// `Message-ID`, without its brackets.
    #[serde(rename = "message_id")]
    pub(crate) identity: Option<String>,
    pub(crate) in_reply_to: Option<String>,
    pub(crate) date: Option<String>,
    pub(crate) sender: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) attachments: Vec<File>,
}

/// A file in a message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct File {
    pub(crate) name: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) length: usize,
    pub(crate) sha256: String,
}

impl Mail {
    pub(crate) fn new(password: String) -> Self {
        Self { password, kept: Mutex::default() }
    }

    fn opens(&self, username: &str, password: &str) -> bool {
        username == MAILBOX && password == self.password
    }

    fn keep(&self, from: String, to: Vec<String>, raw: Vec<u8>, at: OffsetDateTime) -> u64 {
        let mut message = read(&raw);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let seq = kept.len() as u64 + 1;
        message = Message { seq, at, from, to, ..message };
        kept.push(Kept { message, raw });
        seq
    }

    fn messages(&self, after: u64) -> Vec<Message> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|kept| kept.message.clone()).filter(|message| message.seq > after).collect()
    }

    fn raw(&self, seq: u64) -> Option<Vec<u8>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|kept| kept.message.seq == seq).map(|kept| kept.raw.clone())
    }
}

/// What a receiver's program makes of the bytes.
fn read(raw: &[u8]) -> Message {
    let nothing = Message {
        seq: 0,
        at: OffsetDateTime::UNIX_EPOCH,
        from: String::new(),
        to: Vec::new(),
        size: raw.len(),
        identity: None,
        in_reply_to: None,
        date: None,
        sender: None,
        subject: None,
        text: None,
        attachments: Vec::new(),
    };
    let Some(parsed) = MessageParser::default().parse(raw) else { return nothing };
    let attachments = parsed.attachments().map(|part| File {
        name: part.attachment_name().map(str::to_owned),
        kind: part
            .content_type()
            .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default())),
        length: part.contents().len(),
        sha256: hex::encode(keys::sha256(part.contents())),
    });
    Message {
        identity: parsed.message_id().map(str::to_owned),
        in_reply_to: parsed.in_reply_to().as_text().map(str::to_owned),
        date: parsed.date().map(mail_parser::DateTime::to_rfc3339),
        sender: parsed.from().and_then(|from| from.first()).and_then(|from| from.name()).map(str::to_owned),
        subject: parsed.subject().map(str::to_owned),
        text: parsed.body_text(0).map(std::borrow::Cow::into_owned),
        attachments: attachments.collect(),
        ..nothing
    }
}

/// Accepts until the task is aborted. With `tls_first` the handshake comes before the greeting (RFC 8314), else by
/// STARTTLS (RFC 3207).
pub(crate) fn accept(
    listener: TcpListener,
    tls: TlsAcceptor,
    tls_first: bool,
    world: std::sync::Arc<World>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let (tls, world) = (tls.clone(), world.clone());
            tokio::spawn(async move {
                let served: Result<()> = session::serve(stream, tls, tls_first, &world).await;
                // A client that went away, or the hang-up on purpose: nothing to tell anybody.
                drop(served);
            });
        }
    })
}
