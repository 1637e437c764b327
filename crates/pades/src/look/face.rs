//! The embedded typeface: Liberation Serif 2 (SIL Open Font License), metric-compatible with Times New Roman, cut down
//! to the characters in use and written as a composite font (ISO 32000-2, 9.7) with Identity-H, so that Vietnamese is
//! drawn and copied correctly. A character the face lacks is an error: a blank box is never drawn.

use std::{collections::BTreeMap, fmt::Write as _, sync::LazyLock};

use skrifa::{
    FontRef, MetadataProvider as _,
    instance::{LocationRef, Size},
};
use subsetter::{GlyphRemapper, subset};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    digest::Digest,
    pdf::{Dict, Increment, ObjRef, Object, View, deflate},
};

/// Version of the character table of [`Face::form`]: a base provisioned with another table embeds its own subset.
pub const FORM_FONT_VERSION: u16 = 1;

/// All letters of Vietnamese beyond ASCII.
pub const VIETNAMESE_LETTERS: &str = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ\
     ÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬĐÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴ";

/// A text cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Undrawable {
    /// The face has no glyph for a character.
    #[error("there is no glyph for “{0}” (U+{number:04X})", number = u32::from(*.0))]
    Missing(char),
    /// The bundled font did not load: a broken build.
    #[error("the bundled font is damaged")]
    Font,
}

/// A subset of the typeface.
#[derive(Debug)]
pub struct Face {
    cut: &'static Cut,
    /// The subset font file.
    data: Vec<u8>,
    /// Character → glyph in the subset and advance in thousandths of the size.
    glyphs: BTreeMap<char, (u16, i64)>,
    /// Glyphs in the subset, `.notdef` and the parts of composed letters included.
    count: u16,
    tag: String,
    metrics: Metrics,
}

/// A cut of the typeface.
#[derive(Debug)]
struct Cut {
    file: &'static [u8],
    name: &'static str,
    /// Thickness of upright stems, in thousandths of the size.
    stem: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Metrics {
    ascent: i64,
    descent: i64,
    cap_height: i64,
    bbox: [i64; 4],
}

impl Face {
    /// The subset that provisioned forms carry: ASCII, Vietnamese and the punctuation of documents.
    ///
    /// # Errors
    /// [`Undrawable::Font`] if the bundled font is damaged.
    pub fn form() -> Result<&'static Self, Undrawable> {
        static FORM: LazyLock<Result<Face, Undrawable>> = LazyLock::new(|| {
            let ascii = (0x20..0x7f_u8).map(char::from);
            Face::of(ascii.chain(VIETNAMESE_LETTERS.chars()).chain("–—“”‘’…•§°№".chars()))
        });
        FORM.as_ref().map_err(Clone::clone)
    }

    /// A subset with exactly these characters.
    ///
    /// # Errors
    /// [`Undrawable::Missing`] for a character without a glyph.
    pub fn of(characters: impl Iterator<Item = char>) -> Result<Self, Undrawable> {
        Self::cut(&REGULAR, characters)
    }

    /// The same of the bold cut.
    ///
    /// # Errors
    /// [`Undrawable::Missing`] for a character without a glyph.
    pub(crate) fn bold(characters: impl Iterator<Item = char>) -> Result<Self, Undrawable> {
        Self::cut(&BOLD, characters)
    }

