//! What programs in use write behind a signature, and how near a forger may come to it.

use trinhky_pades::pdf::Dict;

use super::forge::{Entry, referenced, written};
use super::*;

/// What programs in use write behind a signature without changing anything.
#[test]
fn clumsy_but_honest() {
    let bytes = &DESK.signed;
    let (page, catalog, fresh) = (page(bytes), catalog(bytes), next(bytes));
    let backwards = |number: u32| {
        let dict = dict(bytes, number);
        let mut entries: Vec<_> = dict.iter().map(|(key, value)| (key.to_vec(), value.clone())).collect();
        entries.reverse();
        let mut other = Dict::new();
        for (key, value) in entries {
            other.set(key, value);
        }
        other
    };
    let decimal = raw("[0.0 0.00 595.0 842]");
    assert_eq!(dict(bytes, page).get("MediaBox"), Some(&decimal), "the same sheet");
    let rewritten = backwards(page).with("MediaBox", decimal);
    let moved = |dict: &Dict| {
        let out = [&bytes[..], format!("{fresh} 0 obj\n{}\nendobj\n", written(dict)).as_bytes()].concat();
        referenced(&out, bytes, &[(fresh, Entry::At(bytes.len()))], Some(fresh))
    };
    for (what, honest) in [
        ("a page in another order and with other digits", revised(bytes, &[(page, written(&rewritten))])),
        ("a catalog of another number", moved(&backwards(catalog))),
        ("a line end", [&DESK.sealed[..], b"\n"].concat()),
        ("a line end of two bytes", [&DESK.sealed[..], b"\r\n"].concat()),
    ] {
        assert_passes(what, &honest);
    }
    let acting = backwards(catalog).with("OpenAction", raw("<< /S /JavaScript /JS (x) >>"));
    assert_caught(&moved(&acting), "catalog_changed");
    let older = referenced(bytes, bytes, &[], Some(page));
    assert!(!DESK.report(&older).is_some_and(|report| report.passed()), "a catalog that was there");
}

/// A choice shows what its option is called, and nothing else.
#[test]
fn a_choice_and_its_option() {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Annots [4 0 R] >>".to_owned(),
        "<< /Type /Annot /Subtype /Widget /FT /Ch /Ff 131072 /T (Place) /F 4 /Rect [9 9 108 29] /P 3 0 R \
         /Opt [[(DB) (Dien Bien)] [(HG) (Hau Giang)]] >>"
            .to_owned(),
    ];
    let bytes = signed(&objects, "");
    let chosen = |value: &str, text: &str| {
        let (number, fresh) = (field(&bytes, "Place"), next(&bytes));
        let changes = [("V", value), ("AP", &*format!("<< /N {fresh} 0 R >>"))];
        revised(&bytes, &[(number, with(&bytes, number, &changes)), (fresh, drawn(text))])
    };
    for text in ["Hau Giang", "HG"] {
        assert_passes(text, &chosen("(HG)", text));
    }
    for text in ["Dien Bien", "DB", "Hau Giang Dien Bien", "Hau"] {
        assert_caught(&chosen("(HG)", text), "appearance_not_value");
    }
}

