//! Channel data, and what stands on a stream.

use stun::channel_data::{self, Channel};
use stun::stream::{LONGEST, Next, Reject, next};

use super::samples;

#[test]
fn channels_are_0x4000_to_0x4fff() {
    for number in 0..=u16::MAX {
        let is_one = (0x4000..0x5000).contains(&number);
        assert_eq!(Channel::new(number).is_some(), is_one, "{number:#x}");
    }
}

#[test]
fn channel_data_is_read_with_and_without_padding() {
    let channel = Channel::new(0x4abc).unwrap();
    for length in 0..9 {
        let mut bytes = channel.header(length).unwrap().to_vec();
        bytes.resize(4 + length, 7);
        assert_eq!(channel_data::parse(&bytes), Some((channel, 4..4 + length)));
        bytes.resize(bytes.len() + channel_data::padding(length), 0);
        assert_eq!(channel_data::parse(&bytes), Some((channel, 4..4 + length)));
        for end in 0..4 + length {
            assert_eq!(channel_data::parse(&bytes[..end]), None);
        }
    }
    assert_eq!(channel.header(0x1_0000), None);
}

#[test]
fn a_stream_is_cut_where_its_messages_end_however_it_arrives() {
    let mut stream = Vec::new();
    let mut expected = Vec::new();
    for (index, (_, _, message)) in samples().into_iter().enumerate() {
        stream.extend_from_slice(&message);
        expected.push(Next::Message {
            length: message.len(),
        });
        let channel = Channel::new(0x4000).unwrap();
        stream.extend_from_slice(&channel.header(index).unwrap());
        stream.resize(stream.len() + index + channel_data::padding(index), 0);
        expected.push(Next::ChannelData {
            length: 4 + index,
            padded: 4 + index + channel_data::padding(index),
        });
    }
    for piece in [1, 2, 3, 7, 20, 1000] {
        let (mut held, mut found) = (Vec::new(), Vec::new());
        for part in stream.chunks(piece) {
            held.extend_from_slice(part);
            loop {
                let item = next(&held, LONGEST).unwrap();
                let length = match item {
                    Next::NeedMore { until } => {
                        assert!(until > held.len());
                        break;
                    }
                    Next::Message { length } => length,
                    Next::ChannelData { padded, .. } => padded,
                };
                held.drain(..length);
                found.push(item);
            }
        }
        assert!(held.is_empty());
        assert_eq!(found, expected);
    }
}

#[test]
fn what_can_not_become_one_is_refused_at_once() {
    let refused: [(&[u8], Reject); 9] = [
        (b"GET / HTTP/1.1", Reject::TooLong),
        (&[0x50], Reject::Unknown),
        (&[0x7f], Reject::Unknown),
        (&[0x80], Reject::Unknown),
        (&[0xff], Reject::Unknown),
        (&[0, 1, 0, 0, 0x21, 0x13], Reject::Unknown),
        (&[0, 1, 0, 2], Reject::Unknown),
        (&[0, 1, 1, 0], Reject::TooLong),
        (&[0x40, 0, 0, 253], Reject::TooLong),
    ];
    for (bytes, reason) in refused {
        assert_eq!(next(bytes, 256), Err(reason), "{bytes:x?}");
    }
    assert_eq!(
        next(&[0x40, 0, 0, 252], 256),
        Ok(Next::NeedMore { until: 256 })
    );
}
