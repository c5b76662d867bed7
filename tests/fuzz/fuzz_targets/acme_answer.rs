//! Whatever a certificate authority or its name server sends: what an operator gets to see of it is one short line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use uplink::acme::chew;

fuzz_target!(|data: &[u8]| {
    for sentence in chew(data) {
        assert!(sentence.len() < 2000);
        assert!(!sentence.contains(char::is_control));
    }
});
