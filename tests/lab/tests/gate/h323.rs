//! H.323 of `configs/innovaphone.toml`, over TCP and TLS (H.460.17): which PBX a registration reaches, and over TLS only for whom.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use lab::{
    Arrived, Endpoint as Phone, EndpointSeen, Gatehouse, Lab, Pbx, Pki, Place, Recorder, Site,
    contract, test, wait_until,
};

use crate::h323_second_opinion::{self as tshark, NEEDS};

/// Where phones outside find them, by way of the router.
const TCP: &str = "78.54.23.241:1720";
const TLS: &str = "78.54.23.241:1300";
const MASTER: &str = "172.31.31.2";
const SLAVE: &str = "172.31.31.3";

/// The contract file; `alice` and the others of [`Pki`] are devices, and what is passed on is in the log.
pub(crate) fn configuration() -> Result<String> {
    let text = contract("innovaphone")?;
    let trusted = "trusted_clients = [\"innovaphone-devices.pem\"]";
    let logged = "log_forwarded = []";
    assert!(text.contains(trusted) && text.contains(logged));
    let text = text.replace(trusted, &format!("{trusted}\nrevoked = [\"ca.crl\"]"));
    Ok(text.replace(
        logged,
        "log_forwarded = [\"http\", \"sip\", \"ldap\", \"h323\"]",
    ))
}

/// Both PBXs, the box before them, and devices with certificates.
struct Devices<'lab> {
    lab: &'lab Lab,
    pki: Pki,
    gate: Gatehouse<'lab>,
    root: PathBuf,
    pbx: Pbx,
}

impl<'lab> Devices<'lab> {
    fn with(lab: &'lab Lab, configuration: &str) -> Result<Self> {
        let pki = Pki::make(lab)?;
        fs::copy(
            pki.file("ca.pem"),
            lab.dir().join("innovaphone-devices.pem"),
        )?;
        fs::copy(pki.file("ca.crl"), lab.dir().join("ca.crl"))?;
        let gate = Gatehouse::start(lab, configuration)?;
        let root = gate.root()?;
        let pbx = Pbx::start(lab, &[MASTER, SLAVE], Some(&root))?;
        Ok(Self {
            lab,
            pki,
            gate,
            root,
            pbx,
        })
    }

    fn start(lab: &'lab Lab) -> Result<Self> {
        Self::with(lab, &configuration()?)
    }

    /// A phone over TLS that shows the certificate of that name; "" is none.
    fn phone(&self, certificate: &str) -> Phone {
        let phone = Phone::tls(TLS, &self.root, Some("dvl-ckl2.net"));
        if certificate.is_empty() {
            return phone;
        }
        let file = |end: &str| self.pki.file(&format!("{certificate}.{end}"));
        phone.showing(&file("pem"), &file("key"))
    }

    /// A phone does these steps; the connections that the PBXs have seen since, once all of them have ended.
    fn does(&self, phone: &Phone, steps: &[&str]) -> Result<(EndpointSeen, Vec<Arrived>)> {
        let before = self.pbx.arrived()?.len();
        let seen = phone.does(self.lab, Place::Internet, steps)?;
        let mut arrived = Vec::new();
        wait_until("the end of all connections to the PBXs", || {
            arrived = self.pbx.arrived()?;
            Ok(arrived.iter().all(|one| one.has_ended))
        })?;
        Ok((seen, arrived.split_off(before)))
    }

    /// Waits until the log holds a line with all of this.
    fn log_says(&self, words: &[&str]) -> Result<()> {
        wait_until(&format!("{words:?} in the log"), || {
            let log = self.gate.ok(&["log"])?;
            let has_all = |line: &str| words.iter().all(|word| line.contains(word));
            Ok(log.lines().any(has_all))
        })
    }
}

/// What a phone says, where it arrives, and what it is answered.
struct Way {
    steps: &'static [&'static str],
    pbx: &'static str,
    answers: &'static [&'static str],
}

const CONFIRMED: &str = "registrationConfirm";
const FOUND: &str = "gatekeeperConfirm";

