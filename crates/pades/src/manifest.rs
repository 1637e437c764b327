//! What a later revision may touch: the declared fields of a provisioned file.
//!
//! Provisioning happens once, before the first signature. Everything that comes later (signatures, number, date,
//! seal) finds its place already made; the manifest names each object, so that server, phone and verifier can
//! demand that an appended revision touches exactly these, in order, once.

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    form_version::FormVersion,
    look,
    pdf::{Dict, ObjRef, Object, Rect},
};

/// The declared fields of one provisioned base; JSON, versioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form.
    pub version: FormVersion<1>,
    /// SHA-256 of the provisioned base.
    pub base_sha256: Digest,
    /// Length of the base in bytes.
    pub base_len: u64,
    /// Number of pages.
    pub pages: u32,
    /// The catalog.
    pub root: ObjRef,
    /// The interactive form dictionary.
    pub acroform: ObjRef,
    /// The form's array of fields.
    pub fields_array: ObjRef,
    /// The font in the form's resources that fills are drawn with.
    pub font: ObjRef,
    /// In the order of signing, number and date before the seal.
    pub fields: Vec<Declared>,
}

impl Manifest {
    /// The field called `name`.
    pub fn field(&self, name: &str) -> Option<&Declared> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The first field of `kind`.
    pub fn of_kind(&self, kind: FieldKind) -> Option<&Declared> {
        self.fields.iter().find(|field| field.kind == kind)
    }

    /// SHA-256 over every member in a fixed text form, whatever the JSON looks like: what a decision names.
    pub fn digest(&self) -> Digest {
        use std::fmt::Write as _;
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "trinhky-manifest:{}\n{} {}\n{} {} {} {} {}\n",
            self.version,
            self.base_sha256,
            self.base_len,
            self.pages,
            self.root,
            self.acroform,
            self.fields_array,
            self.font
        );
        for field in &self.fields {
            let _ =
                write!(text, "{} {} {} {} {:?}", field.name, field.id, field.page, field.page_id, field.rect);
            let _ = write!(text, " {:?} {} {:?} {:?}", field.kind, field.annots, field.slots, field.max_len);
            let _ = write!(text, " {:?} {:?} {}", field.followed_by, field.text, field.locks);
            for printed in &field.printed {
                let _ = write!(text, " {printed:?}");
            }
            text.push('\n');
        }
        Digest::of(text.as_bytes())
    }
}

/// What a declared field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Số, ký hiệu (ô 3 of NĐ 30/2020 Phụ lục I).
    Number,
    /// Ngày tháng năm ban hành (ô 4).
    Date,
    /// The signature of the k-th authorised person (ô 7c).
    Signer(u16),
    /// The organisation's signature (ô 8).
    Seal,
}

impl FieldKind {
    /// The field's name; none is a prefix of another, which some validators get wrong.
    pub fn name(self) -> String {
        match self {
            Self::Number => "DocNumber".to_owned(),
            Self::Date => "DocDate".to_owned(),
            Self::Signer(k) => format!("Signer{k}"),
            Self::Seal => "OrgSeal".to_owned(),
        }
    }

    /// Whether it is filled with text, not with a signature.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Number | Self::Date)
    }
}

/// One declared field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    /// Full name.
    pub name: String,
    /// What it is for.
    pub kind: FieldKind,
    /// The field, which is its own widget.
    pub id: ObjRef,
    /// Page number from 1.
    pub page: u32,
    /// The page object.
    pub page_id: ObjRef,
    /// The page's array of annotations.
    pub annots: ObjRef,
    /// Where it is, in points from the lower left corner of the page as displayed.
    pub rect: Rect,
    /// Where text is drawn within `rect` (same coordinates): one slot for the whole text, or day, month and year
    /// between the words that the page already has.
    pub slots: Vec<Slot>,
    /// Most characters of a text.
    pub max_len: Option<u16>,
    /// What the page itself has behind the field on the same line, such as `/QĐ-UBND`.
    pub followed_by: Option<String>,
    /// The parts of a date that the page says already, as `tháng 5 năm 2026`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub printed: Vec<Printed>,
    /// The text drawn at provisioning (numbering before the signature): then nothing may fill it later.
    pub text: Option<String>,
    /// Whether signing this field locks every field (`/Lock` with action All).
    pub locks: bool,
}

