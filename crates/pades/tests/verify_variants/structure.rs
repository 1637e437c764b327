//! Catalog, revisions and what a verifier must find: changed, clumsy, missing or absurd.

use trinhky_pades::pdf::{File, Limits};

use crate::desk::*;
use crate::forge::*;

#[test]
fn changed_catalog_and_shared_objects() {
    none_passes(|bytes| {
        let root = catalog(bytes);
        let mut forged: Vec<Forged> = [
            ("OpenAction", "<< /S /GoTo /D [0 /Fit] >>"),
            ("OpenAction", "<< /S /JavaScript /JS (x) >>"),
            ("AA", "<< /WS << /S /JavaScript /JS (x) >> >>"),
            ("Names", "<< /JavaScript << /Names [(a) << /S /JavaScript /JS (x) >>] >> >>"),
            ("Names", "<< /EmbeddedFiles << /Names [] >> >>"),
            ("OCProperties", "<< /OCGs [] /D << /BaseState /OFF >> >>"),
            ("Outlines", "<< /Type /Outlines >>"),
            ("PageLabels", "<< /Nums [0 << /P (x) >>] >>"),
            ("StructTreeRoot", "<< /Type /StructTreeRoot >>"),
            ("Perms", "<< >>"),
            ("Metadata", "3 0 R"),
            ("Collection", "<< >>"),
            ("Requirements", "[]"),
            ("Type", "/Other"),
            ("AcroForm", "<< /Fields [] >>"),
            ("Pages", "null"),
            ("Threads", "[]"),
            ("Lang", "(en)"),
        ]
        .into_iter()
        .map(|(key, value)| {
            (format!("catalog {key} {value}"), revised(bytes, &[(root, with(bytes, root, &[(key, value)]))]))
        })
        .collect();
        let font = File::open_strict(&bytes, &Limits::default()).unwrap();
        let view = font.latest();
        let page = dict(bytes, page_numbers(bytes)[0]);
        let resources = view.dict(&page, "Resources").unwrap();
        let fonts = view.dict(&resources, "Font").unwrap();
        let font = fonts.get("F1").unwrap().as_ref().unwrap().number;
        for body in [
            "<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding << /Differences [49 /nine] >> >>",
            "null",
        ] {
            forged.push((format!("font {body}"), revised(bytes, &[(font, body.to_owned())])));
        }
        let tree = number(bytes, root, "Pages");
        let kids = page_numbers(bytes);
        for (what, order) in
            [("turned round", vec![2, 1, 0]), ("one twice", vec![0, 1, 1]), ("one less", vec![0, 2])]
        {
            let list: Vec<String> = order.iter().map(|at| format!("{} 0 R", kids[*at])).collect();
            let changes = [("Kids", format!("[{}]", list.join(" "))), ("Count", list.len().to_string())];
            let changes: Vec<(&str, &str)> =
                changes.iter().map(|(key, value)| (*key, value.as_str())).collect();
            forged.push((format!("pages {what}"), revised(bytes, &[(tree, with(bytes, tree, &changes))])));
        }
        forged
    });
}

