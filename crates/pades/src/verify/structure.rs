//! Where the signatures are, and whether each one covers what it must: the raw bytes of its dictionary, its gap and
//! its range (ISO 32000-2, 12.8.1; the attacks known as USF, SWA and ISA).
//!
//! Everything is judged on the bytes of the revision that was signed: a dictionary that a later revision replaced
//! is not the one that was signed.

use std::collections::{HashMap, HashSet};

use super::report::Coverage;
use crate::{
    changes::{
        fields::{self, Field},
        strings::text_string,
    },
    pdf::{Dict, File, Object, PdfError, Place, View, hex_bytes, is_space},
};

/// Most signatures of one file.
const MOST: usize = 512;
/// Most revisions that are searched for signatures which the latest one lacks.
const REVISIONS: usize = 64;
/// Longest `/Contents`, in bytes of the file; all of them together are no longer than the file, or they would share bytes.
const LONGEST: u64 = 8 << 20;

/// Most objects of a revision that cannot be read where the cross-reference says; with more, its bytes are nobody's.
const UNREADABLE: usize = 16;
/// Most bytes of memory that all signatures may take.
const ROOM: usize = 128 << 20;

/// A signature as it lies in the file.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    /// Its field.
    pub(crate) field: Field,
    /// Its dictionary, as the latest revision sees it.
    pub(crate) dict: Dict,
    /// The decoded `/Contents`; empty if there is none.
    pub(crate) contents: Vec<u8>,
    /// `[0 a b c]`, once it has that form.
    pub(crate) range: Option<[u64; 4]>,
    /// How much is covered.
    pub(crate) coverage: Coverage,
    /// Index of the revision it signs; of the one that holds it if that cannot be told.
    pub(crate) revision: usize,
    /// What is wrong, the first thing first.
    pub(crate) problems: Vec<&'static str>,
}

impl Located {
    /// `/SubFilter`.
    pub(crate) fn sub_filter(&self) -> String {
        let name = self.dict.get("SubFilter").and_then(Object::as_name).unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    }

    /// Whether it is a document time stamp.
    pub(crate) fn is_timestamp(&self) -> bool {
        self.dict.is_type(b"DocTimeStamp") || self.sub_filter() == "ETSI.RFC3161"
    }

    /// Offset behind the last byte that it covers.
    pub(crate) fn end(&self) -> u64 {
        self.range.map_or(0, |[_, _, resume, rest]| resume.saturating_add(rest))
    }

    /// Counts what it takes.
    fn take(&self, room: &mut usize) -> Result<(), PdfError> {
        let size = self.contents.len() + self.dict.size() + self.field.dict.size();
        *room = room.checked_sub(size).ok_or(PdfError::Limit("signatures"))?;
        Ok(())
    }

    /// A text string of its dictionary.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.dict.get(key).and_then(Object::as_str).map(text_string)
    }
}

/// All signatures of the file, in the order of the revisions they sign.
///
/// # Errors
/// [`PdfError`] if the form cannot be walked.
pub(crate) fn locate(file: &File<'_>) -> Result<Vec<Located>, PdfError> {
    let latest = file.latest();
    let walked = fields::walk(&latest)?;
    let signed: Vec<&Field> = walked
        .values()
        .filter(|field| field.kind == b"Sig" && !field.widget_only && field.dict.contains("V"))
        .filter(|field| !latest.value(&field.dict, "V").is_ok_and(|value| value.is_null()))
        .collect();
    if signed.len() > MOST {
        return Err(PdfError::Limit("signatures"));
    }
    let mut uses: HashMap<u32, usize> = HashMap::new();
    let mut names: HashMap<&str, usize> = HashMap::new();
    for field in &signed {
        *names.entry(&field.name).or_default() += 1;
        if let Some(reference) = field.dict.get("V").and_then(Object::as_ref) {
            *uses.entry(reference.number).or_default() += 1;
        }
    }
    let mut found = Vec::new();
    let (mut left, mut room) = (file.source().len(), ROOM);
    for field in &signed {
        let mut located = one(file, &latest, field, &mut left)?;
        located.take(&mut room)?;
        let number = field.dict.get("V").and_then(Object::as_ref).map_or(0, |reference| reference.number);
        if uses.get(&number).is_some_and(|&count| count > 1) {
            located.problems.push("signature_in_two_fields");
        }
        if names.get(field.name.as_str()).is_some_and(|&count| count > 1) {
            located.problems.push("two_fields_of_one_name");
        }
        found.push(located);
    }
    history(file, &mut found, (&mut left, &mut room))?;
    overlaps(&mut found);
    found.sort_by_key(|located| (located.revision, located.range.map_or(u64::MAX, |[_, gap, ..]| gap)));
    Ok(found)
}

