//! Addresses and routes, where setting them is the box's business.

use super::dhcp_client::{dnsmasq, no_path_filter};
use anyhow::{Context, Result};
use lab::{Curl, Gatehouse, Lab, Nginx, Place, Site, contract, test, wait_until};
use nix::sys::signal::Signal;

const NEEDS: &[&str] = &["nginx", "openssl", "curl"];
const OURS: &str = "172.31.31.4/24";
/// Set by somebody else.
const FOREIGN: &str = "10.99.0.1/24";

/// The box before anybody has set up its network, but for one address that is not ours.
fn bare(lab: &Lab) -> Result<()> {
    for command in [
        "ip address flush dev eth0",
        "ip link set dev eth0 down",
        &format!("ip address add {FOREIGN} dev eth0"),
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        lab.run(Place::Gate, &words)?.success()?;
    }
    Ok(())
}

fn addresses(lab: &Lab) -> Result<Vec<String>> {
    let said = lab
        .run(
            Place::Gate,
            &["ip", "-4", "-o", "address", "show", "dev", "eth0"],
        )?
        .success()?;
    let words = said.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        words.find(|word| *word == "inet")?;
        words.next().map(str::to_owned)
    });
    let mut found: Vec<String> = words.collect();
    found.sort();
    Ok(found)
}

fn wait_for(lab: &Lab, wanted: &[&str]) -> Result<()> {
    wait_until("the addresses", || Ok(addresses(lab)? == wanted))
        .with_context(|| format!("{:?} instead of {wanted:?}", addresses(lab)))
}

fn answers(lab: &Lab, gate: &Gatehouse<'_>) -> Result<()> {
    Curl::new("https://hq.dvl-ckl2.net/PBX0/APPS")
        .trusting(&gate.root()?)
        .expect(lab, Place::Internet, 200)?;
    Ok(())
}

#[test]
fn a_box_without_addresses_sets_those_of_the_file_and_its_way_out() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80", "172.31.31.2:443 ssl"])?;
        bare(lab)?;
        let gate = Gatehouse::start_with(lab, &contract("innovaphone")?, &["--set-network"])?;
        wait_for(lab, &[FOREIGN, OURS])?;
        answers(lab, &gate)?;
        // The file says nothing of an address that routers advertise.
        let advertised = "/proc/sys/net/ipv6/conf/eth0/accept_ra";
        let said = lab.run(Place::Gate, &["cat", advertised])?.success()?;
        assert_eq!(said.trim(), "0");
        // What goes away comes back.
        lab.run(Place::Gate, &["ip", "link", "set", "dev", "eth0", "down"])?
            .success()?;
        lab.run(Place::Gate, &["ip", "address", "del", OURS, "dev", "eth0"])?
            .success()?;
        wait_for(lab, &[FOREIGN, OURS])?;
        answers(lab, &gate)
    });
}

#[test]
fn another_address_is_on_trial_and_goes_with_it() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80", "172.31.31.2:443 ssl"])?;
        bare(lab)?;
        let text = contract("innovaphone")?;
        let gate = Gatehouse::start_with(lab, &text, &["--set-network"])?;
        wait_for(lab, &[FOREIGN, OURS])?;
        gate.write(&text.replace(OURS, "172.31.31.5/24"))?;
        let said = gate.ok(&["reload"])?;
        assert!(said.contains("confirm"), "{said}");
        wait_for(lab, &[FOREIGN, "172.31.31.5/24"])?;
        gate.ok(&["rollback"])?;
        wait_for(lab, &[FOREIGN, OURS])?;
        answers(lab, &gate)?;
        // A file with a fault changes nothing.
        gate.write(&text.replace(OURS, "172.31.31.6/33"))?;
        assert!(gate.ok(&["reload"]).is_err());
        // Nor does one that the kernel refuses half of.
        gate.write(&text.replace("gateway = \"172.31.31.1\"", "gateway = \"172.31.31.4\""))?;
        assert!(gate.ok(&["reload"]).is_err());
        wait_for(lab, &[FOREIGN, OURS])?;
        answers(lab, &gate)
    });
}

#[test]
fn an_address_by_dhcp_serves_and_outlives_edge_and_supervisor() {
    let needs = [NEEDS, &["dnsmasq"]].concat();
    test(Site::innovaphone(), &needs, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80", "172.31.31.2:443 ssl"])?;
        let server = dnsmasq(lab, "172.31.31.4", "172.31.31.4")?;
        bare(lab)?;
        lab.enter(Place::Gate, no_path_filter)??;
        let text = contract("innovaphone")?
            .replace(OURS, "dhcp")
            .replace("gateway = \"172.31.31.1\"\n", "");
        let gate = Gatehouse::start_with(lab, &text, &["--set-network"])?;
        wait_for(lab, &[FOREIGN, OURS])?;
        answers(lab, &gate)?;
        let said = gate.ok(&["log"])?;
        assert!(
            said.contains("by DHCP from 172.31.31.2, router 172.31.31.1"),
            "{said}"
        );

        let edge = gate.signal_child("edge", Signal::SIGKILL)?;
        gate.wait_for_successor("edge", edge)?;
        answers(lab, &gate)?;
        assert_eq!(addresses(lab)?, [FOREIGN, OURS]);

        gate.signal(Signal::SIGKILL)?;
        gate.wait()?;
        gate.start_again()?;
        assert_eq!(addresses(lab)?, [FOREIGN, OURS]);
        answers(lab, &gate)?;
        // Who remembers its lease does not look for servers.
        wait_until("the lease is asked for again", || {
            Ok(gate.ok(&["log"])?.contains("by DHCP from"))
        })?;
        let discovers = server.log().matches("DHCPDISCOVER(").count();
        assert_eq!(discovers, 1, "{}", server.log());

        gate.ok(&["network", "set", "lan", "172.31.31.5/24"])?;
        wait_for(lab, &[FOREIGN, "172.31.31.5/24"])?;
        gate.ok(&["rollback"])?;
        wait_for(lab, &[FOREIGN, OURS])?;
        answers(lab, &gate)
    });
}

#[test]
fn an_interface_that_is_out_at_the_start_brings_no_older_configuration_back() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80", "172.31.31.2:443 ssl"])?;
        let text = contract("innovaphone")?;
        let gate = Gatehouse::start_with(lab, &text, &["--set-network"])?;
        gate.write(&text.replace("[proxy]\n", "[proxy]\nzones = [\"lan\"]\n"))?;
        gate.ok(&["reload"])?;
        gate.command(&["confirm"])?;
        gate.signal(Signal::SIGTERM)?;
        gate.wait()?;
        let rename = |old: &str, new: &str| {
            let down = ["ip", "link", "set", "dev", old, "down"];
            lab.run(Place::Gate, &down)?.success()?;
            let name = ["ip", "link", "set", "dev", old, "name", new];
            lab.run(Place::Gate, &name)?.success()
        };
        rename("eth0", "away")?;
        gate.start_again()?;
        assert_eq!(gate.json(&["status"])?["generation"]["number"], 2);
        rename("away", "eth0")?;
        wait_for(lab, &[OURS])?;
        wait_until("it is served on", || Ok(answers(lab, &gate).is_ok()))
    });
}

#[test]
fn without_being_told_to_the_box_leaves_the_network_alone() {
    test(Site::innovaphone(), NEEDS, |lab| {
        bare(lab)?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        gate.ok(&["reload"])?;
        assert_eq!(addresses(lab)?, [FOREIGN]);
        Ok(())
    });
}
