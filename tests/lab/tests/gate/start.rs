//! What a start and a change must survive.

use anyhow::Result;
use lab::{Curl, Gatehouse, Nginx, Place, Site, contract, test};
use nix::sys::signal::Signal;
use std::net::TcpListener;

const NEEDS: &[&str] = &["nginx", "curl"];

fn stop(gate: &Gatehouse<'_>) -> Result<()> {
    gate.signal(Signal::SIGTERM)?;
    assert_eq!(gate.wait()?, Some(0), "{}", gate.output());
    Ok(())
}

const URL: &str = "http://hq.dvl-ckl2.net/PBX0/APPS";

#[test]
fn a_file_that_can_not_be_put_to_work_does_not_keep_the_box_from_starting() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        Curl::new(URL).expect(lab, Place::Internet, 200)?;
        stop(&gate)?;
        let _taken = lab.enter(Place::Gate, || TcpListener::bind("0.0.0.0:9453"))??;
        gate.write(&contract("innovaphone")?.replace("https = 453", "https = 9453"))?;
        gate.start_again()?;
        Curl::new(URL).expect(lab, Place::Internet, 200)?;
        let list = gate.ok(&["generations"])?;
        assert!(
            !list.contains("\n2 "),
            "a port that is taken is no generation: {list}"
        );
        assert!(gate.ok(&["log"])?.contains("can not be put to work"));
        Ok(())
    });
}

#[test]
fn two_listeners_may_change_places() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let swapped =
            contract("innovaphone")?.replace("http = 90\nhttps = 453", "http = 453\nhttps = 90");
        assert_ne!(swapped, contract("innovaphone")?);
        gate.write(&swapped)?;
        gate.ok(&["reload"])?;
        let plain = "http://hq.dvl-ckl2.net:443/PBX0/APPS";
        Curl::new(plain).expect(lab, Place::Internet, 200)?;
        Ok(())
    });
}

#[test]
fn a_change_back_ends_the_trial_that_it_replaces() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        gate.write(&contract("innovaphone")?.replace("port = 8443", "port = 8444"))?;
        assert!(gate.ok(&["reload"])?.contains("confirm"));
        gate.write(&contract("innovaphone")?)?;
        assert!(!gate.ok(&["reload"])?.contains("confirm"));
        let list = gate.ok(&["generations"])?;
        assert!(
            !list.contains("on trial") && list.contains("given up"),
            "{list}"
        );
        assert_eq!(gate.command(&["confirm"])?.code, Some(1));
        Ok(())
    });
}

#[test]
fn signals_that_whoever_started_it_had_blocked_are_obeyed_all_the_same() {
    test(Site::innovaphone(), &["env"], |lab| {
        let (file, state) = (lab.dir().join("blocked.toml"), lab.dir().join("blocked"));
        // One that needs no secret.
        std::fs::copy(
            lab::repository().join("xtask/src/demo/gatehouse.toml"),
            &file,
        )?;
        let paths = [lab::program()?, file, state].map(|path| path.display().to_string());
        let [program, file, state] = paths.each_ref().map(String::as_str);
        let blocking = "--block-signal=TERM,INT,HUP";
        let command = [
            "env", blocking, program, "run", "--config", file, "--state", state,
        ];
        let mut gate = lab.spawn(Place::Gate, "blocked", &command)?;
        gate.wait_for("is in force")?;
        gate.signal(Signal::SIGTERM)?;
        assert_eq!(gate.wait()?.code(), Some(0), "{}", gate.log());
        Ok(())
    });
}
