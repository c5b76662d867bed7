//! What lies at which path.

/// A page that the server writes itself, so that it works without script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// The first operator makes himself known.
    Claim,
    /// An operator signs in.
    Login,
    /// An operator signs out.
    Logout,
    /// A configuration on trial is kept.
    Confirm,
    /// An earlier configuration comes back.
    Rollback,
}

/// What a path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'p> {
    /// The pages with script; which of them, they see themselves.
    App,
    /// A page without.
    Page(Page),
    /// A file of the pages, by its name.
    Asset(&'p str),
    /// The control API: the path there.
    Api(&'p str),
    /// Nothing.
    Nowhere,
}

impl<'p> Place<'p> {
    /// What lies at `path`, which is without its query.
    pub(crate) fn at(path: &'p str) -> Self {
        match path {
            "/" | "/log" | "/hosts" | "/explain" | "/bans" | "/config" | "/users" | "/account" => {
                Self::App
            }
            "/claim" => Self::Page(Page::Claim),
            "/login" => Self::Page(Page::Login),
            "/logout" => Self::Page(Page::Logout),
            "/confirm" => Self::Page(Page::Confirm),
            "/rollback" => Self::Page(Page::Rollback),
            _ => Self::below(path),
        }
    }

    fn below(path: &'p str) -> Self {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte);
        if let Some(rest) = path.strip_prefix("/api") {
            // As the control API spells its paths: there is nothing to climb or to hide with.
            let is_path = rest.starts_with("/v1/") && !rest.contains("//");
            let is_plain = rest
                .strip_suffix(".json")
                .unwrap_or(rest)
                .bytes()
                .all(is_plain);
            return if is_path && is_plain {
                Self::Api(rest)
            } else {
                Self::Nowhere
            };
        }
        match path.strip_prefix("/assets/") {
            Some(name) if !name.contains('/') => Self::Asset(name),
            _ => Self::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_they_should_and_not_out() {
        for (path, place) in [
            ("/", Place::App),
            ("/config", Place::App),
            ("/config/", Place::Nowhere),
            ("/login", Place::Page(Page::Login)),
            ("/assets/app-1a2b.js", Place::Asset("app-1a2b.js")),
            ("/assets/../secret", Place::Nowhere),
            ("/assets/", Place::Asset("")),
            ("/api/v1/status", Place::Api("/v1/status")),
            ("/api/v1/openapi.json", Place::Api("/v1/openapi.json")),
            ("/api/v1/users/totp", Place::Api("/v1/users/totp")),
            ("/api/v1/../v2", Place::Nowhere),
            ("/api/v1/%2e%2e/x", Place::Nowhere),
            ("/api/v1//status", Place::Nowhere),
            ("/api/v2/status", Place::Nowhere),
            ("/apiv1/status", Place::Nowhere),
            ("//", Place::Nowhere),
            ("/index.html", Place::Nowhere),
        ] {
            assert_eq!(Place::at(path), place, "{path}");
        }
    }
}