    fn cut(cut: &'static Cut, characters: impl Iterator<Item = char>) -> Result<Self, Undrawable> {
        let font = FontRef::new(cut.file).map_err(|_| Undrawable::Font)?;
        let charmap = font.charmap();
        let metrics = font.metrics(Size::unscaled(), LocationRef::default());
        let advances = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let units = f64::from(metrics.units_per_em.max(1));
        let thousandths = |value: f32| round(f64::from(value) * 1000.0 / units);
        let mut remapper = GlyphRemapper::new();
        let mut glyphs = BTreeMap::new();
        let mut wanted: Vec<char> = characters.collect();
        wanted.sort_unstable();
        wanted.dedup();
        for character in &wanted {
            let glyph = charmap.map(*character).filter(|glyph| glyph.to_u32() != 0);
            let glyph = glyph.ok_or(Undrawable::Missing(*character))?;
            let old = u16::try_from(glyph.to_u32()).map_err(|_| Undrawable::Font)?;
            let advance = advances.advance_width(glyph).ok_or(Undrawable::Font)?;
            glyphs.insert(*character, (remapper.remap(old), thousandths(advance)));
        }
        let data = subset(cut.file, 0, &remapper).map_err(|_| Undrawable::Font)?;
        let kept = FontRef::new(&data).map_err(|_| Undrawable::Font)?;
        let count = kept.metrics(Size::unscaled(), LocationRef::default()).glyph_count;
        let bounds = metrics.bounds.unwrap_or_default();
        let metrics = Metrics {
            ascent: thousandths(metrics.ascent),
            descent: thousandths(metrics.descent),
            cap_height: thousandths(metrics.cap_height.unwrap_or(metrics.ascent)),
            bbox: [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(thousandths),
        };
        let all: String = wanted.iter().collect();
        let letters = Digest::of(all.as_bytes());
        let tag = letters.0.iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect();
        Ok(Self { cut, data, glyphs, count, tag, metrics })
    }

    /// Whether every character of `text` (in NFC) is in the subset.
    pub fn covers(&self, text: &str) -> bool {
        text.nfc().all(|character| self.glyphs.contains_key(&character))
    }

    /// The text (in NFC) as two-byte codes for `Tj`.
    ///
    /// # Errors
    /// [`Undrawable::Missing`].
    pub fn encode(&self, text: &str) -> Result<Vec<u8>, Undrawable> {
        let mut codes = Vec::with_capacity(2 * text.len());
        for character in text.nfc() {
            let (glyph, _) = self.glyphs.get(&character).ok_or(Undrawable::Missing(character))?;
            codes.extend_from_slice(&glyph.to_be_bytes());
        }
        Ok(codes)
    }

    /// Width of the text in thousandths of the size.
    pub fn width(&self, text: &str) -> i64 {
        text.nfc().filter_map(|character| self.glyphs.get(&character)).map(|(_, advance)| advance).sum()
    }

    /// Height of a capital in parts of the size.
    pub(crate) fn cap_height(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "font metrics are a few thousand units")]
        let height = self.metrics.cap_height as f64;
        height / 1000.0
    }

    /// Writes the font's objects; answers with the composite font.
    pub fn write(&self, out: &mut Increment) -> ObjRef {
        let [font, descendant, descriptor, file, to_unicode, cid_set] = std::array::from_fn(|_| out.allot());
        out.object(font, &Object::Dict(self.composite(descendant, to_unicode)));
        out.object(descendant, &Object::Dict(self.descendant(descriptor)));
        out.object(descriptor, &Object::Dict(self.descriptor(cid_set, file)));
        let flate = || Dict::new().with("Filter", Object::name("FlateDecode"));
        let length = i64::try_from(self.data.len()).unwrap_or(i64::MAX);
        out.stream(file, &flate().with("Length1", length), &deflate(&self.data));
        out.stream(to_unicode, &flate(), &deflate(self.to_unicode_map().as_bytes()));
        out.stream(cid_set, &flate(), &deflate(&cid_set_bits(usize::from(self.count))));
        font
    }

    /// Whether the font at `id` is what [`write`](Self::write) writes. A name says nothing: a font with the same name may
    /// draw one digit as another.
    pub(crate) fn is_at(&self, view: &View<'_, '_>, id: ObjRef) -> bool {
        let dict = |id| view.get(id).ok().and_then(|object| object.as_dict().cloned());
        let leads = |dict: &Dict, key| dict.get(key).and_then(Object::as_ref);
        let holds = |id, data: &[u8]| {
            let Ok(Object::Stream(stream)) = view.get(id) else { return false };
            view.decode(&stream).is_ok_and(|decoded| decoded.data == data)
        };
        let same = || {
            let composite = dict(id)?;
            let [Object::Ref(under)] = composite.get("DescendantFonts")?.as_array()? else { return None };
            let to_unicode = leads(&composite, "ToUnicode")?;
            let descendant = dict(*under)?;
            let described = leads(&descendant, "FontDescriptor")?;
            let descriptor = dict(described)?;
            let (cid_set, file) = (leads(&descriptor, "CIDSet")?, leads(&descriptor, "FontFile2")?);
            let dicts = composite == self.composite(*under, to_unicode)
                && descendant == self.descendant(described)
                && descriptor == self.descriptor(cid_set, file);
            Some(dicts && holds(file, &self.data) && holds(to_unicode, self.to_unicode_map().as_bytes()))
        };
        same() == Some(true)
    }

    fn composite(&self, descendant: ObjRef, to_unicode: ObjRef) -> Dict {
        Dict::new()
            .with("Type", Object::name("Font"))
            .with("Subtype", Object::name("Type0"))
            .with("BaseFont", self.name())
            .with("Encoding", Object::name("Identity-H"))
            .with("DescendantFonts", vec![Object::Ref(descendant)])
            .with("ToUnicode", to_unicode)
    }

    fn descendant(&self, descriptor: ObjRef) -> Dict {
        let system = Dict::new()
            .with("Registry", Object::Str(b"Adobe".to_vec()))
            .with("Ordering", Object::Str(b"Identity".to_vec()))
            .with("Supplement", 0);
        let widths: Vec<Object> = self.by_glyph().iter().map(|(_, _, width)| Object::Int(*width)).collect();
        Dict::new()
            .with("Type", Object::name("Font"))
            .with("Subtype", Object::name("CIDFontType2"))
            .with("BaseFont", self.name())
            .with("CIDSystemInfo", system)
            .with("FontDescriptor", descriptor)
            .with("CIDToGIDMap", Object::name("Identity"))
            .with("DW", 1000)
            .with("W", vec![Object::Int(1), Object::Array(widths)])
    }

    fn descriptor(&self, cid_set: ObjRef, file: ObjRef) -> Dict {
        let m = self.metrics;
        Dict::new()
            .with("Type", Object::name("FontDescriptor"))
            .with("FontName", self.name())
            .with("Flags", 6)
            .with("FontBBox", m.bbox.map(Object::Int).to_vec())
            .with("ItalicAngle", 0)
            .with("Ascent", m.ascent)
            .with("Descent", m.descent)
            .with("CapHeight", m.cap_height)
            .with("StemV", self.cut.stem)
            .with("CIDSet", cid_set)
            .with("FontFile2", file)
    }

    fn name(&self) -> Object {
        Object::name(format!("{}+{}", self.tag, self.cut.name))
    }

    fn by_glyph(&self) -> Vec<(u16, char, i64)> {
        let mut by_glyph: Vec<_> = self.glyphs.iter().map(|(c, (g, w))| (*g, *c, *w)).collect();
        by_glyph.sort_unstable();
        by_glyph
    }

    fn to_unicode_map(&self) -> String {
        to_unicode_map(&self.by_glyph())
    }
}

