//! The pages that ask for a code of an authenticator app.

use std::fmt::Write as _;

use guard::totp::TotpSecret;
use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};

use super::page::{CODE, Frame, Hidden, again, hidden_fields};
use super::words::Language;

/// Modules of nothing around a QR code (ISO/IEC 18004 section 9.1).
const QUIET: usize = 4;

/// What somebody is offered who has no app yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offered<'o> {
    /// What the app is to get.
    pub(crate) secret: &'o TotpSecret,
    /// What the app calls us.
    pub(crate) issuer: &'o str,
    /// What it calls him.
    pub(crate) user: &'o str,
}

impl Frame<'_> {
    /// The form that takes a code; `wrong`: the one before was.
    pub(crate) fn factor(self, hidden: Hidden<'_>, pending: &str, wrong: bool) -> Markup {
        let (words, own) = (self.language.words(), words(self.language));
        self.page(
            words.code_title,
            &html! {
                p.host { (words.to_use) " " strong { (self.host) } }
                (self.wrong_code(wrong))
                p.told { (own.intro) }
                (self.code_form(hidden, pending))
            },
        )
    }

    /// The same, for somebody who sets his app up.
    pub(crate) fn first_factor(
        self,
        hidden: Hidden<'_>,
        pending: &str,
        offered: Offered<'_>,
        wrong: bool,
    ) -> Markup {
        let (words, own) = (self.language.words(), words(self.language));
        let uri = offered.secret.uri(offered.issuer, offered.user);
        self.page(
            own.first_title,
            &html! {
                p.host { (words.to_use) " " strong { (self.host) } }
                (self.wrong_code(wrong))
                p.told { (own.first_intro) }
                (picture(&uri, own.picture))
                p.told { (own.key) }
                p.key { (offered.secret.groups()) }
                p.way { a href=(uri) { (own.open) } }
                p.told { (own.first_code) }
                (self.code_form(hidden, pending))
            },
        )
    }

    /// No code can be looked at.
    pub(crate) fn factors_away(self, hidden: Hidden<'_>) -> Markup {
        let (words, own) = (self.language.words(), words(self.language));
        self.page(
            words.away_title,
            &html! {
                p.told role="alert" { (own.away) }
                p.told { a.button.second href=(again(hidden)) { (words.try_again) } }
            },
        )
    }

    fn code_form(self, hidden: Hidden<'_>, pending: &str) -> Markup {
        let words = self.language.words();
        html! {
            form method="post" action=(CODE) {
                (hidden_fields(hidden))
                input type="hidden" name="pending" value=(pending);
                div.field {
                    label for="code" { (words.code) }
                    input.code id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" autocapitalize="none"
                        autocorrect="off" spellcheck="false" maxlength="16" required autofocus;
                }
                button type="submit" { (words.go_on) }
            }
            p.way { a href=(again(hidden)) { (words.start_again) } }
        }
    }

    fn wrong_code(self, wrong: bool) -> Markup {
        let own = words(self.language);
        html! { @if wrong { p.fault role="alert" { (own.wrong) } } }
    }
}

/// A QR code, black on white whatever the page is; nothing, where the text is too long for one.
fn picture(text: &str, label: &str) -> Markup {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else {
        return html! {};
    };
    let side = code.width();
    let mut path = String::new();
    for (row, line) in code.to_colors().chunks(side).enumerate() {
        let mut column = 0;
        for run in line.chunk_by(|one, other| one == other) {
            if run.first() == Some(&Color::Dark) {
                let (x, y, length) = (column + QUIET, row + QUIET, run.len());
                let written = write!(path, "M{x} {y}h{length}v1h-{length}z");
                written.expect("a string takes everything");
            }
            column += run.len();
        }
    }
    let whole = side + 2 * QUIET;
    html! {
        svg.qr viewBox=(format!("0 0 {whole} {whole}")) role="img" aria-label=(label) shape-rendering="crispEdges" {
            rect width=(whole) height=(whole) fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    }
}

/// What these pages say beside the words of all.
struct Words {
    intro: &'static str,
    wrong: &'static str,
    first_title: &'static str,
    first_intro: &'static str,
    /// For who can not see it.
    picture: &'static str,
    key: &'static str,
    open: &'static str,
    first_code: &'static str,
    away: &'static str,
}

fn words(language: Language) -> &'static Words {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    }
}

