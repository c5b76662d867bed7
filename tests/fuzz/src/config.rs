use crate::valid;

/// Whatever stands in a file, the check ends, and a fault names a line that the file has.
pub fn config(data: &[u8]) {
    let text = valid(data);
    if let Err(faults) = config::check(text, "gatehouse.toml") {
        assert!(!faults.to_string().is_empty());
    }
}
