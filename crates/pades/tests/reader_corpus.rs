//! Every real file: opened, all objects and pages read, never a panic, never slow.

use trinhky_pades::pdf::{File, Limits, ObjRef, Object};

mod common;

#[test]
fn every_file_is_read_or_refused() {
    let files = [common::pdfs("pdf-unsigned/files"), common::pdfs("pdf-signed/files")].concat();
    let (mut strict, mut repaired, mut refused) = (0, 0, Vec::new());
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        let limits = Limits::default();
        let file = match File::open(&bytes, &limits) {
            Ok(file) => file,
            Err(error) => {
                refused.push(format!("{} {error}", path.display()));
                continue;
            }
        };
        if file.oddities().repaired {
            repaired += 1;
            if std::env::var_os("SHOW").is_some() {
                println!("repaired {} {:?}", path.display(), File::open_strict(&bytes, &limits).err());
            }
        } else {
            strict += 1;
        }
        for (index, revision) in file.revisions().iter().enumerate() {
            assert!(revision.end <= bytes.len() as u64, "{} revision {index}", path.display());
        }
        let view = file.latest();
        for number in view.numbers() {
            let reference = ObjRef::new(number);
            if let Ok(Object::Stream(stream)) = view.get(reference) {
                let _ = view.decode(&stream);
            }
        }
        for page in view.pages().unwrap_or_default() {
            let _ = view.page(page);
        }
    }
    println!(
        "{} files: {strict} by their chain, {repaired} by a scan, {} refused",
        files.len(),
        refused.len()
    );
    for line in &refused {
        println!("  {line}");
    }
    assert!(refused.len() * 20 <= files.len(), "more than one in twenty refused");
}