const WAYS: &[Way] = &[
    Way {
        steps: &["rrq hq@dvl-ckl2.net IP222-01-02-03", "answer"],
        pbx: MASTER,
        answers: &[CONFIRMED],
    },
    Way {
        steps: &["rrq dvl-ckl2.net IP222-01-02-03 22", "answer"],
        pbx: MASTER,
        answers: &[CONFIRMED],
    },
    Way {
        steps: &["rrq dvl-ckl2.net/branch-b IP222-01-02-03", "answer"],
        pbx: SLAVE,
        answers: &[CONFIRMED],
    },
    Way {
        steps: &["rrq pbx@DVL-CKL2.net/branch-b IP222-01-02-03", "answer"],
        pbx: SLAVE,
        answers: &[CONFIRMED],
    },
    Way {
        steps: &["body rrq hq@dvl-ckl2.net/hq IP222-01-02-03", "answer"],
        pbx: MASTER,
        answers: &[CONFIRMED],
    },
    Way {
        steps: &["information rrq dvl-ckl2.net/branch-b a", "answer"],
        pbx: SLAVE,
        answers: &[CONFIRMED],
    },
    Way {
        steps: &["byte by byte rrq dvl-ckl2.net/branch-b a", "answer"],
        pbx: SLAVE,
        answers: &[CONFIRMED],
    },
    Way {
        steps: &[
            "grq dvl-ckl2.net/branch-b a",
            "answer",
            "keep-alive",
            "rrq dvl-ckl2.net/branch-b a",
            "answer",
            "facility",
            "setup a b",
            "answer",
            "keep-alive",
            "urq",
        ],
        pbx: SLAVE,
        answers: &[FOUND, CONFIRMED, "releaseComplete"],
    },
    Way {
        steps: &[
            "keep-alive",
            "keep-alive",
            "grq dvl-ckl2.net a + rrq dvl-ckl2.net a",
            "answer",
            "answer",
            "rrq dvl-ckl2.net a",
            "answer",
        ],
        pbx: MASTER,
        answers: &[FOUND, CONFIRMED, CONFIRMED],
    },
];

#[test]
fn a_registration_reaches_the_pbx_of_its_gatekeeper_byte_for_byte() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let devices = Devices::start(lab)?;
        let phones = [
            Phone::plain(TCP),
            devices.phone(""),
            // Most phones know an address and no name.
            Phone::tls(TLS, &devices.root, None),
        ];
        for (way, phone) in WAYS
            .iter()
            .flat_map(|way| phones.each_ref().map(|phone| (way, phone)))
        {
            let (seen, arrived) = devices.does(phone, way.steps)?;
            let told = format!("{:?} by {phone:?}: {seen:?} {arrived:?}", way.steps);
            assert_eq!(seen.answers, way.answers, "{told}");
            assert_eq!(seen.end, "open", "{told}");
            assert_eq!(arrived.len(), 1, "{told}");
            // Nobody has shown a certificate.
            assert_eq!(arrived[0].at, format!("{}:1720", way.pbx), "{told}");
            assert_eq!(arrived[0].bytes, seen.sent, "{told}");
            assert_eq!(arrived[0].answered, seen.received, "{told}");
        }
        Ok(())
    });
}

