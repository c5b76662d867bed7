//! The login page as it is seen: every page in both languages, in light and dark, on a telephone and on a desk.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use guard::totp::TotpSecret;
use lab::{Browser, Freeradius, Gatehouse, Lab, Nginx, Place, Seen, Site, Visitor, Visitors, test};

use crate::sso::{FIRST, RADIUS, RADIUS_KEYS, SHARED, two_hosts};
use crate::totp::now;

fn needs() -> Vec<&'static str> {
    let own = ["nginx", "curl", "freeradius", "the pages' packages"];
    [&own[..], &Browser::NEEDS].concat()
}

/// Where pictures of what they see are left.
pub(crate) fn shots() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("login")
}

fn visitors(lab: &Lab, gate: &Gatehouse<'_>) -> Result<Visitors> {
    let names = [("*.example.com", "192.0.2.10")];
    Visitors::trusting(lab, &[&gate.root()?], &names, &shots())
}

/// Looks at a page that must have come with `status`.
pub(crate) fn look(
    visitor: &Visitor<'_>,
    name: &str,
    status: u64,
    seen: &Seen,
) -> Result<Vec<String>> {
    ensure!(seen.status == status, "{name}: {seen:?}");
    visitor.look(name)
}

/// Everything that a visitor comes to while all works.
fn go_round(visitor: &Visitor<'_>) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let form = visitor.open(&format!("{FIRST}/deep?a=b"))?;
    faults.extend(look(visitor, "form", 200, &form)?);
    let wrong = visitor.sign_in("nemo", "wrong word")?;
    faults.extend(look(visitor, "refusal", 403, &wrong)?);
    let code = visitor.sign_in("mopsy", "challenge")?;
    faults.extend(look(visitor, "code", 200, &code)?);
    let wrong = visitor.send(&[("code", "123456")])?;
    faults.extend(look(visitor, "wrong-code", 403, &wrong)?);
    visitor.sign_in("mopsy", "challenge")?;
    let kept_out = visitor.send(&[("code", "99101462")])?;
    faults.extend(look(visitor, "no-group", 403, &kept_out)?);
    let inside = visitor.sign_in("nemo", "arctangent")?;
    ensure!(inside.url == format!("{FIRST}/deep?a=b"), "{inside:?}");
    let known = visitor.open(&format!("{FIRST}/.gatehouse/login?access=sso&to=%2Fdeep"))?;
    faults.extend(look(visitor, "signed-in", 200, &known)?);
    let account = visitor.open(&format!("{FIRST}/.gatehouse/"))?;
    faults.extend(look(visitor, "account", 200, &account)?);
    let out = visitor.send(&[])?;
    faults.extend(look(visitor, "signed-out", 200, &out)?);
    let nobody = visitor.open(&format!("{FIRST}/.gatehouse/"))?;
    faults.extend(look(visitor, "nobody", 200, &nobody)?);
    let nothing = visitor.open(&format!("{FIRST}/.gatehouse/nothing"))?;
    faults.extend(look(visitor, "no-page", 404, &nothing)?);
    Ok(faults)
}

#[test]
fn every_page_is_sound_in_every_language_colour_and_width() {
    test(Site::interwise(), &needs(), |lab| {
        let radius = Freeradius::start(lab, RADIUS, SHARED)?;
        let _target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let keys = format!("groups = [\"pbx-users\"]\n{RADIUS_KEYS}");
        let gate = Gatehouse::start(lab, &two_hosts("radius", &keys)?)?;
        let visitors = visitors(lab, &gate)?;
        let people = ["en", "de"].map(|language| visitors.person(language, language));
        let mut faults = Vec::new();
        for person in &people {
            faults.extend(go_round(person)?);
            person.open(&format!("{FIRST}/late"))?;
        }
        radius.stop();
        for person in &people {
            let away = person.sign_in("nemo", "arctangent")?;
            faults.extend(look(person, "away", 503, &away)?);
        }
        ensure!(faults.is_empty(), "{}", faults.join("\n"));
        Ok(())
    });
}

