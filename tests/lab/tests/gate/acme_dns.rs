//! Certificates proven by records that a real name server takes from the box by RFC 2136.

use crate::acme::{shown, wait_for_issued};
use anyhow::{Result, ensure};
use lab::{Gatehouse, Lab, Named, Pebble, Site, contract, test, wait_until};
use std::fs;

const PROGRAMS: [&str; 6] = [
    "pebble",
    "pebble-challtestsrv",
    "openssl",
    "curl",
    "named",
    "dig",
];
const PRIMARY: &str = "78.54.23.11";
const SECONDARY: &str = "78.54.23.12";
const RECORD: &str = "_acme-challenge.dvl-ckl2.net";
/// What the name server knows the key by, and another secret.
const SECRET: &str = "c2VjcmV0LW9mLXRoZS1ib3gtMDEyMzQ1Njc4OTAxMjM=";
const OTHER: &str = "YW5vdGhlci1zZWNyZXQtMDEyMzQ1Njc4OTAxMjM0NTY=";

/// The name server of the zone, which lets the key of the contract file change the one record; `servers` are the zone's.
fn primary(lab: &Lab, servers: &str) -> Result<Named> {
    let zone = format!(
        "$TTL 5\n@ IN SOA ns1 hostmaster 1 8 5 600 5\n{servers}@ IN A 78.54.23.241\nhq IN A 78.54.23.241\n"
    );
    let more = format!(
        "key \"gatehouse\" {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n\
         zone \"dvl-ckl2.net\" {{ type primary; file \"zone\"; notify no; \
         update-policy {{ grant gatehouse name {RECORD}. TXT; }}; }};"
    );
    Named::start(lab, PRIMARY, ("", &more), &[("zone", &zone)])
}

/// The contract file, with the CA and name server of the lab.
fn configuration(lab: &Lab, ca: &Pebble) -> Result<String> {
    fs::write(lab.dir().join("pebble-root.pem"), ca.root())?;
    let ordered = format!(
        "challenge = \"dns-01\"\ndirectory = \"{}\"\ndirectory_ca = \"pebble-root.pem\"",
        ca.directory()
    );
    let text = contract("innovaphone")?.replace("challenge = \"dns-01\"", &ordered);
    Ok(text.replace("ns.provider.example", PRIMARY))
}

fn set_secret(lab: &Lab, gate: &Gatehouse<'_>, secret: &str) -> Result<()> {
    let file = lab.dir().join("tsig");
    fs::write(&file, secret)?;
    gate.ok_reading(&["secret", "set", "acme-tsig"], &file)
        .map(drop)
}

/// Waits until the order is told to have failed for a reason with these words, in `status` too.
fn wait_for_fault(gate: &Gatehouse<'_>, words: &str) -> Result<()> {
    wait_until(words, || {
        let about = shown(gate)?;
        let text = about["renewal"]["text"].as_str().unwrap_or_default();
        Ok(about["renewal"]["state"] == "failed" && text.contains(words))
    })?;
    let status = gate.ok(&["status"])?;
    ensure!(status.contains(words), "{status}");
    Ok(())
}

#[test]
fn a_wildcard_by_updates_of_a_name_server_and_a_wrong_key_is_told_with_the_remedy() {
    test(Site::innovaphone(), &PROGRAMS, |lab| {
        let named = primary(lab, &format!("@ IN NS ns1\nns1 IN A {PRIMARY}\n"))?;
        let ca = Pebble::start_asking(lab, "", &format!("{PRIMARY}:53"))?;
        // At first the secret is a word that is no key at all.
        let gate = Gatehouse::start(lab, &configuration(lab, &ca)?)?;
        wait_for_fault(&gate, "is not base64; copy it from the name server")?;
        set_secret(lab, &gate, OTHER)?;
        wait_for_fault(&gate, "is the secret of the key the same on both sides?")?;
        // Mended, it is ordered at once.
        set_secret(lab, &gate, SECRET)?;
        let seen = wait_for_issued(lab, &gate, "")?;
        for name in ["DNS:dvl-ckl2.net", "DNS:*.dvl-ckl2.net"] {
            ensure!(seen.contains(name), "{seen}");
        }
        let log = named.log();
        ensure!(log.contains("adding an RR"), "{log}");
        ensure!(named.texts(lab, RECORD)?.is_empty(), "the proofs are gone");
        Ok(())
    });
}

/// A name server that looks rarely whether the primary has anything new, and is told nothing of it.
fn secondary(lab: &Lab) -> Result<Named> {
    let slow = "min-refresh-time 5; min-retry-time 5;";
    let more = format!(
        "zone \"dvl-ckl2.net\" {{ type secondary; file \"zone\"; primaries {{ {PRIMARY}; }}; {slow} }};"
    );
    Named::start(lab, SECONDARY, ("", &more), &[])
}

#[test]
fn the_ca_looks_only_once_every_name_server_of_the_zone_has_the_record() {
    test(Site::innovaphone(), &PROGRAMS, |lab| {
        // One of three is away for good, and keeps nobody.
        let servers = format!(
            "@ IN NS ns1\n@ IN NS ns2\n@ IN NS ns3\n\
             ns1 IN A {PRIMARY}\nns2 IN A {SECONDARY}\nns3 IN A 78.54.23.99\n"
        );
        let primary = primary(lab, &servers)?;
        let secondary = secondary(lab)?;
        wait_until("the zone at the secondary", || {
            Ok(secondary.log().contains("Transfer status: success"))
        })?;
        let ca = Pebble::start_asking(lab, "", &format!("{SECONDARY}:53"))?;
        let gate = Gatehouse::start(lab, &configuration(lab, &ca)?)?;
        set_secret(lab, &gate, SECRET)?;
        wait_for_issued(lab, &gate, "")?;
        let log = gate.ok(&["log"])?;
        let told =
            format!("name servers that do not have the proof yet: ns2.dvl-ckl2.net ({SECONDARY})");
        ensure!(log.contains(&told), "{log}");
        ensure!(!log.contains("the CA did not find"), "{log}");
        ensure!(
            primary.texts(lab, RECORD)?.is_empty(),
            "the proofs are gone"
        );
        Ok(())
    });
}
