//! What preparing a revision must know about a file, as small plain data: independent of how many objects it has.
//!
//! Made once when a file is taken in, carried on by every appended revision, stored beside the file. With it
//! [`prepare`](crate::prepare()) reads only the widget it changes.

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    form_version::FormVersion,
    pdf::{Dict, Lexer, ObjRef, Rect, SectionKind, write_dict},
    protection::Protected,
};

/// The index of a file at one length; JSON, versioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaseIndex {
    /// Version of this form.
    pub version: FormVersion<1>,
    /// Length of the file in bytes.
    pub len: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Number of revisions.
    pub revisions: u32,
    /// The value of the last `startxref`.
    pub startxref: u64,
    /// Form of the last cross-reference section: what is appended takes the same.
    pub kind: SectionKind,
    /// Whether the last byte is a line end.
    pub ends_line: bool,
    /// The next free object number.
    pub size: u32,
    /// What the trailer carries on, as PDF text (`/Size`, `/Prev` and what belongs to the section alone left out).
    pub trailer: String,
    /// The catalog.
    pub root: ObjRef,
    /// Number of pages.
    pub pages: u32,
    /// Part of PDF/A that the file claims, if any: part 1 knows no transparency.
    pub pdfa_part: Option<u8>,
    /// The form, if there is one.
    pub form: Option<FormSite>,
    /// The widgets a revision may touch.
    pub fields: Vec<FieldSite>,
    /// The document security store, once there is one.
    pub dss: Option<ObjRef>,
    /// What the signatures of the file forbid to the next.
    #[serde(default)]
    pub protected: Protected,
}

/// The interactive form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormSite {
    /// The form dictionary, if it is an object of its own.
    pub id: Option<ObjRef>,
    /// Where that object lies; `None` within an object stream.
    pub at: Option<u64>,
    /// `/SigFlags` as it is now.
    pub sig_flags: i64,
    /// The font that fills are drawn with, and the version of its character table.
    pub font: Option<(ObjRef, u16)>,
}

/// A form field that is its own widget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldSite {
    /// Full name.
    pub name: String,
    /// Signature field or text field.
    pub signature: bool,
    /// The object.
    pub id: ObjRef,
    /// Where it lies now.
    pub at: u64,
    /// Page number from 1.
    pub page: u32,
    /// The page object.
    pub page_id: ObjRef,
    /// Clockwise rotation of that page.
    pub rotate: u16,
    /// Rectangle in the page's own coordinates.
    pub rect: Rect,
    /// Size as displayed.
    pub size: (f64, f64),
    /// Whether it already has a value.
    pub filled: bool,
    /// Text slots, relative to the lower left corner as displayed; empty: the whole rectangle.
    pub slots: Vec<crate::manifest::Slot>,
    /// Most characters.
    pub max_len: Option<u16>,
    /// Drawn slanted (ô 4 is set in italics).
    pub italic: bool,
    /// What the page has behind it on the same line, such as `/QĐ-UBND`.
    #[serde(default)]
    pub followed_by: Option<String>,
    /// The parts of a date that the page says already.
    #[serde(default)]
    pub printed: Vec<crate::manifest::Printed>,
}

impl FieldSite {
    /// What has to be drawn so that the page says `full`; see [`Declared::to_draw`](crate::manifest::Declared::to_draw).
    pub fn to_draw<'t>(&self, full: &'t str) -> &'t str {
        crate::manifest::beyond(full, self.followed_by.as_deref())
    }

    /// What of the page `full` does not agree with; see
    /// [`Declared::contradicted`](crate::manifest::Declared::contradicted).
    pub fn contradicted(&self, full: &str) -> Option<String> {
        crate::manifest::contradicted(full, self.followed_by.as_deref(), &self.printed)
    }
}

impl BaseIndex {
    /// The site of the field called `name`.
    pub fn field(&self, name: &str) -> Option<&FieldSite> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The trailer keys that are carried on.
    pub fn trailer_dict(&self) -> Dict {
        let parsed = Lexer::new(self.trailer.as_bytes(), 0, 64).whole().object();
        parsed.ok().and_then(|object| object.as_dict().cloned()).unwrap_or_default()
    }

    /// What of a trailer is carried on to the next, as text.
    pub(crate) fn carried(trailer: &Dict) -> String {
        let mut kept = Dict::new();
        for (key, value) in trailer.iter() {
            if !OWN_KEYS.iter().any(|own| own.as_bytes() == key) {
                kept.push(key.to_vec(), value.clone());
            }
        }
        kept.tidy();
        let mut text = Vec::new();
        write_dict(&mut text, &kept);
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Keys that belong to one cross-reference section alone.
const OWN_KEYS: [&str; 13] = [
    "Size",
    "Prev",
    "XRefStm",
    "Type",
    "W",
    "Index",
    "Length",
    "Filter",
    "DecodeParms",
    "F",
    "FFilter",
    "FDecodeParms",
    "DL",
];
