//! One document through the whole main job, each step named and timed: what `make demo` shows and what most flow tests
//! begin with.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use trinhky_domain::ids::{DocumentId, PersonId};
use trinhky_protos::document::{
    BundleFileRequest, CreateDocumentRequest, DocumentView, RecipientView, SignerRequest, UploadedFileView,
};

use crate::clerk::Desk;
use crate::leader::Leader;
use crate::mail::{Letter, copy_that, letters_to};
use crate::rig::Rig;

/// Long enough for anything that goes on by itself, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Who gets a copy by e-mail.
pub const MAILED_TO: &str = "Phòng Nội vụ";
/// Where.
pub const MAILBOX: &str = "vanthu@phong-noi-vu.example";

/// What the demo writes as `report.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of the file as given.
    pub input_sha256: String,
    /// Of the file with its declared fields, which everybody reads.
    pub base_sha256: String,
    /// Of the released file.
    pub released_sha256: String,
    /// As written.
    pub number: String,
    /// `YYYY-MM-DD`.
    pub date: String,
    /// Who assembled the leader's CMS: `device` or `server`.
    pub cms_from: String,
    /// Signature requests the signature service saw for this document.
    pub sim_requests: usize,
    /// How long each step took.
    pub steps: Vec<Step>,
}

/// One step, and how long it took.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Its name.
    pub step: &'static str,
    /// In milliseconds.
    pub ms: u64,
}

/// Says and times the steps.
#[derive(Debug, Default)]
pub struct Steps {
    aloud: bool,
    taken: Vec<Step>,
}

impl Steps {
    /// Steps that are said, one line each, on standard error.
    pub const fn aloud() -> Self {
        Self { aloud: true, taken: Vec::new() }
    }

    /// Does one step and remembers how long it took.
    ///
    /// # Errors
    /// The step's own, with its name.
    pub async fn take<T>(
        &mut self,
        step: &'static str,
        says: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        #[expect(clippy::disallowed_methods, reason = "the demo shows how long each step takes")]
        let began = Instant::now();
        let done = work.await.with_context(|| format!("step {step}"))?;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if self.aloud {
            eprintln!("  {:>2}. {says} ({ms} ms)", self.taken.len() + 1);
        }
        self.taken.push(Step { step, ms });
        Ok(done)
    }
}

/// Everybody a document needs, signed in and enrolled.
pub struct Cast {
    /// Who drafts.
    pub drafter: Desk,
    /// Who numbers, seals and releases.
    pub clerk: Desk,
    /// Who the clerk is.
    pub clerk_id: PersonId,
    /// Who signs.
    pub leader: Leader,
    /// Who the leader is.
    pub leader_id: PersonId,
}

impl Cast {
    /// Signs everybody in and enrols the leader's phone: one SIM prompt.
    ///
    /// # Errors
    /// The server or the SIM refuses.
    pub async fn gather(rig: &Rig) -> Result<Self> {
        let drafter = rig.desk("drafter").await?;
        let same = rig.world.account("drafter", 0)?.username == rig.world.account("clerk", 0)?.username;
        let clerk = if same { drafter.clone() } else { rig.desk("clerk").await? };
        let clerk_id = clerk.me().await?.id;
        let leader = rig.leader(0)?;
        let enrolled = leader.enrol().await?;
        let person = enrolled["person"].as_str().context("enrol tells the person")?;
        let device = enrolled["device"].as_str().context("enrol tells the device")?;
        leader.subscribe(&rig.world.control_url, device).await?;
        Ok(Self { drafter, clerk, clerk_id, leader, leader_id: person.parse()? })
    }

    /// The data of a decision (quyết định) with one signer.
    pub fn request(&self, file: &UploadedFileView) -> CreateDocumentRequest {
        CreateDocumentRequest {
            subject: "Về việc ban hành Quy chế quản lý văn bản điện tử có sử dụng chữ ký số".into(),
            document_type: "QĐ".into(),
            notation: "QĐ-UBND".into(),
            register: "QĐ".into(),
            urgency: "urgent".into(),
            secrecy: "none".into(),
            signers: vec![SignerRequest { person: self.leader_id, capacity: String::new() }],
            content_checker: None,
            format_checker: None,
            clerk: self.clerk_id,
            recipients: vec![
                RecipientView {
                    name: "Các phòng, ban, đơn vị thuộc huyện".into(),
                    ..RecipientView::default()
                },
                RecipientView {
                    name: MAILED_TO.into(),
                    email: Some(MAILBOX.into()),
                    ..RecipientView::default()
                },
            ],
            files: vec![BundleFileRequest {
                role: "main".into(),
                name: "quyet-dinh.pdf".into(),
                sha256: file.sha256,
            }],
            due_at: None,
            places: Vec::new(),
        }
    }
}

