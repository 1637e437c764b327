//! Writes the Python, Kotlin and Swift bindings; `mobile-core/ffi/generate.sh` runs it.

fn main() {
    uniffi::uniffi_bindgen_main();
}
