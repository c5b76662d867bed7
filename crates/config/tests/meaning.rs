//! What small files mean: defaults that depend on other settings, and what the box knows.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use config::{
    AccessKind, Balance, Config, GroupsAttribute, HeaderRules, Health, HttpRule, Internal, Known,
    Login, ProxyHeader, ProxyLimits, TargetCertificate, TargetHostHeader, tables,
};

fn config(text: &str) -> Config {
    let checked = config::check(&format!("schema = 1\n{text}"), "x.toml");
    checked.unwrap_or_else(|faults| panic!("{faults}")).config
}

fn host(name: &str, body: &str) -> String {
    format!("[[host]]\nname = \"{name}\"\n{body}\n")
}

#[test]
fn internal_defaults() {
    let staff = "[access.staff]\nkind = \"network\"\nfrom = [\"10.0.0.0/8\"]\n";
    for (body, expected) in [
        ("target = \"10.0.0.2\"\n[[host.http]]", Internal::Target),
        (
            "target = \"pbx.lan.example\"\n[[host.http]]",
            Internal::Target,
        ),
        (
            "target = \"10.0.0.2\"\n[[host.http]]\nport = 80\ntls_port = 443",
            Internal::Target,
        ),
        (
            "target = \"10.0.0.2\"\n[host.tls_passthrough]",
            Internal::Target,
        ),
        (
            "target = \"10.0.0.2:8443\"\n[host.tls_passthrough]",
            Internal::Gateway,
        ),
        (
            "target = \"10.0.0.2\"\n[[host.http]]\naccess = [\"staff\"]",
            Internal::Gateway,
        ),
        (
            "target = \"10.0.0.2\"\n[[host.http]]\naccess_all = [\"staff\"]",
            Internal::Gateway,
        ),
        (
            "target = \"10.0.0.2\"\n[[host.http]]\nport = 8080",
            Internal::Gateway,
        ),
        (
            "target = \"http://10.0.0.2\"\n[[host.http]]",
            Internal::Gateway,
        ),
        ("target = \"10.0.0.2\"\n[host.ldap]", Internal::None),
        (
            "target = \"10.0.0.2\"\n[host.ldap]\n[[host.http]]",
            Internal::Target,
        ),
        (
            "target = \"10.0.0.2\"\ninternal = \"none\"\n[[host.http]]",
            Internal::None,
        ),
    ] {
        let config = config(&format!("{staff}{}", host("a.example", body)));
        assert_eq!(config.hosts[0].internal, expected, "{body}");
    }
}

#[test]
fn what_only_we_do_keeps_clients_inside_with_us() {
    for (body, expected) in [
        (
            "[[host.http]]\ntarget = [\"10.0.0.2\", \"10.0.0.3\"]",
            Internal::Gateway,
        ),
        ("[[host.http]]\ntarget = [\"10.0.0.2\"]", Internal::Target),
        (
            "target = \"10.0.0.2\"\n[[host.http]]\ntarget_host = \"target\"",
            Internal::Gateway,
        ),
        (
            "target = \"10.0.0.2\"\n[[host.http]]\ntarget_proxy_protocol = \"v1\"",
            Internal::Gateway,
        ),
        (
            "target = \"10.0.0.2\"\n[host.tls_passthrough]\ntarget_proxy_protocol = \"v2\"",
            Internal::Gateway,
        ),
    ] {
        let config = config(&host("a.example", body));
        assert_eq!(config.hosts[0].internal, expected, "{body}");
    }
}

#[test]
fn public_ports_decide_what_is_bare() {
    let site = "[site.public_ports]\nhttp = 8080\nhttps = 8443\n";
    let other = config(&format!(
        "{site}{}",
        host("a.example", "target = \"10.0.0.2\"\n[[host.http]]")
    ));
    assert_eq!(other.hosts[0].internal, Internal::Gateway);
    let body = "target = \"10.0.0.2\"\n[[host.http]]\nport = 8080\ntls_port = 8443";
    let same = config(&format!("{site}{}", host("a.example", body)));
    assert_eq!(same.hosts[0].internal, Internal::Target);
}

