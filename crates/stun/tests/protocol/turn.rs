//! The relay, in a time that is told, with clients that speak by `stun_codec`.

mod allocate;
mod data;
mod errors;
mod strangers;
mod time;

use stun::message::Method;
use stun::turn::Client;
use stun_codec::rfc5766::attributes::{ChannelNumber, RequestedTransport, XorPeerAddress};

use crate::codec::Attribute;
use crate::world::{Answer, World, address};

/// An attribute as it is.
type Raw<'a> = (u16, &'a [u8]);

fn udp() -> Attribute {
    RequestedTransport::new(17).into()
}

fn peer(text: &str) -> Attribute {
    XorPeerAddress::new(address(text)).into()
}

fn channel(number: u16) -> Attribute {
    ChannelNumber::new(number).unwrap().into()
}

impl World {
    /// One transaction of Alice.
    fn does(&mut self, client: Client, method: Method, with: Vec<Attribute>) -> Answer {
        let bytes = self.theirs(client, method, with);
        self.ask(client, &bytes).expect("an answer")
    }

    /// The same with attributes as they are.
    fn does_raw(&mut self, client: Client, method: Method, with: &[(u16, &[u8])]) -> Answer {
        let bytes = self.ours(client, method, with);
        self.ask(client, &bytes).expect("an answer")
    }

    fn allocate(&mut self, client: Client) -> Answer {
        let answer = self.does(client, Method::ALLOCATE, vec![udp()]);
        assert_eq!(answer.code(), None);
        answer
    }

    fn permit(&mut self, client: Client, text: &str) {
        let answer = self.does(client, Method::CREATE_PERMISSION, vec![peer(text)]);
        assert_eq!(answer.code(), None, "{text}");
    }

    fn bind(&mut self, client: Client, number: u16, text: &str) {
        let with = vec![channel(number), peer(text)];
        let answer = self.does(client, Method::CHANNEL_BIND, with);
        assert_eq!(answer.code(), None, "{text}");
    }
}
