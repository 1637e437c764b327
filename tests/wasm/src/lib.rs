//! A plain C surface over the engine for `smoke.mjs`: the digest of bytes, and the signed attributes of a PAdES signature.
//!
//! Not an interface of the product: only proof that the same code runs in WebAssembly and gives the same bytes.

use std::cell::RefCell;

use trinhky_pades::Digest;
use trinhky_pades::cms::{ID_DATA, signed_attributes};

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Room for `len` bytes of input.
#[unsafe(no_mangle)]
pub extern "C" fn input(len: usize) -> *mut u8 {
    INPUT.with_borrow_mut(|bytes| {
        bytes.resize(len, 0);
        bytes.as_mut_ptr()
    })
}

/// Where the output of the last call lies.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    OUTPUT.with_borrow(Vec::as_ptr)
}

/// SHA-256 of the input; the length of the output.
#[unsafe(no_mangle)]
pub extern "C" fn digest() -> usize {
    let digest = INPUT.with_borrow(|bytes| Digest::of(bytes));
    give(digest.0.to_vec())
}

/// The signed attributes for a document with this digest (the first 32 bytes of the input) by this certificate (the
/// rest); the length of the output, 0 if the certificate cannot be read.
#[unsafe(no_mangle)]
pub extern "C" fn attributes() -> usize {
    let made = INPUT.with_borrow(|bytes| {
        let (digest, certificate) = bytes.split_first_chunk::<32>()?;
        signed_attributes(&Digest(*digest), certificate, ID_DATA).ok().map(|made| made.as_der().to_vec())
    });
    give(made.unwrap_or_default())
}

fn give(bytes: Vec<u8>) -> usize {
    let len = bytes.len();
    OUTPUT.set(bytes);
    len
}
