//! The text that a small content stream draws, as far as its fonts say which characters their codes are.
//!
//! Made for appearance streams of form fields, where what is drawn must be the value. A code that no font explains
//! becomes U+FFFD, which equals no value.

use std::collections::HashMap;

use super::{
    marks::{Canvas, Frame, Marks},
    strings::pdf_doc,
};
use crate::pdf::{Dict, Item, Lexer, Object, PdfError, Stream, View};

/// Deepest nesting of form `XObjects`.
const DEPTH: usize = 4;
/// Most operators in all.
const OPERATORS: usize = 200_000;
/// Most operands of one operator.
const OPERANDS: usize = 64;
/// Most values of one operand.
const VALUES: usize = 1 << 15;
/// Longest text, in bytes.
const TEXT: usize = 1 << 20;
/// Most characters that all fonts of an appearance explain.
const MAPPED: usize = 500_000;
/// Most bytes that one code stands for (9.10.3).
const LONGEST: usize = 512;

/// What an appearance draws.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Drawn {
    /// Its text, in the order of drawing; line breaks are blanks.
    pub(super) text: String,
    /// What it draws besides.
    pub(super) marks: Marks,
}

/// What the form `XObject` `stream` draws in a widget with this frame.
pub(super) fn drawn(view: &View<'_, '_>, stream: &Stream, frame: &Frame) -> Result<Drawn, PdfError> {
    let mut text = String::new();
    let mut canvas = Canvas::new(view, frame, &stream.dict)?;
    let mut budget = Budget { operators: OPERATORS, codes: MAPPED };
    form(view, stream, &Dict::new(), DEPTH, &mut budget, (&mut text, &mut canvas))?;
    // What is drawn is composed and compared.
    view.file().parsed(8 * text.len() as u64)?;
    Ok(Drawn { text, marks: canvas.marks })
}

/// What one appearance may cost.
struct Budget {
    operators: usize,
    codes: usize,
}

