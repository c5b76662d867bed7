use super::*;

const FILE: &str = r#"schema = 1            # the shape

[network]
wan = { trust = "outside", interface = "eth1", addresses = ["dhcp", "auto6"] }

# Our own network.
[network.lan]
trust = "inside"
interface = "eth0"    # the left socket
addresses = ["192.0.2.4/24", "192.0.2.5/24", "fd12::1/64"] # three
gateway = "192.0.2.1" # the router

[admin]
port = 8443
"#;

fn edited(zone: &str, address: &str, gateway: Option<&str>) -> Result<String, EditError> {
    let address = match address {
        "dhcp" => ZoneAddress::Dhcp,
        "auto6" => ZoneAddress::Auto6,
        net => ZoneAddress::Static(net.parse().unwrap()),
    };
    edit_zone(
        FILE,
        zone,
        address,
        gateway.map(|text| text.parse().unwrap()),
    )
}

/// What `edit` makes of [`FILE`], as pairs of old and new text.
fn expect(zone: &str, address: &str, gateway: Option<&str>, changes: &[(&str, &str)]) {
    let mut expected = FILE.to_owned();
    for (old, new) in changes {
        assert!(FILE.contains(old), "{old}");
        expected = expected.replace(old, new);
    }
    assert_eq!(edited(zone, address, gateway).unwrap(), expected);
}

#[test]
fn addresses_of_one_family_are_replaced_and_all_else_stays() {
    expect(
        "lan",
        "198.51.100.9/24",
        Some("198.51.100.1"),
        &[
            (
                "[\"192.0.2.4/24\", \"192.0.2.5/24\", \"fd12",
                "[\"198.51.100.9/24\", \"fd12",
            ),
            ("\"192.0.2.1\"", "\"198.51.100.1\""),
        ],
    );
    expect(
        "lan",
        "fd99::1/64",
        None,
        &[("\"fd12::1/64\"", "\"fd99::1/64\"")],
    );
}

#[test]
fn dhcp_takes_the_gateway_with_it() {
    expect(
        "lan",
        "dhcp",
        None,
        &[
            (
                "[\"192.0.2.4/24\", \"192.0.2.5/24\", \"fd12",
                "[\"dhcp\", \"fd12",
            ),
            ("gateway = \"192.0.2.1\" # the router\n", ""),
        ],
    );
}

#[test]
fn a_zone_on_one_line_is_edited_as_well() {
    expect(
        "wan",
        "203.0.113.5/24",
        Some("203.0.113.1"),
        &[(
            "[\"dhcp\", \"auto6\"] }",
            "[\"203.0.113.5/24\", \"auto6\"] , gateway = \"203.0.113.1\" }",
        )],
    );
}

#[test]
fn what_was_made_passes_the_check() {
    let file = format!("{FILE}[system]\nhostname = \"gate\"\n");
    let net: IpNet = "198.51.100.9/24".parse().unwrap();
    let gateway = "198.51.100.1".parse().ok();
    let text = edit_zone(&file, "lan", net.into(), gateway).unwrap();
    let config = crate::check(&text, "test.toml").unwrap().config;
    let zone = config.zone("lan").unwrap();
    assert_eq!(zone.gateway, gateway);
    let addresses: Vec<_> = zone.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["198.51.100.9/24", "fd12::1/64"]);
}

#[test]
fn what_makes_no_sense_is_told() {
    for (zone, address, gateway, expected) in [
        (
            "dmz",
            "dhcp",
            None,
            "there is no zone `dmz`; there are `wan`, `lan`",
        ),
        (
            "lan",
            "dhcp",
            Some("192.0.2.1"),
            "with \"dhcp\" the gateway comes from the network",
        ),
        (
            "lan",
            "192.0.2.9/24",
            Some("fd12::2"),
            "is of another family",
        ),
        (
            "lan",
            "fd12::9/64",
            Some("fd12::2"),
            "the zone has the gateway 192.0.2.1, and a zone has one only",
        ),
    ] {
        let error = edited(zone, address, gateway).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let broken = edit_zone("network = [", "lan", ZoneAddress::Dhcp, None).unwrap_err();
    assert!(matches!(broken, EditError::Unreadable(_)), "{broken}");
    for odd in ["network = 1", "[network]\nlan = 2", "[[network]]", ""] {
        let error = edit_zone(odd, "lan", ZoneAddress::Dhcp, None).unwrap_err();
        assert!(
            matches!(error, EditError::NoSuchZone { .. }),
            "{odd}: {error}"
        );
    }
    let odd = edit_zone(
        "[network.lan]\naddresses = 3\n",
        "lan",
        ZoneAddress::Dhcp,
        None,
    );
    assert_eq!(odd.unwrap(), "[network.lan]\naddresses = [\"dhcp\"]\n");
}
