//! An imaginary province for demos and tests: PKI, TSA, OCSP, MSSP, push.

fn main() {}
