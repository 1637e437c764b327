//! The clerk's half of signing: the organisation's token over PKCS#11.

fn main() {}
