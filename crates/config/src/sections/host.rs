//! `[[host]]` and the protocols it serves.

use std::net::IpAddr;
use std::time::Duration;

use super::proxy::OutdatedWord;
use crate::definition::{choice, section};
use crate::value::{
    ClientCa, DnsName, FieldList, FileName, HostName, MaxAge, Size, TargetHostHeader, TargetList,
    TargetText, Text, Token,
};

section! {
    /// A host that is published: a name that clients use, and where their requests go.
    pub(crate) struct HostKeys {
        /// The name: a domain, or `domain/location` for a registration location (SIP and H.323).
        name: HostName => "hq.example.com";
        /// Where requests go, unless a protocol below says otherwise.
        target: Option<TargetText> | "172.31.31.2";
        /// What the internal DNS answers for this name. If missing: "target" for a host that
        /// serves HTTP or passthrough from one bare address with the public ports and without
        /// `access`, "gateway" where ports differ, there are several targets, or `access`,
        /// `target_host` or `target_proxy_protocol` is set, "none" for names that serve neither or
        /// hold a "/".
        internal: Option<InternalWord> | "gateway";
        /// Files with the certificates of CAs whose client certificates are believed for this host
        /// (PEM), instead of those of `proxy.trusted_clients`; "own" for what the box has issued.
        trusted_clients: Vec<String> as Vec<ClientCa> | ["partners.pem"];
        /// Files with lists of the client certificates that were revoked (CRL, PEM), beside those of
        /// `proxy.revoked`.
        revoked: Vec<String> as Vec<FileName> | ["partners.crl"];
        /// As `proxy.revoked_outdated`, which holds if missing.
        revoked_outdated: Option<OutdatedWord> | "refuse";
        /// HTTP and WebSocket, `[[host.http]]` for each rule.
        http: Vec<HttpKeys>;
        /// LDAP, by the domain of the user that binds.
        ldap: Option<LdapKeys>;
        /// SIP, by the domain of the From address of REGISTER and INVITE.
        sip: Option<SipKeys>;
        /// H.323, by the gatekeeper identifier.
        h323: Option<H323Keys>;
        /// TLS that is passed on without being decrypted, by the server name of the hello.
        tls_passthrough: Option<PassthroughKeys>;
    }
}

choice! {
    /// What the internal DNS answers for a host.
    pub(crate) enum InternalWord {
        /// Clients inside go straight to the target.
        Target = "target",
        /// Clients inside come to us, too.
        Gateway = "gateway",
        /// No record.
        None = "none",
    }
}

