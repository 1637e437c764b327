//! Telling a person's devices by Web Push. The message says which document waits and for what kind of act, by ids alone;
//! the device asks the server for the rest. A push is a hint: what cannot be handed over soon is dropped.

use std::time::Duration;

use trinhky_domain::Edge;
use trinhky_domain::paper::Urgency;
use trinhky_store::{Delivery, Job};

use super::Outcome;
use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::gateways::push::{self, Message, Subscription};
use crate::notices::Telling;
use crate::stop::stop_at;

/// Pushes to every device of the person.
///
/// # Errors
/// What is worth a retry.
pub(super) async fn run(app: &App, job: &Job) -> ApiResult<Outcome> {
    let telling: Telling = super::payload(job)?;
    let Some(push) = &app.gateways.push else { return Ok(Outcome::Done) };
    let targets = app.store.read().await?.push_targets(telling.to).await?;
    // The telling is in a row, and nothing was handed over.
    stop_at(Edge::DeliveryCommitted);
    let urgency = telling.urgency.parse().unwrap_or(Urgency::Normal);
    let body = serde_json::json!({
        "kind": telling.kind,
        "document": telling.document,
        "urgency": crate::wire::urgency(urgency),
    });
    let payload = serde_json::to_vec(&body).map_err(ApiError::internal)?;
    let topic = topic(&telling);
    let message = Message { payload: &payload, urgency: speed(urgency), ttl: ttl(urgency), topic: &topic };
    let mut later: Option<Duration> = None;
    for (device, target) in targets {
        // One delivery a job and device: noting it twice is once, and what was handed over is not handed again.
        let delivery = Delivery {
            id: format!("{}-{device}", job.id),
            device,
            document: Some(telling.document),
            kind: telling.kind.clone(),
            outcome: None,
            at: app.clock.now(),
        };
        let mut tx = app.store.begin().await?;
        tx.note_delivery(&delivery).await?;
        let done = tx.deliveries_of(telling.document).await?;
        tx.commit().await?;
        if done.iter().any(|known| known.id == delivery.id && known.outcome.is_some()) {
            continue;
        }
        let to = Subscription { endpoint: target.endpoint, p256dh: target.p256dh, auth: target.auth };
        let outcome = push.send(&to, &message, app.clock.now()).await;
        let word = match outcome {
            push::Outcome::Handed => "handed",
            push::Outcome::Gone => "gone",
            push::Outcome::Refused(_) => "refused",
            push::Outcome::Later(after) => {
                later = Some(later.map_or(after, |known| known.max(after)));
                continue;
            }
        };
        let mut tx = app.store.begin().await?;
        if outcome == push::Outcome::Gone {
            tx.set_push(device, None).await?;
        }
        tx.delivered(&delivery.id, word, app.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(later.map_or(Outcome::Done, Outcome::Again))
}

/// Messages about one document replace each other.
fn topic(telling: &Telling) -> String {
    telling.document.to_string()
}

const fn speed(urgency: Urgency) -> push::Urgency {
    match urgency {
        Urgency::Normal => push::Urgency::Normal,
        Urgency::Urgent | Urgency::VeryUrgent | Urgency::Flash => push::Urgency::High,
    }
}

/// An urgent matter is old after an hour; an ordinary one may reach the phone tomorrow.
const fn ttl(urgency: Urgency) -> Duration {
    match urgency {
        Urgency::Normal => Duration::from_hours(24),
        Urgency::Urgent | Urgency::VeryUrgent | Urgency::Flash => Duration::from_hours(1),
    }
}
