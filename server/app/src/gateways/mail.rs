//! Handing a message to the office's mail server: submission by SMTP (RFC 5321, RFC 6409) under TLS, one connection a
//! message.
//!
//! TLS is never optional: STARTTLS is demanded (RFC 3207) or TLS comes first (RFC 8314), and the server's certificate
//! must come from the authorities that the settings name. A refusal counts against the copy only when it answers the
//! recipient's address or the message itself; trouble with connection, TLS, account or sender is the server's or the
//! settings', and waits. What the server took is its own to deliver: bounces go to the office's mailbox and are not read
//! here.

use std::time::Duration;

use anyhow::Context;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use tokio::sync::{Semaphore, SemaphorePermit};
use trinhky_domain::email::EmailAddress;

use super::outgoing;
use crate::config;

/// The mail server, as the settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    host: String,
    port: u16,
    tls_first: bool,
}

impl Server {
    /// Reads `smtp://HOST[:PORT]` or `smtps://HOST[:PORT]`.
    ///
    /// # Errors
    /// What to write instead. The text given is not repeated: it may carry a password.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        const FORM: &str = "give smtp://HOST:587 (STARTTLS) or smtps://HOST:465, and nothing else in it";
        let url: reqwest::Url = url.parse().map_err(|_| FORM)?;
        let (tls_first, usual) = match url.scheme() {
            "smtp" => (false, 587),
            "smtps" => (true, 465),
            _ => return Err(FORM),
        };
        let bare = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        match url.host_str() {
            Some(host) if bare && !host.is_empty() => {
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                Ok(Self { host, port: url.port().unwrap_or(usual), tls_first })
            }
            _ => Err(FORM),
        }
    }
}

/// What the mail server said to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has it, and delivers it from here on.
    Taken,
    /// Not now, or nobody knows: send it again.
    Later(String),
    /// It will never take this message for this address.
    Refused(String),
}

/// The way out for mail.
pub struct Mail {
    server: Server,
    tls: TlsParameters,
    credentials: Option<Credentials>,
    from: EmailAddress,
    message_bytes: u64,
    timeout: Duration,
    slots: Semaphore,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("server", &self.server).field("from", &self.from).finish_non_exhaustive()
    }
}

impl Mail {
    pub(super) fn open(config: &config::Mail) -> anyhow::Result<Self> {
        outgoing::install_crypto();
        let server = Server::parse(&config.url).map_err(anyhow::Error::msg).context("[mail] url")?;
        let ca = std::fs::read(&config.ca).context("[mail] ca")?;
        let tls = TlsParameters::builder(server.host.clone())
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(&ca).context("[mail] ca")?)
            .build()
            .context("[mail] ca")?;
        let credentials = match (&config.username, &config.password_file) {
            (Some(name), Some(file)) => {
                let password = std::fs::read_to_string(file).context("[mail] password_file")?;
                Some(Credentials::new(name.clone(), password.trim_end_matches(['\r', '\n']).to_owned()))
            }
            _ => None,
        };
        Ok(Self {
            server,
            tls,
            credentials,
            from: config.from.parse().context("[mail] from")?,
            message_bytes: config.message_bytes,
            timeout: Duration::from_secs(config.timeout_seconds),
            slots: Semaphore::new(config.concurrent),
        })
    }

    /// The office's mailbox.
    pub const fn from(&self) -> &EmailAddress {
        &self.from
    }

    /// The longest message that may be tried.
    pub const fn message_bytes(&self) -> u64 {
        self.message_bytes
    }

    /// The right to send one message; `None` when as many as may are still on their way after `within`.
    pub async fn slot(&self, within: Duration) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout(within, self.slots.acquire()).await.ok()?.ok()
    }

    /// Hands over one message.
    pub async fn send(&self, to: &EmailAddress, message: &[u8]) -> Outcome {
        match tokio::time::timeout(self.timeout, self.exchange(to, message)).await {
            Ok(Ok(())) => Outcome::Taken,
            Ok(Err(Failed::Address(error))) => Outcome::Refused(error.to_string()),
            Ok(Err(Failed::There(error))) if error.is_permanent() => Outcome::Refused(said(&error)),
            Ok(Err(Failed::Here(error) | Failed::There(error))) => Outcome::Later(said(&error)),
            Err(_) => Outcome::Later(format!("no answer within {} s", self.timeout.as_secs())),
        }
    }

    /// Signs in and goes away again.
    ///
    /// # Errors
    /// What the server, its certificate or the account is refused for.
    pub async fn greet(&self) -> anyhow::Result<()> {
        let greeted = async {
            let mut connection = self.connect().await?;
            connection.quit().await.map(drop)
        };
        let done = tokio::time::timeout(self.timeout, greeted).await.context("no answer in time")?;
        done.map_err(|error| anyhow::anyhow!("{}", said(&error)))
    }

    async fn exchange(&self, to: &EmailAddress, message: &[u8]) -> Result<(), Failed> {
        let mut connection = self.connect().await.map_err(Failed::Here)?;
        let done = self.hand_over(&mut connection, to, message).await;
        match done {
            // What was taken is taken, however the farewell goes.
            Ok(()) => drop(connection.quit().await),
            Err(_) => connection.abort().await,
        }
        done
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        to: &EmailAddress,
        message: &[u8],
    ) -> Result<(), Failed> {
        let address = |address: &EmailAddress| address.as_str().parse().map_err(Failed::Address);
        let (from, to, there) = (address(&self.from)?, address(to)?, Failed::There);
        connection.command(MailFrom::new(Some(from), Vec::new())).await.map_err(Failed::Here)?;
        connection.command(Rcpt::new(to, Vec::new())).await.map_err(there)?;
        connection.command(Data).await.map_err(there)?;
        // In pieces, so that what is escaped for the wire is never a second copy of the whole.
        connection.message_iter(message.chunks(PIECE)).await.map(drop).map_err(there)
    }

    /// A connection under TLS, signed in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let hello = ClientId::Domain(self.from.domain().to_owned());
        let Server { host, port, tls_first } = &self.server;
        let first = tls_first.then(|| self.tls.clone());
        let address = (host.as_str(), *port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT_TIMEOUT), &hello, first, None).await?;
        if !tls_first {
            connection.starttls(self.tls.clone(), &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
        }
        Ok(connection)
    }
}

enum Failed {
    /// Not written as the protocol wants it.
    Address(lettre::address::AddressError),
    /// Before the recipient was named.
    Here(Error),
    /// The answer to the address or the message.
    There(Error),
}

/// The server's own words where it gave any.
fn said(error: &Error) -> String {
    match (error.status(), std::error::Error::source(error)) {
        (Some(code), Some(words)) => format!("{code} {words}"),
        (Some(code), None) => code.to_string(),
        (None, _) => outgoing::chain(error),
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_address_alone() {
        let server = |host: &str, port, tls_first| Server { host: host.into(), port, tls_first };
        assert_eq!(Server::parse("smtp://mail.example"), Ok(server("mail.example", 587, false)));
        assert_eq!(Server::parse("smtps://mail.example/"), Ok(server("mail.example", 465, true)));
        assert_eq!(Server::parse("smtps://127.0.0.1:2465"), Ok(server("127.0.0.1", 2465, true)));
        assert_eq!(Server::parse("smtps://[::1]:2465"), Ok(server("::1", 2465, true)));
        for bad in [
            "mail.example",
            "smtp:mail",
            "smtp://",
            "smtp://u:p@mail.example",
            "smtp://a/b",
            "smtp://a?tls=no",
        ] {
            assert!(Server::parse(bad).is_err(), "{bad}");
        }
    }
}
