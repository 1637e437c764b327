//! From the codes of a shown string to characters and widths (ISO 32000-2, 9.6 to 9.10): `/ToUnicode` if there is
//! one, else the font's encoding.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use super::{
    lexer::{Item, Lexer},
    object::{Dict, Object},
    view::View,
};

/// A font as far as placing words needs it.
pub(super) struct TextFont {
    /// Codes are two bytes long.
    wide: bool,
    unicode: HashMap<u32, String>,
    encoding: HashMap<u32, String>,
    widths: HashMap<u32, f64>,
    default_width: f64,
}

impl TextFont {
    /// The font called `name`; one that knows nothing if it cannot be read. `most`: how many codes
    /// it may know.
    pub(super) fn load(view: &View<'_, '_>, resources: &Dict, name: &[u8], most: usize) -> Self {
        let fonts = view.dict(resources, "Font").unwrap_or_default();
        let font = fonts.get(name).and_then(|font| view.resolve(font).ok());
        let font = font.and_then(|font| font.as_dict().cloned()).unwrap_or_default();
        let wide = font.get("Subtype").is_some_and(|kind| kind.is_name(b"Type0"));
        let mut this = Self {
            wide,
            unicode: HashMap::new(),
            encoding: HashMap::new(),
            widths: HashMap::new(),
            default_width: if wide { 1000.0 } else { 500.0 },
        };
        if let Ok(Object::Stream(map)) = view.value(&font, "ToUnicode")
            && let Ok(decoded) = view.decode(&map)
            && view.file().parsed(decoded.data.len() as u64).is_ok()
        {
            this.read_unicode(&decoded.data, most);
        }
        if wide {
            this.cid_widths(view, &font, most.saturating_sub(this.codes()));
        } else {
            this.simple_widths(view, &font);
            this.simple_encoding(view, &font);
        }
        this
    }

    /// How many codes it knows.
    pub(super) fn codes(&self) -> usize {
        self.unicode.len() + self.encoding.len() + self.widths.len()
    }