/// Incremental saving without the parts that a strict reader wants, for readers that repair.
#[test]
fn clumsy_revisions() {
    none_passes(|bytes| {
        let page = page_numbers(bytes)[0];
        let content = number(bytes, page, "Contents");
        let evil = format!("{content} 0 obj\n{}\nendobj\n", stream("", "BT (pay 9999) Tj ET"));
        let at = bytes.len();
        let file = File::open_strict(&bytes, &Limits::default()).unwrap();
        let (before, size) = (file.startxref(), next(bytes));
        let root = catalog(bytes);
        let entry = format!("{content} 1\n{at:010} 00000 n \n");
        let xref = at + evil.len();
        let trailer = |prev: &str| format!("trailer\n<< /Size {size} /Root {root} 0 R {prev} >>\n");
        let prev = format!("/Prev {before}");
        let earliest = format!("/Prev {}", file.revisions()[0].sections[0].at);
        let variants = [
            ("only an object", evil.clone()),
            ("an object and a table", format!("{evil}xref\n{entry}")),
            ("no startxref", format!("{evil}xref\n{entry}{}", trailer(&prev))),
            ("no table", format!("{evil}{}startxref\n{xref}\n%%EOF\n", trailer(&prev))),
            ("no trailer", format!("{evil}xref\n{entry}startxref\n{xref}\n%%EOF\n")),
            (
                "the old startxref",
                format!("{evil}xref\n{entry}{}startxref\n{before}\n%%EOF\n", trailer(&prev)),
            ),
            ("startxref 0", format!("{evil}xref\n{entry}{}startxref\n0\n%%EOF\n", trailer(&prev))),
            ("no /Prev", format!("{evil}xref\n{entry}{}startxref\n{xref}\n%%EOF\n", trailer(""))),
            (
                "past the signature",
                format!("{evil}xref\n{entry}{}startxref\n{xref}\n%%EOF\n", trailer(&earliest)),
            ),
            (
                "in a circle",
                format!("{evil}xref\n{entry}{}startxref\n{xref}\n%%EOF\n", trailer(&format!("/Prev {xref}"))),
            ),
            (
                "/Prev in front of the file",
                format!("{evil}xref\n{entry}{}startxref\n{xref}\n%%EOF\n", trailer("/Prev -1")),
            ),
            ("no %%EOF", format!("{evil}xref\n{entry}{}startxref\n{xref}\n", trailer(&prev))),
            (
                "twice in one table",
                format!("{evil}xref\n{entry}{entry}{}startxref\n{xref}\n%%EOF\n", trailer(&prev)),
            ),
            ("a comment", "% nothing\n".to_owned()),
            ("a second file", String::from_utf8_lossy(&pages()).into_owned()),
        ];
        let mut forged: Vec<Forged> = variants
            .into_iter()
            .map(|(what, tail)| (what.to_owned(), [bytes, tail.as_bytes()].concat()))
            .collect();
        let mut in_front = pages();
        in_front.extend(bytes);
        forged.push(("behind another file".to_owned(), in_front));
        forged.push(("behind a line".to_owned(), [b"% junk\n", bytes].concat()));
        forged
    });
}

/// What a verifier must find, missing or absurd, in the place where it stands.
#[test]
fn universal_forgery_and_wrapping() {
    none_passes(|bytes| {
        let digits = gap(bytes);
        let key = b"/ByteRange [";
        let start = bytes.windows(key.len()).rposition(|window| window == key).unwrap();
        let end = start + bytes[start..].iter().position(|&byte| byte == b']').unwrap() + 1;
        let width = end - start;
        let mut forged = Vec::new();
        let mut put = |what: &str, from: usize, text: &[u8]| {
            let mut out = bytes.to_vec();
            out[from..from + text.len()].copy_from_slice(text);
            forged.push((what.to_owned(), out));
        };
        let (len, first, resume) = (bytes.len(), digits.start - 1, digits.end + 1);
        for range in [
            String::new(),
            "[]".to_owned(),
            "null".to_owned(),
            "[0 0 0 0]".to_owned(),
            "[0 1]".to_owned(),
            format!("[0 {len}]"),
            format!("[0 {len} 0 0]"),
            format!("[0 {len} {len} 0]"),
            format!("[0 -1 {resume} 1]"),
            format!("[-1 {first} 0 9]"),
            format!("[0 {first} {first} {}]", len - first),
            format!("[1 {} {resume} {}]", first - 1, len - resume),
            format!("[0 {first} {resume} {}]", len - resume + 1),
            format!("[0 {first} {resume} {}.0]", len - resume),
            format!("[0 {first} {resume} 99999999999999999999]"),
            format!("(0 {first})"),
        ] {
            let text = format!("/ByteRange {range}");
            if text.len() <= width {
                put(&format!("range {range}"), start, format!("{text:<width$}").as_bytes());
            }
        }
        put("no range", start, b"/ByteRangf");
        put("no contents", digits.start - 11, b"/Contentz");
        put("contents of zeros", digits.start, &vec![b'0'; digits.len()]);
        put("contents too short", digits.start, b"3003020101>");
        put("contents as string", digits.start - 1, b"(x) <");
        put("a second range in the gap", digits.end - 40, b">/ByteRange [0 1 2 3]/X<");
        put("second contents in the gap", digits.end - 40, b">/Contents<00>/X<");
        put("not hexadecimal", digits.end - 2, b"zz");
        put("something in the padding", digits.end - 2, b"01");
        // Wrapping: everything behind the gap moved back to make room for objects of somebody else.
        let mut wrapped = bytes[..=digits.end].to_vec();
        wrapped.extend(format!("\n{} 0 obj\n<< /Evil true >>\nendobj\n", next(bytes)).bytes());
        wrapped.extend(&bytes[digits.end + 1..]);
        forged.push(("wrapped".to_owned(), wrapped));
        forged
    });
}