/// Setting, certificate shown ("": none, "-": no TLS), what is said, and over which port the PBX is reached; 0: not at all.
type Row = (bool, &'static str, &'static [&'static str], u16);

const ALICE: &[&str] = &["rrq hq@dvl-ckl2.net alice", "answer"];
const BOB: &[&str] = &["rrq hq@dvl-ckl2.net bob", "answer"];

/// Who reaches the PBX over TLS, which believes whoever does. With `check_certificate`, first.
const TABLE: &[Row] = &[
    (true, "alice", ALICE, 1300),
    (true, "alice", BOB, 1720),
    (true, "bob", ALICE, 1720),
    (true, "bob", BOB, 1300),
    (true, "", ALICE, 1720),
    (true, "-", ALICE, 1720),
    // Revoked, expired, made for servers, of another authority: all of them called alice.
    (true, "carol", ALICE, 1720),
    (true, "expired", ALICE, 1720),
    (true, "server", ALICE, 1720),
    (true, "stranger", ALICE, 1720),
    // Every name that is claimed has to be that of the certificate.
    (
        true,
        "alice",
        &["rrq hq@dvl-ckl2.net alice bob", "answer"],
        1720,
    ),
    (
        true,
        "alice",
        &["rrq hq@dvl-ckl2.net bob alice", "answer"],
        1720,
    ),
    (
        true,
        "alice",
        &["rrq hq@dvl-ckl2.net alice 22", "answer"],
        1720,
    ),
    (true, "alice", &["rrq hq@dvl-ckl2.net 22", "answer"], 1720),
    (
        true,
        "alice",
        &["rrq hq@dvl-ckl2.net alice2", "answer"],
        1720,
    ),
    (true, "alice", &["rrq hq@dvl-ckl2.net alic", "answer"], 1720),
    (true, "alice", &["rrq alice@dvl-ckl2.net", "answer"], 1720),
    (
        true,
        "alice",
        &["rrq alice@dvl-ckl2.net bob", "answer"],
        1720,
    ),
    // Discovery and registration together, and one after the other.
    (
        true,
        "alice",
        &[
            "grq hq@dvl-ckl2.net alice + rrq hq@dvl-ckl2.net alice",
            "answer",
        ],
        1300,
    ),
    (
        true,
        "alice",
        &[
            "grq hq@dvl-ckl2.net alice + rrq hq@dvl-ckl2.net bob",
            "answer",
        ],
        1720,
    ),
    (
        true,
        "alice",
        &[
            "grq hq@dvl-ckl2.net bob + rrq hq@dvl-ckl2.net alice",
            "answer",
        ],
        1720,
    ),
    (
        true,
        "alice",
        &["grq hq@dvl-ckl2.net + rrq hq@dvl-ckl2.net alice", "answer"],
        1300,
    ),
    (
        true,
        "alice",
        &["grq hq@dvl-ckl2.net alice", "answer"],
        1300,
    ),
    (true, "alice", &["grq hq@dvl-ckl2.net bob", "answer"], 1720),
    (
        true,
        "alice",
        &["grq hq@dvl-ckl2.net", "rrq hq@dvl-ckl2.net alice", "answer"],
        1300,
    ),
    (
        true,
        "alice",
        &["grq hq@dvl-ckl2.net", "rrq hq@dvl-ckl2.net bob", "answer"],
        1720,
    ),
    (
        true,
        "bob",
        &["grq hq@dvl-ckl2.net", "rrq hq@dvl-ckl2.net alice", "answer"],
        1720,
    ),
    // Where nothing is checked, TLS goes on as TLS, and nothing else does.
    (
        false,
        "alice",
        &["rrq dvl-ckl2.net/hq alice", "answer"],
        1300,
    ),
    (false, "alice", &["rrq dvl-ckl2.net/hq bob", "answer"], 1300),
    (false, "", &["rrq dvl-ckl2.net/hq bob", "answer"], 1300),
    (
        false,
        "stranger",
        &["rrq dvl-ckl2.net/hq bob", "answer"],
        1300,
    ),
    (false, "-", &["rrq dvl-ckl2.net/hq alice", "answer"], 1720),
];

/// With a host that checks no certificate.
fn one_unchecked() -> Result<String> {
    let text = configuration()?;
    let host = "name = \"dvl-ckl2.net/hq\"\ntarget = \"172.31.31.2\"\n[host.h323]\n";
    assert!(text.contains(host));
    Ok(text.replace(host, &format!("{host}check_certificate = false\n")))
}

#[test]
fn tls_reaches_the_pbx_only_for_who_proves_every_name_it_claims() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let devices = Devices::with(lab, &one_unchecked()?)?;
        let mut wrong = Vec::new();
        for (check, certificate, steps, port) in TABLE {
            let phone = match *certificate {
                "-" => Phone::plain(TCP),
                name => devices.phone(name),
            };
            let (seen, arrived) = devices.does(&phone, steps)?;
            let places: Vec<&str> = arrived.iter().map(|one| one.at.as_str()).collect();
            let whole = arrived.iter().all(|one| one.bytes == seen.sent);
            if places != [format!("{MASTER}:{port}")] || !whole || seen.answers.len() != 1 {
                wrong.push(format!(
                    "check {check}, certificate {certificate:?}, {steps:?}: {places:?} instead of {port}; {seen:?}"
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}

#[test]
fn the_pbx_sees_the_certificate_of_the_box_and_the_log_says_who_was_believed() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let devices = Devices::start(lab)?;
        let (_, arrived) = devices.does(&devices.phone("alice"), ALICE)?;
        let shown = &arrived[0].shown;
        let explained = devices.gate.ok(&["explain", "pbx"])?;
        assert!(
            !shown.is_empty() && explained.contains(shown),
            "{shown}: {explained}"
        );
        devices.log_says(&[
            "h323s",
            "78.54.23.1",
            "RRQ hq@dvl-ckl2.net as alice, certificate of alice",
            "172.31.31.2:1300",
        ])?;
        devices.does(&devices.phone("bob"), ALICE)?;
        devices.log_says(&[
            "h323s",
            "RRQ hq@dvl-ckl2.net as alice",
            "bob",
            "172.31.31.2:1720",
        ])?;
        devices.does(&devices.phone("stranger"), ALICE)?;
        devices.log_says(&["h323s", "RRQ hq@dvl-ckl2.net as alice", "172.31.31.2:1720"])?;
        devices.does(&Phone::plain(TCP), ALICE)?;
        devices.log_says(&["h323 ", "RRQ hq@dvl-ckl2.net as alice", "172.31.31.2:1720"])
    });
}

#[test]
fn who_was_believed_under_one_name_does_not_go_on_under_another() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let devices = Devices::start(lab)?;
        let first = "rrq hq@dvl-ckl2.net alice";
        for (second, end) in [
            ("rrq hq@dvl-ckl2.net alice", "open"),
            ("grq hq@dvl-ckl2.net alice", "open"),
            ("rrq DVL-CKL2.net. alice", "open"),
            ("rrq hq@dvl-ckl2.net bob", "closed"),
            ("rrq hq@dvl-ckl2.net alice bob", "closed"),
            ("information rrq hq@dvl-ckl2.net bob", "closed"),
            ("rrq elsewhere.example alice", "closed"),
            ("rrq dvl-ckl2.net/branch-b alice", "closed"),
        ] {
            let steps = [first, "answer", second, "wait 5"];
            let (seen, arrived) = devices.does(&devices.phone("alice"), &steps)?;
            let told = format!("{second}: {seen:?} {arrived:?}");
            assert_eq!(arrived[0].at, "172.31.31.2:1300", "{told}");
            let is_open = seen.end == "open";
            assert_eq!(is_open, end == "open", "{told}");
            // What is refused has not arrived.
            assert_eq!(
                arrived[0].messages.len(),
                if is_open { 2 } else { 1 },
                "{told}"
            );
        }
        // Over TCP nobody was believed to be anybody: the PBX asks for a password.
        let steps = [first, "answer", "rrq hq@dvl-ckl2.net bob", "answer"];
        let (seen, arrived) = devices.does(&Phone::plain(TCP), &steps)?;
        assert_eq!((seen.answers.len(), arrived.len()), (2, 1), "{seen:?}");
        Ok(())
    });
}

