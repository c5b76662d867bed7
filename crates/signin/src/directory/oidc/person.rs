//! From claims to somebody whom targets are told.

use super::super::Person;
use super::json::Object;
use serde_json::Value;

/// The longest name of a user, in characters.
const LONGEST_USER: usize = 128;
/// The longest name of a group, in characters.
const LONGEST_GROUP: usize = 256;
/// The most groups of a user; more than one who is in that many needs here.
const MOST_GROUPS: usize = 1000;

/// The claim with the mail address (Core 1.0 section 5.1).
const EMAIL: &str = "email";
/// That which says whether it is his.
const VERIFIED: &str = "email_verified";

/// Which claims hold what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClaimNames {
    pub(super) user: String,
    pub(super) groups: String,
}

impl ClaimNames {
    /// Whether `claims` do not say everything.
    pub(super) fn miss(&self, claims: &Object) -> bool {
        let is_missed = |name: &str| !claims.contains_key(name);
        is_missed(&self.user)
            || is_missed(&self.groups)
            || (self.user == EMAIL && is_missed(VERIFIED))
    }

    /// Who he is by `claims` or, where these do not say it, by `more`.
    ///
    /// # Errors
    /// Why that can not be said; the provider's fault, or that of whoever has chosen the claims.
    pub(super) fn person(&self, claims: &Object, more: Option<&Object>) -> Result<Person, String> {
        let find = |name: &str| claims.get(name).or_else(|| more?.get(name));
        let user = find(&self.user).ok_or_else(|| {
            format!(
                "it does not say the claim {:?}, which user_claim names; has a scope been left out?",
                self.user
            )
        })?;
        let fits = |user: &&str| {
            let length = user.chars().count();
            let is_plain = !user.chars().any(char::is_control) && user.trim() == *user;
            (1..=LONGEST_USER).contains(&length) && is_plain
        };
        let user = user.as_str().filter(fits).ok_or_else(|| {
            format!(
                "its claim {:?} is no name of 1 to {LONGEST_USER} characters",
                self.user
            )
        })?;
        if self.user == EMAIL && !is_verified(user, claims, more) {
            return Err(format!(
                "it does not say that it has verified the address {user:?} (the claim \"email_verified\"), and anybody may have entered that; \
                 choose another claim as user_claim"
            ));
        }
        Ok(Person {
            is_named: true,
            user: user.to_owned(),
            groups: find(&self.groups).map(groups).unwrap_or_default(),
        })
    }
}

/// Whether the mail address is one of which the provider knows that it is his, by what has said that address.
fn is_verified(address: &str, claims: &Object, more: Option<&Object>) -> bool {
    let mut said = [Some(claims), more].into_iter().flatten();
    let said = said.find(|said| {
        let is_it = said.get(EMAIL).is_some_and(|said| *said == *address);
        is_it && said.contains_key(VERIFIED)
    });
    let verified = said.and_then(|said| said.get(VERIFIED));
    verified.is_some_and(|verified| *verified == Value::Bool(true) || *verified == "true")
}

/// A list of names, or a single one; what can be no name of a group is left out.
fn groups(value: &Value) -> Vec<String> {
    let all = match value {
        Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    let fits = |name: &&str| {
        !name.is_empty()
            && name.chars().count() <= LONGEST_GROUP
            && !name.chars().any(char::is_control)
    };
    let names = all.iter().filter_map(Value::as_str).filter(fits);
    names.take(MOST_GROUPS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::json::object;
    use super::*;

    fn person(claims: &str, more: Option<&str>) -> Result<Person, String> {
        let names = ClaimNames {
            user: "preferred_username".to_owned(),
            groups: "https://example.com/groups".to_owned(),
        };
        let read = |text: &str| object(text.as_bytes()).unwrap();
        names.person(&read(claims), more.map(read).as_ref())
    }

    #[test]
    fn what_the_token_says_goes_before_what_userinfo_says() {
        let told = person(
            r#"{"preferred_username":"ada"}"#,
            Some(r#"{"preferred_username":"eve","https://example.com/groups":["pbx",7,"","a\u0000","all"]}"#),
        )
        .unwrap();
        assert_eq!(
            (&*told.user, told.groups),
            ("ada", vec!["pbx".to_owned(), "all".to_owned()])
        );
        let one = person(
            r#"{"preferred_username":"ada","https://example.com/groups":"pbx"}"#,
            None,
        );
        assert_eq!(one.unwrap().groups, ["pbx"]);
        assert!(
            person(r#"{"preferred_username":"ada"}"#, None)
                .unwrap()
                .groups
                .is_empty()
        );
    }

    #[test]
    fn a_mail_address_counts_where_it_was_verified() {
        let names = ClaimNames {
            user: "email".to_owned(),
            groups: "groups".to_owned(),
        };
        let read = |text: &str| object(text.as_bytes()).unwrap();
        let told = |claims: &str, more: Option<&str>| {
            let more = more.map(read);
            names.person(&read(claims), more.as_ref()).is_ok()
        };
        assert!(told(
            r#"{"email":"a@b.example","email_verified":true}"#,
            None
        ));
        assert!(told(
            "{}",
            Some(r#"{"email":"a@b.example","email_verified":true}"#)
        ));
        let verified = r#"{"email":"a@b.example","email_verified":true}"#;
        assert!(told(r#"{"email":"a@b.example"}"#, Some(verified)));
        for claims in [
            r#"{"email":"a@b.example"}"#,
            r#"{"email":"a@b.example","email_verified":false}"#,
            r#"{"email":"a@b.example","email_verified":1}"#,
        ] {
            assert!(!told(claims, None));
            assert!(!told(
                claims,
                Some(r#"{"email":"x@b.example","email_verified":true}"#)
            ));
        }
    }

    #[test]
    fn nobody_without_a_name() {
        for claims in [
            "{}",
            r#"{"preferred_username":""}"#,
            r#"{"preferred_username":7}"#,
            r#"{"preferred_username":"a\nb"}"#,
            r#"{"preferred_username":" a"}"#,
        ] {
            assert!(person(claims, None).is_err(), "{claims}");
        }
        let long = format!(r#"{{"preferred_username":"{}"}}"#, "a".repeat(129));
        assert!(person(&long, None).is_err());
    }
}