/// Signatures that an older revision has and the latest one has no longer, or has another one in their field: taking
/// a signature out is no way to hide it.
fn history(
    file: &File<'_>,
    found: &mut Vec<Located>,
    (left, room): (&mut u64, &mut usize),
) -> Result<(), PdfError> {
    let count = file.revisions().len().saturating_sub(1);
    for view in (count.saturating_sub(REVISIONS)..count).map(|revision| file.at(revision)) {
        let walked = match fields::walk(&view) {
            Ok(walked) => walked,
            Err(error @ PdfError::Limit(_)) => return Err(error),
            // A form that cannot be walked showed no signature to anybody.
            Err(_) => continue,
        };
        for field in walked.values().filter(|field| field.kind == b"Sig" && !field.widget_only) {
            if view.value(&field.dict, "V").unwrap_or(Object::Null).is_null() {
                continue;
            }
            let full = found.len() >= 2 * MOST;
            match found.iter_mut().find(|located| located.field.object == field.object) {
                Some(known) if known.field.dict.get("V") == field.dict.get("V") => {}
                Some(known) if known.problems.first() == Some(&"signature_removed") => {}
                Some(known) => known.problems.insert(0, "signature_replaced"),
                None if full => return Err(PdfError::Limit("signatures")),
                None => {
                    if let Ok(mut located) = one(file, &view, field, left) {
                        located.take(room)?;
                        located.problems.insert(0, "signature_removed");
                        found.push(located);
                    }
                }
            }
        }
    }
    Ok(())
}

fn one(file: &File<'_>, latest: &View<'_, '_>, field: &Field, left: &mut u64) -> Result<Located, PdfError> {
    // A dictionary that breaks the grammar is a broken signature, not an unreadable file.
    let value = latest.value(&field.dict, "V");
    let mut located = Located {
        field: field.clone(),
        dict: value.as_ref().ok().and_then(Object::as_dict).cloned().unwrap_or_default(),
        contents: Vec::new(),
        range: None,
        coverage: Coverage::Partial,
        revision: file.revisions().len().saturating_sub(1),
        problems: Vec::new(),
    };
    let Some(reference) = field.dict.get("V").and_then(Object::as_ref) else {
        located.problems.push("signature_not_indirect");
        return Ok(located);
    };
    let Some((Place::At { offset, .. }, holder)) = latest.located(reference.number) else {
        located.problems.push("signature_in_object_stream");
        return Ok(located);
    };
    located.revision = holder;
    if located.dict.is_empty() {
        located.problems.push("signature_malformed");
        return Ok(located);
    }
    if located.dict.has_duplicates() {
        located.problems.push("duplicate_keys");
    }
    // Read below as it was written.
    located.dict.remove("Contents");
    let Ok(spans) = file.dict_spans(offset) else {
        located.problems.push("signature_malformed");
        return Ok(located);
    };
    let span = |wanted: &[u8]| spans.iter().find(|(key, _)| key == wanted).map(|(_, span)| span.clone());
    let gap = span(b"Contents").filter(|gap| gap.end - gap.start <= LONGEST);
    let Some(gap) = gap else {
        located.problems.push("contents_missing");
        return Ok(located);
    };
    let Some(rest) = left.checked_sub(gap.end - gap.start) else {
        located.problems.push("contents_shared");
        return Ok(located);
    };
    *left = rest;
    let raw = file.source().slice(gap.start, usize::try_from(gap.end - gap.start).unwrap_or_default())?;
    match hexadecimal(&raw) {
        Some(contents) => located.contents = contents,
        None => located.problems.push("contents_not_hexadecimal"),
    }
    range(file, &mut located, gap.start, gap.end, holder);
    let before = holder.checked_sub(1).map(|before| file.at(before).place(reference.number));
    if before.is_some_and(|place| place != Place::Free) {
        located.problems.insert(0, "signature_replaced");
    }
    Ok(located)
}

