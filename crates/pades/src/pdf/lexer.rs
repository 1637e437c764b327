//! Tokens and direct objects (ISO 32000-2, 7.2 and 7.3) over bytes in memory.
//!
//! The lexer does not know the file: references stay references, and a stream is recognised by whoever reads the
//! indirect object around it (`indirect.rs`). Nesting is bounded; nothing is copied but strings and names. A token that
//! touches the end of a window might go on behind it and is [`Lack::More`], unless the lexer was told that these
//! are all the bytes ([`Lexer::whole`]).

mod bytes;
mod skim;
mod strings;

pub(crate) use bytes::{hex_bytes, hex_digit};
pub use bytes::{is_regular, is_space};
pub(crate) use skim::Skimmed;
pub(super) use skim::integer;

use super::{
    error::PdfError,
    object::{Dict, ObjRef, Object},
};

/// A cursor over bytes.
#[derive(Clone)]
pub struct Lexer<'a> {
    buf: &'a [u8],
    pos: usize,
    /// Added to positions in errors.
    base: u64,
    depth: usize,
    depth_left: usize,
    /// Most values of one object, and how many it may still have.
    values: usize,
    values_left: usize,
    /// Nothing follows the buffer.
    whole: bool,
}

/// Why a token could not be read from this window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// The bytes end within the token: a larger window may help.
    More,
    /// The bytes break the grammar.
    Bad(PdfError),
}

impl From<Lack> for PdfError {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::More => PdfError::Truncated { at: 0 },
            Lack::Bad(error) => error,
        }
    }
}

/// The keys of a dictionary in file order, duplicates included, each with the place of its value.
pub type Spans<Offset> = Vec<(Vec<u8>, std::ops::Range<Offset>)>;

/// One token of a content stream or a PostScript calculator, where operators stand between objects.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An operand.
    Object(Object),
    /// An operator or any other keyword.
    Keyword(Vec<u8>),
}

impl<'a> Lexer<'a> {
    /// A cursor at the start of `buf`; `base` is the offset of `buf` in the file, for messages.
    pub fn new(buf: &'a [u8], base: u64, depth: usize) -> Self {
        let (depth_left, values, values_left) = (depth, VALUES, VALUES);
        Self { buf, pos: 0, base, depth, depth_left, values, values_left, whole: false }
    }

    /// Says how many values one object may hold; without this a million.
    #[must_use]
    pub(crate) fn values(self, values: usize) -> Self {
        Self { values, values_left: values, ..self }
    }

    /// Says that nothing follows the buffer.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// Offset within the buffer.
    pub fn pos(&self) -> usize {
        self.pos
    }

    /// Moves to an offset within the buffer (at most its end).
    pub fn seek(&mut self, pos: usize) {
        self.pos = pos.min(self.buf.len());
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.buf.get(self.pos..).unwrap_or_default()
    }

    /// The next byte without taking it.
    pub fn peek(&self) -> Option<u8> {
        self.buf.get(self.pos).copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.pos += 1;
        Some(byte)
    }

    fn bad<T>(&self, what: &'static str) -> Result<T, Lack> {
        Err(Lack::Bad(PdfError::Malformed { at: self.base + self.pos as u64, what }))
    }