section! {
    /// A rule for HTTP: which paths go where.
    pub(crate) struct HttpKeys {
        /// Initial parts of paths that this rule serves; of several that match, the longest wins.
        /// One that ends in "/" matches only where no further "/" follows. Empty: every path.
        paths: Vec<String> as Vec<Text> = [] | ["/PBX0/APPS", "/PBX0/session"];
        /// Serve the empty path ("/") and nothing else.
        default: bool = false;
        /// Where requests go, unless the host's `target` is meant: one target or a list of at
        /// most 16.
        target: Option<TargetList> | "http://192.168.10.5:7224";
        /// Which of several targets a request goes to. One that is not well is passed over.
        balance: Balance = "failover";
        /// Port of the target for requests that came in plain. 80 if neither port is given; the
        /// other one if only that is.
        port: Option<u16> | 80;
        /// Port of the target for requests that came in over TLS, spoken to over TLS. 443 if
        /// neither port is given; the other one if only that is.
        tls_port: Option<u16> | 443;
        /// What becomes of requests that come in without TLS. If missing: they are forwarded; where an access list of the rule asks for a
        /// password, a token or a login, they are redirected.
        plain: Option<Plain> | "redirect";
        /// Whether WebSocket is allowed.
        websocket: WebSocket = "allowed";
        /// Without a byte for so long, a connection is closed. If missing: 5 minutes, and 24 hours
        /// once it is a WebSocket.
        idle_timeout: Option<Duration> | "24h";
        /// The longest body of a request. If missing: no limit.
        max_body: Option<u64> as Option<Size> | "500MB";
        /// Access lists; one of them is enough.
        access: Vec<String> | ["staff"];
        /// Access lists; all of them are needed.
        access_all: Vec<String> | ["sso", "daemons"];
        /// Who is shown the login page where a list of kind = "sso" is not satisfied. Others are answered with 401.
        login_page: LoginPage = "browsers";
        /// A header that tells the target the client's address and port (`address:port`).
        client_address_header: Option<String> as Option<Token> | "X-Client-IP";
        /// Which certificate of a TLS target is believed: `{ trust = "system" }`,
        /// `{ trust = "any" }`, `{ ca = "file.pem" }` or `{ sha256 = "…" }` (of the certificate).
        /// If missing: "system" for a target written as https://…, "any" for a bare address.
        target_certificate: Option<TargetCertificateKeys>;
        /// What becomes of paths that two servers could read differently ("/../", "%2f", "//").
        path_policy: PathPolicy = "strict";
        /// The name that a TLS target is asked for and its certificate is checked for. If missing:
        /// the target's own name, or that of this host where the target is an address.
        target_name: Option<String> as Option<DnsName> | "pbx.example";
        /// The Host that the target sees: "keep" (what the client asked for), "target" (the
        /// target's own), or a name, with a port if need be.
        target_host: TargetHostHeader = "keep" | "pbx.example";
        /// The PROXY header that connections to the target begin with.
        target_proxy_protocol: ProxyHeader = "off";
        /// Send `Forwarded` (RFC 7239), too, beside the X-Forwarded fields.
        forwarded: bool = false;
        /// Tell browsers in responses over TLS to come over TLS alone for so long
        /// (Strict-Transport-Security). "0s" makes them forget it. If missing: what the target
        /// says.
        hsts: Option<Duration> as Option<MaxAge> | "180d";
        /// Ask every target for a path now and then, and pass over those that do not answer with
        /// 2xx or 3xx. If missing: a target that could not be connected is passed over for 10s.
        health: Option<HealthKeys>;
        /// Fields of requests on their way to the target: first `remove`, then `set`, then `add`.
        /// Those that we write by ourselves and those of the connection can not be named.
        request_headers: HeaderKeys;
        /// Fields of responses on their way to the client, likewise.
        response_headers: HeaderKeys;
    }
}

choice! {
    /// Which of several targets a request goes to.
    pub enum Balance {
        /// The first of the list that is well.
        Failover = "failover",
        /// Each in turn.
        Rotate = "rotate",
        /// The same for all requests of one client address.
        Sticky = "sticky",
    }
}

choice! {
    /// The PROXY header that connections to a target begin with, to name the client.
    pub enum ProxyHeader {
        /// None.
        Off = "off",
        /// Version 1, one line of text.
        V1 = "v1",
        /// Version 2, binary.
        V2 = "v2",
    }
}

section! {
    /// How targets are asked whether they are well.
    pub(crate) struct HealthKeys {
        /// The path that is asked for.
        path: String as Text => "/status";
        /// How often, 100ms to 1h.
        every: Duration = "10s";
    }
}

section! {
    /// What becomes of the fields of a head.
    pub(crate) struct HeaderKeys {
        /// Fields that replace all of the same name; at most 32.
        set: FieldList = {} | { "X-Site" = "hq" };
        /// Fields that come beside those of the same name; at most 32.
        add: FieldList = {} | { "Vary" = "Origin" };
        /// Names of fields that are left out.
        remove: Vec<String> as Vec<Token> = [] | ["Server"];
    }
}

choice! {
    /// What becomes of requests that come in without TLS.
    pub enum Plain {
        /// They are forwarded, to the plain port of the target.
        Forward = "forward",
        /// They are answered with a redirect to the public https port.
        Redirect = "redirect",
        /// They are refused.
        Refuse = "refuse",
    }
}

choice! {
    /// Who is shown the login page.
    pub enum LoginPage {
        /// Browsers that open a page.
        Browsers = "browsers",
        /// Whoever asks by GET or HEAD.
        Always = "always",
    }
}

choice! {
    /// Whether WebSocket is allowed.
    pub enum WebSocket {
        /// Requests and upgrades are forwarded.
        Allowed = "allowed",
        /// Only upgrades are forwarded; all else is refused with 403.
        Required = "required",
        /// Upgrades are refused.
        Refused = "refused",
    }
}

choice! {
    /// What becomes of paths that two servers could read differently.
    pub enum PathPolicy {
        /// They are refused.
        Strict = "strict",
        /// They are matched and forwarded as they are.
        AsIs = "as_is",
    }
}

