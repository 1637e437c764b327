//! Indirect objects (`12 0 obj … endobj`) read from their place in the file.
//!
//! An object is read through a window that grows until the object fits, so reading costs what the object is long
//! and never what the file is long. A stream's data stays where it is; only its extent is worked out, and if
//! `/Length` is wrong, by looking for `endstream`.

use super::{
    error::PdfError,
    lexer::{Lack, Lexer, is_space},
    limits::Limits,
    object::{Dict, ObjRef, Object, Stream},
};
use crate::source::Source;

/// An indirect object and where it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Indirect {
    /// Number and generation as written in its header.
    pub id: ObjRef,
    /// The value.
    pub object: Object,
    /// Absolute offset of the first digit of the header.
    pub start: u64,
    /// Absolute offset behind `endobj` (or behind the value, if `endobj` is missing).
    pub end: u64,
    /// Whether `endobj` was there.
    pub closed: bool,
}

impl Indirect {
    /// How much of the file had to be looked at, from `at` on: its text, and a stream's data if its end was looked for.
    pub(super) fn text_len(&self, at: u64) -> u64 {
        let Object::Stream(stream) = &self.object else { return self.end.saturating_sub(at) };
        // Looking for a word is a lot faster than parsing.
        stream.at.saturating_sub(at) + if stream.repaired { stream.len / 64 } else { 0 }
    }
}

/// The plain integer that is the indirect object at `at`, such as the length of a stream; nothing else is read.
pub(super) fn integer_at(source: &dyn Source, at: u64) -> Option<(ObjRef, u64)> {
    let limits = Limits { object_len: FIRST_WINDOW, ..Limits::default() };
    let read = |lexer: &mut Lexer<'_>| Ok((header(lexer, at)?, lexer.object()?));
    let (id, object) = with_window(source, at, &limits, read).ok()?;
    Some((id, u64::try_from(object.as_int()?).ok()?))
}

/// Reads the indirect object whose header starts at `at` (white space before it is skipped).
///
/// `length` resolves an indirect `/Length`; without an answer the end of a stream is found by looking for
/// `endstream`.
///
/// # Errors
/// [`PdfError::Malformed`] if no object header stands there or the object breaks the grammar,
/// [`PdfError::Truncated`] at the end of the file, [`PdfError::Limit`] if the object is longer than allowed.
pub fn read_indirect(
    source: &dyn Source,
    at: u64,
    limits: &Limits,
    length: &mut dyn FnMut(ObjRef) -> Option<u64>,
) -> Result<Indirect, PdfError> {
    with_window(source, at, limits, |lexer| {
        lexer.skip_space();
        let start = at + lexer.pos() as u64;
        let id = header(lexer, start)?;
        let object = lexer.object()?;
        if lexer.take_keyword(b"endobj")? {
            let end = at + lexer.pos() as u64;
            return Ok(Parsed::Plain(Indirect { id, object, start, end, closed: true }));
        }
        match object {
            Object::Dict(dict) if lexer.take_keyword(b"stream")? => {
                let data = stream_start(lexer)?;
                Ok(Parsed::Stream { id, dict, start, data: at + data as u64 })
            }
            object => {
                let end = at + lexer.pos() as u64;
                Ok(Parsed::Plain(Indirect { id, object, start, end, closed: false }))
            }
        }
    })
    .and_then(|parsed| match parsed {
        Parsed::Plain(indirect) => Ok(indirect),
        Parsed::Stream { id, dict, start, data } => {
            let (len, repaired, end) = stream_extent(source, &dict, data, length)?;
            let (end, closed) = endobj(source, end)?;
            let object = Object::Stream(Stream { dict, at: data, len, repaired });
            Ok(Indirect { id, object, start, end, closed })
        }
    })
}

enum Parsed {
    Plain(Indirect),
    Stream { id: ObjRef, dict: Dict, start: u64, data: u64 },
}

/// The header `N G obj` at `at`, if that is what stands there.
///
/// # Errors
/// [`PdfError::Source`] if the medium fails.
pub fn header_at(source: &dyn Source, at: u64) -> Result<Option<ObjRef>, PdfError> {
    let len = source.len().saturating_sub(at).min(32);
    let mut buf = [b' '; 33];
    let (window, _) = buf.split_at_mut(usize::try_from(len).unwrap_or(32));
    if window.is_empty() {
        return Ok(None);
    }
    source.read_at(at, window)?;
    Ok(header(&mut Lexer::new(&buf, at, 1), at).ok())
}

/// `12 0 obj` of one number after another, as most writers write it: the next number is counted up in the text.
pub(crate) struct UsualHeaders {
    number: u32,
    /// The number, right-aligned in ten digits, and what follows it.
    text: [u8; 16],
    start: usize,
}

impl UsualHeaders {
    /// Counts from 0.
    pub(crate) fn new() -> Self {
        Self { number: 0, text: *b"         0 0 obj", start: 9 }
    }

