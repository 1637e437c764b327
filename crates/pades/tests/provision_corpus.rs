//! Real files taken in and provisioned: refused with a reason, or clean by qpdf's judgement, with all pages kept.

use std::{collections::BTreeMap, process::Command};

use trinhky_pades::{Digest, ProvisionPlan, Refusal, ingest, pdf::Limits, provision};

mod common;

#[test]
fn every_unsigned_file_is_provisioned_or_refused() {
    let scratch = std::env::temp_dir().join(format!("trinhky-provision-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).unwrap();
    let has_qpdf = Command::new("qpdf").arg("--version").output().is_ok();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut fine_before, mut lost, mut unclean) = (0, Vec::new(), Vec::new());
    for path in common::pdfs("pdf-unsigned/files") {
        let bytes = std::fs::read(&path).unwrap();
        let fine = has_qpdf && qpdf(&path);
        let made = ingest(&bytes, &Limits::default()).and_then(|taken| {
            let mut base = Vec::new();
            let made = provision(&bytes, &taken, &ProvisionPlan::standard(1), &mut base)?;
            Ok((taken, made, base))
        });
        let code = match &made {
            Ok((_, made, _)) if made.normalised => "rewritten",
            Ok(_) => "copied",
            Err(refusal) => refusal.code(),
        };
        *counts.entry(code).or_default() += 1;
        let (taken, made, base) = match made {
            Ok(made) => made,
            Err(refusal) => {
                if fine && !matches!(refusal, Refusal::Encrypted) {
                    lost.push(format!("{} {refusal}", path.display()));
                }
                fine_before += u32::from(fine && !matches!(refusal, Refusal::Encrypted));
                continue;
            }
        };
        fine_before += u32::from(fine);
        assert_eq!(made.sha256, Digest::of(&base), "{}", path.display());
        let again =
            ingest(&base, &Limits::default()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(again.midstate, made.midstate);
        assert_eq!(again.report.pages, taken.report.pages, "{}", path.display());
        assert!(!again.report.needs_normalising(), "{}: {:?}", path.display(), again.report.findings);
        for declared in &made.manifest.fields {
            let site = again
                .index
                .field(&declared.name)
                .unwrap_or_else(|| panic!("{} {}", path.display(), declared.name));
            let known = made.index.field(&declared.name).unwrap();
            assert_eq!(
                (site.id, site.at, site.page_id),
                (known.id, known.at, known.page_id),
                "{}",
                path.display()
            );
        }
        assert_eq!((again.index.startxref, again.index.size), (made.index.startxref, made.index.size));
        if fine {
            let out = scratch.join("base.pdf");
            std::fs::write(&out, &base).unwrap();
            if !qpdf(&out) {
                unclean.push(path.display().to_string());
                if let Some(keep) = std::env::var_os("KEEP") {
                    std::fs::copy(&out, std::path::Path::new(&keep).join(path.file_name().unwrap())).unwrap();
                }
            }
        }
    }
    std::fs::remove_dir_all(&scratch).unwrap();
    println!("{counts:?}; {fine_before} fine before");
    for line in &lost {
        println!("lost {line}");
    }
    for line in &unclean {
        println!("unclean {line}");
    }
    assert!(lost.len() * 20 <= fine_before as usize, "fewer than 95 % of the fine files can be signed");
    assert!(unclean.is_empty(), "a clean file became an unclean one");
}

fn qpdf(path: &std::path::Path) -> bool {
    let output = Command::new("qpdf").arg("--check").arg(path).output();
    output.is_ok_and(|output| output.status.code() == Some(0))
}