/// A new field in a tagged document gets its element in the structure tree, and nobody gets anything else in there.
#[test]
fn a_new_field_in_a_structure_tree() {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] >> /MarkInfo << /Marked true >> /StructTreeRoot 4 0 R >>"
            .to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /StructParents 0 /Tabs /S >>".to_owned(),
        "<< /Type /StructTreeRoot /K [5 0 R] /ParentTree 7 0 R /ParentTreeNextKey 1 >>".to_owned(),
        "<< /Type /StructElem /S /Document /P 4 0 R /K [6 0 R] >>".to_owned(),
        "<< /Type /StructElem /S /P /P 5 0 R /Pg 3 0 R /K 0 >>".to_owned(),
        "<< /Nums [0 8 0 R] >>".to_owned(),
        "[6 0 R]".to_owned(),
    ];
    let grown = |bytes: &[u8], change: &dyn Fn(u32, &mut String)| {
        let (form, page, first) = (form(bytes), page(bytes), field(bytes, "Approval"));
        let (widget, element, list) = (next(bytes), next(bytes) + 1, next(bytes) + 2);
        let both = format!("[{first} 0 R {widget} 0 R]");
        let field = format!(
            "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Next) /F 132 /Rect [0 0 0 0] /P {page} 0 R /StructParent 1 >>"
        );
        let form_element = format!(
            "<< /Type /StructElem /S /Form /P 5 0 R /Pg {page} 0 R /K << /Type /OBJR /Obj {widget} 0 R >> >>"
        );
        let mut objects = vec![
            (form, with(bytes, form, &[("Fields", &both)])),
            (page, with(bytes, page, &[("Annots", &both)])),
            (widget, field),
            (4, with(bytes, 4, &[("ParentTreeNextKey", "2")])),
            (5, with(bytes, 5, &[("K", &format!("[6 0 R {element} 0 R]"))])),
            (element, form_element),
            (7, with(bytes, 7, &[("Nums", &format!("[0 {list} 0 R 1 {element} 0 R]"))])),
            (list, "[6 0 R]".to_owned()),
        ];
        for (number, body) in &mut objects {
            change(*number, body);
        }
        revised(bytes, &objects)
    };
    let bytes = signed(&objects, "");
    assert_passes("an element", &grown(&bytes, &|_, _| {}));
    let replaced = |number: u32, from: &'static str, to: &'static str| {
        grown(&bytes, &move |other, body| {
            if other == number {
                assert!(body.contains(from), "{body}");
                *body = body.replacen(from, to, 1);
            }
        })
    };
    let (element, list) = (next(&bytes) + 1, next(&bytes) + 2);
    for (what, forged) in [
        ("a text to be read instead", replaced(element, "/S /Form", "/S /Form /ActualText (9999)")),
        ("another kind", replaced(element, "/S /Form", "/S /P")),
        ("content of the page", replaced(element, "<< /Type /OBJR", "0 /Extra << /Type /OBJR")),
        ("an element that is gone", replaced(5, "[6 0 R ", "[")),
        ("an element with a text", replaced(5, "/S /Document", "/S /Document /Alt (x)")),
        ("another list for a number", replaced(list, "[6 0 R]", "[5 0 R]")),
        ("a number that is gone", replaced(7, "[0 ", "[3 ")),
        ("a role", replaced(4, "/Type /StructTreeRoot", "/Type /StructTreeRoot /RoleMap << /P /H1 >>")),
    ] {
        assert_caught_as(what, &forged, "content_changed");
    }
    // Twelve levels of nodes, each sixty-four times the next one: an answer, and soon.
    let often = |number: u32| format!("<< /Kids [{}] >>", format!("{number} 0 R ").repeat(64));
    let levels = (10..=20).map(often).chain(["<< /Nums [] >>".to_owned()]);
    let fan = signed(&objects.iter().cloned().chain(levels).collect::<Vec<_>>(), "");
    let fanned = grown(&fan, &|number, body| {
        if number == 7 {
            *body = often(9);
        }
    });
    assert_caught(&fanned, "content_changed");
    // A node that is somebody else's as well.
    let shared = |index: usize, from: &str, to: &str, node: &str| {
        let mut objects = objects.clone();
        objects[index] = objects[index].replace(from, to);
        objects[6] = node.to_owned();
        signed(&objects, "")
    };
    let listed = shared(2, "/Tabs /S", "/Tabs /S /Private 7 0 R", "<< /Nums [0 8 0 R] >>");
    assert_caught(&grown(&listed, &|_, _| {}), "replaced_object_shared");
    let drawn = shared(2, "/Resources << >>", "/Resources 7 0 R", "<< /Nums [0 8 0 R] /Font << >> >>");
    let font = |number: u32, body: &mut String| {
        if number == 7 {
            *body = body.replace("/Font << >>", "/Font << /F << /Type /Font >> >>");
        }
    };
    assert_caught(&grown(&drawn, &font), "content_changed");
    // Without a field there is no reason to touch the tree.
    let alone = revised(&bytes, &[(4, with(&bytes, 4, &[("ParentTreeNextKey", "2")]))]);
    assert_caught(&alone, "content_changed");
}
