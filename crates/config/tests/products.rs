//! The published product files check clean, and mean what they say.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use config::tables::{self, Row, Table};
use config::{
    AccessKind, CertificateSource, Challenge, Config, Internal, Plain, TargetCertificate, WebSocket,
};

fn file(name: &str) -> String {
    let path = format!("{}/../../configs/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn checked(name: &str) -> config::Checked {
    config::check(&file(name), &format!("{name}.toml")).unwrap_or_else(|faults| panic!("{faults}"))
}

fn config(name: &str) -> Config {
    checked(name).config
}

/// A table as its rows, with one space between cells and without the line numbers.
fn rows<R: Row>(table: &Table<R>) -> Vec<String> {
    let line = R::HEADINGS.iter().position(|heading| *heading == "line");
    let row = |row: &R| {
        let mut cells = row.cells();
        line.map(|line| cells.remove(line));
        cells.join(" ")
    };
    table.rows.iter().map(row).collect()
}

#[track_caller]
fn assert_rows<R: Row>(table: &Table<R>, expected: &[&str]) {
    assert_eq!(rows(table), expected);
}

#[test]
fn a_new_box_serves_nothing_but_its_admin_pages_inside() {
    assert_rows(
        &tables::listens(&config("factory")),
        &["admin https 8443/tcp zone lan (eth0)"],
    );
    assert!(config("factory").hosts.is_empty());
}

#[test]
fn innovaphone_listens() {
    assert_rows(
        &tables::listens(&config("innovaphone")),
        &[
            "proxy http 90/tcp all addresses",
            "proxy https 453/tcp all addresses",
            "proxy sip 5070/tcp all addresses",
            "proxy sips 5071/tcp all addresses",
            "proxy ldap 399/tcp all addresses",
            "proxy ldaps 646/tcp all addresses",
            "proxy h323 1730/tcp all addresses",
            "proxy h323s 1310/tcp all addresses",
            "admin https 8443/tcp zone lan (eth0)",
            "relay turn 3478/udp all addresses",
            "relay turn 3478/tcp all addresses",
            "relay relayed 49152-65535/udp all addresses",
            "lan dns 53/udp zone lan (eth0)",
            "lan dns 53/tcp zone lan (eth0)",
        ],
    );
}

#[test]
fn innovaphone_names() {
    let config = config("innovaphone");
    assert_rows(
        &tables::internal_dns(&config),
        &[
            "apps.dvl-ckl2.net A 172.31.31.12",
            "branch-b.dvl-ckl2.net A 172.31.31.3",
            "hq.dvl-ckl2.net A 172.31.31.2",
            "gate-hq.dvl-ckl2.net A 172.31.31.4",
            "turn.dvl-ckl2.net A 172.31.31.4",
        ],
    );
    assert_rows(
        &tables::official_dns(&config),
        &[
            "apps.dvl-ckl2.net A 78.54.23.241",
            "branch-b.dvl-ckl2.net A 78.54.23.241",
            "hq.dvl-ckl2.net A 78.54.23.241",
            "turn.dvl-ckl2.net A 78.54.23.241",
        ],
    );
    assert_rows(
        &tables::certificate_names(&config),
        &[
            "apps.dvl-ckl2.net host (line 64) line 54",
            "branch-b.dvl-ckl2.net host (line 71) line 54",
            "hq.dvl-ckl2.net host (line 87) line 54",
            "dvl-ckl2.net host (line 102) line 54",
            "turn.dvl-ckl2.net turn (line 125) line 54",
            "gate-hq.dvl-ckl2.net admin (line 6) line 54",
        ],
    );
}

#[test]
fn innovaphone_router() {
    assert_rows(
        &tables::router_forwards(&config("innovaphone")),
        &[
            "http 80/tcp 90/tcp 172.31.31.4",
            "https 443/tcp 453/tcp 172.31.31.4",
            "sip 5060/tcp 5070/tcp 172.31.31.4",
            "sips 5061/tcp 5071/tcp 172.31.31.4",
            "ldap 389/tcp 399/tcp 172.31.31.4",
            "ldaps 636/tcp 646/tcp 172.31.31.4",
            "h323 1720/tcp 1730/tcp 172.31.31.4",
            "h323s 1300/tcp 1310/tcp 172.31.31.4",
            "turn 3478/udp 3478/udp 172.31.31.4",
            "turn 3478/tcp 3478/tcp 172.31.31.4",
        ],
    );
}

#[test]
fn innovaphone_hosts() {
    let config = config("innovaphone");
    let said: Vec<_> = config
        .hosts
        .iter()
        .map(|host| {
            let targets = |targets: &config::Targets| format!("{} {}", targets.plain, targets.tls);
            let http = host.http.iter().map(|rule| targets(&rule.targets[0]));
            let ldap = host.ldap.iter().map(|rule| targets(&rule.target));
            let sip = host.sip.iter().map(|rule| targets(&rule.target));
            let h323 = host.h323.iter().map(|rule| targets(&rule.target));
            let all: Vec<_> = http.chain(ldap).chain(sip).chain(h323).collect();
            format!("{} {:?}: {}", host.name, host.internal, all.join(", "))
        })
        .collect();
    assert_eq!(
        said,
        [
            "apps.dvl-ckl2.net Target: 172.31.31.12:80 172.31.31.12:443, \
             172.31.31.12:389 172.31.31.12:636",
            "branch-b.dvl-ckl2.net Target: 172.31.31.3:80 172.31.31.3:443, \
             172.31.31.3:389 172.31.31.3:636",
            "hq.dvl-ckl2.net Target: 172.31.31.2:80 172.31.31.2:443, \
             172.31.31.2:389 172.31.31.2:636",
            "dvl-ckl2.net None: 172.31.31.2:389 172.31.31.2:636, \
             172.31.31.2:5060 172.31.31.2:5061, 172.31.31.2:1720 172.31.31.2:1300",
            "dvl-ckl2.net/branch-b None: 172.31.31.3:5060 172.31.31.3:5061, \
             172.31.31.3:1720 172.31.31.3:1300",
            "dvl-ckl2.net/hq None: 172.31.31.2:5060 172.31.31.2:5061, \
             172.31.31.2:1720 172.31.31.2:1300",
        ]
    );
    assert_eq!(config.hosts[0].http[0].paths[0].text, "");
    let paths = &config.hosts[1].http[0].paths;
    assert_eq!((paths[1].text.as_str(), paths[1].line), ("/PBX0/APPS", 79));
    assert_eq!(
        config.hosts[1].http[0].target_certificate,
        TargetCertificate::Any
    );
}

#[test]
fn innovaphone_takes_on_trust() {
    let unchecked: Vec<_> = checked("innovaphone")
        .unchecked
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        unchecked,
        [
            "line 45: proxy.trusted_clients[1]: not checked that the box has the file \
             \"innovaphone-devices.pem\"",
            "line 61: certificate[1].dns.tsig_key: not checked that the box has the secret \
             \"acme-tsig\"",
            "line 132: turn.user[\"turn342823\"].password: not checked that the box has the secret \
             \"turn-phones\"",
        ]
    );
}

