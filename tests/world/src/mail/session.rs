//! One connection of a submission server (RFC 6409): SMTP (RFC 5321) with STARTTLS (RFC 3207) or TLS first, AUTH PLAIN and
//! LOGIN (RFC 4954), SIZE (RFC 1870), enhanced status codes (RFC 2034).
//!
//! ```text
//! 220 ─► EHLO ─► STARTTLS ─► EHLO ─► AUTH ─► MAIL ─► RCPT … ─► DATA ─► 250
//! ```
//!
//! A mailbox whose name is three digits answers with that code: `550@so-noi-vu.example` does not exist,
//! `452@so-noi-vu.example` is full.

use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;

use super::MAILBOX;
use crate::{
    World,
    faults::{Fault, Service},
};

/// The largest message taken, as EHLO says.
const LARGEST: usize = 36 * 1024 * 1024;
/// RFC 5321 section 4.5.3.1.4 and RFC 4954 section 4 ask for no more.
const LONGEST_LINE: u64 = 12_288;
const RECIPIENTS: usize = 100;
const MISTAKES: u32 = 20;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

struct Session<'w> {
    world: &'w World,
    wire: BufReader<Box<dyn Stream>>,
    encrypted: bool,
    signed_in: bool,
    envelope: Option<Envelope>,
    fault: Option<Fault>,
    mistakes: u32,
}

struct Envelope {
    from: String,
    to: Vec<String>,
}

enum Next {
    Go,
    StartTls,
    End,
}

pub(super) async fn serve(stream: TcpStream, tls: TlsAcceptor, tls_first: bool, world: &World) -> Result<()> {
    let wire: Box<dyn Stream> =
        if tls_first { Box::new(tls.accept(stream).await?) } else { Box::new(stream) };
    let mut session = Session {
        world,
        wire: BufReader::new(wire),
        encrypted: tls_first,
        signed_in: false,
        envelope: None,
        fault: world.faults.hit(Service::Mail).await,
        mistakes: 0,
    };
    if session.fault == Some(Fault::Down) {
        return session.say("421 4.3.2 mail.example is not taking mail now").await;
    }
    session.say("220 mail.example ESMTP").await?;
    loop {
        let line = session.line().await?;
        match session.answer(&line).await? {
            Next::Go => {}
            Next::End => return Ok(()),
            Next::StartTls => {
                // What came in before the handshake came from nobody known (RFC 3207 section 4.2).
                if !session.wire.buffer().is_empty() {
                    bail!("commands before the handshake");
                }
                let plain = session.wire.into_inner();
                let wire: Box<dyn Stream> = Box::new(tls.accept(plain).await?);
                session = Session { wire: BufReader::new(wire), encrypted: true, envelope: None, ..session };
            }
        }
    }
}

