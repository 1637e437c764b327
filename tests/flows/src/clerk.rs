//! The desk: drafter and văn thư over HTTP, with nothing but the wire types.

use std::path::Path;

use anyhow::{Context, Result, bail};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::{
    CreateDocumentRequest, DocumentView, DocumentsView, OpinionRequest, UploadedFileView,
};
use trinhky_protos::problem::Problem;
use trinhky_protos::seal::SealTaskView;
use trinhky_protos::session::{PersonView, SignInRequest, SignInResponse};

/// A name, a password and an authenticator, as the province was made with.
#[derive(Debug, Clone)]
pub struct Account {
    /// Name to sign in with.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Base32 secret of its authenticator.
    pub totp_secret: String,
}

impl Account {
    /// The six digits of this moment (RFC 6238, SHA-1, 30 seconds).
    ///
    /// # Errors
    /// The secret is not base32.
    pub fn totp(&self) -> Result<String> {
        let secret = totp_rs::Secret::Encoded(self.totp_secret.clone())
            .to_bytes()
            .map_err(|e| anyhow::anyhow!("{e}"))?;
        let totp = totp_rs::TOTP::new_unchecked(totp_rs::Algorithm::SHA1, 6, 1, 30, secret);
        totp.generate_current().context("the time")
    }
}