/// `<`, hex digits, `>` and nothing else: whatever else stood here would be unsigned bytes of the dictionary.
fn hexadecimal(raw: &[u8]) -> Option<Vec<u8>> {
    hex_bytes(raw.strip_prefix(b"<")?.strip_suffix(b">")?)
}

fn range(file: &File<'_>, located: &mut Located, gap_start: u64, gap_end: u64, holder: usize) {
    let numbers: Option<Vec<u64>> =
        located.dict.get("ByteRange").and_then(Object::as_array).and_then(|items| {
            items.iter().map(|item| item.as_int().and_then(|value| u64::try_from(value).ok())).collect()
        });
    let Some(Ok([start, first, resume, rest])) = numbers.map(<[u64; 4]>::try_from) else {
        located.problems.push("byte_range_malformed");
        return;
    };
    let Some(end) = resume.checked_add(rest).filter(|&end| end <= file.source().len() && resume >= first)
    else {
        located.problems.push("byte_range_malformed");
        return;
    };
    located.range = Some([start, first, resume, rest]);
    if start != 0 {
        located.problems.push("byte_range_start");
    }
    if first != gap_start || resume != gap_end {
        located.problems.push("byte_range_gap");
    }
    let whole = end == file.source().len();
    let ends = revision_ending_at(file, end);
    match ends {
        Some(index) if index >= holder => {
            located.revision = index;
            let last = index + 1 == file.revisions().len();
            let covered = start == 0 && first == gap_start && resume == gap_end;
            located.coverage = match (covered, whole || (last && only_line_end(file, end))) {
                (false, _) => Coverage::Partial,
                (true, true) => Coverage::WholeFile,
                (true, false) => Coverage::WholeRevision,
            };
        }
        _ => located.problems.push("byte_range_end"),
    }
}

/// The revision whose end is `end`: behind its `%%EOF`, with or without the line end and blanks that follow it.
fn revision_ending_at(file: &File<'_>, end: u64) -> Option<usize> {
    let revisions = file.revisions();
    let index = revisions.iter().rposition(|revision| revision.eof <= end)?;
    let eof = revisions.get(index)?.eof;
    let len = usize::try_from(end - eof).ok()?;
    // A file that was signed with something behind its `%%EOF` has it covered: it is what the signer signed.
    let covered_to_the_end = index + 1 == revisions.len() && end == file.source().len();
    let blank =
        || len <= 4096 && file.source().slice(eof, len).is_ok_and(|bytes| bytes.iter().all(|&b| is_space(b)));
    (covered_to_the_end || blank()).then_some(index)
}

/// Whether nothing but one line end follows.
fn only_line_end(file: &File<'_>, end: u64) -> bool {
    let rest = file.source().len().saturating_sub(end);
    rest <= 2
        && file
            .source()
            .slice(end, usize::try_from(rest).unwrap_or_default())
            .is_ok_and(|bytes| matches!(bytes.as_slice(), b"" | b"\n" | b"\r" | b"\r\n"))
}

