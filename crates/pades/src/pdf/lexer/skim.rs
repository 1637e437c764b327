//! Reading an object without building it: its extent, the references in it, and whether a key stands twice.
//!
//! Whoever goes over every object of a file (the strict check, the search for who refers to what) needs no more, and
//! building three hundred thousand objects only to drop them is what such a pass would cost. The grammar is that of
//! [`Lexer::object`], which the property test at the end holds this to.

use memchr::{memchr, memchr3};

use super::bytes::{CLASS, DELIMITER, HASH, HEX, SPACE, UNPRINTABLE};
use super::{Lack, Lexer, ObjRef, Object, is_regular, is_space};

/// What [`Lexer::skim`] found in one object; to be used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Skimmed {
    /// Every reference, in file order.
    pub(crate) references: Vec<ObjRef>,
    /// A dictionary within it has a key twice.
    pub(crate) duplicates: bool,
    /// A name within it has bytes that should be written with `#`.
    pub(crate) raw_names: bool,
    /// The keys of the dictionaries that are open, innermost last, as places in the buffer.
    keys: Vec<(usize, usize)>,
    /// A name within it is written with `#`.
    escaped: bool,
}

impl Skimmed {
    fn clear(&mut self) {
        self.references.clear();
        self.keys.clear();
        self.duplicates = false;
        self.raw_names = false;
        self.escaped = false;
    }
}

