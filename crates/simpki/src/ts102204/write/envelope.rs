//! The parts that every request has: envelope, wrapper, accessor, and the common header.
//!
//! `<env:Envelope><env:Body><w:OPERATION><REQUEST xmlns="">` and inside it `AP_Info, MSSP_Info` (TS 102 204
//! clause 7.1, `MessageAbstractType`). The accessor has no namespace (rpc/literal), its children are `mss`.

use quick_xml::escape::escape;
use time::{OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description};
use zeroize::Zeroizing;

use super::{Ap, Message};
use crate::{
    ids::{ApTransId, Msisdn},
    ts102204::{MSS, Port, SOAP},
};

/// A request being written.
pub(super) struct Envelope {
    port: Port,
    operation: &'static str,
    accessor: &'static str,
    xml: Zeroizing<String>,
}

impl Envelope {
    /// Opens the envelope down to the common header; `attributes` are those of the accessor beyond the versions.
    pub(super) fn open(
        ap: &Ap,
        port: Port,
        (operation, accessor): (&'static str, &'static str),
        attributes: &[(&str, &str)],
        ap_trans_id: &ApTransId,
        now: OffsetDateTime,
    ) -> Self {
        // One allocation large enough for every request, so that no half-written copy of the password stays
        // behind in memory that was outgrown.
        let mut it = Self { port, operation, accessor, xml: Zeroizing::new(String::with_capacity(8 * 1024)) };
        let instant = instant(now);
        it.start("env:Envelope", &[("xmlns:env", SOAP)]);
        it.start("env:Body", &[]);
        it.start(&format!("w:{operation}"), &[("xmlns:w", &ap.profile.wrapper)]);
        let mut all = vec![("xmlns", ""), ("xmlns:mss", MSS), ("MajorVersion", "1"), ("MinorVersion", "1")];
        all.extend_from_slice(attributes);
        it.start(accessor, &all);
        it.empty(
            "mss:AP_Info",
            &[
                ("AP_ID", ap.id.as_str()),
                ("AP_PWD", ap.password.expose()),
                ("AP_TransID", ap_trans_id.as_str()),
                ("Instant", &instant),
            ],
        );
        it.start("mss:MSSP_Info", &[("Instant", &instant)]);
        it.nested(&["mss:MSSP_ID", "mss:URI"], ap.mssp.as_str());
        it.end("mss:MSSP_Info");
        it
    }

    /// `MobileUser/MSISDN`.
    pub(super) fn mobile_user(&mut self, msisdn: &Msisdn) {
        self.nested(&["mss:MobileUser", "mss:MSISDN"], msisdn.expose());
    }

    /// An element with text and attributes.
    pub(super) fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.start(name, attributes);
        self.xml.push_str(&escape(text));
        self.end(name);
    }

    /// Text inside elements inside each other, outermost first.
    pub(super) fn nested(&mut self, names: &[&str], text: &str) {
        for name in names {
            self.start(name, &[]);
        }
        self.xml.push_str(&escape(text));
        for name in names.iter().rev() {
            self.end(name);
        }
    }

    /// Opens an element.
    pub(super) fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.xml.push('>');
    }

    /// Closes an element.
    pub(super) fn end(&mut self, name: &str) {
        self.xml.push_str("</");
        self.xml.push_str(name);
        self.xml.push('>');
    }

    /// Closes everything that [`Envelope::open`] opened.
    pub(super) fn close(mut self) -> Message {
        self.end(self.accessor);
        self.end(&format!("w:{}", self.operation));
        self.end("env:Body");
        self.end("env:Envelope");
        Message { port: self.port, body: self.xml }
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.xml.push_str("/>");
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.xml.push('<');
        self.xml.push_str(name);
        for (key, value) in attributes {
            self.xml.push(' ');
            self.xml.push_str(key);
            self.xml.push_str("=\"");
            self.xml.push_str(&escape(*value));
            self.xml.push('"');
        }
    }
}

/// An instant as every provider reads it: UTC, milliseconds, `Z`.
fn instant(at: OffsetDateTime) -> String {
    const FORM: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    // The form names only parts that every date has, so formatting cannot fail.
    at.to_offset(UtcOffset::UTC).format(FORM).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn instants_are_utc_with_milliseconds() {
        assert_eq!(instant(datetime!(2025-03-05 15:00:00.0419 +07:00)), "2025-03-05T08:00:00.041Z");
        assert_eq!(instant(datetime!(2025-03-05 00:00:00 UTC)), "2025-03-05T00:00:00.000Z");
    }
}