fn form(
    view: &View<'_, '_>,
    stream: &Stream,
    inherited: &Dict,
    depth: usize,
    budget: &mut Budget,
    (text, canvas): (&mut String, &mut Canvas<'_>),
) -> Result<(), PdfError> {
    let own = view.dict(&stream.dict, "Resources")?;
    let resources = if own.is_empty() { inherited.clone() } else { own };
    let fonts = view.dict(&resources, "Font")?;
    let objects = view.dict(&resources, "XObject")?;
    let states = view.dict(&resources, "ExtGState")?;
    let mut content = view.decode(stream)?.data;
    content.push(b'\n');
    view.file().parsed(content.len() as u64)?;
    let mut lexer = Lexer::new(&content, 0, 16).values(VALUES);
    let mut operands: Vec<Object> = Vec::new();
    let mut known: HashMap<Vec<u8>, Font> = HashMap::new();
    let mut current: Vec<u8> = Vec::new();
    loop {
        let left = budget.operators.checked_sub(1);
        budget.operators = left.ok_or(PdfError::Limit("operators of an appearance"))?;
        let keyword = match lexer.item() {
            Ok(Item::Object(_)) if operands.len() >= OPERANDS => {
                return Err(PdfError::Limit("operands of an operator"));
            }
            Ok(Item::Object(object)) => {
                operands.push(object);
                continue;
            }
            Ok(Item::Keyword(keyword)) => keyword,
            Err(_) => break,
        };
        match keyword.as_slice() {
            b"Tf" => {
                current = operands.first().and_then(Object::as_name).unwrap_or_default().to_vec();
                if !known.contains_key(&current) {
                    let dict = view.dict(&fonts, &String::from_utf8_lossy(&current))?;
                    known.insert(current.clone(), Font::read(view, &dict, &mut budget.codes)?);
                }
            }
            b"Tj" | b"'" | b"\"" | b"TJ" => {
                if keyword != b"Tj" && keyword != b"TJ" {
                    text.push(' ');
                }
                canvas.text();
                let unknown = Font::default();
                let font = known.get(&current).unwrap_or(&unknown);
                for operand in &operands {
                    shown(operand, font, text)?;
                }
            }
            b"Td" | b"TD" | b"T*" | b"Tm" | b"ET" => text.push(' '),
            b"BI" => {
                // What follows is the data of an image; nothing of ours has one.
                canvas.marks.picture();
                return Ok(());
            }
            b"gs" => {
                let name = operands.first().and_then(Object::as_name).unwrap_or_default();
                let state = view.dict(&states, &String::from_utf8_lossy(name))?;
                if let Some(width) = view.value(&state, "LW")?.as_number() {
                    canvas.line_width(width);
                }
            }
            b"Do" => {
                let name = operands.first().and_then(Object::as_name).unwrap_or_default();
                let Object::Stream(inner) = view.value(&objects, &String::from_utf8_lossy(name))? else {
                    operands.clear();
                    continue;
                };
                if inner.dict.get("Subtype").is_some_and(|kind| kind.is_name(b"Form")) {
                    let depth = depth.checked_sub(1).ok_or(PdfError::Limit("nesting of forms"))?;
                    let inside = canvas.enter(&view.array(&inner.dict, "Matrix")?);
                    form(view, &inner, &resources, depth, budget, (&mut *text, &mut *canvas))?;
                    canvas.leave(inside);
                } else {
                    canvas.marks.picture();
                }
            }
            operator => canvas.take(operator, &operands),
        }
        operands.clear();
    }
    Ok(())
}

fn shown(operand: &Object, font: &Font, out: &mut String) -> Result<(), PdfError> {
    match operand {
        Object::Str(bytes) => font.decode(bytes, out),
        Object::Array(items) => items.iter().try_for_each(|item| shown(item, font, out)),
        _ => Ok(()),
    }
}

/// How a font's codes become characters.
#[derive(Default)]
struct Font {
    /// Bytes per code.
    width: usize,
    map: HashMap<u32, String>,
    /// Whether a one-byte code without an entry is `WinAnsi` or standard text.
    latin: bool,
}

impl Font {
    fn read(view: &View<'_, '_>, dict: &Dict, codes: &mut usize) -> Result<Self, PdfError> {
        let before = *codes;
        let composite = dict.get("Subtype").is_some_and(|kind| kind.is_name(b"Type0"));
        let mut font = Self { width: if composite { 2 } else { 1 }, map: HashMap::new(), latin: !composite };
        if let Object::Dict(encoding) = view.value(dict, "Encoding")? {
            let mut code = 0;
            for item in view.array(&encoding, "Differences")? {
                match item {
                    Object::Int(first) => code = u32::try_from(first).unwrap_or(0),
                    Object::Name(name) => {
                        take(codes)?;
                        font.map.insert(code, glyph(&name));
                        code = code.saturating_add(1);
                    }
                    _ => {}
                }
            }
        }
        if let Object::Stream(stream) = view.value(dict, "ToUnicode")? {
            let map = view.decode(&stream)?.data;
            view.file().parsed(map.len() as u64)?;
            to_unicode(&map, &mut font.map, codes)?;
        }
        view.file().judged(2 * (before - *codes))?;
        Ok(font)
    }

    fn decode(&self, bytes: &[u8], out: &mut String) -> Result<(), PdfError> {
        for code in bytes.chunks(self.width.max(1)) {
            let number = code.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte));
            match (self.map.get(&number), code) {
                (Some(text), _) => out.push_str(text),
                (None, [byte]) if self.latin => out.push(win_ansi(*byte)),
                _ => out.push(char::REPLACEMENT_CHARACTER),
            }
            if out.len() > TEXT {
                return Err(PdfError::Limit("the text of an appearance"));
            }
        }
        Ok(())
    }
}

/// `WinAnsiEncoding`, which `StandardEncoding` equals for everything a form field usually holds.
fn win_ansi(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '•', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '•', 'Ž', '•', '•', '‘', '’', '“',
        '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '•', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        0xA0..=0xFF => char::from(byte),
        _ => pdf_doc(byte),
    }
}