/// What came of the main job.
pub struct Outcome {
    /// The document as released.
    pub document: DocumentView,
    /// The released file.
    pub released: PathBuf,
    /// Its earlier revisions.
    pub bases: Vec<PathBuf>,
    /// The report.
    pub report: Report,
}

/// Carries `pdf` from upload to release and fetches the result into `out`.
///
/// # Errors
/// Whatever refuses, with the step's name.
pub async fn run(rig: &Rig, cast: &Cast, pdf: &Path, out: &Path, steps: &mut Steps) -> Result<Outcome> {
    std::fs::create_dir_all(out)?;
    let uploaded = steps.take("upload", "Người soạn thảo tải văn bản lên", cast.drafter.upload(pdf)).await?;
    let request = cast.request(&uploaded);
    let draft = steps
        .take("create", "Hệ thống đặt sẵn các ô số, ngày, chữ ký, dấu", cast.drafter.create(&request))
        .await?;
    // Numbered before the signature, the document waits until its number is drawn into the base.
    let submitted = async {
        cast.drafter.submit(draft.id).await?;
        cast.drafter.wait_for(draft.id, "awaiting_signature", PATIENCE).await
    };
    let base = steps.take("submit", "Trình ký", submitted).await?;

    let before = sim_requests(rig).await?;
    let approved = steps
        .take("approve", "Lãnh đạo xem, so mã, nhập PIN trên SIM", cast.leader.approve(draft.id))
        .await?;
    let signed = steps
        .take(
            "signed",
            "Máy chủ kiểm tra, gắn dấu thời gian, nhúng chữ ký",
            cast.clerk.wait_for(draft.id, "awaiting_number", PATIENCE),
        )
        .await?;
    let sim_requests = sim_requests(rig).await? - before;

    let task = steps.take("number", "Văn thư lấy số và ngày từ sổ", cast.clerk.number(draft.id)).await?;
    steps.take("seal", "Văn thư đóng dấu bằng thiết bị lưu khóa", rig.seal(&cast.clerk, draft.id)).await?;
    steps
        .take(
            "sealed",
            "Máy chủ kiểm tra dấu, gắn dấu thời gian",
            cast.clerk.wait_for(draft.id, "sealed", PATIENCE),
        )
        .await?;
    let document = steps
        .take("release", "Phát hành, kèm dữ liệu xác thực dài hạn", async {
            cast.clerk.release(draft.id).await?;
            cast.clerk.wait_for(draft.id, "released", PATIENCE).await
        })
        .await?;

    steps.take("deliver", "Gửi thư điện tử tới nơi nhận", delivered(rig, cast, &document)).await?;

    let released = out.join("released.pdf");
    cast.clerk.fetch(&document.head.sha256.to_string(), &released).await?;
    let mut bases = Vec::new();
    for (name, view) in [("base.pdf", &base), ("signed.pdf", &signed)] {
        let path = out.join(name);
        cast.clerk.fetch(&view.head.sha256.to_string(), &path).await?;
        bases.push(path);
    }
    let report = Report {
        input_sha256: sha256_of(pdf)?,
        base_sha256: base.head.sha256.to_string(),
        released_sha256: sha256_of(&released)?,
        number: task.number,
        date: task.date,
        cms_from: approved["cms_from"].as_str().unwrap_or_default().to_owned(),
        sim_requests,
        steps: std::mem::take(&mut steps.taken),
    };
    ensure!(
        report.released_sha256 == document.head.sha256.to_string(),
        "the fetched file is not the released one"
    );
    let shown = approved["code"].as_str().unwrap_or_default();
    let on_sim = last_code(rig).await?;
    ensure!(shown == on_sim, "the phone showed the code {shown:?}, the SIM {on_sim:?}");
    Ok(Outcome { document, released, bases, report })
}

/// The recipient has the released bytes in the mailbox, or the clerk is told that they are too many for a message.
async fn delivered(rig: &Rig, cast: &Cast, document: &DocumentView) -> Result<()> {
    let copy = copy_that(&cast.clerk, document.id, MAILED_TO, |copy| copy.state != "queued").await?;
    if document.head.length > LARGEST_MAILED {
        ensure!(copy.waiting_for.as_deref() == Some("too_large"), "{copy:?}");
        return Ok(());
    }
    ensure!(copy.state == "handed", "{copy:?}");
    let number = document.number.as_deref().context("a released document has a number")?;
    let ours =
        |letter: &Letter| letter.message_id.as_deref().is_some_and(|id| id.starts_with(&copy.id.to_string()));
    let letters: Vec<Letter> = letters_to(rig, MAILBOX).await?.into_iter().filter(ours).collect();
    ensure!(letters.len() == 1, "{} messages for one copy", letters.len());
    let letter = &letters[0];
    let subject = letter.subject.as_deref().unwrap_or_default();
    ensure!(subject.ends_with(&format!("{number}: {}", document.subject)), "the subject is {subject:?}");
    let text = letter.text.as_deref().unwrap_or_default();
    ensure!(text.contains(MAILED_TO) && text.contains(number), "the letter says {text:?}");
    let files: Vec<_> =
        letter.attachments.iter().map(|file| (file.name.as_deref(), file.sha256.as_str())).collect();
    let name = format!("{}.pdf", number.replace('/', "-"));
    let sha256 = document.head.sha256.to_string();
    ensure!(files == [(Some(name.as_str()), sha256.as_str())], "{files:?} came, not {name} {sha256}");
    Ok(())
}

