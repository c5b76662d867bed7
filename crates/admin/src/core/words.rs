//! The words of the pages without script, in each language.

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
            let language = match tag.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
                Some("de") => Self::German,
                Some("en") => Self::English,
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
    match (
        whole,
        digits.get(..3).and_then(|part| part.parse::<u32>().ok()),
    ) {
        ("1", _) => 1000,
        ("0", Some(part)) => part,
        _ => 0,
    }
}

/// Everything that the pages without script say.
pub(crate) struct Words {
    pub(crate) sign_in: &'static str,
    pub(crate) sign_out: &'static str,
    pub(crate) user: &'static str,
    pub(crate) password: &'static str,
    pub(crate) password_again: &'static str,
    pub(crate) password_hint: &'static str,
    pub(crate) one_time_code: &'static str,
    pub(crate) one_time_hint: &'static str,
    pub(crate) claim: &'static str,
    pub(crate) claim_intro: &'static str,
    pub(crate) claim_code: &'static str,
    pub(crate) claim_hint: &'static str,
    pub(crate) claim_submit: &'static str,
    pub(crate) differ: &'static str,
    pub(crate) confirm: &'static str,
    pub(crate) confirm_intro: &'static str,
    pub(crate) confirm_submit: &'static str,
    pub(crate) confirmed: &'static str,
    pub(crate) nothing_on_trial: &'static str,
    pub(crate) seconds_left: &'static str,
    pub(crate) give_up: &'static str,
    pub(crate) rollback: &'static str,
    pub(crate) rollback_intro: &'static str,
    pub(crate) rollback_submit: &'static str,
    pub(crate) rolled_back: &'static str,
    pub(crate) nothing_earlier: &'static str,
    pub(crate) generation: &'static str,
    pub(crate) made: &'static str,
    pub(crate) origin: &'static str,
    pub(crate) home: &'static str,
    pub(crate) again: &'static str,
    pub(crate) not_reached: &'static str,
    pub(crate) busy: &'static str,
    pub(crate) wrong_login: &'static str,
    pub(crate) code_wanted: &'static str,
    pub(crate) wrong_claim: &'static str,
    pub(crate) too_many: &'static str,
    pub(crate) refused: &'static str,
    pub(crate) note: &'static str,
    pub(crate) wrong_method: &'static str,
    pub(crate) no_such_page: &'static str,
    pub(crate) foreign: &'static str,
    pub(crate) wrong_name: &'static str,
}

static ENGLISH: Words = Words {
    sign_in: "Sign in",
    sign_out: "Sign out",
    user: "User name",
    password: "Password",
    password_again: "Password, once more",
    password_hint: "At least 10 characters. A sentence of a few words is easy to remember and hard to guess.",
    one_time_code: "One-time code",
    one_time_hint: "Only if you have set it up: six digits from your app, or a recovery code.",
    claim: "Take this box into use",
    claim_intro: "Nobody has an account on this box yet. You make the first one now; it may do everything.",
    claim_code: "Claim code",
    claim_hint: "It is on the screen of the serial console, and the command “gatehouse claim” shows it.",
    claim_submit: "Create account",
    differ: "The two passwords differ.",
    confirm: "Keep the configuration?",
    confirm_intro: "A new configuration is in force on trial. Keep it if everything works as it should; otherwise it is rolled back by itself.",
    confirm_submit: "Keep it",
    confirmed: "The configuration is kept.",
    nothing_on_trial: "No configuration is on trial.",
    seconds_left: "Seconds left",
    give_up: "Roll back now",
    rollback: "Roll back",
    rollback_intro: "Choose the configuration that shall be in force again.",
    rollback_submit: "Put into force",
    rolled_back: "This configuration is in force now:",
    nothing_earlier: "There is no earlier configuration.",
    generation: "Generation",
    made: "Made",
    origin: "Origin",
    home: "To the overview",
    again: "Try again",
    not_reached: "The box does not answer its pages at the moment. It is being started anew perhaps; try again in a few seconds.",
    busy: "Too much is asked of these pages at a time. Try again in a few seconds.",
    wrong_login: "User name or password is wrong.",
    code_wanted: "Enter the one-time code as well, or the next one.",
    wrong_claim: "This is not the code, or its time is over. Look at the console for the one that counts.",
    too_many: "Too many failures. Try again in a while; seconds to wait:",
    refused: "Not done:",
    note: "To be known:",
    wrong_method: "This can not be done here.",
    no_such_page: "There is no such page.",
    foreign: "This was not asked by a page of this box and is not carried out.",
    wrong_name: "These pages are not reachable under this name. Open them by the address of the box or by one of these names:",
};

