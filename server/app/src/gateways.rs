//! Everything that leaves this process on a socket, besides the database: each behind a type that knows whom it may ask,
//! for how long, and how much it will read. What comes back is bytes: whether to believe them is asked of
//! `trinhky-pades`, never decided here.
//!
//! | module | who answers |
//! |---|---|
//! | [`clamd`] | the virus scanner |
//! | [`tsa`] | the time-stamp authority (RFC 3161) |
//! | [`revocation`] | OCSP responders and CRL distribution points, from an allow-list |
//! | [`mail`] | the mail server that takes recipients' copies (SMTP submission, RFC 6409) |
//! | [`push`] | Web Push services (RFC 8030, 8291, 8292) |

pub mod clamd;
pub mod mail;
mod outgoing;
pub mod push;
pub mod revocation;
pub mod tsa;

pub(crate) use outgoing::chain;
pub use outgoing::install_crypto;

use crate::config::Config;

/// All of them, as the settings say.
#[derive(Debug)]
pub struct Gateways {
    /// The virus scanner.
    pub scanner: clamd::Scanner,
    /// Time stamps.
    pub tsa: tsa::Tsa,
    /// OCSP and CRL.
    pub revocation: revocation::Revocation,
    /// Copies by e-mail, where it is set up.
    pub mail: Option<mail::Mail>,
    /// Web Push, where it is set up.
    pub push: Option<push::Push>,
}

impl Gateways {
    /// Reads keys and makes the clients; asks nobody yet.
    ///
    /// # Errors
    /// When a key cannot be read or an address cannot be used.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let client = outgoing::client()?;
        Ok(Self {
            scanner: clamd::Scanner::new(&config.scanner)?,
            tsa: tsa::Tsa::new(client.clone(), &config.tsa)?,
            revocation: revocation::Revocation::new(client, &config.revocation),
            mail: config.mail.as_ref().map(mail::Mail::open).transpose()?,
            push: config.push.as_ref().map(push::Push::open).transpose()?,
        })
    }
}

/// Nothing usable came back.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The address is not on the list of those that may be asked: asking again will not help.
    #[error("{0} is not on the allow-list")]
    NotAllowed(String),
    /// No answer, too late, too long, or not a success: try again later.
    #[error("{who}: {what}")]
    Unavailable {
        /// Which service.
        who: &'static str,
        /// What happened.
        what: String,
    },
}