    /// Skips white space and comments.
    pub fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            if is_space(byte) {
                self.pos += 1;
            } else if byte == b'%' {
                while self.peek().is_some_and(|b| b != b'\n' && b != b'\r') {
                    self.pos += 1;
                }
            } else {
                break;
            }
        }
    }

    /// Takes `word` if it stands next as a whole token.
    ///
    /// # Errors
    /// [`Lack::More`] if the buffer ends before that can be told.
    pub fn take_keyword(&mut self, word: &[u8]) -> Result<bool, Lack> {
        self.skip_space();
        let rest = self.rest();
        if rest.len() < word.len() {
            return if word.starts_with(rest) && !self.whole { Err(Lack::More) } else { Ok(false) };
        }
        let ends = rest.get(word.len()).is_none_or(|&b| !is_regular(b));
        if rest.starts_with(word) && ends {
            self.pos += word.len();
            return Ok(true);
        }
        Ok(false)
    }

    /// An unsigned integer.
    ///
    /// # Errors
    /// [`Lack::Bad`] if something else stands there or it exceeds 64 bits.
    pub fn unsigned(&mut self) -> Result<u64, Lack> {
        self.skip_space();
        let start = self.pos;
        let mut value: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            let next = value.checked_mul(10).and_then(|v| v.checked_add(u64::from(digit - b'0')));
            let Some(next) = next else { return self.bad("a number is too large") };
            value = next;
            self.pos += 1;
        }
        if self.pos == start {
            return if self.peek().is_none() { Err(Lack::More) } else { self.bad("a number was expected") };
        }
        Ok(value)
    }

    /// A direct object, or a reference.
    ///
    /// # Errors
    /// [`Lack`]; also if arrays and dictionaries nest too deeply.
    pub fn object(&mut self) -> Result<Object, Lack> {
        match self.item()? {
            Item::Object(object) => Ok(object),
            Item::Keyword(_) => self.bad("an object was expected"),
        }
    }

    /// An object or an operator.
    ///
    /// # Errors
    /// As [`Lexer::object`].
    pub fn item(&mut self) -> Result<Item, Lack> {
        self.skip_space();
        let Some(first) = self.peek() else { return Err(Lack::More) };
        let object = match first {
            b'/' => self.name().map(Object::Name)?,
            b'(' => self.literal_string().map(Object::Str)?,
            b'<' if self.rest().starts_with(b"<<") => self.dict().map(Object::Dict)?,
            b'<' if self.rest().len() == 1 => return Err(Lack::More),
            b'<' => self.hex_string().map(Object::Str)?,
            b'[' => self.array().map(Object::Array)?,
            b'+' | b'-' | b'.' | b'0'..=b'9' => return self.number_or_reference(),
            b')' | b'>' | b']' | b'{' | b'}' => {
                self.pos += 1;
                return self.bad("a closing bracket without its opening one");
            }
            _ => return self.keyword(),
        };
        Ok(Item::Object(object))
    }

    fn keyword(&mut self) -> Result<Item, Lack> {
        let start = self.pos;
        while self.peek().is_some_and(is_regular) {
            self.pos += 1;
        }
        if self.peek().is_none() && !self.whole {
            return Err(Lack::More);
        }
        let word = self.buf.get(start..self.pos).unwrap_or_default();
        Ok(match word {
            b"true" => Item::Object(Object::Bool(true)),
            b"false" => Item::Object(Object::Bool(false)),
            b"null" => Item::Object(Object::Null),
            _ => Item::Keyword(word.to_vec()),
        })
    }

    fn number_or_reference(&mut self) -> Result<Item, Lack> {
        let first = self.number();
        let Object::Int(number) = first else { return Ok(Item::Object(first)) };
        if let (Ok(number), Ok(generation)) = (u32::try_from(number), self.look_reference()?) {
            return Ok(Item::Object(Object::Ref(ObjRef { number, generation })));
        }
        Ok(Item::Object(Object::Int(number)))
    }

    /// Takes `G R` if that is what follows.
    fn look_reference(&mut self) -> Result<Result<u16, ()>, Lack> {
        let mut ahead = self.clone();
        ahead.skip_space();
        let start = ahead.pos;
        while ahead.peek().is_some_and(|b| b.is_ascii_digit()) && ahead.pos - start <= 5 {
            ahead.pos += 1;
        }
        if ahead.peek().is_none() && !self.whole {
            return Err(Lack::More);
        }
        let generation = self.buf.get(start..ahead.pos).and_then(|digits| std::str::from_utf8(digits).ok());
        let Some(generation) = generation.and_then(|digits| digits.parse::<u16>().ok()) else {
            return Ok(Err(()));
        };
        if !ahead.peek().is_some_and(is_space) {
            return Ok(Err(()));
        }
        if ahead.take_keyword(b"R")? {
            self.pos = ahead.pos;
            return Ok(Ok(generation));
        }
        Ok(Err(()))
    }

    /// A number; sloppy writers' `--5`, `1.2.3` and `4-5` are read as other readers do.
    fn number(&mut self) -> Object {
        let start = self.pos;
        let mut negative = false;
        while let Some(sign @ (b'+' | b'-')) = self.peek() {
            negative |= sign == b'-';
            self.pos += 1;
        }
        let digits_start = self.pos;
        let mut dots = 0;
        let mut digits_end = None;
        while let Some(byte @ (b'0'..=b'9' | b'.' | b'-')) = self.peek() {
            if byte == b'.' {
                dots += 1;
            }
            if (dots > 1 || byte == b'-') && digits_end.is_none() {
                digits_end = Some(self.pos);
            }
            self.pos += 1;
        }
        if self.pos == start {
            self.pos += 1;
        }
        let digits = self.buf.get(digits_start..digits_end.unwrap_or(self.pos)).unwrap_or_default();
        let text = std::str::from_utf8(digits).unwrap_or_default();
        if dots == 0
            && let Ok(value) = text.parse::<i64>()
        {
            return Object::Int(if negative { -value } else { value });
        }
        let value: f64 = text.parse().unwrap_or(0.0);
        Object::Real(if negative { -value } else { value })
    }

    fn array(&mut self) -> Result<Vec<Object>, Lack> {
        let mut items = Vec::new();
        self.items(|lexer| {
            items.push(lexer.object()?);
            Ok(())
        })?;
        Ok(items)
    }

    fn dict(&mut self) -> Result<Dict, Lack> {
        let mut dict = Dict::new();
        self.entries(|lexer| {
            let key = lexer.name()?;
            // `/Key >>` and `/Key /Other …` without a value cannot be told apart from the latter being one.
            let value = if lexer.ends_dict() { Object::Null } else { lexer.object()? };
            dict.push(key, value);
            Ok(())
        })?;
        Ok(dict)
    }

    /// Walks the array that begins here; `item` reads one value.
    fn items(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Lack>) -> Result<(), Lack> {
        self.pos += 1;
        self.enter()?;
        loop {
            self.skip_space();
            match self.peek() {
                None => return Err(Lack::More),
                Some(b']') => {
                    self.pos += 1;
                    self.depth_left += 1;
                    return Ok(());
                }
                Some(_) => {
                    self.one_more()?;
                    item(self)?;
                }
            }
        }
    }

    /// Walks the dictionary that begins here; `entry` reads a key and its value.
    fn entries(&mut self, mut entry: impl FnMut(&mut Self) -> Result<(), Lack>) -> Result<(), Lack> {
        self.pos += 2;
        self.enter()?;
        loop {
            self.skip_space();
            match self.peek() {
                None => return Err(Lack::More),
                Some(b'>') if self.rest().starts_with(b">>") => {
                    self.pos += 2;
                    self.depth_left += 1;
                    return Ok(());
                }
                Some(b'>') if self.rest().len() == 1 => return Err(Lack::More),
                Some(b'/') => {
                    self.one_more()?;
                    entry(self)?;
                }
                Some(_) => return self.bad("a dictionary key was expected"),
            }
        }
    }

    /// Whether the dictionary ends where its last key has no value.
    fn ends_dict(&mut self) -> bool {
        self.skip_space();
        self.rest().starts_with(b">>")
    }

    fn enter(&mut self) -> Result<(), Lack> {
        if self.depth_left == self.depth {
            self.values_left = self.values;
        }
        match self.depth_left.checked_sub(1) {
            Some(left) => {
                self.depth_left = left;
                Ok(())
            }
            None => Err(Lack::Bad(PdfError::Limit("objects are nested too deeply"))),
        }
    }

    /// A value in memory is many times as long as its text.
    fn one_more(&mut self) -> Result<(), Lack> {
        let left = self.values_left.checked_sub(1);
        self.values_left = left.ok_or(Lack::Bad(PdfError::Limit("one object holds too many values")))?;
        Ok(())
    }

    /// The keys of the dictionary that stands next, each with the place of its value in the buffer, in file order
    /// and with duplicates: for checks on raw bytes.
    ///
    /// # Errors
    /// As [`Lexer::object`].
    pub fn dict_spans(&mut self) -> Result<Spans<usize>, Lack> {
        self.skip_space();
        if !self.rest().starts_with(b"<<") {
            return self.bad("a dictionary was expected");
        }
        self.pos += 2;
        let (mut spans, mut skimmed) = (Vec::new(), Skimmed::default());
        loop {
            self.skip_space();
            if self.rest().starts_with(b">>") {
                self.pos += 2;
                return Ok(spans);
            }
            if self.peek() != Some(b'/') {
                return if self.rest().len() < 2 {
                    Err(Lack::More)
                } else {
                    self.bad("a dictionary key was expected")
                };
            }
            let key = self.name()?;
            self.skip_space();
            let start = self.pos;
            if !self.rest().starts_with(b">>") {
                self.skim(&mut skimmed)?;
            }
            spans.push((key, start..self.pos));
        }
    }
}

