//! The built-in document: a one-page decision laid out as Nghị định 30/2020/NĐ-CP, Phụ lục I, asks for.
//!
//! A tiny PDF 1.7 writer with one embedded subset font. Number and date are left blank for the văn thư, ô 7c and ô 8 for
//! the signatures. Bold and italic are drawn from the one face (stroked and slanted), so the text stays selectable.

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _};

use anyhow::{Context, Result};
use flate2::{Compression, write::ZlibEncoder};
use skrifa::GlyphId;

use super::face::{Face, SERIF};
use crate::keys::sha256;

/// A4 in points, with the margins of Phụ lục I: 20 mm above and below, 30 mm left, 15 mm right.
const PAGE: (f32, f32) = (595.28, 841.89);
const LEFT: f32 = 85.04;
const RIGHT: f32 = PAGE.0 - 42.52;
/// Centres of the two columns of the head.
const OFFICE: f32 = LEFT + 100.0;
const NATION: f32 = 400.0;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Bold,
    Italic,
    BoldItalic,
}

/// The document as PDF bytes: one page in the layout of NĐ 30/2020 Phụ lục I, with the signer's name under the title.
///
/// # Errors
/// The bundled font cannot be read.
pub fn decision(signer: &str) -> Result<Vec<u8>> {
    let mut sheet = Sheet::new()?;
    head(&mut sheet)?;
    body(&mut sheet)?;
    foot(&mut sheet, signer)?;
    sheet.finish("Quyết định về việc ban hành Quy chế trình ký văn bản điện tử trên thiết bị di động")
}

