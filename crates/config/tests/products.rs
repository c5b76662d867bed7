//! The published product files check clean, and mean what they say.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

fn file(name: &str) -> String {
    let path = format!("{}/../../configs/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn checked(name: &str) -> config::Checked {
    config::check(&file(name), &format!("{name}.toml")).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn every_product_checks_clean() {
    for name in ["estos-ucserver", "flashphoner-wcs", "infinityone", "innovaphone", "interwise", "sip-trunk"] {
        checked(name);
    }
}
