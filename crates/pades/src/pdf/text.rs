//! Where words stand on a page (ISO 32000-2, 9): enough to find "Số:" and free space, not a text extractor.
//!
//! The content is interpreted with bounded work, forms within it included. A font that cannot be decoded gives U+FFFD
//! in the right place, since taken space matters more than the letters; content that cannot be read gives nothing.

use super::{
    lexer::{Item, Lexer},
    object::{Dict, Object},
    pages::{Page, Rect},
    textfont::TextFont,
    view::View,
};

/// A line of words, from left to right.
#[derive(Debug, Clone, PartialEq)]
pub struct TextLine {
    /// The words.
    pub words: Vec<Word>,
}

/// A run of characters without a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// The characters, in NFC.
    pub text: String,
    /// In displayed coordinates.
    pub rect: Rect,
    /// The characters one by one, from left to right: what they are, and from where to where.
    glyphs: Vec<(String, f64, f64)>,
}

/// What kind of characters a piece of a word consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Dots, lines and the like that hold a blank open: they ask to be written on.
    Filler,
    /// Digits.
    Digits,
    /// Anything else.
    Other,
}

impl Kind {
    /// Whether a word is nothing but filler.
    pub(crate) fn is_filler(word: &str) -> bool {
        !word.is_empty() && word.chars().all(|c| Self::of(c) == Self::Filler || matches!(c, '-' | '–' | '—'))
    }

    fn of(character: char) -> Self {
        match character {
            '.' | '…' | '‥' | '․' | '·' | '_' | '＿' | '\u{a0}' | ' ' => Self::Filler,
            '0'..='9' => Self::Digits,
            _ => Self::Other,
        }
    }
}

impl Word {
    /// The word cut where fillers begin and end, and behind colons and commas: `Số:……/QĐ-UBND` is a label, a blank and
    /// what continues it. With `digits` also where digits begin and end: `năm2026`. A single dot is no filler: `TP.HCM`.
    pub(crate) fn pieces(&self, digits: bool) -> Vec<(Kind, Self)> {
        let mut pieces: Vec<(Kind, Self)> = Vec::new();
        for (text, x0, x1) in &self.glyphs {
            let kind = match text.chars().next().map_or(Kind::Other, Kind::of) {
                Kind::Digits if !digits => Kind::Other,
                kind => kind,
            };
            let glyph = (text.clone(), *x0, *x1);
            match pieces.last_mut() {
                Some((last, piece)) if *last == kind && !piece.ends_label() => {
                    piece.rect.x1 = piece.rect.x1.max(*x1);
                    piece.glyphs.push(glyph);
                }
                _ => {
                    let rect = Rect { x0: *x0, x1: *x1, ..self.rect };
                    pieces.push((kind, Self { text: String::new(), rect, glyphs: vec![glyph] }));
                }
            }
        }
        let mut joined: Vec<(Kind, Self)> = Vec::new();
        let count = pieces.len();
        for (nth, (kind, piece)) in pieces.into_iter().enumerate() {
            // One dot between letters or behind them, not one that stands alone.
            let lone = matches!(piece.glyphs.as_slice(), [(dot, ..)] if dot == ".") && count > 1 && nth > 0;
            let kind = if kind == Kind::Filler && lone { Kind::Other } else { kind };
            match joined.last_mut() {
                Some((last, before)) if *last == kind && !before.ends_label() => {
                    before.rect.x1 = before.rect.x1.max(piece.rect.x1);
                    before.glyphs.extend(piece.glyphs);
                }
                _ => joined.push((kind, piece)),
            }
        }
        for (_, piece) in &mut joined {
            piece.name();
        }
        joined
    }

    fn ends_label(&self) -> bool {
        self.glyphs.last().is_some_and(|(text, ..)| text == ":" || text == ",")
    }

    /// The text, from its characters.
    fn name(&mut self) {
        use unicode_normalization::UnicodeNormalization as _;
        self.text = self.glyphs.iter().map(|(text, ..)| text.as_str()).collect::<String>().nfc().collect();
    }
}

impl TextLine {
    /// The words of the line, cut by [`Word::pieces`].
    pub(crate) fn pieces(&self, digits: bool) -> Vec<(Kind, Word)> {
        let words = self.words.iter();
        words
            .flat_map(|word| {
                if Kind::is_filler(&word.text) {
                    vec![(Kind::Filler, word.clone())]
                } else {
                    word.pieces(digits)
                }
            })
            .collect()
    }

