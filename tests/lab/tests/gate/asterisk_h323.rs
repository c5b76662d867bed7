//! H.323 of `chan_ooh323`, an endpoint that nobody here has written: calls between two of it, without a gatekeeper, through the box.

use anyhow::Result;
use lab::{
    Asterisk, AsteriskSettings, Authority, Gatehouse, Lab, Place, Site, contract, test, wait_until,
};

use crate::asterisk::has_calls;
use crate::h323::rejected;
use crate::sip::log_line;

/// The second PBX.
const INSIDE: &str = "172.31.31.3";

fn endpoint<'lab>(lab: &'lab Lab, place: Place, ip: &str, gate: &str) -> Result<Asterisk<'lab>> {
    let settings = AsteriskSettings {
        ip,
        gate,
        ..AsteriskSettings::default()
    };
    Asterisk::start(lab, place, settings)
}

/// The box of the contract, whose second PBX takes calls without a registration.
fn gate(lab: &Lab) -> Result<Gatehouse<'_>> {
    Authority::make(lab, "innovaphone-devices")?;
    let text = contract("innovaphone")?
        .replace("log_forwarded = []", "log_forwarded = [\"h323\"]")
        .replace(
            "target = \"172.31.31.3\"\n[host.h323]\n",
            "target = \"172.31.31.3\"\n[host.h323]\nunregistered_calls = true\n",
        );
    Gatehouse::start(lab, &text)
}

fn call(caller: &Asterisk<'_>, alias: &str) -> Result<()> {
    let line = format!("channel originate OOH323/gate/{alias} application Echo");
    caller.asks(&line).map(drop)
}

/// Waits until a caller has so many channels; what it calls at the word of its console is no call for it.
fn has_channels(caller: &Asterisk<'_>, count: u32) -> Result<()> {
    let words = format!("{count} active channel");
    wait_until(&words, || {
        Ok(caller.asks("core show channels")?.contains(&words))
    })
}

#[test]
fn a_call_of_asterisk_outside_reaches_the_one_inside_where_the_file_allows_it() {
    test(Site::innovaphone(), &Asterisk::NEEDS, |lab| {
        let inside = endpoint(lab, Place::Lan, INSIDE, "")?;
        let outside = endpoint(lab, Place::Internet, "78.54.23.1", "78.54.23.241:1720")?;
        let gate = gate(lab)?;

        // A host that takes registrations alone.
        call(&outside, "john@dvl-ckl2.net")?;
        wait_until("it to be rejected", || Ok(rejected(&gate)? > 0))?;
        log_line(
            &gate,
            &[
                "rejected",
                "SETUP john@dvl-ckl2.net",
                "before a registration",
            ],
        )?;
        has_channels(&outside, 0)?;
        assert_eq!(inside.h323_log().matches("incoming").count(), 0);

        call(&outside, "john@dvl-ckl2.net/branch-b")?;
        log_line(
            &gate,
            &[
                "forwarded",
                "SETUP john@dvl-ckl2.net/branch-b",
                "172.31.31.3:1720",
            ],
        )?;
        // It reads the call, and takes none that names another address than it comes from: of whom it is called by a proxy is one.
        wait_until("it to arrive", || {
            let log = inside.h323_log();
            Ok(log.contains("remote sig IP isn't a socket ip, 78.54.23.1 not 172.31.31.4"))
        })?;
        has_channels(&outside, 0)
    });
}

#[test]
fn two_asterisks_speak_h323_through_the_box_from_setup_to_release() {
    test(Site::innovaphone(), &Asterisk::NEEDS, |lab| {
        // One that calls stands at the address of the box itself, so that a call names the address that it comes from.
        let inside = endpoint(lab, Place::Lan, INSIDE, "172.31.31.4:1730")?;
        let caller = endpoint(lab, Place::Gate, "172.31.31.4", "172.31.31.4:1730")?;
        let gate = gate(lab)?;
        for (count, ends) in [(1, &caller), (2, &inside)] {
            call(&caller, "john@dvl-ckl2.net/branch-b")?;
            wait_until("an answer", || {
                Ok(caller.log().matches(" answered").count() == count)
            })?;
            has_calls(&inside, 1)?;
            has_channels(&caller, 1)?;
            ends.asks("channel request hangup all")?;
            has_calls(&inside, 0)?;
            has_channels(&caller, 0)?;
            // Who it is for has arrived as it was sent.
            let called = inside
                .log()
                .matches("called john@dvl-ckl2.net/branch-b by ")
                .count();
            assert_eq!(called, 2 * count, "{}", inside.log());
        }
        log_line(
            &gate,
            &[
                "forwarded 172.31.31.4:",
                "SETUP john@dvl-ckl2.net/branch-b",
                "172.31.31.3:1720",
            ],
        )?;
        Ok(())
    });
}
