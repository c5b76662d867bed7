//! Everything that reads bytes it did not write, one function for each: whatever the bytes are, it ends, and what it
//! says of them holds. A test replays what is kept and what is made of it (`tests/replay`); libFuzzer looks for more
//! (`libfuzzer/`).
#![allow(clippy::panic, reason = "a finding is told by a panic")]

mod acme_answer;
mod client_certificate;
mod config;
mod dhcp_answer;
mod h323_first;
mod htpasswd;
mod http2_head;
mod http_chunked;
mod http_credentials;
mod http_request;
mod http_response;
mod icmp_echo;
mod ldap_answer;
mod ldap_request;
mod login_form;
mod oidc_token;
mod p12;
mod partition_table;
mod pem;
mod proxy_header;
mod radius_answer;
mod return_address;
mod sip_message;
mod stun_message;
mod stun_stream;
mod tls_hello;
mod turn_relay;

pub use self::config::config;
pub use acme_answer::acme_answer;
pub use client_certificate::client_certificate;
pub use dhcp_answer::dhcp_answer;
pub use h323_first::h323_first;
pub use htpasswd::htpasswd;
pub use http_chunked::http_chunked;
pub use http_credentials::http_credentials;
pub use http_request::http_request;
pub use http_response::http_response;
pub use http2_head::http2_head;
pub use icmp_echo::icmp_echo;
pub use ldap_answer::ldap_answer;
pub use ldap_request::ldap_request;
pub use login_form::login_form;
pub use oidc_token::oidc_token;
pub use p12::p12;
pub use partition_table::partition_table;
pub use pem::pem;
pub use proxy_header::proxy_header;
pub use radius_answer::radius_answer;
pub use return_address::return_address;
pub use sip_message::sip_message;
pub use stun_message::stun_message;
pub use stun_stream::stun_stream;
pub use tls_hello::tls_hello;
pub use turn_relay::turn_relay;

/// What is text in the bytes, from the first one on.
fn valid(data: &[u8]) -> &str {
    let end = match std::str::from_utf8(data) {
        Ok(text) => return text,
        Err(error) => error.valid_up_to(),
    };
    std::str::from_utf8(&data[..end]).expect("it is valid up to there")
}
