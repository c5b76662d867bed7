use super::*;
use std::task::Waker;

/// Takes so many bytes, and then no more.
struct Narrow(Vec<u8>, usize);

impl Sink for Narrow {
    fn poll_write_some(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = slices[0].len().min(self.1 - self.0.len());
        if count == 0 {
            return Poll::Pending;
        }
        self.0.extend_from_slice(&slices[0][..count]);
        Poll::Ready(Ok(count))
    }

    fn unsent(&self) -> usize {
        0
    }

    fn poll_flush_all(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn an_interim_head_that_is_half_sent_stays_whole() {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut sink = Narrow(Vec::new(), 10);
    let mut lane = Lane::default();
    let interim = b"HTTP/1.1 103 Early Hints\r\n\r\n";
    lane.prepare().extend_from_slice(interim);
    lane.end_interim();
    assert!(lane.poll_drain(cx, &mut sink, &mut false).is_pending());
    lane.take_back();
    lane.prepare().extend_from_slice(b"a page");
    sink.1 = 1000;
    assert!(lane.poll_drain(cx, &mut sink, &mut false).is_ready());
    assert_eq!(sink.0, [interim.as_slice(), b"a page"].concat());
}

/// Takes everything, and does not get rid of it.
struct Stuck;

impl Sink for Stuck {
    fn poll_write_some(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn unsent(&self) -> usize {
        1
    }

    fn poll_flush_all(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// Lines: those with `-` are another for the sink, and those with `!` may not pass.
struct Lines;

impl Screen for Lines {
    fn look(&mut self, read: &[u8], out: &mut Vec<u8>) -> Result<Look, Reason> {
        let Some(end) = read.iter().position(|byte| *byte == b'\n') else {
            return Ok(Look::More);
        };
        match read[0] {
            b'-' => {
                out.extend_from_slice(b"other\n");
                Ok(Look::Replaced(end + 1))
            }
            b'!' => Err(Reason::Banned),
            _ => Ok(Look::Pass(end + 1)),
        }
    }
}

/// What it is given at once.
#[derive(Default)]
struct Writes(Vec<Vec<u8>>);

impl Sink for Writes {
    fn poll_write_some(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let count = bytes.len();
        self.0.push(bytes);
        Poll::Ready(Ok(count))
    }

    fn unsent(&self) -> usize {
        0
    }

    fn poll_flush_all(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Waits for more.
struct Silent;

impl Source for Silent {
    fn poll_read_some(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
}

#[test]
fn messages_that_are_there_leave_by_one_write_in_their_order() {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut sink = Writes::default();
    let mut lane = Lane::default();
    lane.begin_screened(Box::new(Lines));
    lane.buffer.put(b"one\ntwo\n-\nthree\n-\nfour\nhal");
    let passed = lane.poll_pass(cx, &mut Silent, &mut sink, &mut false);
    assert!(passed.is_pending());
    assert_eq!(sink.0, [b"one\ntwo\nother\nthree\nother\nfour\n"]);
    assert_eq!((lane.passed(), lane.waits_for_more()), (23, true));
    lane.buffer.put(b"f\nfive\n!\nsix\n");
    let passed = lane.poll_pass(cx, &mut Silent, &mut sink, &mut false);
    assert!(matches!(
        passed,
        Poll::Ready(Err(Broken::Refused(Reason::Banned)))
    ));
    assert_eq!(sink.0[1..], [b"half\nfive\n"]);
}

/// Always has more.
struct Endless;

impl Source for Endless {
    fn poll_read_some(&mut self, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(room.len()))
    }
}

#[test]
fn nothing_more_is_read_for_a_sink_that_still_holds_the_last() {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut lane = Lane::default();
    lane.begin_tunnel();
    lane.buffer.put(b"the last");
    let mut moved = false;
    let passed = lane.poll_pass(cx, &mut Endless, &mut Stuck, &mut moved);
    assert!(passed.is_pending());
    assert!(lane.buffer.is_empty(), "nothing was read");
    assert_eq!(lane.passed(), 8);
}
