//! When to parse a head that arrives in pieces.

use super::{Limits, MAX_METHOD};

/// How far a head that has not ended yet was looked at; a new one for every head.
///
/// A head that arrives byte by byte would be parsed anew for every byte; asking here first keeps
/// the work linear in the bytes received.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    seen: usize,
    /// Line ends in the first `counted` bytes. The most heads come whole, so that none are counted.
    lines: usize,
    counted: usize,
}

impl Progress {
    /// Whether a parser can say more about `buf` than when this was last asked, because an empty
    /// line may have come or a limit is exceeded; always for the first bytes.
    ///
    /// `buf` begins with the head, and holds at least what it held then.
    pub fn is_worth_parsing(&mut self, buf: &[u8], limits: &Limits) -> bool {
        let seen = std::mem::replace(&mut self.seen, buf.len());
        if seen == 0 || buf.len() <= seen {
            return buf.len() > seen;
        }
        let fresh = buf.get(self.counted..).unwrap_or_default();
        let lines = fresh.split(|&byte| byte == b'\n').skip(1).count();
        self.lines += lines;
        self.counted = buf.len();
        // Each of these holds a bounded number of times before a parser refuses the head: one
        // line or two bytes may be a skipped empty line. A request line may also be short of
        // `longest` with a target that is too long; that is found when the next limit is reached.
        let longest = limits.target + MAX_METHOD + 4;
        let too_many_fields = lines > 0 && self.lines > limits.fields + 1;
        let too_long = buf.len() >= limits.head || (seen <= longest && buf.len() > longest);
        too_many_fields || too_long || has_empty_line(buf, seen)
    }
}

/// Whether an empty line, one of bare LF included, may have ended behind the first `seen` bytes.
fn has_empty_line(buf: &[u8], seen: usize) -> bool {
    buf.get(seen.saturating_sub(2)..)
        .unwrap_or_default()
        .windows(2)
        .any(|pair| matches!(pair, b"\n\r" | b"\n\n"))
}

#[cfg(test)]
mod tests {
    use super::super::{Malformed, request, response};
    use super::*;

    const START: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n";

    /// Feeds `bytes` in steps; how often it was parsed, and what came of it in the end.
    fn feed(bytes: &[u8], step: usize) -> (usize, Result<bool, Malformed>) {
        let (limits, mut progress, mut parsed) = (Limits::default(), Progress::default(), 0);
        for end in (1..=bytes.len()).filter(|end| end % step == 0 || *end == bytes.len()) {
            let buf = &bytes[..end];
            if !progress.is_worth_parsing(buf, &limits) {
                assert!(matches!(request(buf, &limits), Ok(None)), "missed at {end}");
                continue;
            }
            parsed += 1;
            match request(buf, &limits) {
                Ok(None) => {}
                Ok(Some(_)) => return (parsed, Ok(true)),
                Err(fault) => return (parsed, Err(fault)),
            }
        }
        (parsed, Ok(false))
    }

    #[test]
    fn a_slow_head_is_parsed_again_only_when_an_empty_line_may_have_come() {
        let head = [START, b"\r\n"].concat();
        assert_eq!(feed(&head, 1), (3, Ok(true)), "first byte, CR, LF");
        assert_eq!(feed(&head, head.len()), (1, Ok(true)));
        for step in 2..head.len() {
            assert_eq!(feed(&head, step).1, Ok(true), "{step}");
        }
    }

    #[test]
    fn nothing_new_is_not_worth_parsing() {
        let (limits, mut progress) = (Limits::default(), Progress::default());
        assert!(!progress.is_worth_parsing(b"", &limits));
        assert!(progress.is_worth_parsing(START, &limits));
        assert!(!progress.is_worth_parsing(START, &limits));
    }

    #[test]
    fn empty_lines_of_bare_lf_are_found_so_that_they_are_refused() {
        let (limits, mut progress) = (Limits::default(), Progress::default());
        assert!(progress.is_worth_parsing(b"GET / HTTP/1.1\n", &limits));
        assert!(progress.is_worth_parsing(b"GET / HTTP/1.1\n\n", &limits));
    }

    #[test]
    fn a_head_beyond_a_limit_is_refused_before_it_ends_and_parsed_a_few_times_only() {
        let limits = Limits::default();
        let target = [b"GET /".as_slice(), &vec![b'a'; limits.head]].concat();
        let value = [START, b"A: ", &vec![b'a'; limits.head]].concat();
        let fields = [START, &b"A: a\r\n".repeat(limits.fields + 1)].concat();
        for (bytes, fault) in [
            (target, Malformed::TargetTooLong),
            (value, Malformed::HeadTooLong),
            (fields, Malformed::TooManyFields),
        ] {
            let skipping = [b"\r\n".as_slice(), &bytes].concat();
            for bytes in [bytes, skipping] {
                for step in [7, 1460, 64 * 1024] {
                    let (parsed, result) = feed_loosely(&bytes, step);
                    assert_eq!(result, Some(fault), "{step}");
                    assert!(parsed <= 6, "{fault}: parsed {parsed} times");
                }
            }
        }
    }

    /// As [`feed`], without a look at what is left out.
    fn feed_loosely(bytes: &[u8], step: usize) -> (usize, Option<Malformed>) {
        let (limits, mut progress, mut parsed) = (Limits::default(), Progress::default(), 0);
        for end in (0..bytes.len()).step_by(step).chain([bytes.len()]) {
            if progress.is_worth_parsing(&bytes[..end], &limits) {
                parsed += 1;
                if let Err(fault) = request(&bytes[..end], &limits) {
                    return (parsed, Some(fault));
                }
            }
        }
        (parsed, None)
    }

    #[test]
    fn an_answer_beyond_the_limit_is_refused_before_it_ends() {
        let (limits, mut progress) = (Limits::default(), Progress::default());
        let head = [
            b"HTTP/1.1 200 OK\r\nA: ".as_slice(),
            &vec![b'a'; limits.head],
        ]
        .concat();
        assert!(progress.is_worth_parsing(&head[..9], &limits));
        assert!(progress.is_worth_parsing(&head, &limits));
        assert_eq!(
            response(&head, "GET", &limits).map(|_| ()),
            Err(Malformed::HeadTooLong)
        );
    }
}
