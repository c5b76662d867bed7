//! The login page as it is seen: every page in both languages, in light and dark, on a telephone and on a desk.

use std::path::Path;

use anyhow::{Result, ensure};
use lab::{Browser, Freeradius, Gatehouse, Nginx, Place, Seen, Site, Visitor, Visitors, test};

use crate::sso::{FIRST, RADIUS, RADIUS_KEYS, SHARED, two_hosts};

/// Looks at a page that must have come with `status`.
fn look(visitor: &Visitor<'_>, name: &str, status: u64, seen: &Seen) -> Result<Vec<String>> {
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
    let own = ["nginx", "curl", "freeradius", "the pages' packages"];
    test(
        Site::interwise(),
        &[&own[..], &Browser::NEEDS].concat(),
        |lab| {
            let radius = Freeradius::start(lab, RADIUS, SHARED)?;
            let _target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
            let keys = format!("groups = [\"pbx-users\"]\n{RADIUS_KEYS}");
            let gate = Gatehouse::start(lab, &two_hosts("radius", &keys)?)?;
            let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("login");
            let names = [("*.example.com", "192.0.2.10")];
            let visitors = Visitors::trusting(lab, &[&gate.root()?], &names, &shots)?;
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
        },
    );
}
