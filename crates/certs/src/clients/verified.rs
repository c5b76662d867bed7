//! What a certificate says of its holder.

use x509_parser::prelude::{GeneralName, X509Certificate};

use crate::name::covers;

/// No honest certificate lists more; what follows is not looked at.
const MOST_NAMES: usize = 64;
/// The longest name that is taken, in bytes.
const LONGEST_NAME: usize = 256;

/// What a certificate says of its holder.
///
/// Names that hold control characters, or such as change the direction of text, or spaces at their
/// ends, are left out: they could be taken for another name, by a person or by a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    common_name: Option<Box<str>>,
    alternatives: Vec<Box<str>>,
}

impl Verified {
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Self {
        // The last is the most specific one: CN=alice below CN=Users.
        let common_name = certificate.subject().iter_common_name().last();
        let common_name = common_name.and_then(|name| name.as_str().ok());
        let listed = certificate.subject_alternative_name().ok().flatten();
        let listed = listed.iter().flat_map(|names| &names.value.general_names);
        let alternatives = listed.filter_map(|name| match name {
            GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
                clean(name)
            }
            _ => None,
        });
        Self {
            common_name: common_name.and_then(clean).map(Box::from),
            alternatives: alternatives.take(MOST_NAMES).map(Box::from).collect(),
        }
    }

    /// What its holder is called: the common name, or the first other name if there is none.
    pub fn subject(&self) -> Option<&str> {
        self.names().next()
    }

    /// The common name, then host names, mail addresses and URIs as they are listed.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let alternatives = self.alternatives.iter();
        self.common_name
            .iter()
            .chain(alternatives)
            .map(AsRef::as_ref)
    }

    /// Whether one of its names is one of `rules`: [`matches_name`].
    pub fn has_name<S: AsRef<str>>(&self, rules: &[S]) -> bool {
        self.names()
            .any(|name| rules.iter().any(|rule| matches_name(rule.as_ref(), name)))
    }

    /// Whether its common name is `name`: what a registration asks for. The case of letters counts not.
    pub fn is_called(&self, name: &str) -> bool {
        self.common_name
            .as_deref()
            .is_some_and(|own| !own.is_empty() && own.eq_ignore_ascii_case(name))
    }
}

/// Whether a name of a certificate is the one of a rule, or one label below `*.domain`.
pub fn matches_name(rule: &str, name: &str) -> bool {
    // A mail address is no host below a domain, whatever stands in front of its first dot.
    let wild = rule.starts_with("*.");
    !(wild && name.contains(['@', '/', ':'])) && covers(rule, name)
}

/// The name, if nothing in it can deceive.
pub(crate) fn clean(name: &str) -> Option<&str> {
    let deceives = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let sound = (1..=LONGEST_NAME).contains(&name.len())
        && name.trim() == name
        && !name.chars().any(deceives);
    sound.then_some(name)
}
