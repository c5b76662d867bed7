//! The pages. They hold no script and load nothing.

use std::sync::LazyLock;

use data_encoding::BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::words::{Language, Words};

/// Where the box's own pages begin, on each host.
pub(crate) const OWN: &str = "/.gatehouse/";
/// The login page.
pub(crate) const LOGIN: &str = "/.gatehouse/login";
/// Takes one-time codes.
pub(crate) const CODE: &str = "/.gatehouse/code";
/// Ends a session.
pub(crate) const LOGOUT: &str = "/.gatehouse/logout";
/// Where a provider sends browsers back to.
pub(crate) const CALLBACK: &str = "/.gatehouse/oidc/callback";
/// Where a provider says that a session has ended.
pub(crate) const BACK_CHANNEL: &str = "/.gatehouse/oidc/logout";

/// The style of all pages; it stands in each.
const STYLE: &str = include_str!("style.css");

/// The source that allows it in `Content-Security-Policy` (CSP Level 3 section 2.3.1).
pub(crate) static STYLE_SOURCE: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", BASE64.encode(&Sha256::digest(STYLE))));

/// What every page shows around its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'f> {
    pub(crate) language: Language,
    /// The host that the login is for.
    pub(crate) host: &'f str,
}

/// What a form sends along unseen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hidden<'f> {
    /// What ties it to the browser.
    pub(crate) mark: &'f str,
    /// The `[access.NAME]`.
    pub(crate) access: &'f str,
    /// Where the login leads.
    pub(crate) to: &'f str,
}

/// What went wrong with what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// User or password.
    Wrong,
    /// The one-time code.
    WrongCode,
    /// Something was left out.
    Incomplete,
    /// The form is not from this browser's page, or from one too old.
    OnceMore,
    /// The code came too late.
    CodeOver,
    /// Wait so many seconds.
    Wait(u64),
    /// Too many logins are under way.
    Busy,
    /// It is he, but he may not.
    NoGroup,
}

/// Who is signed in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'s> {
    pub(crate) user: &'s str,
    pub(crate) groups: &'s [Box<str>],
}

/// A page of one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sentence {
    /// A page of another site asked for something.
    Foreign,
    /// A body that is no form.
    Unreadable,
    NoPage,
    Method,
}

impl Frame<'_> {
    /// The form in which somebody signs in.
    pub(crate) fn login(self, hidden: Hidden<'_>, user: &str, trouble: Option<Trouble>) -> Markup {
        let words = self.language.words();
        let at_password = !user.is_empty();
        self.page(
            words.sign_in,
            &html! {
                p.host { (words.to_use) " " strong { (self.host) } }
                (self.trouble(trouble))
                form method="post" action=(LOGIN) {
                    (hidden_fields(hidden))
                    div.field {
                        label for="user" { (words.user) }
                        input id="user" name="user" type="text" value=(user) autocomplete="username" autocapitalize="none"
                            autocorrect="off" spellcheck="false" maxlength="128" required autofocus[!at_password];
                    }
                    div.field {
                        label for="password" { (words.password) }
                        input id="password" name="password" type="password" autocomplete="current-password" maxlength="256" required
                            autofocus[at_password];
                    }
                    button type="submit" { (words.sign_in) }
                }
            },
        )
    }

    /// The form that takes a one-time code; `prompt` is what the directory wants to be read.
    pub(crate) fn code(self, hidden: Hidden<'_>, pending: &str, prompt: &str) -> Markup {
        let words = self.language.words();
        self.page(
            words.code_title,
            &html! {
                p.host { (words.to_use) " " strong { (self.host) } }
                p.told { (words.code_intro) }
                @if !prompt.is_empty() { p.told id="prompt" { strong { (prompt) } } }
                form method="post" action=(CODE) {
                    (hidden_fields(hidden))
                    input type="hidden" name="pending" value=(pending);
                    div.field {
                        label for="code" { (words.code) }
                        input.code id="code" name="code" type="text" autocomplete="one-time-code" autocapitalize="none" autocorrect="off"
                            spellcheck="false" maxlength="128" required autofocus
                            aria-describedby=[(!prompt.is_empty()).then_some("prompt")];
                    }
                    button type="submit" { (words.go_on) }
                }
                p.way { a href=(again(hidden)) { (words.start_again) } }
            },
        )
    }

    /// The directory can not be asked.
    pub(crate) fn away(self, hidden: Hidden<'_>) -> Markup {
        let words = self.language.words();
        self.page(
            words.away_title,
            &html! {
                p.told role="alert" { (words.away) }
                p.told.faint { (words.away_hint) }
                p.told { a.button.second href=(again(hidden)) { (words.try_again) } }
            },
        )
    }

    /// A login at a provider did not come to its end.
    pub(crate) fn provider(self, hidden: Hidden<'_>, trouble: Option<Trouble>) -> Markup {
        let words = self.language.words();
        self.page(
            words.provider_title,
            &html! {
                @match trouble {
                    Some(trouble) => p.fault role="alert" { (told(trouble, words)) },
                    None => p.told role="alert" { (words.provider) },
                }
                p.told { a.button href=(again(hidden)) { (words.try_again) } }
            },
        )
    }

    /// The provider knows him, and he may not: there he is signed in still, so that trying again brings him here again. `out` is where he
    /// signs out there.
    pub(crate) fn kept_out(self, hidden: Hidden<'_>, out: Option<&str>) -> Markup {
        let words = self.language.words();
        self.page(
            words.provider_title,
            &html! {
                p.host { (words.to_use) " " strong { (self.host) } }
                p.fault role="alert" { (words.kept_out) }
                p.told.faint { (words.kept_out_hint) }
                @if let Some(out) = out { p.told { a.button.second href=(out) { (words.sign_out_first) } } }
                p.told { a.button.second href=(again(hidden)) { (words.try_again) } }
            },
        )
    }

    /// Who is signed in, and how to change that; `on` is where he was led to.
    pub(crate) fn account(self, shown: Shown<'_>, mark: &str, on: Option<&str>) -> Markup {
        let words = self.language.words();
        let groups = match shown.groups {
            [] => words.no_groups.to_owned(),
            some => some.join(", "),
        };
        let out = if on.is_some() { "second" } else { "" };
        self.page(
            words.account,
            &html! {
                p.host { strong { (self.host) } }
                dl {
                    div { dt { (words.signed_in_as) } dd { (shown.user) } }
                    div { dt { (words.groups) } dd { (groups) } }
                }
                @if let Some(on) = on {
                    p.told { a.button href=(on) { (words.go_on) } }
                    p.told.faint { (words.other_user) }
                }
                form method="post" action=(LOGOUT) {
                    input type="hidden" name="mark" value=(mark);
                    button class=(out) type="submit" { (words.sign_out) }
                }
            },
        )
    }

    /// Nobody is signed in: after a log-out (`just_now`), or before a login.
    ///
    /// `on` is where he signs out at the provider, too.
    pub(crate) fn nobody(self, just_now: bool, on: Option<&str>) -> Markup {
        let words = self.language.words();
        let title = if just_now {
            words.signed_out_title
        } else {
            words.not_signed_in
        };
        self.page(
            title,
            &html! {
                p.host { strong { (self.host) } }
                @if just_now { p.told role="status" { (words.signed_out) } }
                @match on {
                    Some(on) => p.told { a.button href=(on) { (words.sign_out_there) } },
                    None => p.told { a.button.second href=(LOGIN) { (words.sign_in) } },
                }
            },
        )
    }

    /// A page of one sentence.
    pub(crate) fn sentence(self, sentence: Sentence) -> Markup {
        let words = self.language.words();
        let (title, text) = match sentence {
            Sentence::Foreign => (words.refused_title, words.foreign),
            Sentence::Unreadable => (words.refused_title, words.unreadable),
            Sentence::NoPage => (words.no_page_title, words.no_page),
            Sentence::Method => (words.refused_title, words.method),
        };
        self.page(title, &html! { p.told { (text) } })
    }

    /// What went wrong, where a screen reader says it at once.
    pub(super) fn trouble(self, trouble: Option<Trouble>) -> Markup {
        let words = self.language.words();
        html! { @if let Some(trouble) = trouble { p.fault role="alert" { (told(trouble, words)) } } }
    }

    pub(super) fn page(self, title: &str, content: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    title { (title) " · " (self.host) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    main {
                        svg.mark viewBox="0 0 32 32" aria-hidden="true" {
                            path d="M3 6h3v3h3V6h3v8h8V6h3v3h3V6h3v22h-9v-6a4 4 0 0 0-8 0v6H3z";
                        }
                        h1 { (title) }
                        (content)
                    }
                }
            }
        }
    }
}