static GERMAN: Words = Words {
    sign_in: "Anmelden",
    sign_out: "Abmelden",
    user: "Benutzername",
    password: "Kennwort",
    password_again: "Kennwort wiederholen",
    password_hint: "Mindestens 10 Zeichen. Ein Satz aus einigen Wörtern ist leicht zu merken und schwer zu erraten.",
    one_time_code: "Einmalcode",
    one_time_hint: "Nur wenn Sie ihn eingerichtet haben: sechs Ziffern aus Ihrer App oder ein Wiederherstellungscode.",
    claim: "Gerät in Betrieb nehmen",
    claim_intro: "Auf diesem Gerät hat noch niemand ein Konto. Sie legen jetzt das erste an; es darf alles.",
    claim_code: "Inbetriebnahmecode",
    claim_hint: "Er steht auf dem Bildschirm der seriellen Konsole, und der Befehl „gatehouse claim“ zeigt ihn an.",
    claim_submit: "Konto anlegen",
    differ: "Die beiden Kennwörter sind verschieden.",
    confirm: "Konfiguration behalten?",
    confirm_intro: "Eine neue Konfiguration ist auf Probe in Kraft. Behalten Sie sie, wenn alles funktioniert; sonst wird sie von selbst zurückgenommen.",
    confirm_submit: "Behalten",
    confirmed: "Die Konfiguration bleibt.",
    nothing_on_trial: "Keine Konfiguration ist auf Probe.",
    seconds_left: "Verbleibende Sekunden",
    give_up: "Jetzt zurücknehmen",
    rollback: "Zurückkehren",
    rollback_intro: "Wählen Sie die Konfiguration, die wieder gelten soll.",
    rollback_submit: "In Kraft setzen",
    rolled_back: "Diese Konfiguration gilt jetzt:",
    nothing_earlier: "Es gibt keine frühere Konfiguration.",
    generation: "Generation",
    made: "Erstellt",
    origin: "Herkunft",
    home: "Zur Übersicht",
    again: "Noch einmal",
    not_reached: "Das Gerät antwortet seinen Seiten gerade nicht. Vielleicht startet es neu; versuchen Sie es in einigen Sekunden noch einmal.",
    busy: "Von diesen Seiten wird gerade zu viel auf einmal verlangt. Versuchen Sie es in einigen Sekunden noch einmal.",
    wrong_login: "Benutzername oder Kennwort ist falsch.",
    code_wanted: "Geben Sie auch den Einmalcode ein, oder den nächsten.",
    wrong_claim: "Das ist nicht der Code, oder seine Zeit ist um. Sehen Sie an der Konsole nach, welcher gilt.",
    too_many: "Zu viele Fehlversuche. Versuchen Sie es später noch einmal; Sekunden bis dahin:",
    refused: "Das ging nicht. Das Gerät sagt dazu auf Englisch:",
    note: "Hinweis des Geräts auf Englisch:",
    wrong_method: "Das geht hier nicht.",
    no_such_page: "Diese Seite gibt es nicht.",
    foreign: "Das hat keine Seite dieses Geräts verlangt; es wird nicht ausgeführt.",
    wrong_name: "Unter diesem Namen sind diese Seiten nicht erreichbar. Öffnen Sie sie unter der Adresse des Geräts oder einem dieser Namen:",
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
            ("de;q=0", "en"),
            ("de;q=x", "en"),
            ("d", "en"),
            ("\u{fc}", "en"),
        ] {
            let mut headers = HeaderMap::new();
            if let Ok(value) = http::HeaderValue::from_bytes(wanted.as_bytes()) {
                headers.insert(header::ACCEPT_LANGUAGE, value);
            }
            assert_eq!(Language::preferred(&headers).tag(), tag, "{wanted}");
        }
    }
}
