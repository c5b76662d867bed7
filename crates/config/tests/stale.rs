//! What is generated from the definition is as it is in the tree.
//!
//! `GATEHOUSE_BLESS=1 cargo nextest run -p config` writes it anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

fn same(path: &str, generated: &str) {
    let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("GATEHOUSE_BLESS").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == generated,
        "{path} is stale: run this test with GATEHOUSE_BLESS=1"
    );
}

#[test]
fn the_reference_is_fresh() {
    same("configs/reference.toml", &config::reference());
}

#[test]
fn the_documentation_is_fresh() {
    same("docs/configuration.md", &config::documentation());
}

#[test]
fn the_schema_is_fresh() {
    same("docs/schema.json", &config::json_schema());
}