/// Everything that a visitor comes to at a list that asks for a second factor.
fn go_round_with_app(visitor: &Visitor<'_>) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    visitor.open(&format!("{FIRST}/deep"))?;
    let first = visitor.sign_in("nemo", "arctangent")?;
    faults.extend(look(visitor, "first-app", 200, &first)?);
    let wrong = visitor.send(&[("code", "1")])?;
    faults.extend(look(visitor, "wrong-first-app", 403, &wrong)?);
    let secret = key_of(&wrong)?;
    let inside = visitor.send(&[("code", &secret.code_at(now()?))])?;
    ensure!(inside.url == format!("{FIRST}/deep"), "{inside:?}");
    visitor.open(&format!("{FIRST}/.gatehouse/"))?;
    visitor.send(&[])?;

    visitor.open(&format!("{FIRST}/again"))?;
    let asked = visitor.sign_in("nemo", "arctangent")?;
    faults.extend(look(visitor, "app", 200, &asked)?);
    let wrong = visitor.send(&[("code", "1")])?;
    faults.extend(look(visitor, "wrong-app", 403, &wrong)?);
    let inside = visitor.send(&[("code", &secret.code_at(now()? + 30))])?;
    ensure!(inside.url == format!("{FIRST}/again"), "{inside:?}");
    visitor.open(&format!("{FIRST}/.gatehouse/"))?;
    visitor.send(&[])?;

    // Whom the server does not call by a name has no second factor that could be known.
    visitor.open(&format!("{FIRST}/unnamed"))?;
    visitor.sign_in("mopsy", "challenge")?;
    let nameless = visitor.send(&[("code", "99101462")])?;
    faults.extend(look(visitor, "no-name", 503, &nameless)?);
    Ok(faults)
}

/// The key that a page shows for an app.
fn key_of(page: &Seen) -> Result<TotpSecret> {
    let mut keys = page
        .text
        .lines()
        .filter_map(|line| TotpSecret::try_from(line.replace(' ', "")).ok());
    keys.next().with_context(|| format!("no key: {page:?}"))
}

#[test]
fn every_page_of_a_second_factor_is_sound_in_every_language_colour_and_width() {
    test(Site::interwise(), &needs(), |lab| {
        let _radius = Freeradius::start(lab, RADIUS, SHARED)?;
        let _target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let keys = format!("totp = true\n{RADIUS_KEYS}");
        let gate = Gatehouse::start(lab, &two_hosts("radius", &keys)?)?;
        let visitors = visitors(lab, &gate)?;
        let mut faults = Vec::new();
        for language in ["en", "de"] {
            faults.extend(go_round_with_app(&visitors.person(language, language))?);
            let user = ["--access", "sso", "--user", "Nemo"];
            gate.ok(&[&["totp", "reset"][..], &user].concat())?;
        }
        ensure!(faults.is_empty(), "{}", faults.join("\n"));
        Ok(())
    });
}

#[test]
fn the_page_of_who_has_to_wait_is_sound_in_every_language_colour_and_width() {
    test(Site::interwise(), &needs(), |lab| {
        let _radius = Freeradius::start(lab, RADIUS, SHARED)?;
        let _target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let text = two_hosts("radius", RADIUS_KEYS)?;
        let gate = Gatehouse::start(lab, &format!("{text}\n[guard]\nnever = [\"0.0.0.0/0\"]\n"))?;
        let visitors = visitors(lab, &gate)?;
        let mut faults = Vec::new();
        for (language, user) in [("en", "nobody"), ("de", "niemand")] {
            let visitor = visitors.person(language, language);
            visitor.open(&format!("{FIRST}/page"))?;
            let mut seen = visitor.sign_in(user, "0")?;
            for number in 1..30 {
                if seen.status == 429 {
                    break;
                }
                seen = visitor.sign_in(user, &number.to_string())?;
            }
            faults.extend(look(&visitor, "wait", 429, &seen)?);
        }
        ensure!(faults.is_empty(), "{}", faults.join("\n"));
        Ok(())
    });
}