impl Declared {
    /// What has to be drawn so that the page says `full`: without the end that the page has already. A page with
    /// `Số:      /QĐ-UBND` needs `29` alone to say `29/QĐ-UBND`.
    pub fn to_draw<'t>(&self, full: &'t str) -> &'t str {
        beyond(full, self.followed_by.as_deref())
    }

    /// What the page has printed beside the field and what `full` does not agree with, if anything: `/NQ-HĐND` behind the
    /// number of a decision, `tháng 5` beside a date in June.
    pub fn contradicted(&self, full: &str) -> Option<String> {
        contradicted(full, self.followed_by.as_deref(), &self.printed)
    }
}

/// See [`Declared::contradicted`].
pub(crate) fn contradicted(full: &str, followed_by: Option<&str>, printed: &[Printed]) -> Option<String> {
    if let Some(end) = followed_by.filter(|end| end.contains('/') || end.starts_with(['-', '–'])) {
        let rest = without_end(full, end);
        return rest.is_none_or(str::is_empty).then(|| end.to_owned());
    }
    let wanted: Vec<Part> = printed.iter().map(|one| one.part).collect();
    if wanted.is_empty() {
        return None;
    }
    let parts = look::parts_of(full, &wanted)?;
    let same = |one: &str, other: &str| one.parse::<u16>().ok() == other.parse::<u16>().ok();
    let mut pairs = printed.iter().zip(&parts);
    pairs.find(|(one, part)| !same(&one.digits, part)).map(|(one, _)| match one.part {
        Part::Day => format!("ngày {}", one.digits),
        Part::Month => format!("tháng {}", one.digits),
        _ => format!("năm {}", one.digits),
    })
}

/// `full` without the end that stands on the page already.
pub(crate) fn beyond<'t>(full: &'t str, followed_by: Option<&str>) -> &'t str {
    followed_by.and_then(|end| without_end(full, end)).filter(|rest| !rest.is_empty()).unwrap_or(full)
}

/// `full` without `end`, however that was typed: blanks, the kind of hyphen, capitals, and the Icelandic Ð that many
/// keyboards give for Đ make no difference.
fn without_end<'t>(full: &'t str, end: &str) -> Option<&'t str> {
    let same = |c: char| match c {
        'Ð' | 'đ' | 'ð' => 'Đ',
        '–' | '—' | '‐' | '‑' | '−' => '-',
        other => other.to_uppercase().next().unwrap_or(other),
    };
    let mut rest = full;
    for wanted in end.chars().rev().filter(|c| !c.is_whitespace()).map(same) {
        rest = rest.trim_end();
        let last = rest.chars().next_back().filter(|last| same(*last) == wanted)?;
        rest = rest.get(..rest.len() - last.len_utf8())?;
    }
    Some(rest)
}

/// A part of a date that stands on the page, in digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printed {
    /// Which part.
    pub part: Part,
    /// As printed.
    pub digits: String,
}

/// Where a part of a text goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Which part.
    pub part: Part,
    /// In displayed coordinates.
    pub rect: Rect,
}

/// A part of a field's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// All of it.
    Whole,
    /// The day, two digits.
    Day,
    /// The month, 01, 02, 3 … 12.
    Month,
    /// The year, four digits.
    Year,
    /// The last two digits of the year, where the page has `năm 20…`.
    YearInCentury,
}

/// Private entry of a widget: where its text is drawn, relative to it.
pub(crate) const SLOTS_KEY: &str = "TRK_Slots";

