//! A second factor at the login page, through the whole box: freeradius knows the password, the box asks for the code.

use anyhow::{Context, Result, ensure};
use data_encoding::BASE32_NOPAD;
use guard::totp::TotpSecret;
use lab::{Answer, Freeradius, Gatehouse, Nginx, Place, Site, test};
use nix::sys::signal::Signal;

use crate::sso::{Browser, FIRST, NEEDS, RADIUS, SHARED, file};

const CODE: &str = "https://icc.example.com/.gatehouse/code";

/// The key that a page shows.
fn shown(page: &Answer) -> Result<TotpSecret> {
    let (_, rest) = page.body.split_once("class=\"key\">").context("no key")?;
    let text = rest.split('<').next().unwrap_or_default().replace(' ', "");
    ensure!(BASE32_NOPAD.decode(text.as_bytes()).is_ok(), "{text}");
    TotpSecret::try_from(text).map_err(anyhow::Error::msg)
}

pub(crate) fn now() -> Result<u64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(since.as_secs())
}

#[test]
fn a_second_factor_is_set_up_once_asked_for_kept_and_reset() {
    test(Site::interwise(), NEEDS, |lab| {
        let _radius = Freeradius::start(lab, RADIUS, SHARED)?;
        let _target = Nginx::start(lab, Place::Lan, &["10.0.0.20:80"])?;
        let text = file()?.replacen("login = \"radius\"", "login = \"radius\"\ntotp = true", 1);
        let gate = Gatehouse::start(lab, &text)?;

        // Set up: nothing opens before the first code.
        let nemo = Browser::new(lab, &gate, "first")?;
        let page = nemo.sign_in(FIRST, "", "nemo", "arctangent")?;
        let secret = shown(&page)?;
        ensure!(nemo.cookie("gatehouse_session")?.is_none(), "{page:?}");
        let wrong = nemo.send(&page, CODE, &[("code", "1")])?;
        ensure!(wrong.status == 403, "{wrong:?}");
        let first = secret.code_at(now()? - 30);
        let right = nemo.send(&wrong, CODE, &[("code", &first)])?;
        ensure!(right.status == 303, "{right:?}");
        nemo.ask(&format!("{FIRST}/in"))
            .expect(lab, Place::Internet, 200)?;

        // From then on it is asked for, over a restart, too, and no code is good twice.
        std::thread::sleep(std::time::Duration::from_secs(2));
        gate.signal(Signal::SIGTERM)?;
        gate.wait()?;
        gate.start_again()?;
        let again = Browser::new(lab, &gate, "again")?;
        let page = again.sign_in(FIRST, "", "nemo", "arctangent")?;
        ensure!(page.status == 200 && shown(&page).is_err(), "{page:?}");
        let used = again.send(&page, CODE, &[("code", &first)])?;
        ensure!(used.status == 403, "{used:?}");
        ensure!(again.cookie("gatehouse_session")?.is_none());
        let code = secret.code_at(now()? + 30);
        let right = again.send(&used, CODE, &[("code", &code)])?;
        ensure!(right.status == 303, "{right:?}");
        let eve = Browser::new(lab, &gate, "eve")?;
        let page = eve.sign_in(FIRST, "", "nemo", "arctangent")?;
        let replayed = eve.send(&page, CODE, &[("code", &code)])?;
        ensure!(replayed.status == 403, "{replayed:?}");
        let list = gate.json(&["totp", "list"])?;
        ensure!(list.as_array().map(Vec::len) == Some(1), "{list}");

        // The operator resets it: the sessions end, and another one is set up.
        gate.ok(&["totp", "reset", "--access", "sso", "--user", "NEMO"])?;
        lab::wait_until("the session is over", || {
            Ok(again.get(&format!("{FIRST}/over"))?.status == 303)
        })?;
        let page = again.sign_in(FIRST, "", "nemo", "arctangent")?;
        let next = shown(&page)?;
        ensure!(next != secret, "the same secret again");

        let said = format!("{}{}{list}", gate.ok(&["log"])?, gate.output());
        ensure!(said.contains("login-failed Nemo"), "{said}");
        for canary in [secret.text(), secret.groups(), next.text()] {
            ensure!(!said.contains(&canary), "{canary} was told");
        }
        Ok(())
    });
}