    /// Whether the header of `id` stands at the beginning of `bytes`, and something behind it. If not, [`header_at`] has
    /// the word.
    pub(crate) fn stands(&mut self, bytes: &[u8], id: ObjRef) -> bool {
        self.count_to(id.number);
        let usual = self.text.get(self.start..).unwrap_or_default();
        id.number != 0 && id.generation == 0 && bytes.len() > usual.len() && bytes.starts_with(usual)
    }

    fn count_to(&mut self, number: u32) {
        if number == self.number {
            return;
        }
        let next = self.number.checked_add(1) == Some(number);
        self.number = number;
        let (digits, _) = self.text.split_at_mut(10);
        if next {
            for (at, digit) in digits.iter_mut().enumerate().rev() {
                if matches!(digit, b'0'..=b'8') {
                    *digit += 1;
                    return;
                }
                if *digit != b'9' {
                    *digit = b'1';
                    self.start = at;
                    return;
                }
                *digit = b'0';
            }
        }
        let mut rest = number;
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            *digit = if rest > 0 || at == 9 { b'0' + u8::try_from(rest % 10).unwrap_or(0) } else { b' ' };
            if *digit != b' ' {
                self.start = at;
            }
            rest /= 10;
        }
    }
}

pub(super) fn header(lexer: &mut Lexer<'_>, at: u64) -> Result<ObjRef, Lack> {
    let what = "an object header was expected";
    let bad = || Lack::Bad(PdfError::Malformed { at, what });
    let number = u32::try_from(lexer.unsigned()?).map_err(|_| bad())?;
    let generation = u16::try_from(lexer.unsigned()?).map_err(|_| bad())?;
    lexer.skip_space();
    // Some writers put no white space between `obj` and the value.
    let rest = lexer.rest();
    if rest.len() < 4 {
        return if b"obj".starts_with(rest.get(..rest.len().min(3)).unwrap_or_default()) {
            Err(Lack::More)
        } else {
            Err(bad())
        };
    }
    if !rest.starts_with(b"obj") || number == 0 {
        return Err(bad());
    }
    lexer.seek(lexer.pos() + 3);
    Ok(ObjRef { number, generation })
}

/// `stream` is followed by CR LF or LF (7.3.8.1); a lone CR and blanks before the line end are tolerated.
fn stream_start(lexer: &mut Lexer<'_>) -> Result<usize, Lack> {
    let rest = lexer.rest();
    let blanks = rest.iter().take_while(|&&b| b == b' ' || b == b'\t').count();
    let line_end = match rest.get(blanks..) {
        None | Some([] | [b'\r']) => return Err(Lack::More),
        Some([b'\r', b'\n', ..]) => 2,
        Some([b'\r' | b'\n', ..]) => 1,
        Some(_) => return Ok(lexer.pos()),
    };
    Ok(lexer.pos() + blanks + line_end)
}

/// Length of the data, whether `/Length` was wrong, and the offset behind `endstream`.
fn stream_extent(
    source: &dyn Source,
    dict: &Dict,
    data: u64,
    length: &mut dyn FnMut(ObjRef) -> Option<u64>,
) -> Result<(u64, bool, u64), PdfError> {
    let stated = match dict.get("Length") {
        Some(Object::Int(len)) => u64::try_from(*len).ok(),
        Some(Object::Ref(reference)) => length(*reference),
        _ => None,
    };
    if let Some(len) = stated
        && let Some(end) = data.checked_add(len).filter(|&end| end <= source.len())
        && let Some(behind) = keyword_after(source, end, b"endstream")?
    {
        return Ok((len, false, behind));
    }
    let Some(found) = find(source, data, b"endstream")? else {
        return Err(PdfError::Truncated { at: data });
    };
    let tail_at = found.saturating_sub(2).max(data);
    let tail = source.slice(tail_at, usize::try_from(found - tail_at).unwrap_or_default())?;
    let line_end = match tail.as_slice() {
        [.., b'\r', b'\n'] => 2,
        [.., b'\r' | b'\n'] => 1,
        _ => 0,
    };
    Ok((found - data - line_end, true, found + 9))
}

fn endobj(source: &dyn Source, at: u64) -> Result<(u64, bool), PdfError> {
    Ok(match keyword_after(source, at, b"endobj")? {
        Some(end) => (end, true),
        None => (at, false),
    })
}

/// The offset behind `word` if only white space stands between `at` and it.
fn keyword_after(source: &dyn Source, at: u64, word: &[u8]) -> Result<Option<u64>, PdfError> {
    let len = usize::try_from(source.len().saturating_sub(at).min(64)).unwrap_or(64);
    let window = source.slice(at, len)?;
    let blanks = window.iter().take_while(|&&b| is_space(b)).count();
    let found = window.get(blanks..).is_some_and(|rest| rest.starts_with(word));
    Ok(found.then(|| at + (blanks + word.len()) as u64))
}

