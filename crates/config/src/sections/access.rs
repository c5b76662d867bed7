//! `[access.NAME]`: who may use a rule.

use std::time::Duration;

use ipnet::IpNet;

use super::host::TargetCertificateKeys;
use crate::definition::{choice, section};
use crate::value::{
    Attribute, DnsName, FileName, GroupName, HttpsUrl, LdapFilter, LdapUrl, Origin, Scope,
    SecretRef, ServerText, SubjectName, Token, VisitorName,
};

section! {
    /// An access list: one way to show who you are.
    pub(crate) struct AccessKeys by name {
        /// The way.
        kind: AccessWord => "network";
        /// What the browser shows when it asks for a password. Only for kind = "basic".
        realm: Option<String> | "Restricted Area";
        /// Users; their passwords are set with `gatehouse user add NAME`. Only for kind = "basic".
        users: Vec<String> as Vec<VisitorName> | ["login"];
        /// The cookie that holds a live token (`gatehouse token new --access NAME`). Only for
        /// kind = "cookie".
        cookie: Option<String> as Option<Token> | "AUTH";
        /// Origins of pages that may ask; empty: all, and clients that are no pages. WebSockets, and methods other than GET and
        /// HEAD, must say their origin then. Only for kind = "cookie".
        origins: Vec<String> as Vec<Origin> | ["https://wcs.example.com"];
        /// Networks whose clients are let in. Only for kind = "network".
        from: Vec<IpNet> | ["10.0.0.0/24"];
        /// Common names, host names, mail addresses and URIs of client certificates that are let
        /// in; `*.example.com` for all names directly below. Empty: every certificate of
        /// `trusted_clients` is. Only for kind = "certificate".
        names: Vec<String> as Vec<SubjectName> | ["alice", "*.phones.example.com"];
        /// Where a login is asked. Only for kind = "sso", as is all that follows but
        /// `user_header` and `forward_cookie`.
        login: Option<LoginWord> | "ldap";
        /// The session that a login opens.
        session: Option<Session>;
        /// The LDAP server for login = "ldap".
        ldap: Option<LdapLoginKeys>;
        /// The RADIUS server for login = "radius".
        radius: Option<RadiusLogin>;
        /// The OIDC provider for login = "oidc".
        oidc: Option<OidcLogin>;
        /// Ask for a code of an authenticator app (RFC 6238) as well; who has none yet sets one up at his first login. Not for
        /// login = "oidc", where the provider asks.
        totp: Option<bool> | true;
        /// Groups of which a user must be in one, as the directory calls them. Empty: every user who has a login is let in.
        groups: Vec<String> as Vec<GroupName> | ["pbx-users"];
        /// The header that tells the target the user's groups, with "," between them. A group whose name
        /// holds a "," is left out there. What a client sends under this name is removed, for all hosts.
        groups_header: Option<String> as Option<Token> | "X-Remote-Groups";
        /// The header that tells the target the user's name: the one of the login, or the common
        /// name of the client certificate (the first other name, if it has none). What a client
        /// sends under this name is removed, for all hosts. For kind = "basic", "sso" and "certificate".
        user_header: Option<String> as Option<Token> | "X-Remote-User";
        /// Whether the target gets the cookie with the session or token, and may hand it to its own clients. For kind =
        /// "sso" and "cookie".
        forward_cookie: Option<bool> | true;
    }
}

choice! {
    /// How a client shows who it is.
    pub(crate) enum AccessWord {
        /// By user name and password (RFC 7617).
        Basic = "basic",
        /// By a cookie with a token.
        Cookie = "cookie",
        /// By a certificate, which the client shows in its TLS handshake. It is asked for only under
        /// names of hosts with a rule that needs one.
        Certificate = "certificate",
        /// By its address.
        Network = "network",
        /// By a login that holds for all hosts of a domain.
        Sso = "sso",
    }
}

choice! {
    /// Where a login is asked.
    pub(crate) enum LoginWord {
        /// An LDAP server: a bind in the user's name.
        Ldap = "ldap",
        /// A RADIUS server.
        Radius = "radius",
        /// An OIDC provider.
        Oidc = "oidc",
    }
}