impl Session<'_> {
    async fn answer(&mut self, line: &str) -> Result<Next> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.hello().await?,
            "HELO" | "NOOP" => self.say("250 2.0.0 mail.example").await?,
            "RSET" => {
                self.envelope = None;
                self.say("250 2.0.0 forgotten").await?;
            }
            "STARTTLS" if self.encrypted => self.mistake("503 5.5.1 TLS is on").await?,
            "STARTTLS" => {
                self.say("220 2.0.0 go ahead").await?;
                return Ok(Next::StartTls);
            }
            "AUTH" => self.sign_in(rest).await?,
            "MAIL" => self.mail_from(rest).await?,
            "RCPT" => self.rcpt_to(rest).await?,
            "DATA" => return self.data().await,
            "QUIT" => {
                self.say("221 2.0.0 goodbye").await?;
                return Ok(Next::End);
            }
            _ => self.mistake("500 5.5.2 no such command").await?,
        }
        Ok(Next::Go)
    }

    async fn hello(&mut self) -> Result<()> {
        self.envelope = None;
        let more = if self.encrypted { "250-AUTH PLAIN LOGIN" } else { "250-STARTTLS" };
        self.say(&format!(
            "250-mail.example\r\n{more}\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE {LARGEST}"
        ))
        .await
    }

    async fn sign_in(&mut self, rest: &str) -> Result<()> {
        if !self.encrypted {
            return self.mistake("538 5.7.11 TLS first").await;
        }
        if self.signed_in {
            return self.mistake("503 5.5.1 signed in already").await;
        }
        let (mechanism, initial) =
            rest.split_once(' ').map_or((rest, None), |(name, text)| (name, Some(text)));
        let known = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let text = match initial {
                    Some(text) => text.to_owned(),
                    None => self.challenge("").await?,
                };
                let text = decoded(&text)?;
                let mut parts = text.split('\0').skip(1);
                let (name, password) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                self.world.mail.opens(name, password)
            }
            "LOGIN" => {
                let name = match initial {
                    Some(text) => text.to_owned(),
                    None => self.challenge("VXNlcm5hbWU6").await?,
                };
                let password = self.challenge("UGFzc3dvcmQ6").await?;
                self.world.mail.opens(&decoded(&name)?, &decoded(&password)?)
            }
            _ => return self.mistake("504 5.5.4 PLAIN or LOGIN").await,
        };
        self.signed_in = known;
        if known {
            self.say("235 2.7.0 welcome").await
        } else {
            self.mistake("535 5.7.8 name or password is wrong").await
        }
    }

    async fn challenge(&mut self, text: &str) -> Result<String> {
        self.say(&format!("334 {text}")).await?;
        self.line().await
    }

    async fn mail_from(&mut self, rest: &str) -> Result<()> {
        if !self.signed_in {
            return self.mistake("530 5.7.0 sign in first").await;
        }
        let Some((from, parameters)) = path(rest, "FROM:") else {
            return self.mistake("501 5.5.4 MAIL FROM:<address>").await;
        };
        if from != MAILBOX {
            return self.mistake("553 5.7.1 that mailbox is not yours to send from").await;
        }
        let size = parameters.split(' ').find_map(|word| word.strip_prefix("SIZE=")?.parse::<usize>().ok());
        if size.is_some_and(|size| size > LARGEST) {
            return self.mistake("552 5.3.4 too large").await;
        }
        self.envelope = Some(Envelope { from, to: Vec::new() });
        self.say("250 2.1.0 and to whom?").await
    }

    async fn rcpt_to(&mut self, rest: &str) -> Result<()> {
        let Some(envelope) = &mut self.envelope else { return self.mistake("503 5.5.1 MAIL first").await };
        let Some((to, _)) = path(rest, "TO:") else {
            return self.mistake("501 5.5.4 RCPT TO:<address>").await;
        };
        if envelope.to.len() >= RECIPIENTS {
            return self.say("452 4.5.3 too many recipients").await;
        }
        match magic(&to) {
            Some(code @ 400..500) => self.say(&format!("{code} 4.2.2 <{to}> cannot take mail now")).await,
            Some(code) => self.say(&format!("{code} 5.1.1 <{to}> is nobody here")).await,
            None => {
                envelope.to.push(to);
                self.say("250 2.1.5 go on").await
            }
        }
    }

    async fn data(&mut self) -> Result<Next> {
        match self.envelope.take() {
            Some(envelope) if !envelope.to.is_empty() => {
                self.say("354 end with a dot on a line of its own").await?;
                let Some(message) = self.message().await? else {
                    self.say("552 5.3.4 too large").await?;
                    return Ok(Next::Go);
                };
                self.take(envelope, message).await
            }
            other => {
                self.envelope = other;
                self.mistake("503 5.5.1 RCPT first").await?;
                Ok(Next::Go)
            }
        }
    }

    async fn take(&mut self, envelope: Envelope, message: Vec<u8>) -> Result<Next> {
        match self.fault {
            Some(Fault::Later) => self.say("451 4.3.0 try again later").await?,
            Some(Fault::Refuse) => self.say("554 5.6.0 this message is not taken").await?,
            fault => {
                let now = self.world.clock.now();
                let seq = self.world.mail.keep(envelope.from, envelope.to, message, now);
                if fault == Some(Fault::Close) {
                    return Ok(Next::End);
                }
                self.say(&format!("250 2.0.0 kept as {seq}")).await?;
            }
        }
        Ok(Next::Go)
    }

    /// Up to the line with the dot, unstuffed (RFC 5321 section 4.5.2); `None` when it was too long.
    async fn message(&mut self) -> Result<Option<Vec<u8>>> {
        let (mut message, mut fits) = (Vec::new(), true);
        loop {
            let line = self.raw_line().await?;
            if line == b".\r\n" {
                return Ok(fits.then_some(message));
            }
            fits = fits && message.len() + line.len() <= LARGEST;
            if fits {
                message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
        }
    }

    async fn line(&mut self) -> Result<String> {
        let line = self.raw_line().await?;
        let line = line.strip_suffix(b"\r\n").context("a command ends with CR LF")?;
        Ok(std::str::from_utf8(line)?.to_owned())
    }

    async fn raw_line(&mut self) -> Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.wire).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        if line.ends_with(b"\n") { Ok(line) } else { bail!("the client went away, or its line has no end") }
    }

    async fn mistake(&mut self, text: &str) -> Result<()> {
        self.mistakes += 1;
        self.say(text).await?;
        if self.mistakes > MISTAKES {
            bail!("too many mistakes");
        }
        Ok(())
    }

    async fn say(&mut self, text: &str) -> Result<()> {
        self.wire.write_all(format!("{text}\r\n").as_bytes()).await?;
        Ok(self.wire.flush().await?)
    }
}

/// `FROM:<address>` or `TO:<address>`, with the parameters that follow.
fn path(rest: &str, word: &str) -> Option<(String, String)> {
    let head = rest.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word))?;
    let (address, parameters) = rest[head.len()..].trim_start().strip_prefix('<')?.split_once('>')?;
    let plain = !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| (address.to_owned(), parameters.trim().to_owned()))
}

/// The code that a mailbox named after one answers with.
fn magic(address: &str) -> Option<u16> {
    let code = address.split('@').next()?.parse().ok()?;
    (400..600).contains(&code).then_some(code)
}

fn decoded(text: &str) -> Result<String> {
    Ok(String::from_utf8(STANDARD.decode(text)?)?)
}