/// Someone signed in, at a desk.
#[derive(Clone)]
pub struct Desk {
    client: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// What the server answered instead of what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{status}: {code}: {text}")]
pub struct Answered {
    /// HTTP status.
    pub status: StatusCode,
    /// The problem's code, or empty.
    pub code: String,
    /// The whole body.
    pub text: String,
    /// The problem, where it was one.
    pub problem: Option<Problem>,
}

impl Desk {
    /// Nobody yet, at the server `base` (`http://127.0.0.1:port`).
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(base: &str) -> Result<Self> {
        let client = reqwest::Client::builder().timeout(std::time::Duration::from_mins(2)).build()?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned(), token: None })
    }

    /// A session that was opened elsewhere.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn with_token(base: &str, token: String) -> Result<Self> {
        Ok(Self { token: Some(token), ..Self::new(base)? })
    }

    /// Signs in.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn sign_in(base: &str, account: &Account) -> Result<Self> {
        let mut desk = Self::new(base)?;
        let request = SignInRequest {
            username: account.username.clone(),
            password: account.password.clone(),
            totp: account.totp()?,
        };
        let response: SignInResponse = desk.post("/v1/sessions", &request).await?;
        desk.token = Some(response.token);
        Ok(desk)
    }

    /// Signs in an account that has just signed in elsewhere: its code is good once, so this waits for the next one.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn sign_in_later(base: &str, account: &Account) -> Result<Self> {
        let used = account.totp()?;
        while account.totp()? == used {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
        Self::sign_in(base, account).await
    }

    /// The bearer token, for asking things this type has no words for.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A request with the session's token and a fresh idempotency key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        request
    }

    /// A `GET` of any URL, without the session's token.
    pub fn request_url(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }

    /// `GET`, as JSON.
    ///
    /// # Errors
    /// [`Answered`] for anything but success.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        read(self.request(Method::GET, path)).await
    }

    /// `POST` of JSON.
    ///
    /// # Errors
    /// [`Answered`] for anything but success.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        read(self.request(Method::POST, path).json(body)).await
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn me(&self) -> Result<PersonView> {
        self.get("/v1/me").await
    }

    /// Uploads a PDF.
    ///
    /// # Errors
    /// The server refuses the file; [`Answered`] carries the code.
    pub async fn upload(&self, pdf: &Path) -> Result<UploadedFileView> {
        let file = tokio::fs::File::open(pdf).await.with_context(|| pdf.display().to_string())?;
        let length = file.metadata().await?.len();
        let request = self
            .request(Method::POST, "/v1/files")
            .header("content-type", "application/pdf")
            .header("content-length", length)
            .body(file);
        read(request).await
    }

    /// A draft from uploaded files.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn create(&self, request: &CreateDocumentRequest) -> Result<DocumentView> {
        self.post("/v1/documents", request).await
    }

    /// Corrects a draft, or a document that was given back.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn revise(
        &self,
        document: DocumentId,
        request: &CreateDocumentRequest,
    ) -> Result<DocumentView> {
        self.post(&format!("/v1/documents/{document}/revise"), request).await
    }

    /// Gives it back to its drafter.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn give_back(&self, document: DocumentId, reason: &str) -> Result<DocumentView> {
        self.post(&format!("/v1/documents/{document}/return"), &serde_json::json!({ "reason": reason })).await
    }

    /// Puts it before the first in its chain.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn submit(&self, document: DocumentId) -> Result<DocumentView> {
        self.post(&format!("/v1/documents/{document}/submit"), &serde_json::json!({})).await
    }

    /// Approves as a checker.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn approve_review(&self, document: &DocumentView) -> Result<DocumentView> {
        let opinion =
            OpinionRequest { verdict: "approve".into(), head: document.head.sha256, note: String::new() };
        self.post(&format!("/v1/documents/{}/opinions", document.id), &opinion).await
    }

    /// One document.
    ///
    /// # Errors
    /// Not found, or not ours.
    pub async fn document(&self, document: DocumentId) -> Result<DocumentView> {
        self.get(&format!("/v1/documents/{document}")).await
    }

    /// What waits for this person.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn inbox(&self) -> Result<DocumentsView> {
        self.get("/v1/inbox").await
    }

    /// Takes number and date and prepares the seal.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn number(&self, document: DocumentId) -> Result<SealTaskView> {
        self.post(&format!("/v1/documents/{document}/number"), &serde_json::json!({})).await
    }

    /// Releases it.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn release(&self, document: DocumentId) -> Result<DocumentView> {
        self.post(&format!("/v1/documents/{document}/release"), &serde_json::json!({})).await
    }

    /// Fetches a file by digest into `to`.
    ///
    /// # Errors
    /// Not found, or the disk is full.
    pub async fn fetch(&self, sha256: &str, to: &Path) -> Result<()> {
        let mut response = self.request(Method::GET, &format!("/v1/files/{sha256}")).send().await?;
        if !response.status().is_success() {
            bail!("{}: {}", response.status(), response.text().await?);
        }
        let mut file = tokio::fs::File::create(to).await?;
        while let Some(chunk) = response.chunk().await? {
            tokio::io::AsyncWriteExt::write_all(&mut file, &chunk).await?;
        }
        tokio::io::AsyncWriteExt::flush(&mut file).await?;
        Ok(())
    }

    /// Waits until the document is in the state `name`.
    ///
    /// # Errors
    /// It is not there within `within`; the text says where it is instead.
    pub async fn wait_for(
        &self,
        document: DocumentId,
        name: &str,
        within: std::time::Duration,
    ) -> Result<DocumentView> {
        let looked = async {
            loop {
                let view = self.document(document).await?;
                if view.state.name == name {
                    return Ok::<_, anyhow::Error>(view);
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        };
        if let Ok(view) = tokio::time::timeout(within, looked).await {
            return view;
        }
        let state = self.document(document).await?.state;
        bail!("still {state:?} after {within:?}, not {name}")
    }
}

async fn read<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    let response = request.send().await?;
    let status = response.status();
    let text = response.text().await?;
    if status.is_success() {
        return serde_json::from_str(&text).with_context(|| format!("{status}: {text}"));
    }
    let problem: Option<Problem> = serde_json::from_str(&text).ok();
    let code = problem.as_ref().map(|problem| problem.code.clone()).unwrap_or_default();
    Err(Answered { status, code, text, problem }.into())
}

/// The problem's code of a refusal, or the whole error when it was none.
pub fn refusal(error: &anyhow::Error) -> String {
    error.downcast_ref::<Answered>().map_or_else(|| format!("{error:#}"), |answered| answered.code.clone())
}
