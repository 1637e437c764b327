//! Letters as a receiver's program reads them: by a parser that is not the one that wrote them.

use mail_parser::{MessageParser, MimeHeaders as _};
use time::macros::{date, datetime};
use trinhky_domain::document::{Bundle, Chain, Head, Particulars, State, Version};
use trinhky_domain::ids::{DocumentId, OfficeId, PersonId, RegisterId};
use trinhky_domain::paper::{Channel, DocumentType, Family, Recipient, Secrecy, Urgency};
use trinhky_domain::policy::Numbering;
use trinhky_domain::register::{DocumentNumber, Serial, Series, Symbol};
use trinhky_domain::release::CopyState;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-08-20 10:00 +7);
const OFFICE: &str = "Ủy ban nhân dân phường Mường Thanh";
const SUBJECT: &str =
    "Về việc ban hành Quy chế quản lý, sử dụng chữ ký số, chứng thư số và thiết bị lưu khóa bí mật";

fn document() -> Document {
    Document {
        id: DocumentId::at(NOW, 1),
        version: Version::FIRST,
        state: State::Released { at: NOW, recall: None, replaced_by: None, corrected_by: None },
        revision: 1,
        office: OfficeId::at(NOW, 2),
        drafter: PersonId::at(NOW, 3),
        particulars: Particulars {
            family: Family::Administrative,
            kind: DocumentType::Decision,
            subject: SUBJECT.into(),
            unit: None,
            council: None,
            urgency: Urgency::Flash,
            secrecy: Secrecy::None,
            language: "vi".into(),
            pages: 1,
            reply_by: None,
            remark: None,
            recipients: Vec::new(),
        },
        symbol: Symbol {
            family: Family::Administrative,
            kind: DocumentType::Decision,
            office: "UBND".into(),
            unit: None,
        },
        series: Series::Administrative,
        numbering: Numbering::AfterSign,
        chain: Chain { steps: Vec::new(), signers: Vec::new(), clerk: PersonId::at(NOW, 4) },
        bundle: Bundle(Vec::new()),
        manifest: Digest::of(b"manifest"),
        head: Head { sha256: Digest::of(b"head"), length: 4 },
        signed: Vec::new(),
        number: Some(DocumentNumber {
            register: RegisterId::at(NOW, 6),
            serial: Serial(29),
            notation: "QĐ-UBND".into(),
            date: date!(2026 - 08 - 20),
        }),
        number_drawn: false,
        wish: None,
        created: NOW,
        waiting_since: NOW,
    }
}

fn copy(name: &str) -> Copy {
    Copy {
        id: CopyId::at(NOW, 5),
        document: DocumentId::at(NOW, 1),
        recipient: Recipient { code: None, name: name.into(), channel: Channel::Email, email: None },
        state: CopyState::Queued,
        hindrance: None,
        note: None,
        since: NOW,
        version: Version::FIRST,
    }
}

fn written(name: &str, write: impl FnOnce(Letter<'_>) -> Result<Vec<u8>, LetterError>) -> Vec<u8> {
    let (to, from) = ("vanthu@noivu.example", "vanthu@muongthanh.example");
    let (to, from) = (to.parse().expect("an address"), from.parse().expect("an address"));
    let (copy, document) = (copy(name), document());
    let letter = Letter { copy: &copy, to: &to, from: &from, office: OFFICE, document: &document, at: NOW };
    write(letter).expect("written")
}

fn released(enclosures: Vec<(&str, &[u8])>) -> Vec<u8> {
    let enclosure = |(name, bytes): (&str, &[u8])| Enclosure {
        name: file_name(name),
        sha256: Digest::of(bytes),
        bytes: bytes.to_vec(),
    };
    written("Sở Nội vụ", |letter| letter.release(enclosures.into_iter().map(enclosure).collect()))
}

#[test]
fn a_receivers_program_reads_what_was_written() {
    let files: [(&str, &[u8]); 2] =
        [("29/QĐ-UBND", b"%PDF-1.7\n.\nFrom me\r\n.\r\n\xff\0"), ("Phụ lục số 1.pdf", b"%PDF")];
    let raw = released(files.to_vec());
    assert!(raw.is_ascii() && raw.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
    let read = MessageParser::default().parse(&raw).expect("a message");
    assert_eq!(read.subject(), Some(format!("[HỎA TỐC] 29/QĐ-UBND: {SUBJECT}").as_str()));
    let from = read.from().and_then(|from| from.first()).expect("from");
    assert_eq!((from.name(), from.address()), (Some(OFFICE), Some("vanthu@muongthanh.example")));
    assert_eq!(read.message_id(), Some(format!("{}@muongthanh.example", CopyId::at(NOW, 5)).as_str()));
    assert_eq!(read.date().map(mail_parser::DateTime::to_timestamp), Some(NOW.unix_timestamp()));
    let text = read.body_text(0).expect("a text");
    for part in ["Kính gửi: Sở Nội vụ", "quyết định số 29/QĐ-UBND ngày 20 tháng 08 năm 2026", SUBJECT]
    {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let read: Vec<_> = read.attachments().map(|part| (part.attachment_name(), part.contents())).collect();
    assert_eq!(read, [(Some("29-QĐ-UBND.pdf"), files[0].1), (Some("Phụ lục số 1.pdf"), files[1].1)]);
}

#[test]
fn the_same_copy_is_the_same_message_and_its_recall_answers_it() {
    let recall = Recall { reason: "sai thẩm quyền".into(), by: PersonId::at(NOW, 4), at: NOW };
    let raw = written("Sở Nội vụ", |letter| letter.recall(&recall));
    let asked = MessageParser::default().parse(&raw).expect("a message");
    let first = released(Vec::new());
    let first = MessageParser::default().parse(&first).expect("a message");
    assert_ne!(asked.message_id(), first.message_id());
    assert_eq!(asked.in_reply_to().as_text(), first.message_id());
    assert!(asked.body_text(0).expect("a text").contains("Lý do: sai thẩm quyền"));
}

#[test]
fn a_name_adds_no_header() {
    let raw = written("Sở Nội vụ\r\nBcc: khac@x.example", |letter| letter.release(Vec::new()));
    let read = MessageParser::default().parse(&raw).expect("a message");
    assert!(read.bcc().is_none());
    assert_eq!(file_name("../../etc/passwd\n"), "-..-etc-passwd.pdf");
}

#[test]
fn the_length_is_never_guessed_too_short() {
    for length in [0usize, 1, 56, 57, 58, 1_000, 100_000] {
        let bytes = vec![7; length];
        let raw = released(vec![("a.pdf", &bytes)]);
        let guessed = length_of(length as u64);
        assert!(raw.len() as u64 <= guessed && guessed <= raw.len() as u64 + TEXT, "{length}: {}", raw.len());
    }
}
