//! One cross-reference section: a classic table with its trailer (ISO 32000-2, 7.5.4 and 7.5.5) or a
//! cross-reference stream (7.5.8). Following `/Prev` from section to section is `chain.rs`.

use super::{
    error::PdfError,
    filter,
    indirect::{read_indirect, with_window},
    lexer::Lack,
    limits::Limits,
    object::{Dict, ObjRef, Object, Stream},
};
use crate::source::Source;

/// Where an object is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: the number is free.
    Free,
    /// As an indirect object of its own.
    At {
        /// Absolute offset of its header.
        offset: u64,
        /// Generation.
        generation: u16,
    },
    /// Within an object stream.
    InStream {
        /// Number of the object stream.
        container: u32,
        /// Index within it.
        index: u32,
    },
}

/// What one section says about one number; 16 bytes, since there may be a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    value: u64,
    number: u32,
    generation: u16,
    kind: u8,
}

impl Entry {
    /// `number` is at `place`.
    pub fn new(number: u32, place: Place) -> Self {
        let (kind, value, generation) = match place {
            Place::Free => (0, 0, 0),
            Place::At { offset, generation } => (1, offset, generation),
            Place::InStream { container, index } => (2, u64::from(container) << 32 | u64::from(index), 0),
        };
        Self { value, number, generation, kind }
    }

    /// The object number.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Offset and identity of an object in use that lies in the file itself.
    pub(crate) fn placed(&self) -> Option<(u64, ObjRef)> {
        let id = ObjRef { number: self.number, generation: self.generation };
        (self.kind == 1 && self.number != 0).then_some((self.value, id))
    }

    /// Where the object is.
    #[expect(clippy::cast_possible_truncation, reason = "two 32-bit halves were put there by `new`")]
    pub fn place(&self) -> Place {
        match self.kind {
            0 => Place::Free,
            1 => Place::At { offset: self.value, generation: self.generation },
            _ => Place::InStream { container: (self.value >> 32) as u32, index: self.value as u32 },
        }
    }
}

/// How a section is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionKind {
    /// `xref … trailer << … >>`
    Table,
    /// `12 0 obj << /Type /XRef … >> stream`
    Stream,
}

/// One section.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section {
    /// Absolute offset of `xref` or of the stream's object header.
    pub at: u64,
    /// Absolute offset behind the trailer dictionary or `endobj`.
    pub end: u64,
    /// Table or stream.
    pub kind: SectionKind,
    /// The stream's own identity.
    pub id: Option<ObjRef>,
    /// In file order.
    pub entries: Vec<Entry>,
    /// Trailer dictionary, or the stream's dictionary.
    pub trailer: Dict,
    /// Whether something had to be read tolerantly.
    pub sloppy: bool,
}

/// Reads the section at `at`; `shift` is added to the offsets it holds (junk before the header).
///
/// # Errors
/// [`PdfError`] if neither form stands there or it breaks its grammar.
pub(super) fn read_section(
    source: &dyn Source,
    at: u64,
    shift: u64,
    limits: &Limits,
) -> Result<Section, PdfError> {
    let is_table = with_window(source, at, limits, |lexer| lexer.take_keyword(b"xref"))?;
    if is_table { read_table(source, at, shift, limits) } else { read_stream(source, at, shift, limits) }
}

fn read_table(source: &dyn Source, at: u64, shift: u64, limits: &Limits) -> Result<Section, PdfError> {
    let mut entries = Vec::new();
    let mut sloppy = false;
    let mut pos = with_window(source, at, limits, |lexer| {
        lexer.take_keyword(b"xref")?;
        Ok(at + lexer.pos() as u64)
    })?;
    loop {
        let next = with_window(source, pos, limits, |lexer| {
            if lexer.take_keyword(b"trailer")? {
                return Ok(Next::Trailer(pos + lexer.pos() as u64));
            }
            let (first, count) = (lexer.unsigned()?, lexer.unsigned()?);
            lexer.skip_space();
            Ok(Next::Subsection { first, count, at: pos + lexer.pos() as u64 })
        })?;
        match next {
            Next::Trailer(behind) => {
                let (trailer, end) = with_window(source, behind, limits, |lexer| {
                    let object = lexer.object()?;
                    Ok((object, behind + lexer.pos() as u64))
                })?;
                let Object::Dict(trailer) = trailer else {
                    return Err(PdfError::Malformed {
                        at: behind,
                        what: "a trailer dictionary was expected",
                    });
                };
                return Ok(Section { at, end, kind: SectionKind::Table, id: None, entries, trailer, sloppy });
            }
            Next::Subsection { first, count, at } => {
                let first = u32::try_from(first).ok().filter(|&n| n <= limits.objects);
                let count = u32::try_from(count).ok().filter(|&n| n <= limits.objects);
                let (Some(first), Some(count)) = (first, count) else {
                    return Err(PdfError::Limit("too many objects"));
                };
                if entries.len() + count as usize > limits.objects as usize + 1 {
                    return Err(PdfError::Limit("too many objects"));
                }
                let from = entries.len();
                pos = if let Some(end) = strict_entries(source, at, first, count, shift, &mut entries)? {
                    end
                } else {
                    sloppy = true;
                    entries.truncate(from);
                    loose_entries(source, at, first, count, shift, limits, &mut entries)?
                };
                // A well-known mistake: the table starts at 1 although its first entry is the head of the free list.
                if from == 0 && first == 1 && head_of_free_list(source, at)? {
                    sloppy = true;
                    for entry in entries.iter_mut().skip(from) {
                        entry.number -= 1;
                    }
                }
            }
        }
    }
}

