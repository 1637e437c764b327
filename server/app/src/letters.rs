//! The letters that go with a copy by e-mail: the released document with its attachments, and the request to give a
//! recalled one back. Pure: what is in them comes in as arguments.
//!
//! The subject is số ký hiệu and trích yếu, as offices are used to. The Message-ID is made of the copy's id, so that a
//! message handed over twice is one message to whoever receives it (RFC 5322 section 3.6.4).

use std::fmt::Write as _;
use std::time::SystemTime;

use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, Body, Mailbox, Message, MultiPart, SinglePart};
use time::OffsetDateTime;
use trinhky_domain::document::Recall;
use trinhky_domain::email::EmailAddress;
use trinhky_domain::ids::CopyId;
use trinhky_domain::release::Copy;
use trinhky_domain::{Digest, Document};

/// A file that goes with the letter.
pub(crate) struct Enclosure {
    /// Name as the receiver saves it.
    pub(crate) name: String,
    /// Its digest, for the receiver to compare.
    pub(crate) sha256: Digest,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Who writes to whom about what.
pub(crate) struct Letter<'a> {
    /// The copy.
    pub(crate) copy: &'a Copy,
    /// Where it goes.
    pub(crate) to: &'a EmailAddress,
    /// The office's mailbox.
    pub(crate) from: &'a EmailAddress,
    /// The issuing office's name.
    pub(crate) office: &'a str,
    /// The document.
    pub(crate) document: &'a Document,
    /// Now.
    pub(crate) at: OffsetDateTime,
}