section! {
    /// Which certificate of a TLS target is believed; one of these.
    pub(crate) struct TargetCertificateKeys {
        /// By its CA: the public ones, or any certificate at all.
        trust: Option<TrustWord> | "any";
        /// File with the CA's certificate (PEM).
        ca: Option<String> as Option<FileName> | "target-ca.pem";
        /// SHA-256 of the certificate itself, in hexadecimal.
        sha256: Option<String> | "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    }
}

choice! {
    /// Whose certificates are believed.
    pub(crate) enum TrustWord {
        /// Those of the public CAs, for the name we connect to.
        System = "system",
        /// Everybody's: for a self-signed one inside one's own network.
        Any = "any",
    }
}

section! {
    /// LDAP.
    pub(crate) struct LdapKeys {
        /// Where connections go, unless the host's `target` is meant.
        target: Option<TargetText> | "172.31.31.2";
        /// Port of the target for connections that came in plain. 389 if neither port is given.
        port: Option<u16> | 389;
        /// Port of the target for connections that came in over TLS. 636 if neither port is given.
        tls_port: Option<u16> | 636;
        /// Which certificate of a TLS target is believed, as `target_certificate` of HTTP. If missing: "system" for a target written with its
        /// scheme, "any" for a bare address.
        target_certificate: Option<TargetCertificateKeys>;
        /// Without a byte for so long, a connection is closed. If missing: 2 hours.
        idle_timeout: Option<Duration> | "2h";
        /// Take clients whose first message names no domain (anonymous and SASL binds, searches before a bind), unless a TLS server name says
        /// which host they mean. One host at most.
        default: bool = false;
    }
}

section! {
    /// SIP.
    pub(crate) struct SipKeys {
        /// Where connections go, unless the host's `target` is meant.
        target: Option<TargetText> | "172.31.31.2";
        /// Port of the target over TCP. 5060 if neither port is given.
        port: Option<u16> | 5060;
        /// Port of the target over TLS. 5061 if neither port is given.
        tls_port: Option<u16> | 5061;
        /// Reach the target over TLS only for clients whose certificate is trusted and names the
        /// user that registers; over TCP for all others. Needs both ports.
        check_certificate: bool = true;
        /// Which certificate of a TLS target is believed, as `target_certificate` of HTTP. If missing: "system" for a target written with its
        /// scheme, "any" for a bare address.
        target_certificate: Option<TargetCertificateKeys>;
        /// Without a byte for so long, a connection is closed. If missing: 24 hours.
        idle_timeout: Option<Duration> | "24h";
    }
}

section! {
    /// H.323.
    pub(crate) struct H323Keys {
        /// Where connections go, unless the host's `target` is meant.
        target: Option<TargetText> | "172.31.31.2";
        /// Port of the target over TCP. 1720 if neither port is given.
        port: Option<u16> | 1720;
        /// Port of the target over TLS. 1300 if neither port is given.
        tls_port: Option<u16> | 1300;
        /// Reach the target over TLS only for clients whose certificate is trusted and names the
        /// terminal that registers; over TCP for all others. Needs both ports.
        check_certificate: bool = true;
        /// Which certificate of a TLS target is believed, as `target_certificate` of HTTP. If missing: any.
        target_certificate: Option<TargetCertificateKeys>;
        /// Without a byte for so long, a connection is closed. If missing: 24 hours.
        idle_timeout: Option<Duration> | "24h";
        /// Take calls of callers who are not registered, by the domain of whom they call (`name@domain`).
        unregistered_calls: bool = false;
    }
}

section! {
    /// TLS that is passed on without being decrypted.
    pub(crate) struct PassthroughKeys {
        /// Where connections go, unless the host's `target` is meant; port 443 unless written.
        target: Option<TargetText> | "10.0.0.21:443";
        /// An address of the box that takes connections for this host on the https port, beside
        /// the addresses that all hosts share.
        listen: Option<IpAddr> | "192.0.2.11";
        /// Take hellos without a server name that arrive at `listen`, too.
        default: bool = false;
        /// The PROXY header that connections to the target begin with.
        target_proxy_protocol: ProxyHeader = "off";
        /// Without a byte for so long, a connection is closed. If missing: 24 hours.
        idle_timeout: Option<Duration> | "24h";
    }
}