enum Next {
    Trailer(u64),
    Subsection { first: u64, count: u64, at: u64 },
}

fn head_of_free_list(source: &dyn Source, at: u64) -> Result<bool, PdfError> {
    let len = usize::try_from(source.len().saturating_sub(at).min(18)).unwrap_or(18);
    Ok(source.slice(at, len)?.starts_with(b"0000000000 65535 f"))
}

/// Entries of exactly 20 bytes, read in blocks. `None` if one is not.
fn strict_entries(
    source: &dyn Source,
    at: u64,
    first: u32,
    count: u32,
    shift: u64,
    entries: &mut Vec<Entry>,
) -> Result<Option<u64>, PdfError> {
    let end = at + 20 * u64::from(count);
    if end > source.len() {
        return Ok(None);
    }
    entries.reserve(count as usize);
    let mut number = first;
    let mut pos = at;
    while pos < end {
        let len = usize::try_from(end - pos).unwrap_or(BLOCK).min(BLOCK);
        let block = source.slice(pos, len)?;
        for line in block.as_chunks::<20>().0 {
            let Some(place) = strict_entry(line, shift) else { return Ok(None) };
            entries.push(Entry::new(number, place));
            number += 1;
        }
        pos += len as u64;
    }
    Ok(Some(end))
}

fn strict_entry(line: &[u8; 20], shift: u64) -> Option<Place> {
    let (high, rest) = line.split_first_chunk::<2>()?;
    let (low, rest) = rest.split_first_chunk::<8>()?;
    let offset = digits(high)? * 100_000_000 + eight_digits(*low)?;
    let &[b' ', ref generation @ .., b' ', kind, b' ' | b'\r', b'\n' | b'\r'] = rest else { return None };
    let generation = if generation == b"00000" { 0 } else { digits(generation)? };
    place(kind, offset, generation, shift)
}

fn digits(bytes: &[u8]) -> Option<u64> {
    bytes.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then_some(value * 10 + u64::from(digit))
    })
}