    /// Where `phrase` stands in this line, words compared without regard to case.
    pub fn find(&self, phrase: &str) -> Option<Rect> {
        let wanted: Vec<String> = phrase.split_whitespace().map(str::to_lowercase).collect();
        if wanted.is_empty() || wanted.len() > self.words.len() {
            return None;
        }
        let same = |words: &&[Word]| {
            words.iter().zip(&wanted).all(|(word, wanted)| word.text.to_lowercase() == *wanted)
        };
        let run = self.words.windows(wanted.len()).find(same)?;
        let (first, last) = (run.first()?, run.last()?);
        Some(Rect { x1: last.rect.x1, y1: first.rect.y1.max(last.rect.y1), ..first.rect })
    }
}

impl View<'_, '_> {
    /// The lines of text of a page from top to bottom; whatever cannot be read is left out.
    pub fn text_lines(&self, page: &Page) -> Vec<TextLine> {
        let mut content = Vec::new();
        let streams = match self.value(&page.dict, "Contents") {
            Ok(Object::Array(items)) => items,
            Ok(Object::Stream(stream)) => vec![Object::Stream(stream)],
            _ => Vec::new(),
        };
        for stream in streams.iter().take(MOST_STREAMS) {
            if let Ok(Object::Stream(stream)) = self.resolve(stream)
                && let Ok(decoded) = self.decode(&stream)
            {
                content.extend_from_slice(&decoded.data);
                content.push(b'\n');
            }
            if content.len() > MOST_CONTENT {
                break;
            }
        }
        let left = Codes { held: MOST_CODES_HELD, read: MOST_CODES_READ };
        let mut run = Run { view: self, page, glyphs: Vec::new(), left: MOST_OPERATORS, codes: left };
        run.content(&content, &page.resources, IDENTITY, 0);
        // Whoever goes on after a limit finds nothing any more.
        let _ = self.file().judged(4 * (MOST_OPERATORS - run.left));
        lines(run.glyphs)
    }
}

/// A character as it is displayed.
struct Glyph {
    text: String,
    rect: Rect,
    baseline: f64,
}

struct Run<'v, 'f, 'a> {
    view: &'v View<'f, 'a>,
    page: &'v Page,
    glyphs: Vec<Glyph>,
    left: usize,
    codes: Codes,
}

/// How many codes of fonts may still be read, and held at a time.
struct Codes {
    held: usize,
    read: usize,
}

type Matrix = [f64; 6];

#[derive(Clone)]
struct State {
    ctm: Matrix,
    font: Option<std::rc::Rc<TextFont>>,
    size: f64,
    char_space: f64,
    word_space: f64,
    scale: f64,
    leading: f64,
    rise: f64,
}

