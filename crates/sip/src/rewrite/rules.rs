//! What is exchanged where: what the target has written, and where clients repeat it.

use super::Direction;
use super::element::Element;
use crate::lex;
use crate::message::{Message, Name, Start};

/// The addresses of a message that are looked at, in the order of its bytes.
pub(super) fn elements<'a>(
    direction: Direction,
    message: &Message<'a>,
) -> impl Iterator<Item = Element> + use<'a> {
    let message = *message;
    let bytes = message.bytes();
    let uri = match (direction, message.start()) {
        (Direction::ToTarget, Start::Request { uri_span, .. }) => {
            Element::of_request(bytes, uri_span)
        }
        _ => None,
    };
    let headers = message.headers().filter(move |header| {
        // With a quote left open, nobody knows where one address ends.
        is_exchanged(direction, &message, header.name) && lex::is_balanced(bytes, header.value_span)
    });
    let elements = headers.flat_map(move |header| {
        let spans = lex::split(bytes, header.value_span, b',');
        spans.filter_map(move |span| match header.name {
            Name::Via => Element::of_via(bytes, span),
            _ => Element::of_address(bytes, span),
        })
    });
    uri.into_iter().chain(elements)
}

fn is_exchanged(direction: Direction, message: &Message<'_>, name: Name) -> bool {
    let is_request = message.method().is_some();
    // A list of other places to try, which those who repeat it have from us.
    let redirects = matches!(message.status(), Some(300..=399));
    match (direction, name) {
        // A response to a client has the Via of the client; its routes are what the target has told it.
        (Direction::ToClient, Name::Via) | (Direction::ToTarget, Name::Route) => is_request,
        // The response to a REGISTER lists what clients have registered.
        (Direction::ToClient, Name::Contact) => {
            is_request || redirects || message.cseq().1 != "REGISTER"
        }
        (Direction::ToClient, Name::RecordRoute | Name::Path | Name::ServiceRoute) => true,
        (Direction::ToTarget, Name::Contact) => redirects,
        (Direction::ToTarget, Name::Via | Name::RecordRoute | Name::Path | Name::ServiceRoute) => {
            !is_request
        }
        _ => false,
    }
}