impl Lexer<'_> {
    /// Passes over a direct object or a reference.
    ///
    /// # Errors
    /// As [`Lexer::object`], for the same bytes.
    pub(crate) fn skim(&mut self, found: &mut Skimmed) -> Result<(), Lack> {
        found.clear();
        self.skim_value(found)
    }

    fn skim_value(&mut self, found: &mut Skimmed) -> Result<(), Lack> {
        self.skip_space();
        let Some(first) = self.peek() else { return Err(Lack::More) };
        match first {
            b'/' => self.skim_name(found).map(|_| ()),
            b'(' => self.skim_literal(),
            b'<' if self.rest().starts_with(b"<<") => self.skim_dict(found),
            b'<' if self.rest().len() == 1 => Err(Lack::More),
            b'<' => self.skim_hex(),
            b'[' => self.skim_array(found),
            b'0'..=b'9' => self.skim_digits(found),
            // Signs, points, keywords and what does not belong here: rare, and nothing that could hold a reference.
            _ => self.object().map(|_| ()),
        }
    }

    /// The place of a name without its slash. Digits behind a `#` are regular characters like any other.
    fn skim_name(&mut self, found: &mut Skimmed) -> Result<(usize, usize), Lack> {
        let start = self.pos + 1;
        let mut seen = 0;
        let rest = self.buf.get(start..).unwrap_or_default();
        let len = rest.iter().position(|&byte| {
            let class = CLASS[usize::from(byte)];
            let ends = class & (SPACE | DELIMITER) != 0;
            seen |= if ends { 0 } else { class };
            ends
        });
        found.escaped |= seen & HASH != 0;
        found.raw_names |= seen & UNPRINTABLE != 0;
        match len {
            Some(len) => self.pos = start + len,
            None if self.whole => self.pos = self.buf.len(),
            None => return Err(Lack::More),
        }
        Ok((start, self.pos))
    }

    fn skim_literal(&mut self) -> Result<(), Lack> {
        self.pos += 1;
        let mut open = 1_usize;
        while open > 0 {
            let found = memchr3(b'(', b')', b'\\', self.rest()).ok_or(Lack::More)?;
            self.pos += found + 1;
            match self.buf.get(self.pos - 1) {
                Some(b'(') => open += 1,
                Some(b')') => open -= 1,
                _ => self.bump().map(|_| ()).ok_or(Lack::More)?,
            }
        }
        Ok(())
    }

    fn skim_hex(&mut self) -> Result<(), Lack> {
        self.pos += 1;
        let len = memchr(b'>', self.rest()).ok_or(Lack::More)?;
        let digits = self.rest().get(..len).unwrap_or_default();
        let others = digits.iter().filter(|&&byte| CLASS[usize::from(byte)] & (HEX | SPACE) == 0).count();
        self.pos += len + 1;
        if others == 0 { Ok(()) } else { self.bad("a hex string holds something else") }
    }

    /// A number that begins with a digit, or a reference. Most are short and followed by something that settles it.
    fn skim_digits(&mut self, found: &mut Skimmed) -> Result<(), Lack> {
        match self.settled() {
            Some((len, None)) => self.pos += len,
            Some((len, Some(reference))) => {
                self.pos += len;
                found.references.push(reference);
            }
            None => {
                if let Object::Ref(reference) = self.object()? {
                    found.references.push(reference);
                }
            }
        }
        Ok(())
    }

    /// The length of an integer of up to nine digits, or of a reference in its usual form, and which; `None` if only
    /// the reader that builds objects can tell.
    fn settled(&self) -> Option<(usize, Option<ObjRef>)> {
        let (number, digits, rest) = integer(self.rest(), 9)?;
        let (&behind, _) = rest.split_first()?;
        if matches!(behind, b'.' | b'-') {
            return None;
        }
        let alone = Some((digits, None));
        let (first, rest) = blanks(rest);
        match rest.first()? {
            b'%' => return None,
            b'0'..=b'9' if first > 0 => {}
            _ => return alone,
        }
        let (generation, more, rest) = integer(rest, 5)?;
        let (second, after) = blanks(rest);
        match after {
            [] | [b'%' | b'R'] => None,
            _ if second == 0 => alone,
            [b'%', ..] => None,
            [b'R', end, ..] if !is_regular(*end) => {
                let generation = u16::try_from(generation).ok()?;
                let len = digits + first + more + second + 1;
                Some((len, Some(ObjRef { number, generation })))
            }
            _ => alone,
        }
    }

    fn skim_array(&mut self, found: &mut Skimmed) -> Result<(), Lack> {
        self.items(|lexer| lexer.skim_value(found))
    }

    fn skim_dict(&mut self, found: &mut Skimmed) -> Result<(), Lack> {
        let first = found.keys.len();
        self.entries(|lexer| {
            let key = lexer.skim_name(found)?;
            found.keys.push(key);
            if lexer.ends_dict() { Ok(()) } else { lexer.skim_value(found) }
        })?;
        found.duplicates |= self.twice(found.keys.get(first..).unwrap_or_default(), found.escaped);
        found.keys.truncate(first);
        Ok(())
    }

    /// Whether two of these keys are the same name, however it is written; `escaped`: one may be written with `#`.
    fn twice(&self, keys: &[(usize, usize)], escaped: bool) -> bool {
        let text = |&(start, end): &(usize, usize)| self.buf.get(start..end).unwrap_or_default();
        if keys.len() <= FEW && !escaped {
            let mut rest = keys;
            while let Some((key, others)) = rest.split_first() {
                if others.iter().any(|other| text(other) == text(key)) {
                    return true;
                }
                rest = others;
            }
            return false;
        }
        let decoded = |key: &(usize, usize)| {
            let mut lexer = Self { pos: key.0 - 1, whole: true, ..self.clone() };
            lexer.name().unwrap_or_default()
        };
        let mut names: Vec<Vec<u8>> = keys.iter().map(decoded).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair.first() == pair.last())
    }
}

/// An integer of at most so many digits, how many it has, and what follows; `None` if it has more.
pub(in crate::pdf) fn integer(text: &[u8], most: usize) -> Option<(u32, usize, &[u8])> {
    let mut value = 0;
    for (len, &byte) in text.iter().enumerate() {
        if !byte.is_ascii_digit() {
            return Some((value, len, text.get(len..)?));
        }
        if len == most {
            return None;
        }
        value = value * 10 + u32::from(byte - b'0');
    }
    None
}

/// How many blanks there are, and what follows.
fn blanks(text: &[u8]) -> (usize, &[u8]) {
    let len = text.iter().take_while(|&&byte| is_space(byte)).count();
    (len, text.get(len..).unwrap_or_default())
}