fn told(trouble: Trouble, words: &Words) -> String {
    let text = match trouble {
        Trouble::Wrong => words.wrong,
        Trouble::WrongCode => words.wrong_code,
        Trouble::Incomplete => words.incomplete,
        Trouble::OnceMore => words.once_more,
        Trouble::CodeOver => words.code_over,
        Trouble::Busy => words.busy,
        Trouble::NoGroup => words.no_group,
        Trouble::Wait(seconds) => return format!("{} {seconds} {}", words.wait, words.seconds),
    };
    text.to_owned()
}

pub(super) fn hidden_fields(hidden: Hidden<'_>) -> Markup {
    html! {
        input type="hidden" name="mark" value=(hidden.mark);
        input type="hidden" name="access" value=(hidden.access);
        input type="hidden" name="to" value=(hidden.to);
    }
}

/// The login page for the same.
pub(super) fn again(hidden: Hidden<'_>) -> String {
    let asked = [("access", hidden.access), ("to", hidden.to)];
    let query = serde_urlencoded::to_string(asked).unwrap_or_default();
    format!("{LOGIN}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_becomes_markup() {
        let evil = "\"><script>alert(1)</script>";
        let frame = Frame {
            language: Language::English,
            host: "pbx.example.com",
        };
        let hidden = Hidden {
            mark: evil,
            access: evil,
            to: evil,
        };
        let groups = [Box::from(evil)];
        let shown = Shown {
            user: evil,
            groups: &groups,
        };
        for page in [
            frame.login(hidden, evil, Some(Trouble::Wrong)),
            frame.code(hidden, evil, evil),
            frame.away(hidden),
            frame.kept_out(hidden, Some(evil)),
            frame.account(shown, evil, Some(evil)),
        ] {
            let page = page.into_string();
            assert!(!page.contains("<script"), "{page}");
            assert!(!page.contains(evil), "{page}");
        }
    }

    #[test]
    fn the_style_is_as_its_hash_says() {
        let frame = Frame {
            language: Language::German,
            host: "pbx.example.com",
        };
        let page = frame.nobody(true, None).into_string();
        let style = page.split_once("<style>").unwrap().1;
        let style = style.split_once("</style>").unwrap().0;
        let hash = BASE64.encode(&Sha256::digest(style));
        assert_eq!(*STYLE_SOURCE, format!("'sha256-{hash}'"));
        assert!(page.contains("<html lang=\"de\">"));
    }
}