#[test]
fn target_ports() {
    for (keys, expected) in [
        (
            "target = \"10.0.0.2\"",
            "10.0.0.2:80 plain, 10.0.0.2:443 tls, Any",
        ),
        (
            "target = \"10.0.0.2\"\nport = 8080",
            "10.0.0.2:8080 plain, 10.0.0.2:8080 plain, Any",
        ),
        (
            "target = \"10.0.0.2\"\ntls_port = 8443",
            "10.0.0.2:8443 tls, 10.0.0.2:8443 tls, Any",
        ),
        (
            "target = \"10.0.0.2\"\nport = 8080\ntls_port = 8443",
            "10.0.0.2:8080 plain, 10.0.0.2:8443 tls, Any",
        ),
        (
            "target = \"10.0.0.2:8080\"",
            "10.0.0.2:8080 plain, 10.0.0.2:8080 plain, Any",
        ),
        (
            "target = \"http://10.0.0.2\"",
            "10.0.0.2:80 plain, 10.0.0.2:80 plain, System",
        ),
        (
            "target = \"https://10.0.0.2\"",
            "10.0.0.2:443 tls, 10.0.0.2:443 tls, System",
        ),
        (
            "target = \"https://pbx.example:8443\"",
            "pbx.example:8443 tls, pbx.example:8443 tls, System",
        ),
        (
            "target = \"fd00::2\"",
            "[fd00::2]:80 plain, [fd00::2]:443 tls, Any",
        ),
    ] {
        let config = config(&host("a.example", &format!("[[host.http]]\n{keys}")));
        let rule = &config.hosts[0].http[0];
        let said = |target: &config::Target| {
            format!("{target} {}", if target.tls { "tls" } else { "plain" })
        };
        let certificate = &rule.target_certificate;
        let found = format!(
            "{}, {}, {certificate:?}",
            said(&rule.targets[0].plain),
            said(&rule.targets[0].tls)
        );
        assert_eq!(found, expected, "{keys}");
    }
}

#[test]
fn target_certificates() {
    let digest = "ab".repeat(32);
    for (keys, expected) in [
        (
            "{ trust = \"system\" }".to_owned(),
            TargetCertificate::System,
        ),
        (
            "{ ca = \"ca.pem\" }".to_owned(),
            TargetCertificate::Ca("ca.pem".to_owned()),
        ),
        (
            format!("{{ sha256 = \"{digest}\" }}"),
            TargetCertificate::Sha256([0xab; 32]),
        ),
    ] {
        let body =
            format!("[[host.http]]\ntarget = \"https://10.0.0.2\"\ntarget_certificate = {keys}");
        let config = config(&host("a.example", &body));
        assert_eq!(config.hosts[0].http[0].target_certificate, expected);
    }
}

fn rule(keys: &str) -> HttpRule {
    let mut config = config(&host("a.example", &format!("[[host.http]]\n{keys}")));
    config.hosts.remove(0).http.remove(0)
}

#[test]
fn several_targets() {
    let said = |keys: &str| {
        let rule = rule(keys);
        let each = rule.targets.iter();
        let each: Vec<_> = each
            .map(|targets| format!("{}/{}", targets.plain, targets.tls))
            .collect();
        format!("{} {}", rule.balance, each.join(" "))
    };
    for (keys, expected) in [
        (
            "target = [\"10.0.0.3\", \"10.0.0.2\"]",
            "failover 10.0.0.3:80/10.0.0.3:443 10.0.0.2:80/10.0.0.2:443",
        ),
        (
            "target = [\"10.0.0.3\", \"fd00::1\"]\nport = 8080\nbalance = \"rotate\"",
            "rotate 10.0.0.3:8080/10.0.0.3:8080 [fd00::1]:8080/[fd00::1]:8080",
        ),
        (
            "target = [\"https://10.0.0.3\", \"https://b.lan:8443\"]\nbalance = \"sticky\"",
            "sticky 10.0.0.3:443/10.0.0.3:443 b.lan:8443/b.lan:8443",
        ),
        (
            "target = [\"10.0.0.3:8080\", \"10.0.0.3:8081\"]",
            "failover 10.0.0.3:8080/10.0.0.3:8080 10.0.0.3:8081/10.0.0.3:8081",
        ),
        (
            "target = \"http://10.0.0.3\"",
            "failover 10.0.0.3:80/10.0.0.3:80",
        ),
    ] {
        assert_eq!(said(keys), expected, "{keys}");
    }
    let https = rule("target = [\"https://a.lan\", \"https://b.lan\"]");
    assert_eq!(https.target_certificate, TargetCertificate::System);
}

