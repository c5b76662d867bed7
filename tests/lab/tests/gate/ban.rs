//! Who misbehaves is banned, and forgiven.

use anyhow::Result;
use lab::{Curl, Gatehouse, Lab, Nginx, Place, Site, contract, test};
use nix::sys::signal::Signal;

const NEEDS: &[&str] = &["nginx", "curl"];
const GOOD: &str = "http://hq.dvl-ckl2.net/PBX0/APPS";
const BAD: &str = "http://hq.dvl-ckl2.net/PBX0/SECRET";
const CLIENT: &str = "78.54.23.11";
const OTHER: &str = "78.54.23.12";

fn is_served(lab: &Lab, client: &str) -> Result<bool> {
    Ok(Curl::new(GOOD)
        .from(client)
        .run(lab, Place::Internet)?
        .status
        == 200)
}

/// Asks for what is refused until no answer comes any more; how many answers came.
fn misbehave(lab: &Lab, client: &str) -> Result<usize> {
    for count in 0..60 {
        let answer = Curl::new(BAD).from(client).run(lab, Place::Internet)?;
        match answer.status {
            404 => {}
            // 52: closed without a byte; 56: reset.
            0 if [52, 56].contains(&answer.exit) => return Ok(count),
            _ => anyhow::bail!("{answer:?}"),
        }
    }
    Ok(60)
}

fn started(lab: &Lab) -> Result<(Nginx, Gatehouse<'_>)> {
    let target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
    Ok((target, Gatehouse::start(lab, &contract("innovaphone")?)?))
}

#[test]
fn twenty_refused_requests_a_minute_are_forgiven_and_more_are_a_ban() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (target, gate) = started(lab)?;
        let answers = misbehave(lab, CLIENT)?;
        // The count crosses a process border, so that some requests may be answered meanwhile: on a busy
        // machine more than a few.
        assert!(
            (20..=40).contains(&answers),
            "{answers} were answered before the ban"
        );
        assert!(
            !is_served(lab, CLIENT)?,
            "a banned client is refused whatever it asks"
        );
        assert!(is_served(lab, OTHER)?, "another client is not");
        assert_eq!(target.wait_for("/PBX0/APPS")?.len(), 1);
        let bans = gate.ok(&["bans"])?;
        assert!(bans.contains(CLIENT) && !bans.contains(OTHER), "{bans}");
        gate.ok(&["bans", "clear", CLIENT])?;
        assert!(is_served(lab, CLIENT)?, "forgiven");
        assert!(!gate.ok(&["bans"])?.contains(CLIENT));
        Ok(())
    });
}

#[test]
fn a_ban_survives_the_end_of_edge_and_of_the_whole_box() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (_target, gate) = started(lab)?;
        misbehave(lab, CLIENT)?;
        let edge = gate.signal_child("edge", Signal::SIGKILL)?;
        gate.wait_for_successor("edge", edge)?;
        assert!(is_served(lab, OTHER)?);
        assert!(!is_served(lab, CLIENT)?, "banned after edge was killed");
        gate.signal(Signal::SIGTERM)?;
        assert_eq!(gate.wait()?, Some(0));
        gate.start_again()?;
        assert!(is_served(lab, OTHER)?);
        assert!(!is_served(lab, CLIENT)?, "banned after a restart");
        Ok(())
    });
}

#[test]
fn networks_of_the_never_list_are_not_banned() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let (_target, gate) = started(lab)?;
        let inside = |url: &str| Curl::new(url).at("172.31.31.4").run(lab, Place::Lan);
        for _ in 0..30 {
            assert_eq!(inside("http://hq.dvl-ckl2.net:90/PBX0/SECRET")?.status, 404);
        }
        assert_eq!(inside("http://hq.dvl-ckl2.net:90/PBX0/APPS")?.status, 200);
        assert!(!gate.ok(&["bans"])?.contains("172.31.31"));
        Ok(())
    });
}