static ENGLISH: Words = Words {
    intro: "Enter the six digits that your authenticator app shows now.",
    wrong: "This code is not right, or was used before. Enter the one that the app shows next.",
    first_title: "Set up your second factor",
    first_intro: "From now on your password alone is not enough here. Have an authenticator app on your phone scan this picture:",
    picture: "QR code for the authenticator app; the key below says the same",
    key: "Or type this key into the app:",
    open: "The app is on this device",
    first_code: "Then enter the six digits that the app shows.",
    away: "Second factors can not be checked at the moment. That is not your fault; please tell whoever looks after this sign-in.",
};

static GERMAN: Words = Words {
    intro: "Geben Sie die sechs Ziffern ein, die Ihre Authenticator-App gerade zeigt.",
    wrong: "Dieser Code stimmt nicht oder wurde schon benutzt. Geben Sie den nächsten ein, den die App zeigt.",
    first_title: "Zweiten Faktor einrichten",
    first_intro: "Ab jetzt genügt hier das Kennwort allein nicht mehr. Lassen Sie eine Authenticator-App auf Ihrem Telefon dieses Bild lesen:",
    picture: "QR-Code für die Authenticator-App; der Schlüssel darunter sagt dasselbe",
    key: "Oder tippen Sie diesen Schlüssel in die App:",
    open: "Die App ist auf diesem Gerät",
    first_code: "Geben Sie dann die sechs Ziffern ein, die die App zeigt.",
    away: "Zweite Faktoren lassen sich gerade nicht prüfen. Das liegt nicht an Ihnen; bitte sagen Sie es dem, der diese Anmeldung verwaltet.",
};

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = "\"><script>alert(1)</script>";

    fn frame() -> Frame<'static> {
        Frame {
            language: Language::English,
            host: "pbx.example.com",
        }
    }

    #[test]
    fn the_secret_is_shown_as_text_and_as_picture_and_nothing_becomes_markup() {
        let secret = TotpSecret::new(*b"12345678901234567890");
        let hidden = Hidden {
            mark: EVIL,
            access: EVIL,
            to: EVIL,
        };
        let offered = Offered {
            secret: &secret,
            issuer: EVIL,
            user: EVIL,
        };
        let page = frame().first_factor(hidden, EVIL, offered, true);
        let page = page.into_string();
        assert!(
            page.contains("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"),
            "{page}"
        );
        assert!(
            page.contains("<svg class=\"qr\"") && !page.contains(" style="),
            "{page}"
        );
        for page in [
            page,
            frame().factor(hidden, EVIL, true).into_string(),
            frame().factors_away(hidden).into_string(),
        ] {
            assert!(!page.contains("<script") && !page.contains(EVIL), "{page}");
        }
    }

    #[test]
    fn the_picture_has_a_quiet_zone_and_the_three_corners() {
        let picture = picture("otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQ", "label").into_string();
        let code = QrCode::with_error_correction_level(
            "otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQ",
            EcLevel::M,
        );
        let side = code.unwrap().width();
        let whole = side + 8;
        assert!(
            picture.contains(&format!("viewBox=\"0 0 {whole} {whole}\"")),
            "{picture}"
        );
        for (x, y) in [(4, 4), (4 + side - 7, 4), (4, 4 + side - 7)] {
            let corner = format!("M{x} {y}h7v1h-7z");
            assert!(picture.contains(&corner), "{corner}: {picture}");
        }
        assert!(
            super::picture(&"a".repeat(4000), "label")
                .into_string()
                .is_empty()
        );
    }
}