/// What is no registration at a PBX of ours.
const REFUSED: &[&[&str]] = &[
    &["setup john h323:john@dvl-ckl2.net"],
    &["facility"],
    &["urq"],
    &["rrq elsewhere.example alice"],
    &["rrq dvl-ckl2.net/nowhere alice"],
    // Hosts for HTTP and LDAP.
    &["rrq hq.dvl-ckl2.net alice"],
    &["rrq apps.dvl-ckl2.net alice"],
    &["rrq - alice"],
    &["grq dvl-ckl2.net alice + rrq elsewhere.example alice"],
    &["hex 474554202f20485454502f312e310d0a0d0a"],
    &["hex 0300ffff08"],
    &["hex 0300000708020000"],
];

#[test]
fn what_is_no_registration_of_ours_is_closed_without_an_answer_and_counted() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let devices = Devices::start(lab)?;
        let from = ["78.54.23.1", "78.54.23.11"];
        for (number, steps) in REFUSED.iter().enumerate() {
            let phones = [Phone::plain(TCP), devices.phone("alice")];
            for (phone, from) in phones.into_iter().zip(from) {
                let (seen, arrived) = devices.does(&phone.from(from), steps)?;
                assert!(
                    ["closed", "reset"].contains(&seen.end.as_str()),
                    "{steps:?}: {seen:?}"
                );
                assert_eq!(seen.received, "", "{steps:?}");
                assert!(arrived.is_empty(), "{steps:?}: {arrived:?}");
            }
            let count = u64::try_from(2 * (number + 1))?;
            wait_until(&format!("{steps:?} to be counted"), || {
                Ok(rejected(&devices.gate)? == count)
            })?;
        }
        devices.log_says(&["h323", "elsewhere.example"])
    });
}