    /// For each code: the code if it is one byte long, its characters, its width in thousandths.
    pub(super) fn decode<'t>(
        &'t self,
        bytes: &'t [u8],
    ) -> impl Iterator<Item = (Option<u8>, String, f64)> + 't {
        bytes.chunks(if self.wide { 2 } else { 1 }).map(|code| {
            let number = code.iter().fold(0_u32, |value, &byte| value << 8 | u32::from(byte));
            let text = self.unicode.get(&number).or_else(|| self.encoding.get(&number));
            let text = text.cloned().unwrap_or_else(|| match code {
                [byte @ 0x20..=0x7e] => char::from(*byte).to_string(),
                _ => '\u{fffd}'.to_string(),
            });
            let width = self.widths.get(&number).copied().unwrap_or(self.default_width);
            (if let [byte] = code { Some(*byte) } else { None }, text, width)
        })
    }

    fn read_unicode(&mut self, map: &[u8], most: usize) {
        let mut left = MOST_CODES.min(most);
        let mut lexer = Lexer::new(map, 0, 8).whole().values(1 << 15);
        let mut operands: Vec<Object> = Vec::new();
        while let Ok(item) = lexer.item() {
            match item {
                Item::Object(object) => {
                    if operands.len() < 1024 {
                        operands.push(object);
                    }
                }
                Item::Keyword(word) => {
                    match word.as_slice() {
                        b"endbfchar" => {
                            for pair in operands.chunks_exact(2) {
                                if let [Object::Str(code), Object::Str(text)] = pair {
                                    self.unicode.insert(number(code), utf16(text));
                                    left = left.saturating_sub(1);
                                }
                            }
                        }
                        b"endbfrange" => {
                            operands.chunks_exact(3).for_each(|range| self.range(range, &mut left));
                        }
                        _ => {}
                    }
                    operands.clear();
                }
            }
            if left == 0 {
                return;
            }
        }
    }

    fn range(&mut self, range: &[Object], left: &mut usize) {
        let [Object::Str(first), Object::Str(last), target] = range else { return };
        let codes = within(number(first), number(last), left);
        match target {
            Object::Str(text) => {
                for (step, code) in (0..).zip(codes) {
                    let mut text = text.clone();
                    if let Some(byte) = text.last_mut() {
                        *byte = byte.wrapping_add(u8::try_from(step & 0xff_u32).unwrap_or(0));
                    }
                    self.unicode.insert(code, utf16(&text));
                }
            }
            Object::Array(texts) => {
                for (code, text) in codes.zip(texts) {
                    self.unicode.insert(code, utf16(text.as_str().unwrap_or_default()));
                }
            }
            _ => {}
        }
    }

    fn simple_widths(&mut self, view: &View<'_, '_>, font: &Dict) {
        let first =
            view.value(font, "FirstChar").ok().and_then(|n| n.as_int()).and_then(|n| u32::try_from(n).ok());
        let widths = view.array(font, "Widths").unwrap_or_default();
        for (code, width) in within(first.unwrap_or(0), 0xff, &mut 256).zip(&widths) {
            if let Some(width) = view.resolve(width).ok().and_then(|width| width.as_number()) {
                self.widths.insert(code, width);
            }
        }
    }

    fn cid_widths(&mut self, view: &View<'_, '_>, font: &Dict, most: usize) {
        let Ok(descendants) = view.array(font, "DescendantFonts") else { return };
        let cid = descendants.first().and_then(|font| view.resolve(font).ok());
        let cid = cid.and_then(|font| font.as_dict().cloned()).unwrap_or_default();
        if let Some(width) = view.value(&cid, "DW").ok().and_then(|width| width.as_number()) {
            self.default_width = width;
        }
        let widths = view.array(&cid, "W").unwrap_or_default();
        let mut left = MOST_CODES.min(most);
        let mut rest = widths.as_slice();
        while let [first, second, behind @ ..] = rest {
            let code = |object: &Object| object.as_int().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            match (view.resolve(second), behind) {
                (Ok(Object::Array(list)), _) => {
                    let end = code(first).saturating_add(u32::try_from(list.len()).unwrap_or(u32::MAX));
                    for (code, width) in within(code(first), end, &mut left).zip(&list) {
                        self.widths.insert(code, width.as_number().unwrap_or(self.default_width));
                    }
                    rest = behind;
                }
                (Ok(last), [width, behind @ ..]) => {
                    for code in within(code(first), code(&last), &mut left) {
                        self.widths.insert(code, width.as_number().unwrap_or(self.default_width));
                    }
                    rest = behind;
                }
                _ => return,
            }
            if left == 0 {
                return;
            }
        }
    }

    fn simple_encoding(&mut self, view: &View<'_, '_>, font: &Dict) {
        for code in 0x80..=0xff_u8 {
            self.encoding.insert(u32::from(code), win_ansi(code).to_string());
        }
        let Ok(Object::Dict(encoding)) = view.value(font, "Encoding") else { return };
        let mut code = 0_u32;
        for item in view.array(&encoding, "Differences").unwrap_or_default().iter().take(1024) {
            match item {
                Object::Int(start) => code = u32::try_from(*start).unwrap_or(0),
                Object::Name(name) => {
                    if let Some(text) = glyph_text(&String::from_utf8_lossy(name)) {
                        self.encoding.insert(code, text);
                    } else {
                        self.encoding.insert(code, '\u{fffd}'.to_string());
                    }
                    code = code.saturating_add(1);
                }
                _ => {}
            }
        }
    }
}

/// The codes from `first` to `last` that a string can have: two bytes at most. Each takes one of `left`, and the range
/// itself one more.
fn within(first: u32, last: u32, left: &mut usize) -> impl Iterator<Item = u32> + use<> {
    let codes = (first..=last.min(0xffff)).take(*left);
    let (_, many) = codes.size_hint();
    *left = left.saturating_sub(many.unwrap_or(0) + 1);
    codes
}