impl Run<'_, '_, '_> {
    fn content(&mut self, content: &[u8], resources: &Dict, ctm: Matrix, depth: usize) {
        let held = self.codes.held;
        self.operators(content, resources, ctm, depth);
        self.codes.held = held;
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each operator")]
    fn operators(&mut self, content: &[u8], resources: &Dict, ctm: Matrix, depth: usize) {
        let file = self.view.file();
        if file.parsed(content.len() as u64).is_err() {
            return;
        }
        let mut state = State {
            ctm,
            font: None,
            size: 0.0,
            char_space: 0.0,
            word_space: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
        };
        let mut saved: Vec<State> = Vec::new();
        let (mut matrix, mut line) = (IDENTITY, IDENTITY);
        let mut fonts: Vec<(Vec<u8>, std::rc::Rc<TextFont>)> = Vec::new();
        let mut operands: Vec<Object> = Vec::new();
        let mut lexer = Lexer::new(content, 0, 16).whole().values(MOST_VALUES);
        loop {
            let item = match lexer.item() {
                Ok(item) => item,
                Err(super::lexer::Lack::More) => return,
                // A viewer goes on behind a stray byte.
                Err(super::lexer::Lack::Bad(_)) => {
                    self.left = self.left.saturating_sub(1);
                    lexer.seek(lexer.pos() + 1);
                    if self.left == 0 {
                        return;
                    }
                    continue;
                }
            };
            let keyword = match item {
                Item::Object(object) => {
                    if operands.len() < 64 {
                        operands.push(object);
                    }
                    continue;
                }
                Item::Keyword(keyword) => keyword,
            };
            let Some(left) = self.left.checked_sub(1) else { return };
            self.left = left;
            if file.within_limits().is_err() {
                return;
            }
            let number = |index: usize| operands.get(index).and_then(Object::as_number).unwrap_or(0.0);
            let six = || std::array::from_fn::<f64, 6, _>(number);
            match keyword.as_slice() {
                b"q" if saved.len() < 256 => saved.push(state.clone()),
                b"Q" => state = saved.pop().unwrap_or(state),
                b"cm" => state.ctm = times(six(), state.ctm),
                b"BT" => (matrix, line) = (IDENTITY, IDENTITY),
                b"Tf" => {
                    if let Some(name) = operands.first().and_then(Object::as_name) {
                        let known = fonts.iter().find(|(have, _)| have == name).map(|(_, font)| font.clone());
                        let font = known.unwrap_or_else(|| {
                            let most = self.codes.held.min(self.codes.read);
                            let font = TextFont::load(self.view, resources, name, most);
                            let codes = font.codes();
                            self.codes.held = self.codes.held.saturating_sub(codes);
                            self.codes.read = self.codes.read.saturating_sub(codes.max(1));
                            let font = std::rc::Rc::new(font);
                            fonts.push((name.to_vec(), font.clone()));
                            font
                        });
                        state.font = Some(font);
                    }
                    state.size = number(1);
                }
                b"Tc" => state.char_space = number(0),
                b"Tw" => state.word_space = number(0),
                b"Tz" => state.scale = number(0) / 100.0,
                b"TL" => state.leading = number(0),
                b"Ts" => state.rise = number(0),
                b"Tm" => (matrix, line) = (six(), six()),
                b"Td" | b"TD" => {
                    if keyword == b"TD" {
                        state.leading = -number(1);
                    }
                    line = times([1.0, 0.0, 0.0, 1.0, number(0), number(1)], line);
                    matrix = line;
                }
                b"T*" => {
                    line = times([1.0, 0.0, 0.0, 1.0, 0.0, -state.leading], line);
                    matrix = line;
                }
                b"Tj" => self.show(operands.first(), &state, &mut matrix),
                b"'" | b"\"" => {
                    if keyword == b"\"" {
                        (state.word_space, state.char_space) = (number(0), number(1));
                    }
                    line = times([1.0, 0.0, 0.0, 1.0, 0.0, -state.leading], line);
                    matrix = line;
                    self.show(operands.last(), &state, &mut matrix);
                }
                b"TJ" => {
                    for item in operands.first().and_then(Object::as_array).unwrap_or_default() {
                        match item.as_number() {
                            Some(back) => {
                                let dx = -back / 1000.0 * state.size * state.scale;
                                matrix = times([1.0, 0.0, 0.0, 1.0, dx, 0.0], matrix);
                            }
                            None => self.show(Some(item), &state, &mut matrix),
                        }
                    }
                }
                b"Do" if depth < MOST_FORMS => {
                    if let Some(name) = operands.first().and_then(Object::as_name) {
                        self.form(name, resources, state.ctm, depth);
                    }
                }
                b"BI" => skip_inline_image(&mut lexer),
                _ => {}
            }
            operands.clear();
        }
    }

    fn form(&mut self, name: &[u8], resources: &Dict, ctm: Matrix, depth: usize) {
        let Ok(forms) = self.view.dict(resources, "XObject") else { return };
        let Some(Ok(Object::Stream(form))) = forms.get(name).map(|form| self.view.resolve(form)) else {
            return;
        };
        if !form.dict.get("Subtype").is_some_and(|kind| kind.is_name(b"Form")) {
            return;
        }
        let Ok(decoded) = self.view.decode(&form) else { return };
        let own = self.view.dict(&form.dict, "Resources").unwrap_or_default();
        let matrix = self.view.array(&form.dict, "Matrix").unwrap_or_default();
        let matrix = if matrix.len() == 6 {
            std::array::from_fn(|index| matrix.get(index).and_then(Object::as_number).unwrap_or(0.0))
        } else {
            IDENTITY
        };
        let resources = if own.is_empty() { resources } else { &own };
        self.content(&decoded.data, resources, times(matrix, ctm), depth + 1);
    }

    fn show(&mut self, text: Option<&Object>, state: &State, matrix: &mut Matrix) {
        let (Some(bytes), Some(font)) = (text.and_then(Object::as_str), &state.font) else { return };
        for (code, text, width) in font.decode(bytes) {
            let Some(left) = self.left.checked_sub(1 + text.len() / 8) else { return };
            self.left = left;
            let advance = width / 1000.0 * state.size + state.char_space;
            let space = if code == Some(32) { state.word_space } else { 0.0 };
            let at = times(*matrix, state.ctm);
            let ink = width / 1000.0 * state.size * state.scale;
            let corner = |x: f64, y: f64| (at[0] * x + at[2] * y + at[4], at[1] * x + at[3] * y + at[5]);
            let (a, b) =
                (corner(0.0, state.rise - 0.22 * state.size), corner(ink, state.rise + 0.8 * state.size));
            let own = Rect { x0: a.0, y0: a.1, x1: b.0, y1: b.1 }.normalised();
            let base = corner(0.0, 0.0);
            let base = self.page.to_displayed(Rect { x0: base.0, y0: base.1, x1: base.0, y1: base.1 });
            let rect = self.page.to_displayed(own);
            let finite = [rect.x0, rect.y0, rect.x1, rect.y1].iter().all(|value| value.is_finite());
            if finite && !text.is_empty() {
                self.glyphs.push(Glyph { text, rect, baseline: base.y0 });
            }
            *matrix = times([1.0, 0.0, 0.0, 1.0, (advance + space) * state.scale, 0.0], *matrix);
        }
    }
}

