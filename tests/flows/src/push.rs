//! A phone's push subscription, and what the push service of the province was handed.

use anyhow::{Context, Result};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::device::{PushKeyView, PushSubscriptionRequest};

use crate::clerk::Desk;

/// A message as the push service took it, decrypted.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    /// In the order of arrival, from 1.
    pub seq: u64,
    /// When it arrived.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What the phone reads.
    text: Option<String>,
}

impl Message {
    /// Whether it speaks of `document`.
    pub fn is_about(&self, document: DocumentId) -> bool {
        self.said()["document"].as_str() == Some(&document.to_string())
    }

    /// What it says of it, a word of the product's notices.
    pub fn kind(&self) -> String {
        self.said()["kind"].as_str().unwrap_or_default().to_owned()
    }

    fn said(&self) -> serde_json::Value {
        serde_json::from_str(self.text.as_deref().unwrap_or_default()).unwrap_or_default()
    }
}

/// Lets the push service reach the device, as its browser or app would; `desk` is the device's session.
///
/// # Errors
/// The push service or the server refuses.
pub async fn subscribe(desk: &Desk, control_url: &str, device: &str) -> Result<()> {
    let key: PushKeyView = desk.get("/v1/push/key").await?;
    let url = format!("{}/push/subscribe", control_url.trim_end_matches('/'));
    let wish = json!({ "application_server_key": key.public_key });
    let made = reqwest::Client::builder().build()?.post(url).json(&wish).send().await?.error_for_status()?;
    let subscription: PushSubscriptionRequest = serde_json::from_str(&made.text().await?)?;
    let path = format!("/v1/devices/{device}/push");
    let answer = desk.request(Method::PUT, &path).json(&subscription).send().await?;
    answer.error_for_status().context("the push subscription")?;
    Ok(())
}

/// What was handed over after message `seq`.
///
/// # Errors
/// The world does not answer.
pub async fn messages(control_url: &str, seq: u64) -> Result<Vec<Message>> {
    let url = format!("{}/push/messages?after={seq}", control_url.trim_end_matches('/'));
    let text = Desk::new("")?.request_url(&url).send().await?.error_for_status()?.text().await?;
    Ok(serde_json::from_str(&text)?)
}
