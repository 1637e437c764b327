//! What a revision replaces in place, and who else comes to it.

use super::*;

/// A field gets a new appearance, in whatever way; what it changes for that, nobody else may come to.
#[test]
fn an_appearance_that_somebody_else_uses() {
    let made = |catalog: &str, trailer: &str| {
        let objects = [
            format!("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> {catalog} >>"),
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Annots [4 0 R] >>".to_owned(),
            "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Text) /F 4 /Rect [9 9 108 29] /P 3 0 R /AP 5 0 R >>"
                .to_owned(),
            "<< /N 6 0 R >>".to_owned(),
            stream("/Type /XObject /Subtype /Form /BBox [0 0 99 20]", ""),
        ];
        signed(&objects, trailer)
    };
    for (way, change) in [
        ("a dictionary of its own", "<< /N FRESH 0 R >>"),
        ("the form in place", "6"),
        ("the dictionary in place", "5"),
    ] {
        let filled = |bytes: &[u8]| {
            let (number, fresh) = (field(bytes, "Text"), next(bytes).to_string());
            let own = change.replace("FRESH", &fresh);
            let (appearance, also) = match change {
                "5" => ("5 0 R", vec![(5, format!("<< /N {fresh} 0 R >>"))]),
                "6" => ("5 0 R", vec![(6, drawn("30"))]),
                _ => (own.as_str(), vec![]),
            };
            let mut objects = vec![(number, with(bytes, number, &[("V", "(30)"), ("AP", appearance)]))];
            objects.extend(also);
            if change != "6" {
                objects.push((next(bytes), drawn("30")));
            }
            revised(bytes, &objects)
        };
        assert_passes(way, &filled(&made("", "")));
        for (catalog, trailer) in
            [("/Shared 5 0 R", ""), ("", "/Shared 5 0 R"), ("/Shared [<< /X 5 0 R >>]", "")]
        {
            let what = format!("{way}: {catalog}{trailer}");
            assert_caught_as(&what, &filled(&made(catalog, trailer)), "replaced_object_shared");
        }
    }
}

/// The form's list of fields grows, and something else in the catalog or the trailer is that list as well.
#[test]
fn a_list_of_fields_that_somebody_else_uses() {
    let made = |catalog: &str, trailer: &str| {
        let objects = [
            format!("<< /Type /Catalog /Pages 2 0 R /AcroForm 4 0 R {catalog} >>"),
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>".to_owned(),
            "<< /Fields 5 0 R >>".to_owned(),
            "[]".to_owned(),
        ];
        signed(&objects, trailer)
    };
    let grown = |bytes: &[u8]| {
        let (first, fresh) = (field(bytes, "Approval"), next(bytes));
        let new = "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Next) /F 132 /Rect [0 0 0 0] >>".to_owned();
        revised(bytes, &[(5, format!("[{first} 0 R {fresh} 0 R]")), (fresh, new)])
    };
    assert_passes("nobody else's", &grown(&made("", "")));
    for (catalog, trailer) in
        [("/Shared 5 0 R", ""), ("", "/Shared 5 0 R"), ("/Shared 4 0 R", "/Shared [5 0 R]")]
    {
        assert_caught(&grown(&made(catalog, trailer)), "replaced_object_shared");
    }
}

#[test]
fn a_security_store_holds_nothing_else() {
    let bytes = &DESK.signed;
    let (catalog, fresh) = (catalog(bytes), next(bytes));
    let with_store = |store: &str| {
        let catalog = (catalog, with(bytes, catalog, &[("DSS", &format!("{fresh} 0 R"))]));
        revised(bytes, &[catalog, (fresh, store.to_owned()), (fresh + 1, stream("", "x"))])
    };
    let good = format!("<< /Type /DSS /Certs [{} 0 R] >>", fresh + 1);
    assert_passes("certificates", &with_store(&good));
    let key = "A".repeat(40);
    for store in [
        "(Hi)",
        "<< /Else null >>",
        "<< /Else 1 >>",
        "<< /Certs null >>",
        "<< /Certs [1] >>",
        "<< /VRI null >>",
        "<< /VRI << /Else null >> >>",
        &format!("<< /VRI << /{key} null >> >>"),
        &format!("<< /VRI << /{key} << /Else null >> >> >>"),
        &format!("<< /VRI << /{key} << /OCSP null >> >> >>"),
    ] {
        assert_caught_as(store, &with_store(store), "security_store_changed");
    }
}