/// Goes behind the `EI` of an inline image.
fn skip_inline_image(lexer: &mut Lexer<'_>) {
    let rest = lexer.rest();
    let mut from = 0;
    while let Some(found) = rest.get(from..).and_then(|rest| memchr::memmem::find(rest, b"EI")) {
        let at = from + found;
        let before = at.checked_sub(1).and_then(|i| rest.get(i)).is_some_and(|&b| super::lexer::is_space(b));
        let after = rest.get(at + 2).is_none_or(|&b| super::lexer::is_space(b));
        if before && after {
            lexer.seek(lexer.pos() + at + 2);
            return;
        }
        from = at + 2;
    }
    lexer.seek(lexer.pos() + rest.len());
}

/// Characters gathered into words and lines.
fn lines(mut glyphs: Vec<Glyph>) -> Vec<TextLine> {
    glyphs.sort_by(|a, b| b.baseline.total_cmp(&a.baseline));
    let mut rows: Vec<Vec<Glyph>> = Vec::new();
    for glyph in glyphs {
        let near = |row: &Vec<Glyph>| {
            row.first().is_some_and(|first| {
                (first.baseline - glyph.baseline).abs() < 0.3 * glyph.rect.height().max(2.0)
            })
        };
        match rows.last_mut().filter(|row| near(row)) {
            Some(row) => row.push(glyph),
            None => rows.push(vec![glyph]),
        }
    }
    let mut lines = Vec::new();
    for mut row in rows {
        row.sort_by(|a, b| a.rect.x0.total_cmp(&b.rect.x0));
        let mut words: Vec<Word> = Vec::new();
        let mut open = false;
        for glyph in row {
            if glyph.text.chars().all(char::is_whitespace) {
                open = false;
                continue;
            }
            match words.last_mut() {
                Some(word) if open && glyph.rect.x0 - word.rect.x1 < 0.2 * glyph.rect.height() => {
                    word.glyphs.push((glyph.text, glyph.rect.x0, glyph.rect.x1));
                    word.rect.x1 = word.rect.x1.max(glyph.rect.x1);
                    word.rect.y0 = word.rect.y0.min(glyph.rect.y0);
                    word.rect.y1 = word.rect.y1.max(glyph.rect.y1);
                }
                _ => words.push(Word {
                    text: String::new(),
                    rect: glyph.rect,
                    glyphs: vec![(glyph.text, glyph.rect.x0, glyph.rect.x1)],
                }),
            }
            open = true;
        }
        words.iter_mut().for_each(Word::name);
        if !words.is_empty() {
            lines.push(TextLine { words });
        }
    }
    lines
}

/// `a` applied first, then `b`.
fn times(a: Matrix, b: Matrix) -> Matrix {
    [
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    ]
}

const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
const MOST_OPERATORS: usize = 1_000_000;
/// Of the fonts of a page and of the forms on it.
const MOST_CODES_HELD: usize = 1_500_000;
const MOST_CODES_READ: usize = 8_000_000;
/// Of one operand.
const MOST_VALUES: usize = 1 << 15;
const MOST_CONTENT: usize = 16 << 20;
const MOST_STREAMS: usize = 1024;
const MOST_FORMS: usize = 5;