/// The `ToUnicode` map (9.10.3).
fn to_unicode_map(by_glyph: &[(u16, char, i64)]) -> String {
    let mut map = String::from(
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo << /Registry (Adobe) /Ordering \
         (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> \
         <FFFF>\nendcodespacerange\n",
    );
    for block in by_glyph.chunks(100) {
        // Writing to a string cannot fail.
        let _ = writeln!(map, "{} beginbfchar", block.len());
        for (glyph, character, _) in block {
            let _ = writeln!(map, "<{glyph:04X}> <{:04X}>", u32::from(*character));
        }
        map.push_str("endbfchar\n");
    }
    map.push_str("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
    map
}

/// One bit per glyph of the font file: PDF/A-1 asks for it, and the later parts ask that none be missing.
fn cid_set_bits(glyphs: usize) -> Vec<u8> {
    let mut bits = vec![0_u8; glyphs.div_ceil(8)];
    for glyph in 0..glyphs {
        if let Some(byte) = bits.get_mut(glyph / 8) {
            *byte |= 0x80 >> (glyph % 8);
        }
    }
    bits
}

#[expect(clippy::cast_possible_truncation, reason = "font metrics are a few thousand units")]
fn round(value: f64) -> i64 {
    value.round() as i64
}

static REGULAR: Cut = Cut {
    file: include_bytes!("../../assets/LiberationSerif-Regular.ttf"),
    name: "LiberationSerif",
    stem: 80,
};
static BOLD: Cut = Cut {
    file: include_bytes!("../../assets/LiberationSerif-Bold.ttf"),
    name: "LiberationSerif-Bold",
    stem: 140,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vietnamese_letter_has_a_glyph() {
        let letters: Vec<char> = VIETNAMESE_LETTERS.chars().collect();
        assert_eq!(letters.len(), 134);
        let face = Face::of(letters.iter().copied()).unwrap();
        assert!(letters.iter().all(|letter| face.covers(&letter.to_string())));
        assert!(Face::form().unwrap().covers("Số: 29/2021/QĐ-UBND, ngày 14 tháng 12 năm 2021"));
    }

    #[test]
    fn a_character_without_a_glyph_is_refused() {
        assert_eq!(Face::of("中".chars()).unwrap_err(), Undrawable::Missing('中'));
        assert_eq!(Face::form().unwrap().encode("中").unwrap_err(), Undrawable::Missing('中'));
    }

    #[test]
    fn the_list_of_glyphs_is_that_of_the_font_file() {
        // Composed letters bring parts that no character names.
        let face = Face::of("ế".chars()).unwrap();
        assert!(usize::from(face.count) > face.glyphs.len() + 1);
        assert_eq!(cid_set_bits(11), [0xff, 0b1110_0000]);
    }

    #[test]
    fn widths_are_those_of_times() {
        // Times: digits 500, comma 250, A 722.
        assert_eq!(Face::form().unwrap().width("1,A"), 500 + 250 + 722);
    }

    #[test]
    fn decomposed_text_is_drawn_composed() {
        let face = Face::form().unwrap();
        assert_eq!(face.encode("e\u{302}\u{301}").unwrap(), face.encode("ế").unwrap());
    }
}
