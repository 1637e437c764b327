//! Getting an RFC 3161 time stamp over a checked signature, from an authority that stands.

use time::OffsetDateTime;
use trinhky_pades::cms::CheckedCms;
use trinhky_pades::tsp::TimestampRequest;

use crate::app::App;
use crate::trust::{Trust, Untrusted};
use crate::verifying::authority_chain;

/// No time stamp now. None of these is the signature's fault: try again later.
#[derive(Debug, thiserror::Error)]
#[error("no time stamp: {0}")]
pub struct NoTimestamp(String);

/// A signature with its time stamp.
#[derive(Debug)]
pub struct Stamped {
    /// The CMS with the token inside.
    pub cms: CheckedCms,
    /// What the token says.
    pub time: OffsetDateTime,
}

/// Asks for a time stamp over the signature value, checks it, and puts it in.
///
/// # Errors
/// [`NoTimestamp`].
pub async fn stamp(app: &App, cms: &CheckedCms) -> Result<Stamped, NoTimestamp> {
    let nope = |error: &dyn std::fmt::Display| NoTimestamp(error.to_string());
    let request =
        TimestampRequest::over(cms.signature_value(), app.random.bytes()).map_err(|error| nope(&error))?;
    let response = app.gateways.tsa.ask(request.as_der().to_vec()).await.map_err(|error| nope(&error))?;
    let token = request.accept(&response, Trust::provider()).map_err(|error| nope(&error))?;
    authority_chain(app, &token).map_err(|error: Untrusted| nope(&error))?;
    let cms = cms.add_timestamp(&token).map_err(|error| nope(&error))?;
    Ok(Stamped { cms, time: token.time() })
}
