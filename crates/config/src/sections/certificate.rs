//! `[[certificate]]`.

use crate::definition::{choice, section};
use crate::value::{
    CertificateName, DnsName, FileName, HttpsUrl, Mail, SecretRef, ServerText, Text, Token,
};

section! {
    /// A certificate and the names it is for.
    pub(crate) struct CertificateKeys {
        /// The names. "*.example.com" covers every name directly below example.com.
        names: Vec<String> as Vec<CertificateName> => ["example.com", "*.example.com"];
        /// Where it comes from.
        source: SourceWord => "own";
        /// How the CA sees that the names are ours. Only for source = "acme".
        challenge: Option<Challenge> | "dns-01";
        /// Address of the CA's ACME directory. Only for source = "acme"; Let's Encrypt if missing.
        directory: Option<String> as Option<HttpsUrl> | "https://acme-v02.api.letsencrypt.org/directory";
        /// File with the roots that the CA's own address is checked by (PEM), for a CA of your own. Only for
        /// source = "acme"; the public CAs if missing.
        directory_ca: Option<String> as Option<FileName> | "company-root.pem";
        /// Mail addresses at which the CA may reach you. Only for source = "acme".
        contact: Option<Vec<String>> as Option<Vec<Mail>> | ["admin@example.com"];
        /// The kind of the private key. Only for source = "acme"; "p256" if missing.
        key_type: Option<KeyType> | "rsa2048";
        /// The account that you have with the CA already, where it wants one. Only for source = "acme".
        external_account: Option<ExternalAccount>;
        /// The name server that takes the proofs (RFC 2136). Only for challenge = "dns-01".
        dns: Option<DnsUpdate>;
        /// A zone that the box answers itself, in place of a name server: `_acme-challenge.NAME` must be an alias
        /// (CNAME) of `NAME.ZONE`, and the zone be delegated to the box (NS). Only for challenge = "dns-01".
        dns_zone: Option<String> as Option<DnsName> | "acme.example.com";
        /// File with the certificate and what leads to its CA (PEM). Only for source = "files".
        chain: Option<String> as Option<FileName> | "pbx.example.com.crt";
        /// Its private key (PEM). Only for source = "files".
        key: Option<SecretRef> | { secret = "pbx-key" };
        /// File with certificate, chain and key together (PKCS#12), instead of chain and key. Only for source = "files".
        p12: Option<String> as Option<FileName> | "pbx.example.com.p12";
        /// The passphrase of p12, or of a key that is encrypted. Only for source = "files".
        passphrase: Option<SecretRef> | { secret = "pbx-passphrase" };
    }
}

choice! {
    /// Where a certificate comes from.
    pub(crate) enum SourceWord {
        /// From a public CA, renewed by itself (RFC 8555).
        Acme = "acme",
        /// From files on the box.
        Files = "files",
        /// From the box's own CA.
        Own = "own",
    }
}

choice! {
    /// How an ACME CA sees that a name is ours.
    pub enum Challenge {
        /// By a page on the public port 80.
        Http01 = "http-01",
        /// By a TLS hello on the public port 443 (RFC 8737).
        TlsAlpn01 = "tls-alpn-01",
        /// By a record in the public DNS; the only way to a wildcard.
        Dns01 = "dns-01",
    }
}

section! {
    /// The name server that takes the proofs for "dns-01" (RFC 2136, RFC 8945).
    pub struct DnsUpdate {
        /// The primary name server of the zone, optionally with a port.
        server: String as ServerText => "ns.provider.example";
        /// Name of the TSIG key.
        tsig_name: String as Token => "gatehouse";
        /// The TSIG key, in base64.
        tsig_key: SecretRef => { secret = "acme-tsig" };
    }
}

choice! {
    /// The kind of a private key.
    pub enum KeyType {
        /// Elliptic curve P-256: fast, and known to everything of the last ten years.
        P256 = "p256",
        /// RSA with 2048 bits, for old phones.
        Rsa2048 = "rsa2048",
        /// RSA with 3072 bits.
        Rsa3072 = "rsa3072",
    }
}

section! {
    /// What the CA gave you when you signed up there, so that it knows our account (RFC 8555 section 7.3.4).
    pub struct ExternalAccount {
        /// The key identifier.
        key_id: String as Text => "kid-1";
        /// The MAC key, in base64url.
        mac_key: SecretRef => { secret = "acme-mac" };
    }
}