fn number(code: &[u8]) -> u32 {
    code.iter().take(4).fold(0, |value, &byte| value << 8 | u32::from(byte))
}

fn utf16(bytes: &[u8]) -> String {
    // As much as one code may stand for (9.10.3).
    if bytes.len() > 512 {
        return '\u{fffd}'.to_string();
    }
    let units =
        bytes.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok()).map(u16::from_be_bytes);
    char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect()
}

/// The upper half of `WinAnsiEncoding` (Annex D.2).
fn win_ansi(byte: u8) -> char {
    const LOW: [char; 32] = [
        '€', '•', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '•', 'Ž', '•', '•', '‘', '’', '“',
        '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '•', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => LOW.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

/// The characters of a glyph by its name: `uni1EA1`, `a`, `aacute`, `acircumflexdotbelow`, `colon` …
fn glyph_text(name: &str) -> Option<String> {
    let name = name.split('.').next().filter(|name| !name.is_empty())?;
    let hex = name.strip_prefix("uni").or_else(|| name.strip_prefix('u')).filter(|hex| hex.len() >= 4);
    if let Some(character) = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
        return Some(character.to_string());
    }
    if let Some((_, character)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some((*character).to_string());
    }
    let mut characters = name.chars();
    let base = characters.next().filter(char::is_ascii_alphabetic)?;
    let mut text = base.to_string();
    let mut rest = characters.as_str();
    while !rest.is_empty() {
        let (accent, mark) = ACCENTS.iter().find(|(accent, _)| rest.starts_with(accent))?;
        text.push(*mark);
        rest = rest.get(accent.len()..)?;
    }
    Some(text.nfc().collect())
}

const NAMES: [(&str, char); 36] = [
    ("space", ' '),
    ("zero", '0'),
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("six", '6'),
    ("seven", '7'),
    ("eight", '8'),
    ("nine", '9'),
    ("colon", ':'),
    ("semicolon", ';'),
    ("comma", ','),
    ("period", '.'),
    ("slash", '/'),
    ("hyphen", '-'),
    ("endash", '–'),
    ("emdash", '—'),
    ("underscore", '_'),
    ("parenleft", '('),
    ("parenright", ')'),
    ("bracketleft", '['),
    ("bracketright", ']'),
    ("quotesingle", '\''),
    ("quotedbl", '"'),
    ("quoteleft", '‘'),
    ("quoteright", '’'),
    ("quotedblleft", '“'),
    ("quotedblright", '”'),
    ("percent", '%'),
    ("ellipsis", '…'),
    ("dcroat", 'đ'),
    ("Dcroat", 'Đ'),
    ("Eth", 'Đ'),
    ("bullet", '•'),
];

const ACCENTS: [(&str, char); 10] = [
    ("grave", '\u{300}'),
    ("acute", '\u{301}'),
    ("circumflex", '\u{302}'),
    ("tilde", '\u{303}'),
    ("breve", '\u{306}'),
    ("dieresis", '\u{308}'),
    ("hookabove", '\u{309}'),
    ("hook", '\u{309}'),
    ("horn", '\u{31b}'),
    ("dotbelow", '\u{323}'),
];

/// Codes that are read of one table: more than there are, since some tables say things twice.
const MOST_CODES: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glyph_names_of_vietnamese() {
        assert_eq!(glyph_text("uni1EC7").unwrap(), "ệ");
        assert_eq!(glyph_text("ecircumflexdotbelow").unwrap(), "ệ");
        assert_eq!(glyph_text("ohorn").unwrap(), "ơ");
        assert_eq!(glyph_text("Dcroat").unwrap(), "Đ");
        assert_eq!(glyph_text("g123"), None);
    }
}
