//! What the signed pages show: replaced, hidden, or brought up from what was prepared before signing.

use crate::desk::*;
use crate::forge::*;
use crate::job::Job;

#[test]
fn replaced_content() {
    none_passes(|bytes| {
        let fresh = next(bytes);
        let evil = stream("", "BT /F1 13 Tf 85 700 Td (pay 9999) Tj ET");
        let mut forged = Vec::new();
        for page in page_numbers(bytes) {
            let content = number(bytes, page, "Contents");
            let mut add = |what: &str, objects: &[(u32, String)]| {
                forged.push((format!("page {page}: {what}"), revised(bytes, objects)));
            };
            add("content overwritten", &[(content, evil.clone())]);
            add("content emptied", &[(content, stream("", ""))]);
            add("content null", &[(content, "null".to_owned())]);
            for (what, key, value) in [
                ("content pointed elsewhere", "Contents", format!("{fresh} 0 R")),
                ("content added", "Contents", format!("[{content} 0 R {fresh} 0 R]")),
                ("content added in front", "Contents", format!("[{fresh} 0 R {content} 0 R]")),
                ("content in an array of another page's", "Contents", "[]".to_owned()),
                ("turned", "Rotate", "180".to_owned()),
                ("cropped", "CropBox", "[0 0 10 10]".to_owned()),
                ("larger", "MediaBox", "[-500 -500 900 900]".to_owned()),
                ("scaled", "UserUnit", "10".to_owned()),
                ("resources gone", "Resources", "<< >>".to_owned()),
                ("automatic action", "AA", "<< /O << /S /JavaScript /JS (x) >> >>".to_owned()),
                ("group", "Group", "<< /S /Transparency /K true >>".to_owned()),
            ] {
                add(what, &[(page, with(bytes, page, &[(key, &value)])), (fresh, evil.clone())]);
            }
        }
        forged
    });
}

#[test]
fn hidden_by_entries() {
    none_passes(|bytes| {
        let mut forged = Vec::new();
        let (root, fresh) = (catalog(bytes), next(bytes));
        let mut targets = vec![root, form(bytes), 2, 3];
        targets
            .extend(page_numbers(bytes).into_iter().flat_map(|page| [page, number(bytes, page, "Contents")]));
        targets.extend(fields(bytes));
        targets.extend(signed_fields(bytes).into_iter().map(|at| number(bytes, at, "V")));
        for target in targets {
            forged
                .push((format!("{target} freed"), referenced(bytes, bytes, &[(target, Entry::Free)], None)));
            // The entry leads to bytes that the signature covers: another object's, which were always there.
            for other in page_numbers(bytes).into_iter().map(|page| number(bytes, page, "Contents")) {
                let header = format!("{other} 0 obj");
                let Some(at) = bytes.windows(header.len()).position(|window| window == header.as_bytes())
                else {
                    continue;
                };
                if other != target {
                    forged.push((
                        format!("{target} leads to {other}"),
                        referenced(bytes, bytes, &[(target, Entry::At(at))], None),
                    ));
                }
            }
        }
        // Another catalog: a copy with other pages.
        let pages = format!("<< /Type /Pages /Kids [{} 0 R] /Count 1 >>", page_numbers(bytes)[0]);
        let copy = with(bytes, root, &[("Pages", &format!("{} 0 R", fresh + 1))]);
        let mut out = bytes.to_vec();
        let mut entries = Vec::new();
        for (at, body) in [(fresh, copy), (fresh + 1, pages)] {
            entries.push((at, Entry::At(out.len())));
            out.extend(format!("{at} 0 obj\n{body}\nendobj\n").bytes());
        }
        forged.push(("another catalog".to_owned(), referenced(&out, bytes, &entries, Some(fresh))));
        forged
    });
}

/// Objects that the signed file already holds and nothing shows, brought up later.
#[test]
fn shadows_prepared_before_signing() {
    let shadow = stream("", "BT /F1 13 Tf 85 700 Td (Page 0: pay 9999) Tj ET");
    let mut tried = 0;
    for (at, page) in (0..PAGES).map(|page| (5 + 2 * page, 4 + 2 * page)) {
        // A second object of the number of a page's content stands in the file; the table names the first.
        let input = String::from_utf8_lossy(&pages()).into_owned();
        let cut = input.find("xref\n").unwrap();
        let mut file = pages()[..pages().windows(5).position(|window| window == b"xref\n").unwrap()].to_vec();
        let hidden = file.len();
        file.extend(format!("{at} 0 obj\n{shadow}\nendobj\n").bytes());
        let xref = file.len();
        let rest = &input[cut..];
        let rest = &rest[..rest.find("startxref").unwrap()];
        file.extend(format!("{rest}startxref\n{xref}\n%%EOF\n").bytes());
        let mut job = Job::ingested(&file);
        job.sign(&DESK.pki, "leader", "Approval", |_| {});
        assert!(DESK.passes(&job.bytes));
        let number = u32::try_from(at).unwrap();
        let shown = referenced(&job.bytes, &job.bytes, &[(number, Entry::At(hidden))], None);
        assert!(!DESK.passes(&shown), "page {page}");
        tried += 1;
    }
    assert_eq!(tried, PAGES);
}
