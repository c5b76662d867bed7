//! What is asked of a CA, and what is told of it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// All that is to be had from CAs now. A later one takes the place of an earlier one: an order that is in both
/// goes on, one that is in the earlier only is given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Certificates to be ordered.
    pub orders: Vec<Order>,
    /// Certificates whose CA is to be asked when it wants them renewed (RFC 9773).
    pub lookups: Vec<Lookup>,
}

/// The number of one order, never used twice by one supervisor: it comes back with the news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderId(pub u64);

/// One certificate to be ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What the news of it begin with.
    pub id: OrderId,
    /// The CA, and who we are there.
    pub authority: Authority,
    /// The names, in lower case; a wildcard as `*.example.com`.
    pub names: Vec<String>,
    /// How the CA sees that they are ours.
    pub proof: Proof,
    /// The certificate request (PKCS#10, DER); its key stays with whoever orders.
    pub request: Vec<u8>,
    /// The certificate that this one takes the place of, as RFC 9773 section 4.1 names it.
    pub replaces: Option<String>,
    /// Address of an order that was made before for the same request, to be taken up where it stands.
    pub begun: Option<String>,
}

/// A CA, and our account there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Address of the directory, `https://…`.
    pub directory: String,
    /// The roots that the CA's own TLS certificate is checked by, PEM; the public ones if missing.
    pub roots: Option<String>,
    /// Who we are there.
    pub account: Account,
}

/// An account at a CA. Its Debug form does not tell the keys.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account key (P-256), PKCS#8 in PEM.
    pub key: String,
    /// What the CA calls the account; missing before the first order.
    pub url: Option<String>,
    /// Where the CA may write to, as `mailto:…`.
    pub contact: Vec<String>,
    /// The account that the operator has with the CA already.
    pub external: Option<External>,
}

/// Credentials that bind the ACME account to one that the CA knows (RFC 8555 section 7.3.4).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// The key identifier.
    pub key_id: String,
    /// The MAC key, in base64url.
    pub mac_key: String,
}

/// How a CA sees that a name is ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// By a page on port 80 (RFC 8555 section 8.3).
    Http01,
    /// By a TLS hello on port 443 (RFC 8737).
    TlsAlpn01,
    /// By a record that the zone's name server takes from us (RFC 2136).
    Dns01(DnsUpdate),
    /// By a record in a zone that we serve ourselves; `_acme-challenge.NAME` is an alias of `NAME.ZONE`.
    Dns01Zone(String),
}

/// A name server that takes updates. Its Debug form does not tell the key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsUpdate {
    /// Name or address of the primary, optionally with a port.
    pub server: String,
    /// Name of the TSIG key.
    pub tsig_name: String,
    /// The key, in base64.
    pub tsig_key: String,
}

/// A certificate whose CA is asked when it is to be renewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The certificate, as RFC 9773 section 4.1 names it.
    pub certificate: String,
    /// The CA's directory.
    pub directory: String,
    /// As in [`Authority::roots`].
    pub roots: Option<String>,
}

/// What became of something that was [`Wanted`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// The CA has an account for us now.
    Account {
        /// The CA's directory.
        directory: String,
        /// What it calls the account.
        url: String,
    },
    /// How far an order is.
    Step {
        /// Which one.
        id: OrderId,
        /// What is done now.
        step: Step,
    },
    /// What an order waits for longer than usual; once an order.
    Note {
        /// Which one.
        id: OrderId,
        /// One sentence in the operator's words.
        text: String,
    },
    /// The CA has an order of ours; with its address it can be taken up again.
    Begun {
        /// Which one.
        id: OrderId,
        /// Its address.
        url: String,
    },
    /// The certificate is there. Nobody has looked yet whether it is what was asked for.
    Issued {
        /// Which one.
        id: OrderId,
        /// Certificate and what leads to its CA, PEM.
        chain: String,
    },
    /// An order has come to nothing, and is not tried again by itself.
    Failed {
        /// Which one.
        id: OrderId,
        /// Why.
        failure: Failure,
    },
    /// When a CA wants a certificate renewed.
    Renewal {
        /// Which, as RFC 9773 section 4.1 names it.
        certificate: String,
        /// The answer.
        window: Window,
    },
    /// A CA did not say when it wants a certificate renewed.
    NoRenewal {
        /// Which, as RFC 9773 section 4.1 names it.
        certificate: String,
        /// Why; it may have no such service at all.
        failure: Failure,
    },
}

/// What is done for an order now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The CA is asked what it offers, and who we are there.
    Account,
    /// The order is made.
    Order,
    /// The proofs are laid out, and the CA looks at them.
    Proofs,
    /// The CA makes the certificate.
    Issuance,
}

/// Why there is no certificate, and when it makes sense to try again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Whose fault it is.
    pub blame: Blame,
    /// What went wrong, one sentence in the operator's words, with the remedy where there is one.
    pub text: String,
    /// Seconds that the CA wants us to wait.
    pub retry_after: Option<u64>,
}

/// Whose fault it is that there is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The CA can not be reached, or has a fault of its own.
    Unreachable,
    /// The CA has had enough of us for now.
    Limited,
    /// The CA did not find a proof, or found another one: the name does not lead here, or its DNS forbids.
    Proof,
    /// The CA does not want the order or the account: names, contact, external account, CAA.
    Order,
    /// The name server does not take the record.
    NameServer,
    /// What we have is unfit: an account key or a TSIG key that is none.
    Us,
}

/// When a CA wants a certificate renewed (RFC 9773 section 4.2); seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The earliest moment.
    pub start: u64,
    /// The latest.
    pub end: u64,
    /// Why, in a page of the CA.
    pub explanation: Option<String>,
    /// Seconds until it is to be asked again.
    pub ask_again: Option<u64>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("url", &self.url)
            .field("contact", &self.contact)
            .field("external", &self.external)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("External")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DnsUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsUpdate")
            .field("server", &self.server)
            .field("tsig_name", &self.tsig_name)
            .finish_non_exhaustive()
    }
}
