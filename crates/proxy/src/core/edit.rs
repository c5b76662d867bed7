//! What a rule changes in the fields of a head.

use super::signin::OWN_COOKIES;
use config::HeaderRules;
use proto::http::Field;
use std::sync::Arc;
use std::time::Duration;

/// Fields that are left out, and lines that are put behind the others instead; ready to be used.
#[derive(Debug, Default)]
pub struct HeadEdit {
    /// Names of fields that do not pass.
    removed: Vec<Box<str>>,
    /// `Name: value CR LF` each.
    lines: Vec<u8>,
    /// Cookies that are not for a target to set.
    own_cookies: Arc<[Box<str>]>,
}

impl HeadEdit {
    /// That of `rules`; with `hsts`, `Strict-Transport-Security` has this `max-age` (RFC 6797).
    pub fn new(rules: &HeaderRules, hsts: Option<Duration>) -> Self {
        let set = rules.set.iter().map(|(name, _)| name);
        let mut removed: Vec<Box<str>> = rules
            .remove
            .iter()
            .chain(set)
            .map(|name| name.as_str().into())
            .collect();
        let mut lines = String::new();
        if let Some(age) = hsts {
            let name = "Strict-Transport-Security";
            removed.push(name.into());
            lines = format!("{name}: max-age={}\r\n", age.as_secs());
        }
        for (name, value) in rules.set.iter().chain(&rules.add) {
            lines.extend([name.as_str(), ": ", value.as_str(), "\r\n"]);
        }
        Self {
            removed,
            lines: lines.into_bytes(),
            own_cookies: Arc::default(),
        }
    }

    /// The same, and no target sets one of these cookies, or one of the login page: whoever could would have a visitor work in the
    /// session of another, or take him his own.
    #[must_use]
    pub fn keeping(mut self, own_cookies: &Arc<[Box<str>]>) -> Self {
        self.own_cookies = Arc::clone(own_cookies);
        self
    }

    /// Whether `field` does not pass. A name that a target may take for that of the rule counts as that.
    #[inline]
    pub fn removes(&self, field: &Field<'_>) -> bool {
        (!self.removed.is_empty() && self.removed.iter().any(|name| field.is_twin_of(name)))
            || (!self.own_cookies.is_empty() && self.sets_own(field))
    }

    fn sets_own(&self, field: &Field<'_>) -> bool {
        if !field.is("set-cookie") {
            return false;
        }
        // Browsers keep a cookie without a name, and send its value as if it were name and value.
        let mut text = field.value().trim_ascii_start();
        while let [b'=' | b' ' | b'\t', rest @ ..] = text {
            text = rest;
        }
        let name = text.split(|byte| b"=;".contains(byte)).next();
        let name = name.unwrap_or_default().trim_ascii();
        name.starts_with(OWN_COOKIES) || self.own_cookies.iter().any(|own| own.as_bytes() == name)
    }

    /// Whether fields called `name` do not pass.
    pub fn removes_named(&self, name: &str) -> bool {
        self.removed
            .iter()
            .any(|removed| removed.eq_ignore_ascii_case(name))
    }

    /// The lines that are put behind the fields that pass.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }
}
