//! The words of the pages, in each language.

use http::{HeaderMap, header};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
}

impl Language {
    /// The one that a browser likes best of those there are (RFC 9110 section 12.5.4); English where it likes none.
    pub(crate) fn preferred(headers: &HeaderMap) -> Self {
        let wanted = headers.get(header::ACCEPT_LANGUAGE);
        let wanted = wanted.and_then(|value| value.to_str().ok()).unwrap_or("");
        let mut best = (0, Self::English);
        for range in wanted.split(',').take(32) {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let primary = tag.trim().split('-').next().unwrap_or("");
            let language = match primary.to_ascii_lowercase().as_str() {
                "de" => Self::German,
                "en" => Self::English,
                _ => continue,
            };
            let quality = thousandths(parameters.trim());
            if quality > best.0 {
                best = (quality, language);
            }
        }
        best.1
    }

    /// Its tag (RFC 5646).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// What the pages say in it.
    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }
}

/// The weight of a range, `q=0.8`; what is none counts as nothing.
fn thousandths(parameters: &str) -> u32 {
    let Some(weight) = parameters.strip_prefix("q=") else {
        return if parameters.is_empty() { 1000 } else { 0 };
    };
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = format!("{part:0<3}");
    let part = digits.get(..3).and_then(|part| part.parse::<u32>().ok());
    match (whole, part) {
        ("1", _) => 1000,
        ("0", Some(part)) => part,
        _ => 0,
    }
}

/// Everything that the pages say.
pub(crate) struct Words {
    pub(crate) sign_in: &'static str,
    /// Before the name of the host.
    pub(crate) to_use: &'static str,
    pub(crate) user: &'static str,
    pub(crate) password: &'static str,
    pub(crate) code: &'static str,
    pub(crate) code_title: &'static str,
    pub(crate) code_intro: &'static str,
    pub(crate) go_on: &'static str,
    pub(crate) start_again: &'static str,
    pub(crate) wrong: &'static str,
    pub(crate) wrong_code: &'static str,
    pub(crate) incomplete: &'static str,
    pub(crate) once_more: &'static str,
    pub(crate) code_over: &'static str,
    /// Before the number of seconds.
    pub(crate) wait: &'static str,
    pub(crate) seconds: &'static str,
    pub(crate) busy: &'static str,
    pub(crate) no_group: &'static str,
    pub(crate) away_title: &'static str,
    pub(crate) away: &'static str,
    pub(crate) away_hint: &'static str,
    pub(crate) provider_title: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) sign_out_there: &'static str,
    /// Whom the provider knows, and who may not.
    pub(crate) kept_out: &'static str,
    pub(crate) kept_out_hint: &'static str,
    pub(crate) sign_out_first: &'static str,
    pub(crate) try_again: &'static str,
    pub(crate) account: &'static str,
    pub(crate) signed_in_as: &'static str,
    pub(crate) groups: &'static str,
    pub(crate) no_groups: &'static str,
    pub(crate) sign_out: &'static str,
    pub(crate) other_user: &'static str,
    pub(crate) signed_out_title: &'static str,
    pub(crate) signed_out: &'static str,
    pub(crate) not_signed_in: &'static str,
    pub(crate) refused_title: &'static str,
    pub(crate) foreign: &'static str,
    pub(crate) unreadable: &'static str,
    pub(crate) no_page_title: &'static str,
    pub(crate) no_page: &'static str,
    pub(crate) method: &'static str,
}

static ENGLISH: Words = Words {
    sign_in: "Sign in",
    to_use: "to continue to",
    user: "User name",
    password: "Password",
    code: "One-time code",
    code_title: "One more step",
    code_intro: "Your password was right. Enter the code that you are asked for:",
    go_on: "Continue",
    start_again: "Start again",
    wrong: "User name or password is wrong.",
    wrong_code: "That did not work. Sign in again, with the next code.",
    incomplete: "Enter user name and password.",
    once_more: "This form was open for too long, or cookies are blocked here. Please sign in once more.",
    code_over: "That took too long. Please sign in once more.",
    wait: "Too many failures. Please try again in",
    seconds: "seconds.",
    busy: "Many people are signing in at the moment. Please try again in a few seconds.",
    no_group: "Your password is right, but your account is not let in here. Ask whoever looks after it.",
    away_title: "Nobody can sign in right now",
    away: "The server that knows user names and passwords does not answer. That is not your fault, and what you typed was not looked at.",
    away_hint: "Please try again in a few minutes. Whoever is signed in stays so.",
    provider_title: "Not signed in",
    provider: "The sign-in did not come to its end. It may have taken too long, or was cancelled.",
    sign_out_there: "Sign out at the provider as well",
    kept_out: "You have signed in at the provider, but your account is not let in here. Ask whoever looks after it.",
    kept_out_hint: "To use another account, sign out at the provider first.",
    sign_out_first: "Sign out at the provider",
    try_again: "Try again",
    account: "You are signed in",
    signed_in_as: "User",
    groups: "Groups",
    no_groups: "none",
    sign_out: "Sign out",
    other_user: "Sign out here to sign in as somebody else.",
    signed_out_title: "You are signed out",
    signed_out: "That holds for all pages of this sign-in. If others use this device, close its browser as well.",
    not_signed_in: "You are not signed in",
    refused_title: "Not carried out",
    foreign: "This was asked by a page of another site, and was not carried out.",
    unreadable: "What was sent can not be read.",
    no_page_title: "There is no such page",
    no_page: "Nothing is at this address.",
    method: "This can not be done here.",
};

