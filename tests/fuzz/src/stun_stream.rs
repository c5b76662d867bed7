use stun::channel_data;
use stun::message::Message;
use stun::stream::{Next, Reject, next};

/// The most bytes of anything on the stream.
const LONGEST: usize = 2048;

/// A stream is cut alike however it arrives; what is cut off is whole, and what is refused stays refused.
pub fn stun_stream(data: &[u8]) {
    let (items, end) = cut(data, data.len().max(1));
    assert_eq!((items, end), cut(data, 1));
}

/// What is on the stream that arrives in pieces, and how it ends.
fn cut(data: &[u8], piece: usize) -> (Vec<Next>, Option<Reject>) {
    let mut items = Vec::new();
    let (mut from, mut to) = (0, 0);
    loop {
        match next(&data[from..to], LONGEST) {
            Ok(Next::NeedMore { until }) => {
                assert!(to - from < until && until <= LONGEST);
                if to == data.len() {
                    return (items, None);
                }
                to = data.len().min(to + piece);
            }
            Ok(item) => {
                let length = match item {
                    Next::Message { length } => {
                        let _ = Message::parse(&data[from..from + length]);
                        length
                    }
                    Next::ChannelData { length, padded } => {
                        let frame = &data[from..from + length];
                        let (_, payload) = channel_data::parse(frame).expect("a channel");
                        assert_eq!(payload, 4..length);
                        assert!(padded - length < 4);
                        padded
                    }
                    Next::NeedMore { .. } => 0,
                };
                assert!(0 < length && length <= to - from && length <= LONGEST);
                items.push(item);
                from += length;
            }
            Err(reason) => return (items, Some(reason)),
        }
    }
}