#[test]
fn several_targets_are_all_answered_inside() {
    let answers = |body: &str| {
        let config = config(&host(
            "a.example",
            &format!("internal = \"target\"\n{body}"),
        ));
        let rows = tables::internal_dns(&config).rows.into_iter();
        rows.map(|row| row.value.to_string()).collect::<Vec<_>>()
    };
    let two = "[[host.http]]\ntarget = [\"10.0.0.3\", \"fd00::2\"]\n";
    assert_eq!(answers(two), ["10.0.0.3", "fd00::2"]);
    let turned = "[[host.http]]\npaths = [\"/2\"]\ntarget = [\"fd00::2\", \"10.0.0.3\"]";
    assert_eq!(answers(&format!("{two}{turned}")), ["10.0.0.3", "fd00::2"]);
    let ports = "[[host.http]]\ntarget = [\"b.lan:8080\", \"b.lan:8081\"]";
    assert_eq!(answers(ports), ["b.lan"]);
}

#[test]
fn what_targets_are_told() {
    let bare = rule("target = \"10.0.0.2\"");
    assert_eq!(bare.balance, Balance::Failover);
    assert_eq!(bare.target_host, TargetHostHeader::Keep);
    assert_eq!(bare.target_proxy_protocol, ProxyHeader::Off);
    assert_eq!(
        (bare.health, bare.target_name, bare.hsts),
        (None, None, None)
    );
    assert!(!bare.forwarded);
    assert_eq!(bare.request_headers, HeaderRules::default());
    assert_eq!(bare.response_headers, HeaderRules::default());
    let rule = rule(
        "target = \"10.0.0.2\"\nhealth = { path = \"/status?x=1\" }\ntarget_name = \"PBX.lan\"\n\
         target_host = \"[FD00::1]:80\"\ntarget_proxy_protocol = \"v2\"\nforwarded = true\n\
         hsts = \"0s\"\n\
         request_headers = { set = { \"X-B\" = \"1\", X_A = \"\" }, remove = [\"Z\", \"A\"] }\n\
         [host.http.response_headers]\nadd.\"X-Z\" = \"z\"\nadd.X-A = \"a, b\"",
    );
    let health = Health {
        path: "/status?x=1".to_owned(),
        every: Duration::from_secs(10),
    };
    assert_eq!(rule.health, Some(health));
    assert_eq!(rule.target_name.as_deref(), Some("pbx.lan"));
    let name = TargetHostHeader::Name("[fd00::1]:80".to_owned());
    assert_eq!(rule.target_host, name);
    assert_eq!(rule.target_proxy_protocol, ProxyHeader::V2);
    assert!(rule.forwarded);
    assert_eq!(rule.hsts, Some(Duration::ZERO));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        rule.request_headers,
        HeaderRules {
            set: vec![pair("X-B", "1"), pair("X_A", "")],
            add: vec![],
            remove: vec!["Z".to_owned(), "A".to_owned()],
        }
    );
    let added = vec![pair("X-Z", "z"), pair("X-A", "a, b")];
    assert_eq!(rule.response_headers.add, added);
}

#[test]
fn limits() {
    let bare = config("").proxy;
    let defaults = ProxyLimits::default();
    assert_eq!(bare.limits.streams, defaults.streams);
    assert_eq!(bare.limits.keep_alive, defaults.keep_alive);
    assert_eq!(bare.limits.head_size, 32 * 1024);
    assert_eq!(bare.limits.connections_per_address, 1024);
    assert!(bare.proxy_protocol_from.is_empty());
    let few = config(
        "[proxy]\nproxy_protocol_from = [\"10.0.0.5\", \"fd00::/64\"]\n\
         [proxy.limits]\nconnections = 10\nbody_rate = \"0B\"\n",
    );
    let limits = few.proxy.limits;
    assert_eq!(
        (limits.connections, limits.connections_per_address),
        (10, 10)
    );
    assert_eq!(limits.body_rate, 0);
    assert_eq!(few.proxy.proxy_protocol_from.len(), 2);
}

