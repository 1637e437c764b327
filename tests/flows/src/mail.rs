//! What the province's mail server has taken, and the recipients' copies as the server tells of them.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::copies::{CopiesView, CopyView};

use crate::clerk::Desk;
use crate::rig::Rig;

/// A message as its receiver reads it.
#[derive(Debug, Clone, Deserialize)]
pub struct Letter {
    /// Envelope.
    pub to: Vec<String>,
    /// Without its angle brackets.
    pub message_id: Option<String>,
    /// The message it is about.
    pub in_reply_to: Option<String>,
    /// Name it comes from.
    pub sender: Option<String>,
    /// When it was written.
    pub date: Option<String>,
    /// Subject, decoded.
    pub subject: Option<String>,
    /// Text, decoded.
    pub text: Option<String>,
    /// Files.
    pub attachments: Vec<Attachment>,
}

/// A file in a message.
#[derive(Debug, Clone, Deserialize)]
pub struct Attachment {
    /// File name, decoded.
    pub name: Option<String>,
    /// Media type.
    pub kind: Option<String>,
    /// Of its bytes.
    pub sha256: String,
}

/// Everything that was sent to a mailbox, in order.
///
/// # Errors
/// The world does not answer.
pub async fn letters_to(rig: &Rig, mailbox: &str) -> Result<Vec<Letter>> {
    let url = format!("{}/mail", rig.world.control_url.trim_end_matches('/'));
    let text = Desk::new("")?.request_url(&url).send().await?.error_for_status()?.text().await?;
    let letters: Vec<Letter> = serde_json::from_str(&text)?;
    Ok(letters.into_iter().filter(|letter| letter.to.iter().any(|to| to == mailbox)).collect())
}

/// Makes a service of the province fail in a named way (`null`: well again), for `times` uses or until told otherwise.
///
/// # Errors
/// The world knows no such fault.
pub async fn fault(rig: &Rig, service: &str, fault: Option<&str>, times: Option<u64>) -> Result<()> {
    let desk = Desk::new(rig.world.control_url.trim_end_matches('/'))?;
    let wish = json!({ "service": service, "fault": fault, "times": times });
    desk.request(Method::POST, "/fault").json(&wish).send().await?.error_for_status()?;
    Ok(())
}

/// The copies of a document.
///
/// # Errors
/// Not found, or not ours.
pub async fn copies(desk: &Desk, document: DocumentId) -> Result<Vec<CopyView>> {
    let view: CopiesView = desk.get(&format!("/v1/documents/{document}/copies")).await?;
    Ok(view.copies)
}

/// The copy for a recipient's name, once it is as wanted.
///
/// # Errors
/// It is not so within half a minute; the text says how it is instead.
pub async fn copy_that(
    desk: &Desk,
    document: DocumentId,
    recipient: &str,
    is: impl Fn(&CopyView) -> bool,
) -> Result<CopyView> {
    let mut last = None;
    for _ in 0..300 {
        let copies = copies(desk, document).await?;
        let copy = copies.into_iter().find(|copy| copy.recipient.name == recipient);
        let copy = copy.with_context(|| format!("{recipient} gets no copy"))?;
        if is(&copy) {
            return Ok(copy);
        }
        last = Some(copy);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("the copy stays as it is: {last:?}")
}
