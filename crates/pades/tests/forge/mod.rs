//! What somebody does who changes signed files with a program of their own: revisions with any objects in the file's own
//! style, entries that lead anywhere, and the places worth changing.

#![allow(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

use trinhky_pades::pdf::{Dict, File, Limits, ObjRef, Object, SectionKind, write_dict};

/// Appends a revision with these objects, as any program could.
pub(crate) fn revised(bytes: &[u8], objects: &[(u32, String)]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut entries = Vec::new();
    for (number, body) in objects {
        entries.push((*number, Entry::At(out.len())));
        out.extend(format!("{number} 0 obj\n{body}\nendobj\n").bytes());
    }
    referenced(&out, bytes, &entries, None)
}

/// What an entry of a cross-reference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The object is there, in this file or where it was meant to be hidden.
    At(usize),
    /// There is none.
    Free,
}

/// Closes a revision of `out` over `bytes` with these entries, as table or stream like the last one, perhaps with another
/// catalog.
pub(crate) fn referenced(out: &[u8], bytes: &[u8], entries: &[(u32, Entry)], root: Option<u32>) -> Vec<u8> {
    let file = File::open_strict(&bytes, &Limits::default()).unwrap();
    let root = root.map_or_else(|| file.latest().root_ref().unwrap(), ObjRef::new);
    let last = entries.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
    let mut size = last.max(file.latest().size());
    let carried = carried(file.latest().trailer());
    let mut out = out.to_vec();
    let xref = out.len();
    let mut entries = entries.to_vec();
    if file.revisions().last().unwrap().kind() == SectionKind::Table {
        out.extend(b"xref\n");
        for (number, entry) in entries {
            let (at, generation, kind) = match entry {
                Entry::At(at) => (at, 0, 'n'),
                Entry::Free => (0, 1, 'f'),
            };
            out.extend(format!("{number} 1\n{at:010} {generation:05} {kind} \n").bytes());
        }
        out.extend(
            format!("trailer\n<< {carried}/Size {size} /Root {root} /Prev {} >>", file.startxref()).bytes(),
        );
    } else {
        entries.push((size, Entry::At(xref)));
        size += 1;
        let mut rows = Vec::new();
        for (_, entry) in &entries {
            let (kind, at, generation) = match entry {
                Entry::At(at) => (1, u32::try_from(*at).unwrap(), 0),
                Entry::Free => (0, 0, 1),
            };
            rows.push(kind);
            rows.extend(at.to_be_bytes());
            rows.push(generation);
        }
        let index: Vec<String> = entries.iter().map(|(number, _)| format!("{number} 1")).collect();
        out.extend(
            format!(
                "{} 0 obj\n<< {carried}/Type /XRef /Size {size} /Root {root} /Prev {} /W [1 4 1] /Index [{}] /Length {} >>\nstream\n",
                size - 1,
                file.startxref(),
                index.join(" "),
                rows.len(),
            )
            .bytes(),
        );
        out.extend(rows);
        out.extend(b"\nendstream\nendobj");
    }
    out.extend(format!("\nstartxref\n{xref}\n%%EOF\n").bytes());
    out
}

/// What a trailer hands on to the next, as `/Key value `.
fn carried(trailer: &Dict) -> String {
    const OWN: [&[u8]; 11] = [
        b"Size",
        b"Root",
        b"Prev",
        b"Type",
        b"W",
        b"Index",
        b"Length",
        b"Filter",
        b"DecodeParms",
        b"XRefStm",
        b"Encrypt",
    ];
    let kept = trailer.iter().filter(|(key, _)| !OWN.contains(key));
    let mut dict = Dict::new();
    kept.for_each(|(key, value)| dict.set(key, value.clone()));
    written(&dict).trim_start_matches("<<").trim_end_matches(">>").to_owned()
}

/// A file of these objects, numbered from 1, the first its catalog; `trailer`: what else its trailer says.
pub(crate) fn plain(objects: &[String], trailer: &str) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut table = b"0000000000 65535 f \n".to_vec();
    for (number, object) in (1..).zip(objects) {
        table.extend(format!("{:010} 00000 n \n", out.len()).bytes());
        out.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let (xref, size) = (out.len(), objects.len() + 1);
    out.extend(format!("xref\n0 {size}\n").bytes());
    out.extend(table);
    out.extend(
        format!("trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{xref}\n%%EOF\n").bytes(),
    );
    out
}

/// The dictionary of an object of the latest revision.
pub(crate) fn dict(bytes: &[u8], number: u32) -> Dict {
    let file = File::open_strict(&bytes, &Limits::default()).unwrap();
    let reference = ObjRef::new(number);
    file.latest().get(reference).unwrap().as_dict().unwrap().clone()
}

pub(crate) fn written(dict: &Dict) -> String {
    let mut out = Vec::new();
    write_dict(&mut out, dict);
    String::from_utf8_lossy(&out).into_owned()
}

/// Raw PDF as an object.
pub(crate) fn raw(text: &str) -> Object {
    trinhky_pades::pdf::Lexer::new(text.as_bytes(), 0, 32).whole().object().unwrap()
}

/// Object numbers: catalog, first page, form, and fields by name.
pub(crate) fn catalog(bytes: &[u8]) -> u32 {
    File::open_strict(&bytes, &Limits::default()).unwrap().latest().root_ref().unwrap().number
}

pub(crate) fn page(bytes: &[u8]) -> u32 {
    File::open_strict(&bytes, &Limits::default()).unwrap().latest().pages().unwrap()[0].number
}

pub(crate) fn form(bytes: &[u8]) -> u32 {
    dict(bytes, catalog(bytes)).get("AcroForm").unwrap().as_ref().unwrap().number
}

pub(crate) fn field(bytes: &[u8], name: &str) -> u32 {
    let fields = dict(bytes, form(bytes)).get("Fields").unwrap().clone();
    let file = File::open_strict(&bytes, &Limits::default()).unwrap();
    let fields = file.latest().resolve(&fields).unwrap();
    let numbers = fields.as_array().unwrap().iter().map(|item| item.as_ref().unwrap().number);
    numbers
        .into_iter()
        .find(|&number| dict(bytes, number).get("T").unwrap().as_str() == Some(name.as_bytes()))
        .unwrap()
}

pub(crate) fn with(bytes: &[u8], number: u32, changes: &[(&str, &str)]) -> String {
    let mut dict = dict(bytes, number);
    for (key, value) in changes {
        dict.set(key, raw(value));
    }
    written(&dict)
}

pub(crate) fn next(bytes: &[u8]) -> u32 {
    File::open_strict(&bytes, &Limits::default()).unwrap().latest().size()
}

pub(crate) fn stream(extra: &str, data: &str) -> String {
    format!("<< {extra} /Length {} >>\nstream\n{data}\nendstream", data.len())
}

/// The range of the hex digits of the last signature.
pub(crate) fn gap(bytes: &[u8]) -> std::ops::Range<usize> {
    let key = b"/Contents <";
    let at = bytes.windows(key.len()).rposition(|window| window == key).unwrap() + key.len();
    at..at + bytes[at..].iter().position(|&byte| byte == b'>').unwrap()
}
