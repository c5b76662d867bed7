//! The `Connection` field: what holds for this connection only (RFC 9110 section 7.6.1).

use super::{Malformed, Name, is_token_byte, trim_ows};

/// The most options all `Connection` fields of a head may have together.
const MAX_OPTIONS: u8 = 16;

/// What the `Connection` fields of a head ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    pub(super) upgrade: bool,
    /// Fields are named.
    pub(super) nominates: bool,
    count: u8,
}

impl Options {
    /// Adds what one `Connection` field says.
    ///
    /// # Errors
    /// The peer's, if it is no list of tokens, or has more than [`MAX_OPTIONS`] of them.
    pub(super) fn read(&mut self, value: &[u8]) -> Result<(), Malformed> {
        for option in options(value) {
            self.count += 1;
            if self.count > MAX_OPTIONS || !option.iter().copied().all(is_token_byte) {
                return Err(Malformed::Connection);
            }
            if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if option.eq_ignore_ascii_case(b"upgrade") {
                self.upgrade = true;
            } else {
                self.nominates |= !is_about_the_connection(option);
            }
        }
        Ok(())
    }
}

/// The elements of a list; empty ones are left out (RFC 9110 section 5.6.1).
pub(super) fn options(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(trim_ows)
        .filter(|option| !option.is_empty())
}

/// Whether a list has that element, in any case.
pub(super) fn has_option(value: &[u8], wanted: &[u8]) -> bool {
    options(value).any(|option| option.eq_ignore_ascii_case(wanted))
}

/// Whether an option needs no mark: it is no field name, or that of a field which is dropped anyway.
pub(super) fn is_about_the_connection(option: &[u8]) -> bool {
    option.eq_ignore_ascii_case(b"close") || is_hop_by_hop(option)
}

/// Whether a client may have a field dropped on the way. Not one that frames, routes, or tells
/// who asks: a target that misses it would decide differently from us.
pub(super) fn may_be_named(option: &[u8]) -> bool {
    let about_content = option
        .first_chunk::<8>()
        .is_some_and(|start| start.eq_ignore_ascii_case(b"content-"));
    Name::of(option) == Name::Other && !about_content && !Name::has_twin(option)
}

fn is_hop_by_hop(option: &[u8]) -> bool {
    let known = Name::of(option);
    // Transfer-Encoding is never passed on, but naming it is an attack on whoever comes next.
    known.is_hop_by_hop() && known != Name::TransferEncoding
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Options, Malformed> {
        let mut options = Options::default();
        options.read(value.as_bytes()).map(|()| options)
    }

    #[test]
    fn lists_are_read_in_every_shape() {
        let both = read("keep-alive, Upgrade").unwrap();
        assert!(both.keep_alive && both.upgrade && !both.close && !both.nominates);
        let odd = read(" ,,CLOSE ,\tTE").unwrap();
        assert!(odd.close && !odd.nominates);
        assert!(read("X-Mine").unwrap().nominates);
        assert!(read("").is_ok());
    }

    #[test]
    fn what_is_no_list_of_tokens_is_refused() {
        for value in ["keep alive", "close; x", "\"close\"", &"a,".repeat(17)] {
            assert_eq!(read(value).unwrap_err(), Malformed::Connection, "{value}");
        }
    }

    #[test]
    fn fields_that_route_or_frame_cannot_be_named() {
        for name in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "Cookie",
            "X-Forwarded-For",
            "X_Real_IP",
        ] {
            assert!(!may_be_named(name.as_bytes()), "{name}");
        }
        assert!(may_be_named(b"X-Mine"));
    }
}
