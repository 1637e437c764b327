//! A server, a key store and a memory for tests: they record what the core asked and answer what the test laid out.

pub(crate) mod fixture;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::macros::datetime;
use trinhky_protos::HexDigest;
use trinhky_protos::device::PublicJwk;
use trinhky_protos::document::{
    BundleFileView, DocumentStateView, DocumentView, FileRefView, RecipientView, SignerView,
};
use trinhky_protos::ids::{DocumentId, OfficeId, PersonId};
use trinhky_protos::session::{PersonView, SignInResponse};

use crate::platform::{
    Chance, ChanceError, Clock, DeviceKey, DeviceKeyError, Keep, KeepError, Platform, Request, Response,
    Transport, TransportError,
};
use crate::session::Session;

/// A P-256 key made from one byte, signing deterministically (RFC 6979).
pub(crate) struct TestKey(SigningKey);

impl TestKey {
    pub(crate) fn new(seed: u8) -> Self {
        Self(SigningKey::from_slice(&[seed; 32]).unwrap())
    }
}

#[async_trait]
impl DeviceKey for TestKey {
    async fn public_jwk(&self) -> Result<PublicJwk, DeviceKeyError> {
        let point = self.0.verifying_key().to_sec1_point(false);
        let coordinate = |bytes: Option<&_>| URL_SAFE_NO_PAD.encode::<&p256::FieldBytes>(bytes.unwrap());
        Ok(PublicJwk {
            kty: "EC".into(),
            crv: "P-256".into(),
            x: coordinate(point.x()),
            y: coordinate(point.y()),
        })
    }

    async fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
        let signature: Signature = self.0.sign(&message);
        Ok(signature.to_bytes().to_vec())
    }
}

/// Answers in order, and the requests that got them.
#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Result<Response, TransportError>>>,
    asked: Mutex<Vec<Request>>,
}

impl Script {
    pub(crate) fn then_ok(&self, answer: Response) -> &Self {
        self.then(Ok(answer))
    }

    fn then(&self, answer: Result<Response, TransportError>) -> &Self {
        self.answers.lock().unwrap().push_back(answer);
        self
    }

    pub(crate) fn json(&self, status: u16, body: &impl serde::Serialize) -> &Self {
        self.then(Ok(Response { status, headers: vec![], body: serde_json::to_vec(body).unwrap() }))
    }

    /// The whole of a file in one piece.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> &Self {
        let range = format!("bytes 0-{}/{}", bytes.len() - 1, bytes.len());
        let headers = vec![("content-range".into(), range)];
        self.then(Ok(Response { status: 206, headers, body: bytes.to_vec() }))
    }

    pub(crate) fn breaks(&self) -> &Self {
        self.then(Err(TransportError::Unreached("connection reset".into())))
    }

    /// What was asked since the last call.
    pub(crate) fn asked(&self) -> Vec<Request> {
        assert!(self.answers.lock().unwrap().is_empty(), "not every answer was asked for");
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let answer = self.answers.lock().unwrap().pop_front();
        let answer = answer.unwrap_or_else(|| panic!("nobody expected {request:?}"));
        self.asked.lock().unwrap().push(request);
        answer
    }
}

/// A memory that can be looked into.
#[derive(Default)]
pub(crate) struct Notes(pub(crate) Mutex<Option<String>>);

impl Keep for Notes {
    fn load(&self) -> Result<Option<String>, KeepError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn save(&self, text: String) -> Result<(), KeepError> {
        *self.0.lock().unwrap() = Some(text);
        Ok(())
    }
}

/// The time of every test.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-03-02 01:02:03 UTC);

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> OffsetDateTime {
        NOW
    }
}

/// Counts instead of rolling dice.
#[derive(Default)]
struct Counting(Mutex<u8>);

impl Chance for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), ChanceError> {
        let mut count = self.0.lock().unwrap();
        *count = count.wrapping_add(1);
        bytes.fill(*count);
        Ok(())
    }
}

/// A platform around a script and a memory.
pub(crate) fn platform(script: &Arc<Script>, notes: &Arc<Notes>) -> Platform {
    Platform {
        transport: script.clone(),
        key: Arc::new(TestKey::new(7)),
        keep: notes.clone(),
        clock: Arc::new(Stopped),
        chance: Arc::new(Counting::default()),
        client: "native",
    }
}

/// A signed-in leader over a script.
pub(crate) struct Bench {
    pub(crate) server: Arc<Script>,
    pub(crate) notes: Arc<Notes>,
    pub(crate) session: Session,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let (server, notes) = (Arc::new(Script::default()), Arc::new(Notes::default()));
        let person = PersonView {
            id: PersonId::at(NOW, 1),
            full_name: "Nguyễn Văn A".into(),
            title: "Chủ tịch".into(),
            office: OfficeId::at(NOW, 2),
            roles: vec!["leader".into()],
        };
        server.json(201, &SignInResponse { token: "secret".into(), expires_at: NOW, person });
        let session = Session::sign_in(platform(&server, &notes), "a", "b", "123456").await.unwrap();
        server.asked();
        Self { server, notes, session }
    }

    /// A document of these files that waits for this leader.
    pub(crate) fn document(&self, files: &[(&str, &[u8])]) -> DocumentView {
        let file = |(role, bytes): &(&str, &[u8])| BundleFileView {
            role: (*role).into(),
            name: format!("{role}.pdf"),
            sha256: HexDigest(Sha256::digest(bytes).into()),
            length: bytes.len() as u64,
        };
        let files: Vec<_> = files.iter().map(file).collect();
        let me = self.session.person();
        DocumentView {
            id: DocumentId::at(NOW, 3),
            version: 1,
            state: DocumentStateView {
                name: "awaiting_signature".into(),
                turn_of: Some(me.id),
                step: None,
                signer: Some(1),
                attempt: None,
                waiting_for: None,
                reason: None,
                recalled_at: None,
            },
            subject: "Bổ nhiệm cán bộ".into(),
            document_type: "QĐ".into(),
            notation: "QĐ-UBND".into(),
            register: "Quyết định".into(),
            urgency: "normal".into(),
            signers: vec![SignerView {
                person: me.id,
                full_name: me.full_name.clone(),
                title: me.title.clone(),
                capacity: String::new(),
            }],
            clerk: PersonId::at(NOW, 4),
            recipients: vec![RecipientView { name: "Sở Nội vụ".into(), ..RecipientView::default() }],
            head: FileRefView { sha256: files[0].sha256, length: files[0].length },
            files,
            manifest: HexDigest([0; 32]),
            numbering: "after_sign".into(),
            number: None,
            date: None,
            created_at: NOW,
            due_at: None,
        }
    }
}