#[test]
fn passthrough_listens_at_its_own_address() {
    let config = config(&format!(
        "[proxy.listen]\nhttps = 4443\n\
         [network.wan]\ntrust = \"outside\"\ninterface = \"eth0\"\n\
         addresses = [\"192.0.2.1/24\", \"192.0.2.2/24\"]\n[admin]\nzones = [\"wan\"]\n{}",
        host(
            "a.example",
            "target = \"10.0.0.2\"\n[host.tls_passthrough]\nlisten = \"192.0.2.2\"\n\
             target_proxy_protocol = \"v1\"\nidle_timeout = \"1h\""
        )
    ));
    let tunnel = config.hosts[0].tls_passthrough.as_ref().unwrap();
    assert_eq!(tunnel.target_proxy_protocol, ProxyHeader::V1);
    assert_eq!(tunnel.idle_timeout, Some(Duration::from_hours(1)));
    let listens = tables::listens(&config).rows;
    let own = tables::On::Address("192.0.2.2".parse().unwrap());
    let own = listens.iter().find(|listen| listen.on == own).unwrap();
    assert_eq!(
        (own.service, own.ports),
        ("proxy", config::Ports::one(4443))
    );
}

#[test]
fn standard_ports_give_way_to_written_ones() {
    let config = config("[proxy]\nstandard_ports = true\n[proxy.listen]\nhttps = 4443\n");
    let listen = &config.proxy.listen;
    assert_eq!(
        (listen.http, listen.https, listen.sip, listen.h323s),
        (80, 4443, 5060, 1300)
    );
}

#[test]
fn nothing_written_means_the_defaults() {
    let config = config("");
    assert_eq!(config.system.hostname, "gatehouse");
    assert_eq!(config.guard.suspicious_per_minute, 20);
    assert_eq!(config.guard.ban_for.as_secs(), 300);
    assert_eq!(config.proxy.listen.https, 453);
    let listens = tables::listens(&config);
    assert_eq!(
        listens.rows.len(),
        1,
        "the admin pages alone, on loopback:\n{listens}"
    );
    assert_eq!(listens.rows[0].on, tables::On::Loopback);
}

#[test]
fn refused_plain_requests_need_no_port() {
    let config = config(&host(
        "a.example",
        "target = \"10.0.0.2\"\n[[host.http]]\nplain = \"refuse\"",
    ));
    let listens = tables::listens(&config);
    assert!(
        listens.rows.iter().all(|listen| listen.protocol != "http"),
        "{listens}"
    );
}

#[test]
fn zones_limit_the_proxy() {
    let config = config(&format!(
        "[network.lan]\ntrust = \"inside\"\ninterface = \"eth0\"\naddresses = [\"10.0.0.1/24\"]\n\
         [network.wan]\ntrust = \"outside\"\ninterface = \"eth1\"\naddresses = [\"dhcp\"]\n\
         [proxy]\nzones = [\"wan\"]\nipv6 = false\n{}",
        host("a.example", "target = \"10.0.0.2\"\n[[host.http]]")
    ));
    let listens = tables::listens(&config);
    let proxy = listens
        .rows
        .iter()
        .filter(|listen| listen.service == "proxy");
    let wan = tables::On::Zone {
        name: "wan".into(),
        interface: "eth1".into(),
    };
    assert!(
        proxy.clone().count() == 2 && proxy.clone().all(|listen| listen.on == wan && !listen.ipv6)
    );
}

#[test]
fn wildcards_cover_one_label() {
    let config = config(
        "[[certificate]]\nnames = [\"*.example.com\"]\nsource = \"own\"\n\
         [[certificate]]\nnames = [\"hq.example.com\"]\nsource = \"own\"\n",
    );
    let line = |name: &str| {
        config
            .certificate_for(name)
            .map(|certificate| certificate.line)
    };
    assert_eq!(line("HQ.example.com"), Some(5));
    assert_eq!(line("apps.example.com"), Some(2));
    assert_eq!(line("a.b.example.com"), None);
    assert_eq!(line("example.com"), None);
}

#[test]
fn a_router_with_a_private_outside_zone_is_behind_another() {
    let text = |address: &str| {
        format!(
            "[network.wan]\ntrust = \"outside\"\ninterface = \"eth0\"\naddresses = [\"{address}\"]\n\
             [network.lan]\ntrust = \"inside\"\ninterface = \"eth1\"\naddresses = [\"10.0.0.1/24\"]\n\
             [site]\npublic_address = \"198.51.100.7\"\n{}",
            host("a.example", "target = \"10.0.0.2\"\n[[host.http]]")
        )
    };
    let forwards = |address| tables::router_forwards(&config(&text(address))).rows.len();
    assert_eq!(forwards("192.168.178.2/24"), 2);
    assert_eq!(forwards("198.51.100.7/24"), 0);
    assert_eq!(forwards("dhcp"), 0);
}