/// Eight digits at once, by pairs of digits, then of pairs: there may be millions of entries.
fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    let values = u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030;
    // Above nine, six more reaches the upper half of a byte.
    if (values | values.wrapping_add(0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = (values.wrapping_mul(1 + (10 << 8)) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(1 + (100 << 16)) >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(1 + (10_000 << 32)) >> 32)
}

fn place(kind: u8, offset: u64, generation: u64, shift: u64) -> Option<Place> {
    match kind {
        b'f' => Some(Place::Free),
        // No object starts at 0, where the header is: writers use it for numbers they dropped.
        b'n' if offset == 0 => Some(Place::Free),
        b'n' => Some(Place::At {
            offset: offset.checked_add(shift)?,
            generation: u16::try_from(generation).ok()?,
        }),
        _ => None,
    }
}

/// Entries as tokens, for tables whose lines have the wrong length.
fn loose_entries(
    source: &dyn Source,
    at: u64,
    first: u32,
    count: u32,
    shift: u64,
    limits: &Limits,
    entries: &mut Vec<Entry>,
) -> Result<u64, PdfError> {
    let from = entries.len();
    with_window(source, at, limits, |lexer| {
        entries.truncate(from);
        for number in first..first + count {
            lexer.skip_space();
            if lexer.peek() == Some(b't') {
                break; // fewer entries than announced
            }
            let (offset, generation) = (lexer.unsigned()?, lexer.unsigned()?);
            let kind = if lexer.take_keyword(b"n")? {
                b'n'
            } else if lexer.take_keyword(b"f")? {
                b'f'
            } else {
                0
            };
            let what = "a cross-reference entry was expected";
            let bad = PdfError::Malformed { at: at + lexer.pos() as u64, what };
            entries.push(Entry::new(number, place(kind, offset, generation, shift).ok_or(Lack::Bad(bad))?));
        }
        Ok(at + lexer.pos() as u64)
    })
}

fn read_stream(source: &dyn Source, at: u64, shift: u64, limits: &Limits) -> Result<Section, PdfError> {
    let indirect = read_indirect(source, at, limits, &mut |_| None)?;
    let Object::Stream(stream) = indirect.object else {
        return Err(PdfError::Malformed { at, what: "a cross-reference section was expected" });
    };
    if !stream.dict.is_type(b"XRef") {
        return Err(PdfError::Malformed { at, what: "a cross-reference stream was expected" });
    }
    let (entries, complete) = stream_entries(source, &stream, shift, limits)?;
    Ok(Section {
        at: indirect.start,
        end: indirect.end,
        kind: SectionKind::Stream,
        id: Some(indirect.id),
        entries,
        sloppy: !complete || stream.repaired || !indirect.closed,
        trailer: stream.dict,
    })
}

fn stream_entries(
    source: &dyn Source,
    stream: &Stream,
    shift: u64,
    limits: &Limits,
) -> Result<(Vec<Entry>, bool), PdfError> {
    let ints = |key: &str| -> Option<Vec<u64>> {
        let items = stream.dict.get(key)?.as_array()?;
        items.iter().map(|item| item.as_int().and_then(|n| u64::try_from(n).ok())).collect()
    };
    let wrong = PdfError::Wrong("the cross-reference stream's /W, /Index or /Size");
    let widths = ints("W").filter(|w| w.len() >= 3 && w.iter().all(|&n| n <= 8)).ok_or(wrong.clone())?;
    let widths: Vec<usize> = widths.iter().map(|&n| usize::try_from(n).unwrap_or(8)).collect();
    let size = stream.dict.get("Size").and_then(Object::as_int).and_then(|n| u64::try_from(n).ok());
    let index = match ints("Index") {
        Some(index) => index,
        None => vec![0, size.ok_or(wrong.clone())?],
    };
    let width: usize = widths.iter().sum();
    let total: u64 =
        index.iter().skip(1).step_by(2).try_fold(0_u64, |sum, n| sum.checked_add(*n)).ok_or(wrong.clone())?;
    if total > u64::from(limits.objects) + 1 {
        return Err(PdfError::Limit("too many objects"));
    }
    if width == 0 {
        return Err(wrong);
    }
    let raw_len = usize::try_from(stream.len).ok().filter(|&n| n <= limits.object_len);
    let raw = source.slice(stream.at, raw_len.ok_or(PdfError::Limit("one object is too long"))?)?;
    let most = (usize::try_from(total).unwrap_or(usize::MAX)).saturating_mul(width).saturating_mul(2);
    let mut numbers = Vec::with_capacity(index.len() / 2);
    for pair in index.chunks_exact(2) {
        let &[first, count] = pair else { break };
        let end = first.checked_add(count).filter(|&end| end <= u64::from(limits.objects) + 1);
        let end = end.and_then(|end| u32::try_from(end).ok()).ok_or(PdfError::Limit("too many objects"))?;
        numbers.push(u32::try_from(first).unwrap_or(end)..end);
    }
    // A row takes a bit of compressed data at the least.
    let rows = usize::try_from(total).unwrap_or(usize::MAX).min(raw.len().saturating_mul(1032) / width + 1);
    let mut entries = Vec::with_capacity(rows);
    let row = Row::of(&widths, shift);
    let mut numbers = numbers.into_iter().flatten();
    let most = most.clamp(1 << 16, limits.inflated_len);
    let complete = filter::each_row(&stream.dict, raw, width, most, |bytes| {
        if let Some(number) = numbers.next() {
            entries.push(Entry::new(number, row.place(bytes)));
        }
    })?;
    Ok((entries, complete && numbers.next().is_none()))
}

/// The shape of a row.
struct Row {
    /// Where the first three fields end, and a mask for as many bytes as each has.
    fields: [(usize, u64); 3],
    shift: u64,
}

impl Row {
    fn of(widths: &[usize], shift: u64) -> Self {
        let mut end = 0;
        let fields = [0, 1, 2].map(|index| {
            let width = widths.get(index).copied().unwrap_or(0).min(8);
            end += width;
            (end, u64::MAX.checked_shr(64 - 8 * u32::try_from(width).unwrap_or(8)).unwrap_or(0))
        });
        Self { fields, shift }
    }

    /// Type (1 if its field has no width), and two fields by Table 18. An unknown type is a `null` object.
    fn place(&self, row: &[u8]) -> Place {
        // The eight bytes that end where the field does, some of them before the row.
        let [kind, a, b] = self.fields.map(|(end, mask)| {
            let bytes = row.get(end..).and_then(|from| from.first_chunk::<{ filter::CONTEXT }>());
            bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes) & mask)
        });
        let kind = if self.fields[0].0 == 0 { 1 } else { kind };
        match kind {
            1 if a == 0 => Place::Free,
            1 => match (a.checked_add(self.shift), u16::try_from(b)) {
                (Some(offset), Ok(generation)) => Place::At { offset, generation },
                _ => Place::Free,
            },
            2 => match (u32::try_from(a), u32::try_from(b)) {
                (Ok(container), Ok(index)) => Place::InStream { container, index },
                _ => Place::Free,
            },
            _ => Place::Free,
        }
    }
}