/// Dictionaries of up to so many keys are compared pair by pair.
const FEW: usize = 24;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pdf::PdfError;

    fn references(object: &Object, found: &mut Vec<ObjRef>, twice: &mut bool) {
        match object {
            Object::Ref(reference) => found.push(*reference),
            Object::Array(items) => items.iter().for_each(|item| references(item, found, twice)),
            Object::Dict(dict) => {
                *twice |= dict.has_duplicates();
                dict.iter().for_each(|(_, value)| references(value, found, twice));
            }
            _ => {}
        }
    }

    /// What was read, and where it ended; the place of an error may differ, its kind may not.
    fn kind<T>(result: Result<T, Lack>) -> Result<T, Option<PdfError>> {
        result.map_err(|lack| match lack {
            Lack::More => None,
            Lack::Bad(PdfError::Malformed { what, .. }) => Some(PdfError::Malformed { at: 0, what }),
            Lack::Bad(other) => Some(other),
        })
    }

    fn agree(bytes: &[u8]) {
        for whole in [false, true] {
            let lexer = Lexer::new(bytes, 0, 8);
            let mut lexer = if whole { lexer.whole() } else { lexer };
            let mut skimming = lexer.clone();
            let mut skimmed = Skimmed::default();
            let read = lexer.object().map(|object| {
                let (mut found, mut twice) = (Vec::new(), false);
                references(&object, &mut found, &mut twice);
                (found, twice, lexer.pos())
            });
            let skim = skimming
                .skim(&mut skimmed)
                .map(|()| (skimmed.references.clone(), skimmed.duplicates, skimming.pos()));
            assert_eq!(kind(skim), kind(read), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_name_has_other_bytes_escaped() {
        for (text, raw) in [
            (&b"/Plain "[..], false),
            (b"<< /A#BA /B >> ", false),
            (b"<< /K (\xba) /A \xba >> ", false),
            (b"/\xba ", true),
            (b"<< /A /Arial\xbb /B 1 >> ", true),
            (b"[/A\x7f]", true),
        ] {
            let mut skimmed = Skimmed::default();
            let _ = Lexer::new(text, 0, 8).skim(&mut skimmed);
            assert_eq!(skimmed.raw_names, raw, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn skimming_is_reading() {
        for text in [
            "<< /A 1 /B -2.5 /C (a\\(b\\)\\101(n)) /D <48 6> /E [1 0 R 2 3] /F true /G null /H#20 /x >> ",
            "<< /A 1 0 R /A 2 0 R >> ",
            "<< /A 1 /#41 2 >> ",
            "<< /A << /B 1 /B 2 >> /B 3 >> ",
            "[1 % one\n0 R 12 65536 R 1 0 Rx 7 0 R]",
            "[123456789 0 R 4294967296 0 R 1.5 0 R 1-2 0 R 1 0]",
            "[1 0 R2 3 4 R 5 6R 7 65535 R 8 00000 R/9 1 2R]",
            "[1 123456 R 1 2.5 R 1 2-3 R 1 2 %c\nR 1 0 R]",
            "1 0 R",
            "1 0 R ",
            "1 0 ",
            "1 ",
            "<< /Key >>",
            "<0g>",
            "[)]",
        ] {
            agree(text.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn skimming_is_reading_whatever_the_bytes(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("<<"), Just(">>"), Just("["), Just("]"), Just("/A"), Just("/#41"), Just("/B"), Just("1"),
                    Just("0"), Just("R"), Just("12"), Just("-3"), Just("4.5"), Just("(a)"), Just("(\\)("), Just(")"),
                    Just("<4a>"), Just("<4"), Just(">"), Just("%c\n"), Just("true"), Just("nul"), Just("99999999999"),
                ],
                0..24,
            ),
            blanks in proptest::collection::vec(prop_oneof![Just(" "), Just(""), Just("\n")], 24),
            noise in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let text: String = words.iter().zip(&blanks).flat_map(|(word, blank)| [*word, *blank]).collect();
            agree(text.as_bytes());
            agree(format!("<< {text} >> ").as_bytes());
            agree(&noise);
        }
    }
}