#[test]
fn what_the_box_knows_is_checked() {
    let text = "schema = 1\n[[certificate]]\nnames = [\"a.example\"]\nsource = \"files\"\n\
                chain = \"a.crt\"\nkey = { secret = \"a-key\" }\n";
    let set = |names: &[&str]| {
        Some(
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>(),
        )
    };
    let known = Known {
        secrets: set(&["a-key"]),
        files: set(&["a.crt"]),
    };
    let checked = config::check_with(text, "x.toml", &known).unwrap();
    assert_eq!(checked.unchecked, []);
    let known = Known {
        secrets: set(&["b_key", "akey"]),
        files: set(&[]),
    };
    let faults = config::check_with(text, "x.toml", &known).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "x.toml:5: certificate[1].chain: the box has no file \"a.crt\", copy it to the box, or mend \
         its name\n\
         x.toml:6: certificate[1].key: the box has no secret \"a-key\", did you mean \"akey\"? Else \
         store it with `gatehouse secret set a-key`"
    );
}

#[test]
fn moving_a_line_changes_no_meaning() {
    let one = config("[guard]\nnever = [\"10.0.0.0/8\"]\n");
    let two = config("\n\n[guard]\n\nnever = [\n  \"10.0.0.0/8\",\n]\n");
    assert_eq!(one.guard.never, two.guard.never);
    assert_ne!(one.guard.line, two.guard.line);
}

#[test]
fn a_zone_of_our_own_opens_its_port_and_tells_what_the_public_dns_must_say() {
    let config = config(
        "[system]\nhostname = \"gate\"\n\
         [network.wan]\ntrust = \"outside\"\ninterface = \"eth0\"\naddresses = [\"192.0.2.7/24\"]\n\
         [network.lan]\ntrust = \"inside\"\ninterface = \"eth1\"\naddresses = [\"10.0.0.1/24\"]\n\
         [site]\ndomain = \"example.com\"\npublic_address = \"gate.example.com\"\n\
         [[certificate]]\nnames = [\"*.Example.com\", \"example.com\"]\nsource = \"acme\"\n\
         challenge = \"dns-01\"\ndns_zone = \"Acme.example.com\"\n",
    );
    let rows = |rows: Vec<Vec<String>>| rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>();
    let official = tables::official_dns(&config).rows;
    let official = official.iter().map(|row| {
        let value = row.value.to_string();
        vec![row.name.clone(), row.kind().to_owned(), value]
    });
    assert_eq!(
        rows(official.collect()),
        [
            "acme.example.com NS gate.example.com",
            "_acme-challenge.example.com CNAME example.com.acme.example.com",
        ]
    );
    let listens = tables::listens(&config).rows.into_iter();
    let dns = listens.filter(|listen| listen.service == "uplink");
    let dns = dns.map(|listen| {
        let port = format!("{}/{}", listen.ports, listen.transport);
        vec![listen.protocol.to_owned(), port, listen.on.to_string()]
    });
    assert_eq!(
        rows(dns.collect()),
        ["dns 53/udp zone wan (eth0)", "dns 53/tcp zone wan (eth0)"]
    );
}

#[test]
fn radius_servers_are_asked_in_their_order_at_their_port() {
    let text = "[access.sso]\nkind = \"sso\"\nlogin = \"radius\"\nsession = { domain = \"example.com\" }\n\
                radius = { server = \"10.0.0.8\", others = [\"radius.example.com:1645\", \"[2001:db8::8]\"], \
                shared = { secret = \"radius\" } }\n";
    let config = config(text);
    let AccessKind::Sso(sso) = &config.access[0].kind else {
        panic!("{:?}", config.access)
    };
    let Login::Radius(radius) = &sso.login else {
        panic!("{:?}", sso.login)
    };
    let servers: Vec<_> = radius
        .servers()
        .into_iter()
        .map(|server| (server.text, server.host.to_string(), server.port))
        .collect();
    let expected = [
        ("10.0.0.8", "10.0.0.8", 1812),
        ("radius.example.com:1645", "radius.example.com", 1645),
        ("[2001:db8::8]", "[2001:db8::8]", 1812),
    ]
    .map(|(text, host, port)| (text.to_owned(), host.to_owned(), port));
    assert_eq!(servers, expected);
    assert_eq!((radius.timeout, radius.tries), (Duration::from_secs(3), 2));
    assert_eq!(radius.groups_attribute, GroupsAttribute::FilterId);
}