section! {
    /// The session that a login opens.
    pub struct Session {
        /// The cookie that carries it.
        cookie: String as Token = "gatehouse_session";
        /// The domain whose hosts share it.
        domain: String as DnsName => "example.com";
        /// Without a request for so long, it ends.
        idle: Duration = "8h";
        /// After so long it ends in any case.
        longest: Duration = "24h";
    }
}

section! {
    /// An LDAP server that knows the users.
    pub(crate) struct LdapLoginKeys {
        /// Its address: `ldaps://address` or `ldap://address`, port 636 or 389 unless written.
        url: String as LdapUrl => "ldaps://dc1.example.com";
        /// Begin with StartTLS. Needed with ldap://.
        start_tls: bool = false;
        /// Send passwords to an ldap:// server in clear, for whoever listens on the way.
        clear_text_passwords: bool = false;
        /// Which certificate of the server is believed: `{ trust = "system" }`, `{ ca = "file.pem" }` or
        /// `{ sha256 = "…" }` (of the certificate). If missing: "system".
        certificate: Option<TargetCertificateKeys> | { ca = "company-ca.pem" };
        /// The name that the user's bind is made with; `{user}` stands for what he typed. If missing: the one of the
        /// entry that `search` finds.
        bind: Option<String> | "uid={user},ou=people,dc=example,dc=com";
        /// Below which entry the user's is searched.
        search: Option<String> | "dc=example,dc=com";
        /// What is true of the user's entry alone; `{user}` stands for what he typed. If missing: `(uid={user})`.
        filter: Option<String> as Option<LdapFilter> | "(&(objectClass=person)(uid={user}))";
        /// The name of the account that searches. If missing: the user himself, where `bind` is given, or nobody.
        user: Option<String> | "cn=gatehouse,ou=services,dc=example,dc=com";
        /// The password of the account that searches.
        password: Option<SecretRef> | { secret = "ldap" };
        /// The attribute of the user's entry that names his groups.
        member_of: String as Attribute = "memberOf";
        /// Below which entry groups are searched that name their members. If missing: `member_of` says all.
        groups_search: Option<String> | "ou=groups,dc=example,dc=com";
        /// What is true of the user's groups; `{dn}` stands for the name of his entry, `{user}` for what he typed. If
        /// missing: `(member={dn})`.
        groups_filter: Option<String> as Option<LdapFilter> | "(&(objectClass=posixGroup)(memberUid={user}))";
    }
}

section! {
    /// A RADIUS server that knows the users (RFC 2865).
    pub struct RadiusLogin {
        /// Its address, port 1812 unless written.
        server: String as ServerText => "10.0.0.8:1812";
        /// More servers with the same users and the same shared secret: the next is asked where one does not answer. One that was
        /// silent is asked last for a minute.
        others: Vec<String> as Vec<ServerText> | ["10.0.0.9"];
        /// The shared secret.
        shared: SecretRef => { secret = "radius" };
        /// How long an answer is waited for, each time; longer where the server itself waits for the user's telephone.
        timeout: Duration = "3s";
        /// How often a server is asked before it counts as silent.
        tries: u32 = 2;
        /// The attribute of the answer that names groups of the user, one in each.
        groups_attribute: GroupsAttribute = "filter-id";
    }
}

choice! {
    /// The attribute of a RADIUS server's answer that names groups of the user.
    pub enum GroupsAttribute {
        /// Filter-Id (RFC 2865 section 5.11).
        FilterId = "filter-id",
        /// Class (RFC 2865 section 5.25).
        Class = "class",
    }
}

section! {
    /// An OIDC provider that knows the users (OIDC Core 1.0).
    pub struct OidcLogin {
        /// Its issuer address, letter for letter as the provider writes it, a "/" at its end included.
        issuer: String as HttpsUrl => "https://login.example.com";
        /// File with the roots that its certificate is checked by. If missing: the public ones.
        issuer_ca: Option<String> as Option<FileName> | "login-ca.pem";
        /// Our client identifier there.
        client: String => "gatehouse";
        /// Our client secret there.
        client_key: SecretRef => { secret = "oidc" };
        /// What we ask it for; "openid" must be one of them.
        scopes: Vec<String> as Vec<Scope> = ["openid", "profile", "email"];
        /// The claim with the user's name.
        user_claim: String = "preferred_username";
        /// The claim with the user's groups.
        groups_claim: String = "groups";
        /// Who signs out here signs out there, too, where the provider offers it.
        provider_logout: bool = true;
    }
}
