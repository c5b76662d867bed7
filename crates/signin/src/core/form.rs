//! What the forms send (`application/x-www-form-urlencoded`), and what the address of the login page asks for.

use guard::entrance::Typed;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Bytes of a form.
pub(crate) const LONGEST: usize = 8 * 1024;
/// Characters of a user's name.
const LONGEST_USER: usize = 128;
/// Bytes of a password or code.
const LONGEST_PASSWORD: usize = 1024;

/// What stands behind the "?" of the login page.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Asked {
    /// The `[access.NAME]`.
    #[serde(default)]
    pub(crate) access: String,
    /// Where the login leads.
    #[serde(default)]
    pub(crate) to: String,
}

/// A form of ours, whichever.
#[derive(Debug, Deserialize)]
pub struct Form {
    /// What ties it to the browser.
    #[serde(default)]
    pub(crate) mark: String,
    #[serde(default)]
    access: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    user: String,
    password: Option<Typed>,
    /// Which login this is the code for.
    #[serde(default)]
    pub(crate) pending: String,
    code: Option<Typed>,
    /// What a provider sends whose session has ended.
    pub(crate) logout_token: Option<Typed>,
}

impl Form {
    /// Reads one; none where it is none, or says something twice.
    pub fn read(body: &[u8]) -> Option<Self> {
        if body.len() > LONGEST {
            return None;
        }
        read(body)
    }

    /// What the address of the page asked for that showed it.
    pub(crate) fn asked(&self) -> Asked {
        Asked {
            access: self.access.clone(),
            to: self.to.clone(),
        }
    }

    /// The name as it was typed, without blanks around it, which keyboards of phones leave there.
    pub fn user(&self) -> Option<&str> {
        let user = self.user.trim();
        let is_name = !user.is_empty()
            && user.chars().count() <= LONGEST_USER
            && !user.chars().any(is_unseen);
        is_name.then_some(user)
    }

    /// The password; blanks are part of it.
    pub fn password(&self) -> Option<&Typed> {
        self.password.as_ref().filter(|typed| is_secret(typed))
    }

    /// The one-time code, without blanks around it.
    pub fn code(&self) -> Option<Typed> {
        let code = self.code.as_ref()?.as_str().trim();
        let code = Typed::from(code.to_owned());
        is_secret(&code).then_some(code)
    }
}

/// What stands behind the "?"; nothing where it is not to be read.
pub(crate) fn asked(query: Option<&str>) -> Asked {
    query
        .filter(|query| query.len() <= 2 * LONGEST)
        .and_then(|query| read(query.as_bytes()))
        .unwrap_or_default()
}

/// Characters that nobody types and nobody sees, by which a name would look like another: controls, and what only joins, splits or turns
/// the text around it.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

fn is_secret(typed: &Typed) -> bool {
    let text = typed.as_str();
    !text.is_empty() && text.len() <= LONGEST_PASSWORD && !text.contains('\0')
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    serde_urlencoded::from_bytes(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_and_nothing_is_taken_for_one() {
        let form =
            Form::read(b"mark=m&access=staff&to=%2Flog%3Fa%3Db&user=+max+&password=a%26b+c%20");
        let form = form.unwrap();
        assert_eq!(form.user(), Some("max"));
        assert_eq!(form.password().unwrap().as_str(), "a&b c ");
        let asked = form.asked();
        assert_eq!(
            (asked.access.as_str(), asked.to.as_str()),
            ("staff", "/log?a=b")
        );
        assert!(form.code().is_none());
        let code = Form::read(b"pending=p&code=+123456+").unwrap();
        assert_eq!(code.code().unwrap().as_str(), "123456");
        assert!(Form::read(b"user=max&user=moritz").is_none());
        assert!(Form::read(&[b'a'; LONGEST + 1]).is_none());
        assert!(!format!("{form:?}").contains("a&b"));
    }

    #[test]
    fn what_can_be_nobody_is_nobody() {
        for user in [
            "",
            "+",
            "a%00b",
            "a%0Ab",
            "a%E2%80%8Bb",
            "a%C2%ADb",
            &"a".repeat(129),
        ] {
            let form = Form::read(format!("user={user}&password=").as_bytes()).unwrap();
            assert_eq!(form.user(), None, "{user}");
            assert!(form.password().is_none());
        }
        let form = Form::read(format!("password={}", "a".repeat(1025)).as_bytes()).unwrap();
        assert!(form.password().is_none());
    }
}
