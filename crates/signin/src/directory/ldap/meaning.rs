//! What result codes mean (RFC 4511 appendix A), and what Active Directory writes into their texts.

use super::link::Entry;

/// What became of a bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// It is he.
    Known,
    /// It is not, or he may not; why, for the operator.
    Refused(String),
}

/// What became of a search.
#[derive(Debug)]
pub(super) enum Found {
    /// These are all.
    Entries(Vec<Entry>),
    /// There are more than these.
    Some(Vec<Entry>),
    /// The server does not search; why, and what would help.
    Hidden(String),
}

/// What Active Directory writes behind `data` in the text of code 49.
const ACCOUNTS: &[(&str, &str)] = &[
    ("525", "there is no such user"),
    ("52e", "the password is wrong"),
    ("530", "the user may not sign in at this time"),
    ("531", "the user may not sign in from here"),
    ("532", "the password has expired"),
    ("533", "the account is disabled"),
    ("568", "the user is in too many groups"),
    ("701", "the account has expired"),
    ("773", "the password must be changed first"),
    ("775", "the account is locked"),
];

/// What the result of a bind means.
///
/// # Errors
/// It says nothing of the user; why, and what would help.
pub(super) fn bound(code: u32, text: &str) -> Result<Bound, String> {
    let refused = |why: &str| Ok(Bound::Refused(why.to_owned()));
    match code {
        0 => Ok(Bound::Known),
        49 => match account(text) {
            Some(why) => refused(why),
            None => refused("user or password is wrong, or the account is locked"),
        },
        32 => refused("there is no such user"),
        48 => refused("the user has no password there"),
        50 => refused("the user may not sign in there"),
        19 | 53 => Ok(Bound::Refused(told(
            "the account is locked or the password has expired",
            code,
            text,
        ))),
        34 => Err(told(
            "the name of the bind is none that it knows; look at `bind` and `user`",
            code,
            text,
        )),
        8 | 13 => Err(told(
            "it wants TLS; write ldaps://, or start_tls = true",
            code,
            text,
        )),
        other => Err(elsewhere(other, text)),
    }
}

/// Whether the result of a search leaves its entries to be used.
///
/// # Errors
/// It does not; why, and what would help.
pub(super) fn searched(code: u32, text: &str) -> Result<(), String> {
    match code {
        // Beyond as many as were asked for there are more.
        0 | 4 => Ok(()),
        1 => Err(told(
            "it wants to know who searches; write `user` and `password`",
            code,
            text,
        )),
        32 => Err(told(
            "there is no such entry, or it may not be seen",
            code,
            text,
        )),
        34 => Err(told("it is no name of an entry", code, text)),
        50 => Err(told("it may not be searched by this account", code, text)),
        8 | 13 => Err(told(
            "it wants TLS; write ldaps://, or start_tls = true",
            code,
            text,
        )),
        other => Err(elsewhere(other, text)),
    }
}

fn elsewhere(code: u32, text: &str) -> String {
    let what = match code {
        10 => "it sends us to another server, which we do not follow; write that one in `url`",
        3 | 11 => "the search takes too long there; is what `filter` compares indexed?",
        51 | 52 => "it is busy or out of service",
        _ => "it refuses",
    };
    told(what, code, text)
}

fn account(text: &str) -> Option<&'static str> {
    let (_, rest) = text.split_once("data ")?;
    let code = rest.split([',', ' ']).next()?.to_ascii_lowercase();
    let known = ACCOUNTS.iter().find(|(known, _)| *known == code);
    known.map(|(_, why)| *why)
}

/// What is meant, with what the server says on one short line.
fn told(what: &str, code: u32, text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(120).collect();
    match text.trim() {
        "" => format!("{what} (code {code})"),
        text => format!("{what} (code {code}: {text})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_are_about_the_user_refuse_him() {
        let said = |code, text| match bound(code, text) {
            Ok(Bound::Refused(why)) => why,
            other => format!("{other:?}"),
        };
        let locked = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 775, v2580\0";
        assert_eq!(said(49, locked), "the account is locked");
        assert_eq!(said(49, "data 52E"), "the password is wrong");
        assert_eq!(said(49, "data 999"), said(49, ""));
        assert!(said(53, "Account\ninactivated").ends_with("(code 53: Accountinactivated)"));
        assert_eq!(bound(0, ""), Ok(Bound::Known));
        for code in [8, 10, 13, 34, 51, 80] {
            assert!(bound(code, "").is_err(), "{code}");
        }
    }

    #[test]
    fn a_search_that_hit_its_limit_has_entries() {
        assert!(searched(0, "").is_ok() && searched(4, "").is_ok());
        let why =
            searched(1, "000004DC: LdapErr: a successful bind must be completed").unwrap_err();
        assert!(why.starts_with("it wants to know who searches") && why.contains("000004DC"));
    }
}