/// A glyph name: single letters, `uniXXXX`, and a few of the Adobe list; anything else is unknown.
fn glyph(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let coded = name.strip_prefix("uni").or_else(|| name.strip_prefix('u'));
    let by_code = coded.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
    let mut letters = name.chars();
    let single = letters.next().filter(|_| letters.next().is_none());
    let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, letter)| *letter);
    by_code.or(single).or(named).unwrap_or(char::REPLACEMENT_CHARACTER).to_string()
}

const NAMED: [(&str, char); 26] = [
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
    ("period", '.'),
    ("comma", ','),
    ("colon", ':'),
    ("semicolon", ';'),
    ("hyphen", '-'),
    ("minus", '-'),
    ("slash", '/'),
    ("parenleft", '('),
    ("parenright", ')'),
    ("quotesingle", '\''),
    ("quotedbl", '"'),
    ("at", '@'),
    ("underscore", '_'),
    ("ampersand", '&'),
    ("plus", '+'),
];

/// Reads `bfchar` and `bfrange` of a `ToUnicode` `CMap` (9.10.3).
fn to_unicode(cmap: &[u8], map: &mut HashMap<u32, String>, codes: &mut usize) -> Result<(), PdfError> {
    let mut padded = cmap.to_vec();
    padded.push(b'\n');
    let mut lexer = Lexer::new(&padded, 0, 8).values(VALUES);
    let mut operands: Vec<Object> = Vec::new();
    let number = |object: &Object| {
        object
            .as_str()
            .filter(|b| b.len() <= 4)
            .map(|b| b.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte)))
    };
    while let Ok(item) = lexer.item() {
        let keyword = match item {
            Item::Object(_) if operands.len() >= 3 * MAPPED / 10 => {
                return Err(PdfError::Limit("a map of characters"));
            }
            Item::Object(object) => {
                operands.push(object);
                continue;
            }
            Item::Keyword(keyword) => keyword,
        };
        match keyword.as_slice() {
            b"endbfchar" => {
                for pair in operands.chunks_exact(2) {
                    if let [code, text] = pair
                        && let (Some(code), Some(text)) = (number(code), text.as_str())
                    {
                        take(codes)?;
                        map.insert(code, utf16(text));
                    }
                }
            }
            b"endbfrange" => {
                for triple in operands.chunks_exact(3) {
                    let [first, last, target] = triple else { continue };
                    if let (Some(first), Some(last)) = (number(first), number(last)) {
                        range(first, last, target, map, codes)?;
                    }
                }
            }
            _ => {}
        }
        operands.clear();
    }
    Ok(())
}

/// Takes one of the codes that an appearance's fonts may explain, again and again or not.
fn take(codes: &mut usize) -> Result<(), PdfError> {
    *codes = codes.checked_sub(1).ok_or(PdfError::Limit("characters of fonts"))?;
    Ok(())
}

fn range(
    first: u32,
    last: u32,
    target: &Object,
    map: &mut HashMap<u32, String>,
    codes: &mut usize,
) -> Result<(), PdfError> {
    // No font has a code of more than two bytes here.
    for (index, code) in (first..=last.min(0xffff)).enumerate() {
        take(codes)?;
        let text = match target {
            Object::Str(start) if start.len() <= LONGEST => {
                let mut units = start.clone();
                let shift = u16::try_from(index).unwrap_or(u16::MAX);
                if let [.., high, low] = units.as_mut_slice() {
                    let unit = u16::from_be_bytes([*high, *low]).wrapping_add(shift);
                    [*high, *low] = unit.to_be_bytes();
                }
                utf16(&units)
            }
            Object::Str(_) => char::REPLACEMENT_CHARACTER.to_string(),
            Object::Array(items) => items.get(index).and_then(Object::as_str).map(utf16).unwrap_or_default(),
            _ => return Ok(()),
        };
        map.insert(code, text);
    }
    Ok(())
}

fn utf16(bytes: &[u8]) -> String {
    if bytes.len() > LONGEST {
        return char::REPLACEMENT_CHARACTER.to_string();
    }
    super::strings::utf16(bytes, u16::from_be_bytes)
}