/// How many connections and requests the box has rejected, whatever the reason.
pub(crate) fn rejected(gate: &Gatehouse<'_>) -> Result<u64> {
    let metrics = gate.ok(&["metrics"])?;
    let series = metrics
        .lines()
        .filter(|line| line.starts_with("gatehouse_proxy_rejected_total{"));
    let values = series.map(|line| {
        let value = line.rsplit(' ').next().unwrap_or_default();
        value.parse::<u64>().with_context(|| line.to_owned())
    });
    values.sum()
}

#[test]
fn calls_without_a_registration_are_taken_where_the_file_says_so() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let text = configuration()?.replace(
            "target = \"172.31.31.3\"\n[host.h323]\n",
            "target = \"172.31.31.3\"\n[host.h323]\nunregistered_calls = true\n",
        );
        let devices = Devices::with(lab, &text)?;
        for (caller, called, port) in [
            ("alice", "h323:john@dvl-ckl2.net/branch-b", Some(1300)),
            ("bob", "h323:john@dvl-ckl2.net/branch-b", Some(1720)),
            ("bob", "john@dvl-ckl2.net/branch-b", Some(1720)),
            ("bob", "h323:john@dvl-ckl2.net", None),
            ("bob", "h323:john@elsewhere.example", None),
            ("bob", "22", None),
        ] {
            let call = format!("setup {caller} {called}");
            // Over TLS by who has shown the certificate of alice.
            for (phone, port) in [
                (Phone::plain(TCP), port.and(Some(1720))),
                (devices.phone("alice"), port),
            ] {
                let last = if port.is_some() { "answer" } else { "wait 1" };
                let (seen, arrived) = devices.does(&phone, &[call.as_str(), last])?;
                let told = format!("{call}: {seen:?} {arrived:?}");
                let places: Vec<_> = arrived.iter().map(|one| one.at.clone()).collect();
                let wanted = port.map(|port| format!("{SLAVE}:{port}"));
                assert_eq!(places, Vec::from_iter(wanted), "{told}");
                assert_eq!(seen.answers.is_empty(), port.is_none(), "{told}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_discovery_without_a_name_is_passed_on_when_no_registration_follows() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let devices = Devices::start(lab)?;
        // A phone that waits for the answer before it registers; whoever it is, it has not said so.
        let steps = [
            "grq hq@dvl-ckl2.net",
            "answer",
            "rrq hq@dvl-ckl2.net alice",
            "answer",
        ];
        for phone in [Phone::plain(TCP), devices.phone("alice"), devices.phone("")] {
            let (seen, arrived) = devices.does(&phone, &steps)?;
            assert_eq!(seen.answers, [FOUND, CONFIRMED], "{seen:?}");
            assert_eq!(arrived.len(), 1, "{arrived:?}");
            assert_eq!(arrived[0].at, "172.31.31.2:1720", "{arrived:?}");
            assert_eq!(arrived[0].bytes, seen.sent);
        }
        Ok(())
    });
}

