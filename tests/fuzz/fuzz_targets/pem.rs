//! A chain and its key in PEM, encrypted or not: what is read belongs together.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(material) = certs::bundle::read_pem(text, text, "x") {
        assert!(material.certified_key().is_ok());
        assert!(material.chain_pem.starts_with("-----BEGIN CERTIFICATE-----"));
    }
});