#[test]
fn estos() {
    let config = config("estos-ucserver");
    let rule = &config.hosts[0].http[0];
    assert_eq!(rule.targets.len(), 1);
    let target = &rule.targets[0];
    assert_eq!(target.plain, target.tls);
    assert_eq!(
        (target.tls.to_string().as_str(), target.tls.tls),
        ("192.168.10.5:7224", false)
    );
    assert_eq!(rule.plain, Plain::Redirect);
    let CertificateSource::Acme(acme) = &config.certificates[0].source else {
        panic!("it is not from a CA");
    };
    assert_eq!(acme.challenge, Challenge::TlsAlpn01);
    assert_eq!(
        acme.directory,
        "https://acme-v02.api.letsencrypt.org/directory"
    );
    assert_rows(
        &tables::internal_dns(&config),
        &[
            "ucws.domain.com A (what zone lan gets by DHCP)",
            "gate.domain.com A (what zone lan gets by DHCP)",
        ],
    );
    // The public address is the name itself: DynDNS keeps its record.
    assert_rows(&tables::official_dns(&config), &[]);
    assert_rows(
        &tables::router_forwards(&config),
        &[
            "http 80/tcp 80/tcp (what zone lan gets by DHCP)",
            "https 443/tcp 443/tcp (what zone lan gets by DHCP)",
            "turn 3478/udp 3478/udp (what zone lan gets by DHCP)",
            "turn 3478/tcp 3478/tcp (what zone lan gets by DHCP)",
            "relayed 50000-50999/udp 50000-50999/udp (what zone lan gets by DHCP)",
        ],
    );
}