/// No two signatures may share a gap or cut into each other's: each one's value lies outside all gaps but its own.
fn overlaps(found: &mut [Located]) {
    let gaps: Vec<Option<(u64, u64)>> = found
        .iter()
        // A signature that does not own its gap is refused for that; it must not drag the owner along.
        .filter(|located| !located.problems.contains(&"byte_range_gap"))
        .map(|located| located.range.map(|[_, first, resume, _]| (first, resume)))
        .collect();
    let mut crossed = HashSet::new();
    for (index, gap) in gaps.iter().enumerate() {
        for (other, other_gap) in gaps.iter().enumerate().skip(index + 1) {
            if let (Some((a, b)), Some((c, d))) = (gap, other_gap)
                && a < d
                && c < b
            {
                crossed.extend([index, other]);
            }
        }
    }
    for index in crossed {
        if let Some(located) = found.get_mut(index) {
            located.problems.push("byte_ranges_cross");
        }
    }
}

/// Revisions behind `signed` that hold bytes which belong to no object, section or trailer (a hiding place for
/// objects that a repairing reader would find), and bytes behind the last revision that no signature covers
/// (`covered`: how far the signatures reach).
///
/// # Errors
/// [`PdfError`] if the medium fails.
pub(crate) fn stray_bytes(file: &File<'_>, signed: usize, covered: u64) -> Result<Vec<usize>, PdfError> {
    let mut stray = Vec::new();
    for index in signed + 1..file.revisions().len() {
        if has_stray_bytes(file, index)? {
            stray.push(index);
        }
    }
    let last = file.revisions().len().saturating_sub(1);
    let end = file.revisions().last().map_or(0, |revision| revision.end);
    let end = end.max(covered);
    if last >= signed && file.source().len() > end && !only_line_end(file, end) {
        stray.push(last);
    }
    Ok(stray)
}

fn has_stray_bytes(file: &File<'_>, index: usize) -> Result<bool, PdfError> {
    let (Some(revision), Some(bytes)) = (file.revisions().get(index), file.revision_bytes(index)) else {
        return Ok(false);
    };
    let view = file.at(index);
    let mut taken: Vec<(u64, u64)> =
        revision.sections.iter().map(|section| (section.at, section.end)).collect();
    taken.push((revision.startxref_at.unwrap_or(revision.end), revision.end));
    let here = revision.entries.iter().filter_map(|entry| match entry.place() {
        Place::At { offset, .. } if bytes.contains(&offset) => Some((offset, entry.number())),
        _ => None,
    });
    let mut here: Vec<(u64, u32)> = here.collect();
    here.sort_unstable();
    // What begins within another object is not read: thousands may share one long body.
    let (mut end, mut unreadable) = (0, 0);
    for (offset, number) in here {
        if offset < end {
            continue;
        }
        match view.indirect(number) {
            Ok(Some(indirect)) => {
                end = end.max(indirect.end);
                taken.push((indirect.start, indirect.end));
            }
            Ok(None) => {}
            Err(_) if unreadable == UNREADABLE => return Ok(true),
            Err(_) => unreadable += 1,
        }
    }
    taken.sort_unstable();
    let mut at = bytes.start;
    for (start, end) in taken {
        if start > at && !is_blank(file, at, start)? {
            return Ok(true);
        }
        at = at.max(end);
    }
    Ok(false)
}

/// Only white space and comments. A comment may hold anything but a line end, so it is bounded.
fn is_blank(file: &File<'_>, start: u64, end: u64) -> Result<bool, PdfError> {
    let len = end - start;
    if len > 4096 {
        return Ok(false);
    }
    let bytes = file.source().slice(start, usize::try_from(len).unwrap_or_default())?;
    Ok(bytes
        .split(|&byte| byte == b'\n' || byte == b'\r')
        .map(|line| line.iter().skip_while(|&&byte| is_space(byte)))
        .all(|mut rest| rest.next().is_none_or(|&byte| byte == b'%')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_nothing_but_digits() {
        assert_eq!(hexadecimal(b"<0aFf>"), Some(vec![0x0a, 0xff]));
        assert_eq!(hexadecimal(b"<0aF>"), Some(vec![0x0a, 0xf0]));
        for smuggled in [&b"<0a>/Name(x)<00>"[..], b"<0a 0b>", b"(0a)", b"<0a", b"<0g>"] {
            assert_eq!(hexadecimal(smuggled), None, "{}", String::from_utf8_lossy(smuggled));
        }
    }
}
