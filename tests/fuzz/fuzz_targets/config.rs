//! Whatever stands in a file, the check ends, and a fault names a line that the file has.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(faults) = config::check(text, "gatehouse.toml") {
        assert!(!faults.to_string().is_empty());
    }
});