fn head(sheet: &mut Sheet) -> Result<()> {
    sheet.centred(OFFICE, 776.0, 13.0, Style::Plain, "ỦY BAN NHÂN DÂN")?;
    sheet.centred(OFFICE, 760.0, 13.0, Style::Bold, "PHƯỜNG MƯỜNG THANH")?;
    sheet.rule(OFFICE, 754.0, 70.0);
    sheet.centred(NATION, 776.0, 12.5, Style::Bold, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM")?;
    sheet.centred(NATION, 760.0, 13.5, Style::Bold, "Độc lập - Tự do - Hạnh phúc")?;
    sheet.rule(NATION, 754.0, 168.0);
    sheet.centred(OFFICE, 734.0, 13.0, Style::Plain, "Số:            /QĐ-UBND")?;
    sheet.centred(
        NATION,
        734.0,
        13.5,
        Style::Italic,
        "Mường Thanh, ngày       tháng       năm           ",
    )?;
    let middle = f32::midpoint(LEFT, RIGHT);
    sheet.centred(middle, 694.0, 14.0, Style::Bold, "QUYẾT ĐỊNH")?;
    sheet.centred(middle, 676.0, 14.0, Style::Bold, "Về việc ban hành Quy chế trình ký văn bản điện tử")?;
    sheet.centred(middle, 659.0, 14.0, Style::Bold, "trên thiết bị di động")?;
    sheet.rule(middle, 652.0, 150.0);
    sheet.centred(middle, 626.0, 14.0, Style::Bold, "CHỦ TỊCH ỦY BAN NHÂN DÂN PHƯỜNG MƯỜNG THANH")
}

fn body(sheet: &mut Sheet) -> Result<()> {
    let mut y = 602.0;
    for text in [
        "Căn cứ Luật Tổ chức chính quyền địa phương;",
        "Căn cứ Luật Giao dịch điện tử ngày 22 tháng 6 năm 2023;",
        "Căn cứ Nghị định số 30/2020/NĐ-CP ngày 05 tháng 3 năm 2020 của Chính phủ về công tác văn thư;",
        "Theo đề nghị của Chánh Văn phòng Hội đồng nhân dân và Ủy ban nhân dân phường.",
    ] {
        y = sheet.paragraph(y, 14.0, Style::Italic, "", text)? - 3.0;
    }
    y -= 8.0;
    sheet.centred(f32::midpoint(LEFT, RIGHT), y, 14.0, Style::Bold, "QUYẾT ĐỊNH:")?;
    y -= 24.0;
    for (article, text) in [
        (
            "Điều 1.",
            "Ban hành kèm theo Quyết định này Quy chế trình ký văn bản điện tử trên thiết bị di động của Ủy ban \
             nhân dân phường Mường Thanh.",
        ),
        (
            "Điều 2.",
            "Văn thư cấp số, đóng dấu số của cơ quan và phát hành văn bản ngay trong ngày người có thẩm quyền ký, \
             chậm nhất là trong ngày làm việc tiếp theo.",
        ),
        (
            "Điều 3.",
            "Chánh Văn phòng, Trưởng các phòng chuyên môn và các tổ chức, cá nhân có liên quan chịu trách nhiệm \
             thi hành Quyết định này. Quyết định có hiệu lực kể từ ngày ký./.",
        ),
    ] {
        y = sheet.paragraph(y, 14.0, Style::Plain, article, text)? - 5.0;
    }
    Ok(())
}

fn foot(sheet: &mut Sheet, signer: &str) -> Result<()> {
    sheet.text(LEFT, 268.0, 12.0, Style::BoldItalic, "Nơi nhận:")?;
    for (line, text) in ["- Như Điều 3;", "- Sở Nội vụ tỉnh (b/c);", "- Đảng ủy, HĐND phường;", "- Lưu: VT."]
        .iter()
        .enumerate()
    {
        sheet.text(LEFT, 254.0 - 13.0 * f32::from(u8::try_from(line)?), 11.0, Style::Plain, text)?;
    }
    sheet.centred(NATION, 268.0, 14.0, Style::Bold, "CHỦ TỊCH")?;
    sheet.centred(NATION, 140.0, 14.0, Style::Bold, signer)
}

/// A page in the making.
struct Sheet {
    face: Face<'static>,
    used: BTreeMap<char, GlyphId>,
    /// Drawing operators and texts; texts become glyph numbers when the subset is known.
    pieces: Vec<Piece>,
}

enum Piece {
    Operators(String),
    Text(String),
}

impl Sheet {
    fn new() -> Result<Self> {
        Ok(Self { face: Face::new(SERIF)?, used: BTreeMap::new(), pieces: Vec::new() })
    }

    fn operators(&mut self, text: String) {
        self.pieces.push(Piece::Operators(text));
    }

    /// A line of text at a point.
    fn text(&mut self, x: f32, y: f32, size: f32, style: Style, text: &str) -> Result<()> {
        self.spaced(x, y, size, style, text, 0.0)
    }

    /// The same with every space widened by `extra` points.
    fn spaced(&mut self, x: f32, y: f32, size: f32, style: Style, text: &str, extra: f32) -> Result<()> {
        for character in text.chars() {
            self.used.insert(character, self.face.glyph(character)?);
        }
        let slant = if matches!(style, Style::Italic | Style::BoldItalic) { 0.21 } else { 0.0 };
        let stroke = if matches!(style, Style::Bold | Style::BoldItalic) {
            format!("2 Tr {:.3} w ", size * 0.028)
        } else {
            "0 Tr ".into()
        };
        self.operators(format!("BT /F1 {size} Tf {stroke}1 0 {slant} 1 {x:.2} {y:.2} Tm ["));
        let mut words = text.split(' ');
        self.pieces.push(Piece::Text(words.next().unwrap_or_default().into()));
        for word in words {
            if extra > 0.0 {
                self.operators(format!(" {:.1} ", -extra * 1000.0 / size));
            }
            self.pieces.push(Piece::Text(format!(" {word}")));
        }
        self.operators("] TJ ET\n".into());
        Ok(())
    }

    fn centred(&mut self, middle: f32, y: f32, size: f32, style: Style, text: &str) -> Result<()> {
        let width = self.face.width(text, size)?;
        self.text(middle - width / 2.0, y, size, style, text)
    }

    fn rule(&mut self, middle: f32, y: f32, width: f32) {
        let (from, to) = (middle - width / 2.0, middle + width / 2.0);
        self.operators(format!("0.7 w {from:.2} {y:.2} m {to:.2} {y:.2} l S\n"));
    }

    /// A justified paragraph with its first line indented by 1 cm; returns where the next one starts.
    fn paragraph(&mut self, mut y: f32, size: f32, style: Style, lead: &str, text: &str) -> Result<f32> {
        let mut x = LEFT + 28.35;
        if !lead.is_empty() {
            self.text(x, y, size, Style::Bold, lead)?;
            x += self.face.width(lead, size)? + 4.0;
        }
        let mut line: Vec<&str> = Vec::new();
        for word in text.split(' ') {
            let longer = [line.as_slice(), &[word]].concat().join(" ");
            if self.face.width(&longer, size)? > RIGHT - x && !line.is_empty() {
                let whole = line.join(" ");
                let gaps = f32::from(u8::try_from(line.len().saturating_sub(1))?).max(1.0);
                let extra = (RIGHT - x - self.face.width(&whole, size)?) / gaps;
                self.spaced(x, y, size, style, &whole, extra)?;
                (x, y, line) = (LEFT, y - size * 1.22, Vec::new());
            }
            line.push(word);
        }
        self.text(x, y, size, style, &line.join(" "))?;
        Ok(y - size * 1.22)
    }

    fn finish(self, title: &str) -> Result<Vec<u8>> {
        let (font, mapper) = self.face.subset(&self.used)?;
        let number = |glyph: GlyphId| -> Result<u16> {
            mapper.get(u16::try_from(glyph.to_u32())?).context("the subset lacks a glyph that was asked for")
        };
        let mut content = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Operators(text) => content.push_str(text),
                Piece::Text(text) => {
                    content.push('<');
                    for character in text.chars() {
                        let glyph = self.used.get(&character).copied().context("glyph")?;
                        write!(content, "{:04X}", number(glyph)?)?;
                    }
                    content.push('>');
                }
            }
        }
        let mut widths = BTreeMap::new();
        let mut unicode = BTreeMap::new();
        for (character, glyph) in &self.used {
            widths.insert(number(*glyph)?, self.face.advance(*glyph));
            unicode.insert(number(*glyph)?, *character);
        }
        let mut file = File::default();
        file.object("<< /Type /Catalog /Pages 2 0 R /Lang (vi-VN) /Metadata 11 0 R >>");
        file.object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
        file.object(&format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {} {}] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
            PAGE.0, PAGE.1
        ));
        file.stream("", content.as_bytes())?;
        file.object(
            "<< /Type /Font /Subtype /Type0 /BaseFont /TRKWLD+LiberationSerif /Encoding /Identity-H \
             /DescendantFonts [6 0 R] /ToUnicode 9 0 R >>",
        );
        let list = joined(widths.iter().map(|(glyph, width)| format!("{glyph} [{width:.0}] ")));
        file.object(&format!(
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /TRKWLD+LiberationSerif /CIDToGIDMap /Identity \
             /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor 7 0 R \
             /DW 500 /W [{}] >>",
            list.trim_end()
        ));
        file.object(
            "<< /Type /FontDescriptor /FontName /TRKWLD+LiberationSerif /Flags 6 /FontBBox [-543 -303 1277 981] \
             /ItalicAngle 0 /Ascent 891 /Descent -216 /CapHeight 662 /StemV 80 /FontFile2 8 0 R >>",
        );
        file.stream(&format!("/Length1 {}", font.len()), &font)?;
        file.stream("", to_unicode(&unicode).as_bytes())?;
        file.object(&format!("<< /Title <{}> /Producer (trinhky-world) >>", utf16_hex(title)));
        file.object(&metadata(title));
        Ok(file.close())
    }
}

