//! A login that an LDAP server is asked for.

use super::TargetCertificate;
use crate::value::{SecretRef, TargetHost};

/// An LDAP server that knows the users.
#[derive(Debug, Clone, PartialEq)]
pub struct LdapLogin {
    /// 1-based line of its keys.
    pub line: u32,
    /// Its address as the file writes it.
    pub url: String,
    /// The address or name in it.
    pub host: TargetHost,
    /// The port in it, the default applied.
    pub port: u16,
    /// How what is said is kept secret.
    pub secrecy: LdapSecrecy,
    /// Whose bind is made.
    pub way: LdapWay,
    /// The attribute of the user's entry that names his groups.
    pub member_of: String,
    /// Where groups are that name their members.
    pub groups: Option<LdapSearch>,
}

/// How what is said to an LDAP server is kept secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LdapSecrecy {
    /// TLS from the first byte.
    Tls(TargetCertificate),
    /// TLS once it was asked for (RFC 4511 section 4.14).
    StartTls(TargetCertificate),
    /// Not at all; the operator wrote so.
    None,
}

/// Whose bind is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LdapWay {
    /// One with the name that a template gives.
    Template {
        /// The name; `{user}` stands for what was typed.
        bind: String,
        /// How the user then finds his own entry; `None`: the name is that of the entry.
        search: Option<LdapSearch>,
    },
    /// That of the entry that a search finds.
    Search {
        /// How it is found.
        search: LdapSearch,
        /// Who searches; `None`: nobody.
        account: Option<LdapAccount>,
    },
}

/// A search for entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LdapSearch {
    /// Below which entry.
    pub base: String,
    /// What is true of them (RFC 4515); with `{user}`, and for groups `{dn}`.
    pub filter: String,
}

/// An account of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LdapAccount {
    /// The name that its bind is made with.
    pub user: String,
    /// Its password.
    pub password: SecretRef,
}

impl LdapLogin {
    /// The file with the CA of the server's certificate, where one is named.
    pub fn ca_file(&self) -> Option<&str> {
        match &self.secrecy {
            LdapSecrecy::Tls(TargetCertificate::Ca(file))
            | LdapSecrecy::StartTls(TargetCertificate::Ca(file)) => Some(file),
            _ => None,
        }
    }

    /// The account that searches, where one is named.
    pub fn account(&self) -> Option<&LdapAccount> {
        match &self.way {
            LdapWay::Search { account, .. } => account.as_ref(),
            LdapWay::Template { .. } => None,
        }
    }
}
