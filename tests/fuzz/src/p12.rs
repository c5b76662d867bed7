/// PKCS#12 from anywhere: as a whole, and its inside as if the passphrase were proven, which no fuzzer ever gets to. It ends soon, and what is
/// read is whole.
pub fn p12(data: &[u8]) {
    let found = [
        certs::bundle::read(data, "x"),
        certs::bundle::read_inside(data),
    ];
    for material in found.into_iter().flatten() {
        assert!(material.certified_key().is_ok());
    }
}
