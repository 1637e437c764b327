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
/// Most entries of one `ToUnicode` map.
const MAPPED: usize = 70_000;

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
    let mut budget = OPERATORS;
    form(view, stream, &Dict::new(), DEPTH, &mut budget, (&mut text, &mut canvas))?;
    Ok(Drawn { text, marks: canvas.marks })
}

fn form(
    view: &View<'_, '_>,
    stream: &Stream,
    inherited: &Dict,
    depth: usize,
    budget: &mut usize,
    (text, canvas): (&mut String, &mut Canvas<'_>),
) -> Result<(), PdfError> {
    let own = view.dict(&stream.dict, "Resources")?;
    let resources = if own.is_empty() { inherited.clone() } else { own };
    let fonts = view.dict(&resources, "Font")?;
    let objects = view.dict(&resources, "XObject")?;
    let states = view.dict(&resources, "ExtGState")?;
    let mut content = view.decode(stream)?.data;
    content.push(b'\n');
    let mut lexer = Lexer::new(&content, 0, 16);
    let mut operands: Vec<Object> = Vec::new();
    let mut known: HashMap<Vec<u8>, Font> = HashMap::new();
    let mut current: Vec<u8> = Vec::new();
    loop {
        *budget = budget.checked_sub(1).ok_or(PdfError::Limit("operators of an appearance"))?;
        let keyword = match lexer.item() {
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
                    known.insert(
                        current.clone(),
                        Font::read(view, &view.dict(&fonts, &String::from_utf8_lossy(&current))?)?,
                    );
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
                    shown(operand, font, text);
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

fn shown(operand: &Object, font: &Font, out: &mut String) {
    match operand {
        Object::Str(bytes) => font.decode(bytes, out),
        Object::Array(items) => items.iter().for_each(|item| shown(item, font, out)),
        _ => {}
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
    fn read(view: &View<'_, '_>, dict: &Dict) -> Result<Self, PdfError> {
        let composite = dict.get("Subtype").is_some_and(|kind| kind.is_name(b"Type0"));
        let mut font = Self { width: if composite { 2 } else { 1 }, map: HashMap::new(), latin: !composite };
        if let Object::Dict(encoding) = view.value(dict, "Encoding")? {
            let mut code = 0;
            for item in view.array(&encoding, "Differences")? {
                match item {
                    Object::Int(first) => code = u32::try_from(first).unwrap_or(0),
                    Object::Name(name) => {
                        font.map.insert(code, glyph(&name));
                        code += 1;
                    }
                    _ => {}
                }
            }
        }
        if let Object::Stream(stream) = view.value(dict, "ToUnicode")? {
            to_unicode(&view.decode(&stream)?.data, &mut font.map);
        }
        Ok(font)
    }

    fn decode(&self, bytes: &[u8], out: &mut String) {
        for code in bytes.chunks(self.width.max(1)) {
            let number = code.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte));
            match (self.map.get(&number), code) {
                (Some(text), _) => out.push_str(text),
                (None, [byte]) if self.latin => out.push(win_ansi(*byte)),
                _ => out.push(char::REPLACEMENT_CHARACTER),
            }
        }
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
fn to_unicode(cmap: &[u8], map: &mut HashMap<u32, String>) {
    let mut padded = cmap.to_vec();
    padded.push(b'\n');
    let mut lexer = Lexer::new(&padded, 0, 8);
    let mut operands: Vec<Object> = Vec::new();
    let number = |object: &Object| {
        object
            .as_str()
            .filter(|b| b.len() <= 4)
            .map(|b| b.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte)))
    };
    while let Ok(item) = lexer.item() {
        let keyword = match item {
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
                        && map.len() < MAPPED
                    {
                        map.insert(code, utf16(text));
                    }
                }
            }
            b"endbfrange" => {
                for triple in operands.chunks_exact(3) {
                    let [first, last, target] = triple else { continue };
                    if let (Some(first), Some(last)) = (number(first), number(last)) {
                        range(first, last, target, map);
                    }
                }
            }
            _ => {}
        }
        operands.clear();
    }
}

fn range(first: u32, last: u32, target: &Object, map: &mut HashMap<u32, String>) {
    for (index, code) in (first..=last).enumerate() {
        if map.len() >= MAPPED {
            return;
        }
        let text = match target {
            Object::Str(start) => {
                let mut units = start.clone();
                let shift = u16::try_from(index).unwrap_or(u16::MAX);
                if let [.., high, low] = units.as_mut_slice() {
                    let unit = u16::from_be_bytes([*high, *low]).wrapping_add(shift);
                    [*high, *low] = unit.to_be_bytes();
                }
                utf16(&units)
            }
            Object::Array(items) => items.get(index).and_then(Object::as_str).map(utf16).unwrap_or_default(),
            _ => return,
        };
        map.insert(code, text);
    }
}

fn utf16(bytes: &[u8]) -> String {
    super::strings::utf16(bytes, u16::from_be_bytes)
}