/// The first occurrence of `word` at or behind `at`.
///
/// # Errors
/// [`PdfError::Source`] if the medium fails.
pub(super) fn find(source: &dyn Source, at: u64, word: &[u8]) -> Result<Option<u64>, PdfError> {
    let finder = memchr::memmem::Finder::new(word);
    let mut at = at;
    // Often it is near.
    let mut want = FIRST_WINDOW;
    while at < source.len() {
        let len = usize::try_from(source.len() - at).unwrap_or(usize::MAX).min(want);
        let window = source.slice(at, len)?;
        if let Some(found) = finder.find(&window) {
            return Ok(Some(at + found as u64));
        }
        if len < want {
            break;
        }
        at += (len - word.len()) as u64;
        want = (want * 4).min(SCAN);
    }
    Ok(None)
}

/// Runs `parse` on a window at `at`, growing it while the parser lacks bytes.
pub(super) fn with_window<T>(
    source: &dyn Source,
    at: u64,
    limits: &Limits,
    mut parse: impl FnMut(&mut Lexer<'_>) -> Result<T, Lack>,
) -> Result<T, PdfError> {
    let available = source.len().checked_sub(at).ok_or(PdfError::Truncated { at })?;
    let mut want = FIRST_WINDOW;
    loop {
        let whole = available <= want as u64;
        let len = if whole { usize::try_from(available).unwrap_or(want) } else { want };
        let window = source.slice(at, len)?;
        let lexer = Lexer::new(&window, at, limits.depth);
        match parse(&mut if whole { lexer.whole() } else { lexer }) {
            Ok(value) => return Ok(value),
            Err(Lack::Bad(error)) => return Err(error),
            Err(Lack::More) if whole => return Err(PdfError::Truncated { at }),
            Err(Lack::More) if want >= limits.object_len => {
                return Err(PdfError::Limit("one object is too long"));
            }
            Err(Lack::More) => want = want.saturating_mul(8).min(limits.object_len),
        }
    }
}

const FIRST_WINDOW: usize = 512;
const SCAN: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Indirect, PdfError> {
        read_indirect(&bytes, 0, &Limits::default(), &mut |_| None)
    }

    #[test]
    fn a_stream_with_a_wrong_length_is_found_to_its_end() {
        let indirect = read(b"7 0 obj <</Length 3>> stream\r\nabcdefg\nendstream endobj").unwrap();
        let stream = indirect.object.as_stream().unwrap();
        assert_eq!((stream.at, stream.len, stream.repaired), (30, 7, true));
        let indirect = read(b"7 0 obj <</Length 7>> stream\r\nabcdefg\nendstream endobj").unwrap();
        assert!(!indirect.object.as_stream().unwrap().repaired);
        assert_eq!((indirect.end, indirect.closed), (54, true));
    }

    #[test]
    fn a_length_is_a_plain_integer() {
        let value = |text: &str| integer_at(&text.as_bytes(), 0).map(|(id, value)| (id.number, value));
        assert_eq!(value("5 0 obj 12 endobj"), Some((5, 12)));
        for other in
            ["5 0 obj 12 0 R endobj", "5 0 obj 1.5 endobj", "5 0 obj -3 endobj", "5 0 obj [1] endobj"]
        {
            assert_eq!(value(other), None, "{other}");
        }
    }

    #[test]
    fn the_usual_header_is_a_header() {
        let texts = [
            "12 0 obj <<",
            "12 3 obj\n<",
            "12 0 obj",
            "12  0 obj <",
            "012 0 obj <",
            "0 0 obj <<",
            "12 0 objx",
            "1",
        ];
        for (text, id) in texts.iter().flat_map(|text| [12, 1, 0].map(|number| (text, ObjRef::new(number)))) {
            if UsualHeaders::new().stands(text.as_bytes(), id) {
                assert_eq!(header_at(&text.as_bytes(), 0).unwrap(), Some(id), "{text}");
            }
        }
        assert!(UsualHeaders::new().stands(b"12 0 obj <<", ObjRef::new(12)));
    }

    #[test]
    fn headers_are_counted_up_and_set() {
        let mut usual = UsualHeaders::new();
        let jumps = [u32::MAX - 1, u32::MAX, 0, 7, 1_000_000, 3];
        for number in (1..2002).chain(jumps).chain(99_998..100_002) {
            let text = format!("{number} 0 obj<<");
            assert_eq!(usual.stands(text.as_bytes(), ObjRef::new(number)), number != 0, "{number}");
            assert!(!usual.stands(text.as_bytes(), ObjRef::new(number ^ 1)), "{number}");
            assert!(!usual.stands(text.as_bytes(), ObjRef { number, generation: 1 }), "{number}");
        }
    }

    #[test]
    fn a_long_object_grows_the_window() {
        let text = format!("1 0 obj [{}] endobj", "(abc) ".repeat(1000));
        assert_eq!(read(text.as_bytes()).unwrap().object.as_array().unwrap().len(), 1000);
    }

    #[test]
    fn an_object_cut_off_is_truncated() {
        assert!(matches!(read(b"1 0 obj [1 2"), Err(PdfError::Truncated { .. })));
        assert!(matches!(read(b"1 0 obj <<>> stream\nabc"), Err(PdfError::Truncated { .. })));
        assert!(read(b"1 0 xbj [1 2]").is_err());
    }
}
