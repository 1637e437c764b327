//! Whatever an MSSP sends back, as a [`Reply`]: tolerant of dialects, strict about shape, never a panic.
//!
//! Real services vary in prefixes, wrappers and fault codes, so names are matched by their local part and a
//! code is whatever digits end a value (`mss:_208`, `_101`, `fi:1014`). What is not tolerated: document
//! types and entities, a second element where one may stand, and bodies beyond the limits. Faults arrive
//! with HTTP 500 and a body that says more than the status does; a body that says nothing becomes
//! [`Reply::Unreadable`] with the HTTP status, and the attempt decides what that means.

mod code;
mod fault;
mod json;
mod redact;
mod response;
mod tree;

pub use self::redact::redact;
use self::tree::Element;
use crate::reply::{Reply, Unreadable, WhyUnreadable};

/// Largest body that is looked at; a certificate answer is some 10 KB.
pub const MAX_BODY: usize = 256 * 1024;

/// Reads the body of an HTTP answer.
pub fn reply(http_status: u16, body: &[u8]) -> Reply {
    parse(body).unwrap_or_else(|why| Reply::Unreadable(Unreadable { http_status, why }))
}

fn parse(body: &[u8]) -> Result<Reply, WhyUnreadable> {
    if body.len() > MAX_BODY {
        return Err(WhyUnreadable::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|_| WhyUnreadable::NotUtf8)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(WhyUnreadable::Empty);
    }
    if text.starts_with('{') {
        return json::fault(text).map(Reply::Fault);
    }
    if is_html(text) {
        return Err(WhyUnreadable::Html);
    }
    let root = tree::parse(text)?;
    let body = root.named("Envelope").ok_or(WhyUnreadable::NotAMessage)?;
    let body = body.one("Body")?.ok_or(WhyUnreadable::NotAMessage)?;
    match body.children.as_slice() {
        [fault] if fault.name == "Fault" => fault::read(fault).map(Reply::Fault),
        [wrapper] => response::read(accessor(wrapper)).map(Reply::Response),
        [] => Err(WhyUnreadable::NotAMessage),
        _ => Err(WhyUnreadable::Duplicate),
    }
}

/// Some services put the message straight into the body, some wrap it in the operation's name.
fn accessor(wrapper: &Element) -> &Element {
    match wrapper.children.as_slice() {
        [message] if message.name.starts_with("MSS_") => message,
        _ => wrapper,
    }
}

fn is_html(text: &str) -> bool {
    let start: String = text.chars().take(16).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// Shortens a provider's free text for a log line and takes out what must not be there.
fn remark(text: &str) -> Option<String> {
    let tidy: String = redact(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = tidy.chars().take(200).collect();
    (!short.is_empty()).then_some(short)
}

#[cfg(test)]
mod tests;