/// Private entry of a widget: what the page has beside it, so that a file can be filled without its manifest. A string
/// behind a number, names and digits of the parts of a date.
pub(crate) const PRINTED_KEY: &str = "TRK_Printed";

/// Private entry of a widget: its text is slanted.
pub(crate) const ITALIC_KEY: &str = "TRK_Italic";

/// The keys of a widget that filling or signing may add or change.
pub const TEXT_KEYS: [&str; 4] = ["V", "AP", "Ff", "DA"];

/// The keys of a signature widget that signing may add or change.
pub const SIGNATURE_KEYS: [&str; 2] = ["V", "AP"];

impl Part {
    const NAMES: [(Self, &str); 5] = [
        (Self::Whole, "Whole"),
        (Self::Day, "Day"),
        (Self::Month, "Month"),
        (Self::Year, "Year"),
        (Self::YearInCentury, "YearInCentury"),
    ];
}

impl Printed {
    /// Notes what stands beside a widget in its private entry.
    pub(crate) fn note(widget: &mut Dict, followed_by: Option<&str>, printed: &[Self]) {
        let pair = |one: &Self| {
            let name =
                Part::NAMES.iter().find(|(part, _)| *part == one.part).map_or("Whole", |(_, name)| name);
            [Object::name(name), Object::Str(one.digits.clone().into_bytes())]
        };
        if let Some(text) = followed_by {
            widget.set(PRINTED_KEY, look::text_object(text));
        } else if !printed.is_empty() {
            widget.set(PRINTED_KEY, Object::Array(printed.iter().flat_map(pair).collect()));
        }
    }

    /// What [`Printed::note`] wrote; nothing if it makes no sense.
    pub(crate) fn from_object(object: &Object) -> (Option<String>, Vec<Self>) {
        if let Some(text) = object.as_str() {
            return (Some(look::text_string(text)), Vec::new());
        }
        let one = |pair: &[Object]| {
            let [Object::Name(name), Object::Str(digits)] = pair else { return None };
            let (part, _) = Part::NAMES.iter().find(|(_, known)| known.as_bytes() == name.as_slice())?;
            Some(Self { part: *part, digits: look::text_string(digits) })
        };
        let items = object.as_array().unwrap_or_default();
        (None, items.chunks(2).take(8).map(one).collect::<Option<Vec<_>>>().unwrap_or_default())
    }
}

impl Slot {
    /// The slots of a widget as its private entry, so that a file can be filled without its manifest.
    pub(crate) fn to_object(slots: &[Self]) -> Object {
        let mut items = Vec::new();
        for slot in slots {
            let name =
                Part::NAMES.iter().find(|(part, _)| *part == slot.part).map_or("Whole", |(_, name)| name);
            items.push(Object::name(name));
            items.push(slot.rect.to_object());
        }
        Object::Array(items)
    }

    /// What [`Slot::to_object`] wrote; empty if it makes no sense.
    pub(crate) fn from_object(object: &Object) -> Vec<Self> {
        let slot = |pair: &[Object]| {
            let [Object::Name(name), rect] = pair else { return None };
            let (part, _) = Part::NAMES.iter().find(|(_, known)| known.as_bytes() == name.as_slice())?;
            Some(Self { part: *part, rect: Rect::from_object(rect)? })
        };
        let items = object.as_array().unwrap_or_default();
        items.chunks(2).take(8).map(slot).collect::<Option<Vec<_>>>().unwrap_or_default()
    }

    /// The slot in coordinates that count from the lower left corner of `field`.
    pub(crate) fn relative_to(&self, field: Rect) -> Self {
        let rect = Rect {
            x0: self.rect.x0 - field.x0,
            y0: self.rect.y0 - field.y0,
            x1: self.rect.x1 - field.x0,
            y1: self.rect.y1 - field.y0,
        };
        Self { part: self.part, rect: rect.rounded() }
    }
}