static GERMAN: Words = Words {
    sign_in: "Anmelden",
    to_use: "für",
    user: "Benutzername",
    password: "Kennwort",
    code: "Einmalcode",
    code_title: "Noch ein Schritt",
    code_intro: "Ihr Kennwort stimmt. Geben Sie den Code ein, nach dem Sie gefragt werden:",
    go_on: "Weiter",
    start_again: "Von vorn beginnen",
    wrong: "Benutzername oder Kennwort ist falsch.",
    wrong_code: "Das hat nicht geklappt. Melden Sie sich noch einmal an, mit dem nächsten Code.",
    incomplete: "Geben Sie Benutzername und Kennwort ein.",
    once_more: "Dieses Formular war zu lange offen, oder Cookies sind hier gesperrt. Bitte melden Sie sich noch einmal an.",
    code_over: "Das hat zu lange gedauert. Bitte melden Sie sich noch einmal an.",
    wait: "Zu viele Fehlversuche. Bitte versuchen Sie es noch einmal in",
    seconds: "Sekunden.",
    busy: "Gerade melden sich viele an. Bitte versuchen Sie es in einigen Sekunden noch einmal.",
    no_group: "Ihr Kennwort stimmt, aber Ihr Konto ist hier nicht zugelassen. Fragen Sie, wer es verwaltet.",
    away_title: "Gerade kann sich niemand anmelden",
    away: "Der Server, der Benutzernamen und Kennwörter kennt, antwortet nicht. Das liegt nicht an Ihnen, und was Sie eingegeben haben, wurde nicht geprüft.",
    away_hint: "Bitte versuchen Sie es in einigen Minuten noch einmal. Wer angemeldet ist, bleibt es.",
    provider_title: "Nicht angemeldet",
    provider: "Die Anmeldung kam nicht zu ihrem Ende. Vielleicht hat sie zu lange gedauert oder wurde abgebrochen.",
    sign_out_there: "Auch beim Anbieter abmelden",
    kept_out: "Sie haben sich beim Anbieter angemeldet, aber Ihr Konto ist hier nicht zugelassen. Fragen Sie, wer es verwaltet.",
    kept_out_hint: "Um ein anderes Konto zu nehmen, melden Sie sich zuerst beim Anbieter ab.",
    sign_out_first: "Beim Anbieter abmelden",
    try_again: "Noch einmal versuchen",
    account: "Sie sind angemeldet",
    signed_in_as: "Benutzer",
    groups: "Gruppen",
    no_groups: "keine",
    sign_out: "Abmelden",
    other_user: "Melden Sie sich hier ab, um sich als jemand anderes anzumelden.",
    signed_out_title: "Sie sind abgemeldet",
    signed_out: "Das gilt für alle Seiten dieser Anmeldung. Wenn andere dieses Gerät nutzen, schließen Sie auch den Browser.",
    not_signed_in: "Sie sind nicht angemeldet",
    refused_title: "Nicht ausgeführt",
    foreign: "Das hat eine Seite von anderswo verlangt; es wurde nicht ausgeführt.",
    unreadable: "Was geschickt wurde, ist nicht zu lesen.",
    no_page_title: "Diese Seite gibt es nicht",
    no_page: "Unter dieser Adresse ist nichts.",
    method: "Das geht hier nicht.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_the_browser_likes_best_is_taken() {
        for (wanted, tag) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("en;q=0.5, de;q=0.8", "de"),
            ("fr, en;q=0.2, de;q=0.1", "en"),
            ("fr", "en"),
            ("den", "en"),
            ("de;q=0", "en"),
            ("de;q=x", "en"),
            ("d", "en"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, wanted.parse().unwrap());
            assert_eq!(Language::preferred(&headers).tag(), tag, "{wanted}");
        }
    }
}