/// Most values of one object: as many as there may be objects, and something for what is beside them.
const VALUES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &[u8]) -> Result<Object, Lack> {
        Lexer::new(text, 0, 8).object()
    }

    #[test]
    fn every_kind_of_object() {
        let text =
            b"<< /A 1 /B -2.5 /C (a\\(b\\)\\101(n)) /D <48 6> /E [1 0 R 2 3] /F true /G null /H#20 /x >> ";
        let object = parse(text).unwrap();
        let dict = object.as_dict().unwrap();
        assert_eq!(dict.get("A"), Some(&Object::Int(1)));
        assert_eq!(dict.get("B"), Some(&Object::Real(-2.5)));
        assert_eq!(dict.get("C").unwrap().as_str().unwrap(), b"a(b)A(n)");
        assert_eq!(dict.get("D").unwrap().as_str().unwrap(), b"H\x60");
        let items = [Object::Ref(ObjRef::new(1)), Object::Int(2), Object::Int(3)];
        assert_eq!(dict.get("E").unwrap().as_array().unwrap(), items);
        assert_eq!(dict.get("F"), Some(&Object::Bool(true)));
        assert_eq!(dict.get("G"), None);
        assert!(dict.get("H ").unwrap().is_name(b"x"));
    }

    #[test]
    fn deep_nesting_is_an_error() {
        assert!(matches!(parse(&b"[".repeat(100)), Err(Lack::Bad(PdfError::Limit(_)))));
    }

    #[test]
    fn a_window_that_ends_early_asks_for_more() {
        for text in ["<< /A (b", "[1 2", "/Name", "<< /A <4", "<", "<< /A 1 >"] {
            assert_eq!(parse(text.as_bytes()), Err(Lack::More), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut lexer = Lexer::new(&bytes, 0, 8);
            while lexer.item().is_ok() {}
            let _ = Lexer::new(&bytes, 0, 8).dict_spans();
        }
    }
}
