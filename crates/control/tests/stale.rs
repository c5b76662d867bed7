//! The OpenAPI document in the tree is what the code says.
//!
//! `GATEHOUSE_BLESS=1 cargo nextest run -p control` writes it anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[test]
fn the_document_is_fresh() {
    let path = format!("{}/../../docs/openapi.json", env!("CARGO_MANIFEST_DIR"));
    let generated = control::openapi_text();
    if std::env::var_os("GATEHOUSE_BLESS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == generated,
        "{path} is stale: run this test with GATEHOUSE_BLESS=1"
    );
}
