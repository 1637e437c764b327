//! Getting an RFC 3161 time stamp over a checked signature, from an authority that stands.

use time::OffsetDateTime;
use trinhky_pades::cms::{self, CheckedCms};
use trinhky_pades::tsp::{TimestampRequest, Token};

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

/// The time-stamped message as it is in the row, proven anew: the message without the stamp is checked, the token in the
/// stamped one is checked over its signature value and put in again, and the result must be the stored bytes.
///
/// # Errors
/// [`NoTimestamp`] when the row does not hold what it should.
pub fn restore(unstamped: &CheckedCms, stamped: &[u8]) -> Result<CheckedCms, NoTimestamp> {
    let nope = |error: &dyn std::fmt::Display| NoTimestamp(error.to_string());
    let message = cms::parse(stamped).map_err(|error| nope(&error))?;
    let token = message.signers.first().and_then(|signer| signer.timestamp_tokens().next());
    let token = Token::parse(token.ok_or_else(|| NoTimestamp("none is stored".to_owned()))?);
    let token = token.map_err(|error| nope(&error))?;
    let imprint = token.imprint_algorithm().digest(unstamped.signature_value());
    let token = token.check(&imprint, &[], Trust::provider()).map_err(|error| nope(&error))?;
    let restored = unstamped.add_timestamp(&token).map_err(|error| nope(&error))?;
    if restored.as_der() == stamped {
        Ok(restored)
    } else {
        Err(NoTimestamp("the stored bytes differ".to_owned()))
    }
}
