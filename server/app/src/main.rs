//! The trinhky binary: serve, work, gate, admin, verify, pdf.

fn main() {}
