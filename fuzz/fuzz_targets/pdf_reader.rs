//! Any bytes through the PDF reader: every revision's view, every object, every page. An error is fine; a panic, a hang
//! or memory without end is not.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trinhky_pades::pdf::{File, Limits, ObjRef, Object};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { objects: 10_000, inflated_len: 1 << 20, inflated_total: 8 << 20, pages: 200, ..Limits::default() };
    let Ok(file) = File::open(&bytes, &limits) else { return };
    for index in 0..file.revisions().len().min(8) {
        let view = file.at(index);
        for number in view.numbers().into_iter().take(200) {
            if let Ok(object) = view.get(ObjRef { number, generation: 0 }) {
                drop(view.resolve(&object));
                if let Object::Stream(stream) = &object {
                    drop(view.decode(stream));
                }
            }
        }
        for page in view.pages().unwrap_or_default().into_iter().take(50) {
            drop(view.page(page));
        }
    }
});