fn metadata(title: &str) -> String {
    let packet = format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title><rdf:Alt>\
         <rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>\
         <?xpacket end=\"r\"?>"
    );
    format!("<< /Type /Metadata /Subtype /XML /Length {} >>\nstream\n{packet}\nendstream", packet.len())
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().concat()
}

fn utf16_hex(text: &str) -> String {
    joined(std::iter::once(0xfeff).chain(text.encode_utf16()).map(|unit| format!("{unit:04X}")))
}

/// The character map that lets readers copy the text (ISO 32000-1 9.10.3); at most 100 entries per block.
fn to_unicode(unicode: &BTreeMap<u16, char>) -> String {
    let mut out = String::from(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n\
         /CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n\
         /CMapName /Adobe-Identity-UCS def /CMapType 2 def\n\
         1 begincodespacerange <0000> <FFFF> endcodespacerange\n",
    );
    let entries: Vec<String> = unicode
        .iter()
        .map(|(glyph, character)| {
            let units = joined(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("{unit:04X}")));
            format!("<{glyph:04X}> <{units}>\n")
        })
        .collect();
    for block in entries.chunks(100) {
        let lines = block.concat();
        // Writing to a String cannot fail.
        let _ = write!(out, "{} beginbfchar\n{lines}endbfchar\n", block.len());
    }
    out.push_str("endcmap CMapName currentdict /CMap defineresource pop end end\n");
    out
}

/// A PDF file in the making: objects in order, one cross-reference table.
struct File {
    bytes: Vec<u8>,
    offsets: Vec<usize>,
}

impl Default for File {
    fn default() -> Self {
        Self { bytes: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(), offsets: Vec::new() }
    }
}

impl File {
    fn object(&mut self, body: &str) {
        self.raw(body.as_bytes());
    }

    fn stream(&mut self, entries: &str, content: &[u8]) -> Result<()> {
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
        packer.write_all(content)?;
        let deflated = packer.finish()?;
        let head = format!("<< {entries} /Filter /FlateDecode /Length {} >>\nstream\n", deflated.len());
        self.raw(&[head.as_bytes(), &deflated, b"\nendstream"].concat());
        Ok(())
    }

    fn raw(&mut self, body: &[u8]) {
        self.offsets.push(self.bytes.len());
        let number = self.offsets.len();
        self.bytes.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        self.bytes.extend_from_slice(body);
        self.bytes.extend_from_slice(b"\nendobj\n");
    }

    fn close(mut self) -> Vec<u8> {
        let start = self.bytes.len();
        let id = hex::encode(&sha256(&self.bytes)[..16]);
        let size = self.offsets.len() + 1;
        let rows = joined(self.offsets.iter().map(|offset| format!("{offset:010} 00000 n \n")));
        let tail = format!(
            "xref\n0 {size}\n0000000000 65535 f \n{rows}trailer\n<< /Size {size} /Root 1 0 R /Info 10 0 R \
             /ID [<{id}> <{id}>] >>\nstartxref\n{start}\n%%EOF\n"
        );
        self.bytes.extend_from_slice(tail.as_bytes());
        self.bytes
    }
}
