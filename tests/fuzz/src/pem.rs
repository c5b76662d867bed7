use crate::valid;

/// A chain and its key in PEM, encrypted or not: what is read belongs together.
pub fn pem(data: &[u8]) {
    let text = valid(data);
    if let Ok(material) = certs::bundle::read_pem(text, text, "x") {
        assert!(material.certified_key().is_ok());
        assert!(
            material
                .chain_pem
                .starts_with("-----BEGIN CERTIFICATE-----")
        );
    }
}