#[test]
fn wcs() {
    let config = config("flashphoner-wcs");
    let [upgrade, rest] = config.hosts[0].http.as_slice() else {
        panic!("two rules")
    };
    assert_eq!(upgrade.websocket, WebSocket::Required);
    assert_eq!(
        upgrade.idle_timeout.map(|idle| idle.as_secs()),
        Some(24 * 3600)
    );
    assert_eq!(upgrade.access, ["wcs", "staff"]);
    assert_eq!(
        upgrade.client_address_header.as_deref(),
        Some("X-Client-IP")
    );
    assert_eq!(upgrade.target_certificate, TargetCertificate::Any);
    assert_eq!(rest.max_body, Some(500_000_000));
    assert_eq!(rest.idle_timeout.map(|idle| idle.as_secs()), Some(600));
    assert_eq!(rest.targets[0].plain.to_string(), "192.168.10.20:8443");
    let kinds: Vec<_> = config
        .access
        .iter()
        .map(|access| access.kind.as_str())
        .collect();
    assert_eq!(kinds, ["cookie", "basic"]);
    assert_rows(
        &tables::internal_dns(&config),
        &[
            "wcs.yourdomain.com A (what zone lan gets by DHCP)",
            "wcs.yourdomain.com AAAA fd00:10::2",
            "gate.yourdomain.com A (what zone lan gets by DHCP)",
            "gate.yourdomain.com AAAA fd00:10::2",
        ],
    );
    assert_rows(
        &tables::official_dns(&config),
        &["wcs.yourdomain.com A 203.0.113.20"],
    );
}

#[test]
fn infinityone() {
    let config = config("infinityone");
    assert_rows(
        &tables::listens(&config),
        &[
            "admin https 8443/tcp zone lan (eth1)",
            "lan dns 53/udp zone lan (eth1)",
            "lan dns 53/tcp zone lan (eth1)",
            "lan dhcp 67/udp zone lan (eth1)",
        ],
    );
    // The reservation and the record say the same: once is enough.
    assert_rows(
        &tables::internal_dns(&config),
        &[
            "gate.example.org A 192.168.1.1",
            "gate.example.org AAAA fd12:3456::1",
            "ucx.example.org A 192.168.1.200",
        ],
    );
    assert_rows(&tables::router_forwards(&config), &[]);
    let forwards: Vec<_> = config
        .forwards
        .iter()
        .map(|forward| {
            format!(
                "{} {}/{} {}",
                forward.name, forward.ports, forward.protocol, forward.to
            )
        })
        .collect();
    assert_eq!(
        forwards,
        [
            "InfinityOne site port 21326/tcp 192.168.1.200",
            "RTP media 10000-13999/udp 192.168.1.200"
        ]
    );
}

#[test]
fn interwise() {
    let config = config("interwise");
    assert_rows(
        &tables::listens(&config),
        &[
            "proxy http 80/tcp all addresses",
            "proxy https 443/tcp all addresses",
            "proxy https 443/tcp 192.0.2.11",
            "admin https 8443/tcp zone inner (eth1)",
        ],
    );
    assert_rows(
        &tables::internal_dns(&config),
        &[
            "icc.example.com A 10.0.0.2",
            "ics.example.com A 10.0.0.21",
            "gate.example.com A 10.0.0.2",
        ],
    );
    assert_rows(
        &tables::official_dns(&config),
        &[
            "icc.example.com A 192.0.2.10",
            "ics.example.com A 192.0.2.11",
        ],
    );
    // What is passed through needs no certificate of ours.
    assert_rows(
        &tables::certificate_names(&config),
        &[
            "icc.example.com host (line 51) line 31",
            "gate.example.com admin (line 6) own CA",
        ],
    );
    assert_eq!(config.hosts[0].internal, Internal::Gateway);
    assert!(matches!(&config.access[0].kind, AccessKind::Sso(sso) if sso.forward_cookie));
    assert!(matches!(&config.access[1].kind, AccessKind::Network { from } if from.len() == 2));
}

#[test]
fn sip_trunk() {
    let config = config("sip-trunk");
    assert_rows(
        &tables::listens(&config),
        &[
            "admin https 8443/tcp zone lan (eth1)",
            "sbc sip 5060/udp zone lan (eth1)",
            "sbc sip 5060/tcp zone lan (eth1)",
            "sbc sips 5081/tcp zone wan (eth0)",
            "sbc wss 5082/tcp zone wan (eth0)",
            "sbc rtp 20000-29999/udp all addresses",
        ],
    );
    let sbc = config.sbc.unwrap();
    assert_eq!(sbc.trunk[0].rewrite[0].replace, "+49$1");
    assert_eq!(sbc.trunk[0].password.name, "trunk-provider");
}

#[test]
fn services_to_come() {
    let parts: Vec<_> = tables::not_built(&config("interwise"));
    assert_eq!(parts, [("allow", 66)]);
}
