use crate::valid;
use signin::Return;

/// Whatever somebody wrote into the address of the login page, a login leads to a path of the host or to a host that is ours.
pub fn return_address(data: &[u8]) {
    let read = |text: &str| Return::read(text, 8443, |host| host == "pbx.example.com");
    let back = read(valid(data));
    let place = back.as_str();
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    assert!(place.bytes().all(is_plain));
    match back.other_origin() {
        Some(origin) => {
            assert_eq!(origin, "https://pbx.example.com:8443");
            assert!(place.starts_with("https://pbx.example.com:8443/"));
        }
        None => assert!(place.starts_with('/') && !place.starts_with("//")),
    }
    assert!(!place.starts_with("/.gatehouse/"));
    assert_eq!(read(place), back);
}
