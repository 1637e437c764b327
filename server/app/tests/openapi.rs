//! The committed description of the interface is the one the code gives.

use std::path::Path;

#[test]
fn the_committed_openapi_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protos/openapi.json");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let made = trinhky_server::routes::openapi_text();
    assert!(committed == made, "run: cargo run -p trinhky-server -- openapi > protos/openapi.json");
}