/// Released files above this do not fit the mail server's messages (25 MB, a third of it base64).
const LARGEST_MAILED: u64 = 18 * 1024 * 1024;

/// Number, seal and release of a document whose leader has signed.
///
/// # Errors
/// Whatever refuses.
pub async fn seal_and_release(rig: &Rig, cast: &Cast, document: DocumentId) -> Result<DocumentView> {
    cast.clerk.number(document).await?;
    rig.seal(&cast.clerk, document).await?;
    cast.clerk.wait_for(document, "sealed", PATIENCE).await?;
    cast.clerk.release(document).await?;
    cast.clerk.wait_for(document, "released", PATIENCE).await
}

/// A document that awaits its leader's signature.
///
/// # Errors
/// Whatever refuses.
pub async fn submitted(cast: &Cast, pdf: &Path) -> Result<DocumentId> {
    let uploaded = cast.drafter.upload(pdf).await?;
    let draft = cast.drafter.create(&cast.request(&uploaded)).await?;
    Ok(cast.drafter.submit(draft.id).await?.id)
}

/// A document that waits for this leader.
///
/// # Errors
/// The server refuses.
pub async fn submitted_to(rig: &Rig, cast: &Cast, leader: PersonId) -> Result<DocumentId> {
    let uploaded = cast.drafter.upload(&rig.world.demo_pdf).await?;
    let mut request = cast.request(&uploaded);
    request.signers.first_mut().context("a document has a signer")?.person = leader;
    let draft = cast.drafter.create(&request).await?;
    Ok(cast.drafter.submit(draft.id).await?.id)
}

/// A document that its leader has signed: it waits for its number.
///
/// # Errors
/// Whatever refuses.
pub async fn signed(rig: &Rig, cast: &Cast) -> Result<DocumentId> {
    let id = submitted(cast, &rig.world.demo_pdf).await?;
    cast.drafter.wait_for(id, "awaiting_signature", PATIENCE).await?;
    cast.leader.approve(id).await?;
    cast.clerk.wait_for(id, "awaiting_number", PATIENCE).await?;
    Ok(id)
}

/// A document that its leader has signed and that has its number: it waits for the seal.
///
/// # Errors
/// Whatever refuses.
pub async fn numbered(rig: &Rig, cast: &Cast) -> Result<DocumentId> {
    let id = signed(rig, cast).await?;
    cast.clerk.number(id).await?;
    Ok(id)
}

/// How many signature requests the signature service has seen.
///
/// # Errors
/// The world does not answer.
pub async fn sim_requests(rig: &Rig) -> Result<usize> {
    let log = mssp_log(rig).await?;
    Ok(log.iter().filter(|entry| entry["operation"] == "MSS_Signature").count())
}

/// The code that the SIM showed last.
///
/// # Errors
/// The world does not answer, or no SIM was asked.
pub async fn last_code(rig: &Rig) -> Result<String> {
    let log = mssp_log(rig).await?;
    let last = log.iter().rfind(|entry| entry["operation"] == "MSS_Signature").context("no SIM was asked")?;
    Ok(last["code"].as_str().unwrap_or_default().to_owned())
}

/// The signature service's own log of requests.
///
/// # Errors
/// The world does not answer.
pub async fn mssp_log(rig: &Rig) -> Result<Vec<Value>> {
    let url = format!("{}/mssp/log", rig.world.control_url.trim_end_matches('/'));
    let text = Desk::new("")?.request_url(&url).send().await?.error_for_status()?.text().await?;
    Ok(serde_json::from_str(&text)?)
}

/// SHA-256 of a file, in hex, read in pieces.
///
/// # Errors
/// It cannot be read.
pub fn sha256_of(path: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    let mut file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut piece = vec![0; 1 << 16];
    loop {
        let read = std::io::Read::read(&mut file, &mut piece)?;
        if read == 0 {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(&piece[..read]);
    }
}
