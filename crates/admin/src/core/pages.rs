//! The pages that work without script: claim, login, confirm, roll back.

use control::{Generation, GenerationState};
use maud::{DOCTYPE, Markup, html};

use super::said::{self, Told};
use super::words::Language;

/// What every page shows around its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'f> {
    pub(crate) language: Language,
    pub(crate) hostname: &'f str,
    /// Path of the style sheet.
    pub(crate) style: &'f str,
}

impl Frame<'_> {
    /// The form in which the first operator makes an account.
    pub(crate) fn claim(self, fault: Option<&Told>, user: &str) -> Markup {
        let words = self.language.words();
        self.page(
            words.claim,
            &html! {
                p { (words.claim_intro) }
                (fault_box(fault))
                form method="post" action="/claim" {
                    (field("code", words.claim_code, "text", "", "off", Some(words.claim_hint), true))
                    (field("user", words.user, "text", user, "username", None, true))
                    (field("password", words.password, "password", "", "new-password", Some(words.password_hint), true))
                    (field("again", words.password_again, "password", "", "new-password", None, true))
                    button type="submit" { (words.claim_submit) }
                }
            },
        )
    }

    /// The form in which an operator signs in; `then` is where it leads.
    pub(crate) fn login(self, fault: Option<&Told>, user: &str, then: &str) -> Markup {
        let words = self.language.words();
        self.page(
            words.sign_in,
            &html! {
                (fault_box(fault))
                form method="post" action="/login" {
                    input type="hidden" name="then" value=(then);
                    (field("user", words.user, "text", user, "username", None, true))
                    (field("password", words.password, "password", "", "current-password", None, true))
                    (field("code", words.one_time_code, "text", "", "one-time-code", Some(words.one_time_hint), false))
                    button type="submit" { (words.sign_in) }
                }
            },
        )
    }

    /// Asks whether what is on trial is to be kept.
    pub(crate) fn confirm(self, trial: Option<&Generation>, fault: Option<&Told>) -> Markup {
        let words = self.language.words();
        let content = match trial {
            None => html! { p { (words.nothing_on_trial) } },
            Some(trial) => html! {
                p { (words.confirm_intro) }
                (self.table(std::slice::from_ref(trial)))
                @if let GenerationState::Trial { seconds } = trial.state {
                    p { (words.seconds_left) ": " strong { (seconds) } }
                }
                div.row {
                    form method="post" action="/confirm" {
                        input type="hidden" name="generation" value=(trial.number);
                        button type="submit" { (words.confirm_submit) }
                    }
                    form method="post" action="/rollback" {
                        input type="hidden" name="trial" value=(trial.number);
                        button.second type="submit" { (words.give_up) }
                    }
                }
            },
        };
        self.page(
            words.confirm,
            &html! { (fault_box(fault)) (content) (self.ways()) },
        )
    }

    /// The list of what can be rolled back to, newest first.
    pub(crate) fn rollback(self, choices: &[Generation], fault: Option<&Told>) -> Markup {
        let words = self.language.words();
        let content = if choices.is_empty() {
            html! { p { (words.nothing_earlier) } }
        } else {
            html! {
                form method="post" action="/rollback" {
                    fieldset {
                        legend { (words.rollback_intro) }
                        @for choice in choices {
                            label.choice {
                                input type="radio" name="generation" value=(choice.number) required;
                                span { strong { (choice.number) } " · " (said::moment(choice.created, self.language)) " · " (self.origin(choice)) }
                            }
                        }
                    }
                    button type="submit" { (words.rollback_submit) }
                }
            }
        };
        self.page(
            words.rollback,
            &html! { (fault_box(fault)) (content) (self.ways()) },
        )
    }

    /// Asks whether the session is to end: a link alone must not do it.
    pub(crate) fn logout(self) -> Markup {
        let words = self.language.words();
        self.page(
            words.sign_out,
            &html! {
                form method="post" action="/logout" { button type="submit" { (words.sign_out) } }
                p { a href="/" { (words.home) } }
            },
        )
    }

    /// What came of a change.
    pub(crate) fn done(
        self,
        title: &str,
        text: &str,
        now: &Generation,
        notes: &[String],
    ) -> Markup {
        let words = self.language.words();
        self.page(
            title,
            &html! {
                p role="status" { (text) }
                (self.table(std::slice::from_ref(now)))
                @for note in notes { p { (said_in(&said::text(note, words.note, self.language))) } }
                (self.ways())
            },
        )
    }

    /// One sentence, and where to go from there.
    pub(crate) fn sentence(self, title: &str, text: &str, way: (&str, &str)) -> Markup {
        self.told(title, &Told::own(text), way)
    }

    /// What the box has to say, and where to go from there.
    pub(crate) fn told(self, title: &str, told: &Told, way: (&str, &str)) -> Markup {
        self.page(
            title,
            &html! { p { (said_in(told)) } p { a href=(way.0) { (way.1) } } },
        )
    }

    /// The pages are asked for under a name that is not ours.
    pub(crate) fn wrong_name<'n>(self, names: impl Iterator<Item = &'n str>) -> Markup {
        let words = self.language.words();
        self.page(
            "421",
            &html! {
                p { (words.wrong_name) }
                ul { @for name in names { li { code { (name) } } } }
            },
        )
    }

    fn ways(self) -> Markup {
        let words = self.language.words();
        html! {
            nav {
                a href="/" { (words.home) }
                a href="/confirm" { (words.confirm) }
                a href="/rollback" { (words.rollback) }
                form method="post" action="/logout" { button.second type="submit" { (words.sign_out) } }
            }
        }
    }

    /// Where a generation comes from; texts of the box that are not known stand by themselves.
    fn origin(self, generation: &Generation) -> Markup {
        said_in(&said::text(&generation.origin, "", self.language))
    }

    fn table(self, rows: &[Generation]) -> Markup {
        let words = self.language.words();
        html! {
            dl {
                @for row in rows {
                    div { dt { (words.generation) } dd { (row.number) } }
                    div { dt { (words.made) } dd { (said::moment(row.created, self.language)) } }
                    div { dt { (words.origin) } dd { (self.origin(row)) } }
                }
            }
        }
    }

    fn page(self, title: &str, content: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    title { (title) " · " (self.hostname) }
                    link rel="icon" href="data:,";
                    link rel="stylesheet" href=(self.style);
                }
                body.plain {
                    header {
                        svg.mark viewBox="0 0 32 32" aria-hidden="true" {
                            path d="M3 6h3v3h3V6h3v8h8V6h3v3h3V6h3v22h-9v-6a4 4 0 0 0-8 0v6H3z";
                        }
                        span.brand { "Gatehouse" } span.host { (self.hostname) } }
                    main { h1 { (title) } (content) }
                }
            }
        }
    }
}

/// What went wrong, where a screen reader says it at once.
fn fault_box(fault: Option<&Told>) -> Markup {
    html! { @if let Some(fault) = fault { p.fault role="alert" { (said_in(fault)) } } }
}

/// A text, and what the box says to it in English.
fn said_in(told: &Told) -> Markup {
    html! { (told.text) @if let Some(said) = &told.said { " " span lang="en" { (said) } } }
}

fn field(
    name: &str,
    label: &str,
    kind: &str,
    value: &str,
    complete: &str,
    hint: Option<&str>,
    required: bool,
) -> Markup {
    let hint_id = hint.map(|_| format!("{name}-hint"));
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type=(kind) value=(value) autocomplete=(complete) autocapitalize="none"
                spellcheck="false" maxlength="256" required[required] aria-describedby=[hint_id.as_deref()];
            @if let (Some(hint), Some(id)) = (hint, hint_id.as_deref()) { p.hint id=(id) { (hint) } }
        }
    }
}