#[test]
fn a_pbx_that_is_away_or_hangs_up_costs_a_connection_and_is_counted() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let text = configuration()?;
        let Devices {
            pki,
            gate,
            root,
            pbx,
            ..
        } = Devices::with(lab, &text)?;
        drop(pbx);
        let phone = Phone::tls(TLS, &root, None);
        let phone = phone.showing(&pki.file("alice.pem"), &pki.file("alice.key"));
        for (number, phone) in [Phone::plain(TCP), phone].into_iter().enumerate() {
            let seen = phone.does(lab, Place::Internet, ALICE)?;
            assert!(["closed", "reset"].contains(&seen.end.as_str()), "{seen:?}");
            wait_until("both to be counted", || {
                Ok(rejected(&gate)? == u64::try_from(number)? + 1)
            })?;
        }
        let pbx = Pbx::start(lab, &[MASTER], Some(&root))?;
        let seen = Phone::plain(TCP).does(lab, Place::Internet, ALICE)?;
        assert_eq!(seen.answers, [CONFIRMED], "it is back: {seen:?}");
        assert_eq!(pbx.arrived()?.len(), 1);
        Ok(())
    });
}

#[test]
fn a_phone_that_leaves_before_the_answer_is_no_fault_of_the_pbx() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let silent = Recorder::answering(lab, Place::Lan, "172.31.31.2:1720", "")?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let registers = "rrq hq@dvl-ckl2.net alice";
        for steps in [&[registers, "wait 2"][..], &[registers, "close", "wait 2"]] {
            let seen = Phone::plain(TCP).does(lab, Place::Internet, steps)?;
            wait_until("it to arrive", || Ok(!silent.received().is_empty()))?;
            silent.take_and_hang_up()?;
            assert_eq!(seen.received, "");
        }
        // One that is rejected is counted behind them.
        Phone::plain(TCP).does(lab, Place::Internet, &["urq"])?;
        wait_until("that to be counted", || Ok(rejected(&gate)? >= 1))?;
        assert_eq!(rejected(&gate)?, 1, "{}", gate.ok(&["log"])?);
        Ok(())
    });
}

#[test]
fn who_guesses_gatekeepers_is_banned_everywhere() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let devices = Devices::start(lab)?;
        let guess = [
            "hex 0300002d08020000627e002105281001001081018017014000110000400001000c1800000001000a00000206b8",
        ];
        let attacker = Phone::plain(TCP).from("78.54.23.12");
        let mut guesses = 0;
        wait_until("a ban", || {
            attacker.does(lab, Place::Internet, &guess)?;
            guesses += 1;
            Ok(devices.gate.ok(&["bans"])?.contains("78.54.23.12"))
        })?;
        assert!((20..=40).contains(&guesses), "{guesses}");
        for to in [TCP, TLS] {
            let phone = devices.phone("alice").from("78.54.23.12");
            let phone = if to == TCP { attacker.clone() } else { phone };
            let (seen, arrived) = devices.does(&phone, ALICE)?;
            assert!(seen.answers.is_empty() && arrived.is_empty(), "{seen:?}");
        }
        let (seen, _) = devices.does(&Phone::plain(TCP).from("78.54.23.11"), ALICE)?;
        assert_eq!(seen.answers, [CONFIRMED]);
        Ok(())
    });
}

#[test]
fn tshark_reads_what_arrived_as_what_was_meant() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let devices = Devices::start(lab)?;
        let steps = [
            "grq hq@dvl-ckl2.net/branch-b",
            "rrq hq@dvl-ckl2.net/branch-b alice 22",
            "answer",
            "setup alice h323:john@dvl-ckl2.net",
            "answer",
        ];
        let (seen, arrived) = devices.does(&devices.phone("alice"), &steps)?;
        assert_eq!(arrived[0].bytes, seen.sent);
        let file = lab.dir().join("arrived");
        let gatekeeper = "hq@dvl-ckl2.net/branch-b";
        tshark::meant(&tshark::read(lab, &file, &arrived[0].bytes)?, gatekeeper);
        Ok(())
    });
}