/// The letter cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LetterError {
    /// The document has no number: it was never released.
    #[error("the document has no number")]
    NoNumber,
    /// The parts do not make a message.
    #[error("the message cannot be put together: {0}")]
    Message(#[from] lettre::error::Error),
    /// An address that this library does not take, although ours did.
    #[error("the address cannot be written: {0}")]
    Address(#[from] lettre::address::AddressError),
}

impl Letter<'_> {
    /// The document, as it was released.
    ///
    /// # Errors
    /// [`LetterError`].
    pub(crate) fn release(&self, enclosures: Vec<Enclosure>) -> Result<Vec<u8>, LetterError> {
        let number = self.number()?;
        let urgency = self.document.particulars.urgency.mark();
        let mark = urgency.map(|mark| format!("[{mark}] ")).unwrap_or_default();
        let subject = format!("{mark}{number}: {}", self.document.particulars.subject);
        let mut text = format!(
            "Kính gửi: {to}\n\n{office} gửi {kind} số {number} {day}.\nTrích yếu: {subject}\n",
            to = self.copy.recipient.name,
            office = self.office,
            kind = self.kind(),
            day = self.day()?,
            subject = self.document.particulars.subject,
        );
        if let Some(mark) = urgency {
            let _ = writeln!(text, "Độ khẩn: {mark}");
        }
        text.push_str("\nTệp kèm theo:\n");
        for (place, file) in enclosures.iter().enumerate() {
            let Enclosure { name, sha256, bytes } = file;
            let _ = writeln!(text, "{}. {name} ({} byte), SHA-256: {sha256}", place + 1, bytes.len());
        }
        text.push_str(
            "\nVăn bản điện tử đã có chữ ký số của người có thẩm quyền và của cơ quan ban hành, có giá trị pháp lý như \
             bản gốc văn bản giấy (Nghị định số 30/2020/NĐ-CP, Điều 5). Đề nghị nơi nhận kiểm tra chữ ký số khi mở tệp và \
             trả lời thư này trong ngày để xác nhận đã nhận (Điều 21). Nếu thư đến nhầm nơi, đề nghị báo lại và hủy thư.\n",
        );
        let _ = write!(text, "\nMã bản gửi: {}\n", self.copy.id);
        let mut parts = MultiPart::mixed().singlepart(SinglePart::plain(text));
        for Enclosure { name, bytes, .. } in enclosures {
            parts = parts.singlepart(Attachment::new(name).body(base64(bytes), pdf()));
        }
        let id = release_id(self.copy.id, self.from);
        Ok(self.begin(&subject)?.message_id(Some(id)).multipart(parts)?.formatted())
    }

    /// The request to give the document back.
    ///
    /// # Errors
    /// [`LetterError`].
    pub(crate) fn recall(&self, recall: &Recall) -> Result<Vec<u8>, LetterError> {
        let number = self.number()?;
        let subject = format!("Thu hồi văn bản {number}: {}", self.document.particulars.subject);
        let text = format!(
            "Kính gửi: {to}\n\n{office} thu hồi {kind} số {number} {day}.\nTrích yếu: {subject}\nLý do: {reason}\n\n\
             Đề nghị nơi nhận hủy bản điện tử đã nhận và trả lời thư này là đồng ý hay từ chối thu hồi (Nghị định số \
             30/2020/NĐ-CP, Điều 18). Nếu chưa nhận được văn bản, đề nghị hủy khi nhận được.\n\nMã bản gửi: {id}\n",
            to = self.copy.recipient.name,
            office = self.office,
            kind = self.kind(),
            day = self.day()?,
            subject = self.document.particulars.subject,
            reason = recall.reason,
            id = self.copy.id,
        );
        let about = release_id(self.copy.id, self.from);
        let id = format!("<{}.thu-hoi@{}>", self.copy.id, self.from.domain());
        let message = self.begin(&subject)?.message_id(Some(id)).in_reply_to(about.clone()).references(about);
        Ok(message.singlepart(SinglePart::plain(text))?.formatted())
    }

    fn begin(&self, subject: &str) -> Result<lettre::message::MessageBuilder, LetterError> {
        let from = Mailbox::new(Some(self.office.to_owned()), self.from.as_str().parse()?);
        let to = Mailbox::new(Some(one_line(&self.copy.recipient.name)), self.to.as_str().parse()?);
        let message = Message::builder().from(from).to(to).subject(one_line(subject));
        Ok(message.date(SystemTime::from(self.at)))
    }

    fn number(&self) -> Result<String, LetterError> {
        self.document.number.as_ref().map(ToString::to_string).ok_or(LetterError::NoNumber)
    }

    fn day(&self) -> Result<String, LetterError> {
        let date = self.document.number.as_ref().ok_or(LetterError::NoNumber)?.date;
        let (year, month, day) = date.to_calendar_date();
        Ok(format!("ngày {day:02} tháng {:02} năm {year}", u8::from(month)))
    }

    /// In the middle of a sentence.
    fn kind(&self) -> String {
        self.document.particulars.kind.name().to_lowercase()
    }
}

/// What a receiver knows the copy by.
fn release_id(copy: CopyId, from: &EmailAddress) -> String {
    format!("<{copy}@{}>", from.domain())
}

/// How much longer a message is than what it carries: base64 with its line ends (RFC 2045 section 6.8), and its text.
pub(crate) const fn length_of(enclosed: u64) -> u64 {
    enclosed / 57 * 78 + 78 + TEXT
}

const TEXT: u64 = 16 * 1024;

/// A file name that every system takes: the number's slashes, and what could lead out of a folder, become dashes.
pub(crate) fn file_name(text: &str) -> String {
    let plain = |c: char| if c.is_control() || "/\\:*?\"<>|".contains(c) { '-' } else { c };
    let name: String = text.trim().chars().map(plain).take(120).collect();
    let name = name.trim_matches('.').to_owned();
    if name.to_lowercase().ends_with(".pdf") { name } else { format!("{name}.pdf") }
}

/// Nothing that a header's end could be hidden in.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Always base64: a PDF of plain letters must not have its line ends mended on the way.
fn base64(bytes: Vec<u8>) -> Body {
    Body::new_with_encoding(bytes, ContentTransferEncoding::Base64)
        .unwrap_or_else(|_| unreachable!("base64 takes any bytes"))
}

fn pdf() -> ContentType {
    ContentType::parse("application/pdf").unwrap_or(ContentType::TEXT_PLAIN)
}

#[cfg(test)]
mod tests;