const BLOCK: usize = 20 * 4096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &str = "xref\n0 2\n0000000000 65535 f \n0000000017 00000 n \n5 1\n0000000400 00001 n \ntrailer\n<< /Size 6 >>";

    fn read(text: &str) -> Result<Section, PdfError> {
        read_section(&text.as_bytes(), 0, 0, &Limits::default())
    }

    proptest! {
        #[test]
        fn eight_digits_are_a_number(bytes in proptest::array::uniform8(prop_oneof![4 => b'0'..=b'9', 1 => any::<u8>()])) {
            let text = std::str::from_utf8(&bytes).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            prop_assert_eq!(eight_digits(bytes), text.and_then(|text| text.parse().ok()));
        }
    }

    proptest! {
        #[test]
        fn rows_are_big_endian_fields(
            widths in proptest::array::uniform3(0_usize..9),
            more in 0_usize..3,
            bytes in proptest::collection::vec(any::<u8>(), 40),
            shift in 0_u64..3,
        ) {
            let mut rest = bytes.get(filter::CONTEXT..).unwrap();
            let [kind, a, b] = widths.map(|width| {
                let (field, behind) = rest.split_at(width);
                rest = behind;
                field.iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte))
            });
            let expected = match if widths[0] == 0 { 1 } else { kind } {
                1 if a > 0 && b <= 0xffff && a.checked_add(shift).is_some() => {
                    Place::At { offset: a + shift, generation: u16::try_from(b).unwrap() }
                }
                2 if a <= 0xffff_ffff && b <= 0xffff_ffff => {
                    Place::InStream { container: u32::try_from(a).unwrap(), index: u32::try_from(b).unwrap() }
                }
                _ => Place::Free,
            };
            let all: Vec<usize> = widths.into_iter().chain((0..more).map(|_| 1)).collect();
            let row = bytes.get(..filter::CONTEXT + all.iter().sum::<usize>()).unwrap();
            prop_assert_eq!(Row::of(&all, shift).place(row), expected);
        }
    }

    #[test]
    fn a_table_with_two_subsections() {
        let section = read(TABLE).unwrap();
        let places: Vec<_> = section.entries.iter().map(|e| (e.number(), e.place())).collect();
        let at = |offset, generation| Place::At { offset, generation };
        assert_eq!(places, [(0, Place::Free), (1, at(17, 0)), (5, at(400, 1))]);
        assert!(!section.sloppy);
        assert_eq!(section.end, TABLE.len() as u64);
    }

    #[test]
    fn a_table_with_short_lines_is_sloppy() {
        let section = read(&TABLE.replace(" \n", "\n")).unwrap();
        assert_eq!(section.entries.len(), 3);
        assert!(section.sloppy);
    }

    #[test]
    fn a_table_that_starts_at_one_too_many() {
        let section = read(&TABLE.replace("0 2\n0", "1 2\n0")).unwrap();
        assert_eq!(section.entries.iter().map(Entry::number).collect::<Vec<_>>(), [0, 1, 5]);
        assert!(section.sloppy);
    }

    #[test]
    fn absurd_counts_are_refused() {
        assert!(matches!(read(&TABLE.replace("0 2\n", "0 99999999\n")), Err(PdfError::Limit(_))));
    }

    #[test]
    fn a_stream_of_rows() {
        let rows = [1, 0, 17, 0, 2, 0, 9, 3, 0, 0, 0, 0];
        let mut file = b"9 0 obj <</Type/XRef/Size 3/W[1 2 1]/Length 12>> stream\n".to_vec();
        file.extend(rows);
        file.extend(b"\nendstream endobj");
        let section = read_section(&file, 0, 0, &Limits::default()).unwrap();
        let places: Vec<_> = section.entries.iter().map(Entry::place).collect();
        let second = Place::InStream { container: 9, index: 3 };
        assert_eq!(places, [Place::At { offset: 17, generation: 0 }, second, Place::Free]);
        assert_eq!(section.id, Some(ObjRef::new(9)));
    }
}
