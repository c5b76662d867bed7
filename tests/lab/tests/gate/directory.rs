//! LDAP of `configs/innovaphone.toml`: ldapsearch outside finds the directory of its own domain, over TCP, TLS and StartTLS.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use data_encoding::HEXLOWER;
use lab::{Accounts, AddressBook, Curl, Gatehouse, Lab, Output, Place, Site, test, wait_until};
use proto::ldap::{Kind, answer};

use crate::h323::{configuration, rejected};

/// Where the router has it.
const PLAIN: &str = "78.54.23.241:389";

/// Who may search there.
const OWN: &str = "cn=admin,dc=dvl-ckl2,dc=net";

/// The directories: domain, address, how many contacts.
const BOOKS: [(&str, &str, u32); 3] = [
    ("dvl-ckl2.net", "172.31.31.2", 5000),
    ("branch-b.dvl-ckl2.net", "172.31.31.3", 3),
    ("apps.dvl-ckl2.net", "172.31.31.12", 0),
];

/// The box, and before anything else its root.
struct Office<'lab> {
    lab: &'lab Lab,
    gate: Gatehouse<'lab>,
    root: PathBuf,
}

impl<'lab> Office<'lab> {
    fn start(lab: &'lab Lab, configuration: &str) -> Result<Self> {
        let authority = lab::Authority::make(lab, "innovaphone-devices")?;
        std::fs::copy(authority.root(), lab.dir().join("innovaphone-devices.pem"))?;
        let gate = Gatehouse::start(lab, configuration)?;
        let root = gate.root()?;
        Ok(Self { lab, gate, root })
    }

    /// Waits until the log holds `text`.
    fn log_says(&self, text: &str) -> Result<()> {
        wait_until(&format!("{text} in the log"), || {
            Ok(self.gate.ok(&["log"])?.contains(text))
        })
    }

    fn search(&self, ask: &Ask<'_>) -> Result<Output> {
        ask.run(self.lab, &self.root)
    }
}

/// The file without revoked certificates, which are not of this.
fn without_list() -> Result<String> {
    Ok(configuration()?.replace("revoked = [\"ca.crl\"]", ""))
}

fn books(lab: &Lab) -> Result<Vec<AddressBook<'_>>> {
    let start = |&(domain, address, contacts): &(&str, &str, u32)| {
        AddressBook::start(lab, domain, address, contacts)
    };
    BOOKS.iter().map(start).collect()
}

/// What ldapsearch is told.
#[derive(Clone, Copy)]
struct Ask<'a> {
    url: &'a str,
    start_tls: bool,
    /// Name and password; none: anonymous.
    who: Option<(&'a str, &'a str)>,
    base: &'a str,
    filter: &'a str,
    more: &'a [&'a str],
}

/// The three ways to ask.
const WAYS: [(&str, bool); 3] = [("ldap", false), ("ldaps", false), ("ldap", true)];

impl<'a> Ask<'a> {
    fn new(url: &'a str, who: &'a str) -> Self {
        Self {
            url,
            start_tls: false,
            who: Some((who, "secret")),
            base: "dc=dvl-ckl2,dc=net",
            filter: "(cn=where)",
            more: &[],
        }
    }

    fn anonymous(url: &'a str) -> Self {
        Self {
            who: None,
            ..Self::new(url, "")
        }
    }

    /// What it prints, and the result code as exit code; the certificate is verified with `root`.
    fn run(&self, lab: &Lab, root: &Path) -> Result<Output> {
        let root = format!("LDAPTLS_CACERT={}", root.display());
        let mut command = vec!["env", &root, "LDAPTLS_REQCERT=hard", "ldapsearch", "-LLL"];
        command.extend(["-o", "ldif-wrap=no", "-o", "nettimeout=20", "-H", self.url]);
        if self.start_tls {
            command.push("-ZZ");
        }
        if !self.more.contains(&"-Y") {
            command.push("-x");
        }
        if let Some((name, password)) = self.who {
            command.extend(["-D", name, "-w", password]);
        }
        command.extend(self.more);
        command.extend(["-b", self.base, self.filter, "description"]);
        lab.run(Place::Internet, &command)
    }
}

/// A name of a bind, the host that is connected to, what is searched, and whose directory it is.
const NAMES: &[(&str, &str, &str, &str)] = &[
    (
        "CN=admin, DC=dvl-ckl2, DC=net",
        "dvl-ckl2.net",
        "dc=dvl-ckl2,dc=net",
        "172.31.31.2",
    ),
    (OWN, "hq.dvl-ckl2.net", "dc=dvl-ckl2,dc=net", "172.31.31.2"),
    // It is the name of the bind that counts, not the one that was connected to.
    (
        "commonName = Admin ; DC = DVL-CKL2,dc=NET",
        "branch-b.dvl-ckl2.net",
        "dc=dvl-ckl2,dc=net",
        "172.31.31.2",
    ),
    (
        "cn=admin,dc=branch-b,dc=dvl-ckl2,dc=net",
        "branch-b.dvl-ckl2.net",
        "dc=branch-b,dc=dvl-ckl2,dc=net",
        "172.31.31.3",
    ),
    (
        "CN=\\61dmin,DC=Branch-B,DC=dvl-ckl2,DC=net",
        "dvl-ckl2.net",
        "dc=branch-b,dc=dvl-ckl2,dc=net",
        "172.31.31.3",
    ),
    (
        "2.5.4.3=admin,0.9.2342.19200300.100.1.25=apps,dc=dvl-ckl2,dc=net",
        "dvl-ckl2.net",
        "dc=apps,dc=dvl-ckl2,dc=net",
        "172.31.31.12",
    ),
];

#[test]
fn every_spelling_of_a_name_finds_its_directory_over_tcp_tls_and_starttls() {
    test(Site::innovaphone(), &AddressBook::NEEDS, |lab| {
        let books = books(lab)?;
        let office = Office::start(lab, &without_list()?)?;
        let at = |address: &str| {
            let number = BOOKS.iter().position(|book| book.1 == address);
            Ok::<_, anyhow::Error>(&books[number.context("no such book")?])
        };
        for (name, host, base, address) in NAMES {
            for (scheme, start_tls) in WAYS {
                let url = format!("{scheme}://{host}");
                let book = at(address)?;
                let port = if scheme == "ldaps" || start_tls {
                    636
                } else {
                    389
                };
                let before = book.connections(port);
                let ask = Ask {
                    start_tls,
                    base,
                    ..Ask::new(&url, name)
                };
                let told = format!("{name} at {url}, StartTLS {start_tls}");
                let found = office.search(&ask)?.success().context(told.clone())?;
                assert!(
                    found.contains(&format!("description: {address}\n")),
                    "{told}: {found}"
                );
                // What came over TLS goes on over TLS.
                assert_eq!(book.connections(port), before + 1, "{told}: {}", book.log());
            }
        }
        let all: usize = books
            .iter()
            .map(|book| book.connections(389) + book.connections(636))
            .sum();
        assert_eq!(all, NAMES.len() * WAYS.len());
        assert_eq!(rejected(&office.gate)?, 0);
        Ok(())
    });
}

#[test]
fn starttls_and_ldaps_show_a_certificate_that_is_verified() {
    test(Site::innovaphone(), &AddressBook::NEEDS, |lab| {
        let _books = books(lab)?;
        let office = Office::start(lab, &without_list()?)?;
        let other = lab::Authority::make(lab, "another")?;
        for (url, start_tls) in [
            ("ldaps://dvl-ckl2.net", false),
            ("ldap://dvl-ckl2.net", true),
        ] {
            let ask = Ask {
                start_tls,
                ..Ask::new(url, OWN)
            };
            office.search(&ask)?.success()?;
            // Another CA has not signed it.
            assert_ne!(ask.run(lab, &other.root())?.code, Some(0));
        }
        Ok(())
    });
}

#[test]
fn a_wrong_password_is_the_directorys_business_and_a_long_answer_arrives_whole() {
    test(Site::innovaphone(), &AddressBook::NEEDS, |lab| {
        let books = books(lab)?;
        let office = Office::start(lab, &without_list()?)?;
        for (scheme, start_tls) in WAYS {
            let url = format!("{scheme}://dvl-ckl2.net");
            let ask = Ask {
                start_tls,
                who: Some((OWN, "wrong")),
                ..Ask::new(&url, OWN)
            };
            assert_eq!(office.search(&ask)?.code, Some(49));
            let ask = Ask {
                start_tls,
                filter: "(telephoneNumber=*)",
                ..Ask::new(&url, OWN)
            };
            let found = office.search(&ask)?.success()?;
            let entries = found.lines().filter(|line| line.starts_with("dn: "));
            assert_eq!(entries.count(), 5000, "{url}");
        }
        assert!(books[0].log().contains("nentries=5000"));
        Ok(())
    });
}

#[test]
fn users_of_a_domain_find_its_directory_as_windows_calls_them() {
    test(Site::innovaphone(), &["ldapsearch", "openssl"], |lab| {
        let known = [
            "dvl-ckl2.net\\contacts",
            "DVL-CKL2.NET\\Contacts",
            "user@dvl-ckl2.net",
        ]
        .map(|name| (name, "secret"));
        let accounts = Accounts::start(lab, "172.31.31.2", &known)?;
        let others = Accounts::start(
            lab,
            "172.31.31.3",
            &[("branch-b.dvl-ckl2.net\\a b", "secret")],
        )?;
        let office = Office::start(lab, &without_list()?)?;
        let all = known.iter().map(|(name, _)| (*name, "172.31.31.2"));
        for (name, address) in all.chain([("branch-b.dvl-ckl2.net\\a b", "172.31.31.3")]) {
            for (scheme, start_tls) in WAYS {
                let url = format!("{scheme}://dvl-ckl2.net");
                let ask = Ask {
                    start_tls,
                    ..Ask::new(&url, name)
                };
                let found = office.search(&ask)?.success().context(name)?;
                let port = if scheme == "ldaps" || start_tls {
                    636
                } else {
                    389
                };
                let place = format!("description: {address}:{port}\n");
                assert!(found.contains(&place), "{name}: {found}");
            }
        }
        let wrong = Ask {
            who: Some(("dvl-ckl2.net\\contacts", "wrong")),
            ..Ask::new("ldap://dvl-ckl2.net", "")
        };
        assert_eq!(office.search(&wrong)?.code, Some(49));
        // The end of each has come, too.
        wait_until("the end of all connections", || {
            let (one, other) = (accounts.log(), others.log());
            let count = |what: &str| one.matches(what).count() + other.matches(what).count();
            Ok(count(" opened") == 13 && count(" closed") == 13)
        })?;
        assert_eq!(rejected(&office.gate)?, 0);
        Ok(())
    });
}

/// What says no domain, by a name of a file in `tests/data/ldap`, and the result code that refuses it.
const NOBODY: &[(&str, u32)] = &[
    ("anonymous", 48),
    ("sasl-external", 7),
    ("sasl-digest-md5", 7),
];

/// The bytes of a capture.
fn capture(name: &str) -> Result<Vec<u8>> {
    let file = lab::repository().join(format!("tests/data/ldap/{name}.hex"));
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let digits: String = text.lines().filter(|line| !line.starts_with('#')).collect();
    Ok(HEXLOWER.decode(digits.as_bytes())?)
}

/// The result code of the next answer.
fn code(stream: &mut TcpStream) -> Result<Option<u32>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(answer) = answer(&bytes)? {
            return Ok(match answer.kind {
                Kind::Bound(code) | Kind::Done(code) | Kind::Extended(code) => Some(code),
                Kind::Entry | Kind::Other => None,
            });
        }
        let mut one = [0];
        if stream.read(&mut one)? == 0 {
            return Ok(None);
        }
        bytes.extend(one);
    }
}

/// The other side ends the connection, whether it says why or not; it does not say that all is well.
fn assert_ends(stream: &mut TcpStream) {
    let mut said = Vec::new();
    let ended = stream.read_to_end(&mut said);
    // A reset is an end, too.
    let is_open = ended.is_err_and(|error| error.kind() != ErrorKind::ConnectionReset);
    assert!(!is_open, "it stays open");
    let answer = answer(&said).expect("an answer, if it says something");
    let kind = answer.map(|answer| answer.kind);
    assert!(!matches!(kind, Some(Kind::Bound(0))), "{kind:?}");
}

#[test]
fn who_names_no_domain_is_refused_with_the_right_result() {
    test(Site::innovaphone(), &AddressBook::NEEDS, |lab| {
        let books = books(lab)?;
        let office = Office::start(lab, &without_list()?)?;
        // As real programs see it.
        let anonymous = office.search(&Ask::anonymous("ldap://dvl-ckl2.net"))?;
        assert_eq!(anonymous.code, Some(48), "{anonymous:?}");
        let mut asked = 1;
        for (name, wanted) in NOBODY {
            let mut stream = lab.connect(Place::Internet, PLAIN)?;
            stream.write_all(&capture(name)?)?;
            assert_eq!(code(&mut stream)?, Some(*wanted), "{name}");
            asked += 1;
        }
        // A search and another extended operation before a bind: what ldapsearch and ldapwhoami send behind theirs.
        for (name, bind, wanted) in [
            ("anonymous-ldapsearch", 14, 8),
            ("whoami-ldapwhoami", 49, 2),
        ] {
            let mut stream = lab.connect(Place::Internet, PLAIN)?;
            stream.write_all(&capture(name)?[bind..])?;
            assert_eq!(code(&mut stream)?, Some(wanted), "{name}");
            asked += 1;
        }
        wait_until("all of them to be counted", || {
            Ok(rejected(&office.gate)? == asked)
        })?;
        for book in &books {
            assert_eq!(book.connections(389) + book.connections(636), 0);
        }
        // Whoever then says his domain is let in on the same connection.
        let mut stream = lab.connect(Place::Internet, PLAIN)?;
        stream.write_all(&capture("anonymous")?)?;
        assert_eq!(code(&mut stream)?, Some(48));
        stream.write_all(&bind(2, OWN)?)?;
        assert_eq!(code(&mut stream)?, Some(0));
        assert_eq!(books[0].connections(389), 1);
        Ok(())
    });
}

/// The contract with a host for those who name no domain.
fn with_default() -> Result<String> {
    let text = without_list()?;
    let host = "target = \"172.31.31.12\"\n[host.ldap]\n";
    assert!(text.contains(host));
    Ok(text.replace(host, &format!("{host}default = true\n")))
}

#[test]
fn who_names_no_domain_goes_to_the_host_of_the_tls_name_or_to_the_default() {
    test(Site::innovaphone(), &AddressBook::NEEDS, |lab| {
        let books = books(lab)?;
        let office = Office::start(lab, &with_default()?)?;
        // What the directory lets them see is its business: of an entry that it has not, and of one that they may not.
        for (url, start_tls, number, port, wanted) in [
            ("ldap://dvl-ckl2.net", false, 2, 389, 32),
            ("ldap://branch-b.dvl-ckl2.net", true, 1, 636, 32),
            ("ldaps://branch-b.dvl-ckl2.net", false, 1, 636, 32),
            ("ldaps://dvl-ckl2.net", false, 0, 636, 50),
        ] {
            let before = books[number].connections(port);
            let ask = Ask {
                start_tls,
                ..Ask::anonymous(url)
            };
            let found = office.search(&ask)?;
            assert_eq!(found.code, Some(wanted), "{url}: {found:?}");
            assert_eq!(books[number].connections(port), before + 1, "{url}");
        }
        let before = books[2].connections(389);
        let ask = Ask {
            more: &["-Y", "DIGEST-MD5", "-U", "admin", "-w", "secret", "-Q"],
            ..Ask::anonymous("ldap://dvl-ckl2.net")
        };
        let found = office.search(&ask)?;
        assert_eq!(found.code, Some(49), "slapd has no such user: {found:?}");
        assert_eq!(books[2].connections(389), before + 1);
        // A search before any bind.
        let mut stream = lab.connect(Place::Internet, PLAIN)?;
        stream.write_all(&capture("anonymous-ldapsearch")?[14..])?;
        assert_eq!(code(&mut stream)?, Some(32));
        // Who names a domain is not kept there.
        let named = Ask::new("ldap://dvl-ckl2.net", OWN);
        office.search(&named)?.success()?;
        Ok(())
    });
}

#[test]
fn an_unknown_domain_is_refused_and_whoever_tries_many_is_banned_everywhere() {
    test(
        Site::innovaphone(),
        &[&AddressBook::NEEDS[..], &["curl"]].concat(),
        |lab| {
            let books = books(lab)?;
            let office = Office::start(lab, &without_list()?)?;
            let mut tries = 0;
            wait_until("a ban", || {
                tries += 1;
                let name = format!("cn=admin,dc=try-{tries},dc=net");
                let url = if tries % 2 == 0 {
                    "ldaps://dvl-ckl2.net"
                } else {
                    "ldap://dvl-ckl2.net"
                };
                let refused = office.search(&Ask::new(url, &name))?;
                assert_ne!(refused.code, Some(0), "{refused:?}");
                if tries == 10 {
                    wait_until("ten to be counted", || Ok(rejected(&office.gate)? == 10))?;
                }
                Ok(office.gate.ok(&["bans"])?.contains("78.54.23.1"))
            })?;
            assert!((20..=40).contains(&tries), "{tries}");
            let log = office.gate.ok(&["log"])?;
            assert!(log.contains("try-3.net"), "{log}");
            let known = Ask::new("ldap://dvl-ckl2.net", OWN);
            assert_ne!(office.search(&known)?.code, Some(0), "banned");
            let page = Curl::new("http://apps.dvl-ckl2.net/").run(lab, Place::Internet)?;
            assert_eq!(page.status, 0, "for HTTP as well");
            for book in &books {
                assert_eq!(book.connections(389) + book.connections(636), 0);
            }
            Ok(())
        },
    );
}

/// A bind by name and password.
fn bind(id: u8, name: &str) -> Result<Vec<u8>> {
    let element = |tag: u8, content: &[u8]| -> Result<Vec<u8>> {
        let length = u8::try_from(content.len())?;
        anyhow::ensure!(length < 128, "too long for the short form");
        Ok([&[tag, length], content].concat())
    };
    let parts = [
        vec![2, 1, 3],
        element(4, name.as_bytes())?,
        element(0x80, b"secret")?,
    ];
    let operation = element(0x60, &parts.concat())?;
    element(0x30, &[&[2, 1, id], operation.as_slice()].concat())
}

#[test]
fn a_bind_under_another_domain_ends_the_connection() {
    test(Site::innovaphone(), &AddressBook::NEEDS, |lab| {
        let books = books(lab)?;
        let office = Office::start(lab, &without_list()?)?;
        for (second, wanted) in [
            ("CN=admin, DC=DVL-CKL2, DC=net", Some(0)),
            ("cn=nobody,dc=dvl-ckl2,dc=net", Some(49)),
            // No name of a directory for slapd, but one of the same domain.
            ("admin@dvl-ckl2.net.", Some(34)),
            ("cn=admin,dc=branch-b,dc=dvl-ckl2,dc=net", None),
            ("cn=admin,dc=elsewhere,dc=example", None),
            ("elsewhere.example\\admin", None),
        ] {
            let mut stream = lab.connect(Place::Internet, PLAIN)?;
            stream.write_all(&bind(1, OWN)?)?;
            assert_eq!(code(&mut stream)?, Some(0));
            stream.write_all(&bind(2, second)?)?;
            let Some(wanted) = wanted else {
                assert_ends(&mut stream);
                continue;
            };
            assert_eq!(code(&mut stream)?, Some(wanted), "{second}");
            // It goes on.
            stream.write_all(&bind(3, OWN)?)?;
            assert_eq!(code(&mut stream)?, Some(0), "{second}");
        }
        // A SASL bind in between, which seals nothing.
        let mut stream = lab.connect(Place::Internet, PLAIN)?;
        stream.write_all(&bind(1, OWN)?)?;
        assert_eq!(code(&mut stream)?, Some(0));
        let mut sasl = capture("sasl-external")?;
        sasl[4] = 2;
        stream.write_all(&sasl)?;
        assert!(code(&mut stream)?.is_some_and(|code| code != 0));
        stream.write_all(&bind(3, "cn=admin,dc=branch-b,dc=dvl-ckl2,dc=net")?)?;
        assert_ends(&mut stream);
        office.log_says("\"branch-b.dvl-ckl2.net\", which is asked for now")?;
        assert_eq!(books[1].connections(389), 0);
        assert!(!books[0].log().contains("branch-b"), "{}", books[0].log());
        Ok(())
    });
}

#[test]
fn a_directory_that_is_away_costs_a_connection_and_is_counted_and_comes_back() {
    test(Site::innovaphone(), &AddressBook::NEEDS, |lab| {
        let mut book = AddressBook::start(lab, "dvl-ckl2.net", "172.31.31.2", 1)?;
        let office = Office::start(lab, &without_list()?)?;
        book.stop();
        for (number, (scheme, start_tls)) in (1..).zip(WAYS) {
            let url = format!("{scheme}://dvl-ckl2.net");
            let ask = Ask {
                start_tls,
                ..Ask::new(&url, OWN)
            };
            let away = office.search(&ask)?;
            assert_ne!(away.code, Some(0), "{url}: {away:?}");
            assert!(!away.stderr.contains("172.31.31"), "{away:?}");
            wait_until("it to be counted", || Ok(rejected(&office.gate)? == number))?;
        }
        book.start_again()?;
        office
            .search(&Ask::new("ldap://dvl-ckl2.net", OWN))?
            .success()?;
        Ok(())
    });
}

#[test]
fn open_connections_are_counted_and_end_with_the_host_they_are_for() {
    test(Site::innovaphone(), &AddressBook::NEEDS, |lab| {
        let _books = books(lab)?;
        let text = without_list()?;
        let office = Office::start(lab, &text)?;
        let open = |host: &str| {
            let series = format!(
                "gatehouse_proxy_forwarded_connections{{host=\"{host}\",protocol=\"ldap\"}}"
            );
            office.gate.metric(&series)
        };
        let mut streams = Vec::new();
        for name in [OWN, "cn=admin,dc=branch-b,dc=dvl-ckl2,dc=net"] {
            let mut stream = lab.connect(Place::Internet, PLAIN)?;
            stream.write_all(&bind(1, name)?)?;
            assert_eq!(code(&mut stream)?, Some(0), "{name}");
            streams.push(stream);
        }
        for host in ["dvl-ckl2.net", "branch-b.dvl-ckl2.net"] {
            wait_until(host, || Ok(open(host)? == 1))?;
        }
        let slave = "[host.ldap]                         # target ports default";
        assert!(text.contains(slave));
        let without = slave.replace("[host.ldap]", "           ");
        office.gate.write(&text.replace(slave, &without))?;
        office.gate.ok(&["reload"])?;
        let mut other = streams.remove(1);
        assert_ends(&mut other);
        // The other one goes on.
        let mut own = streams.remove(0);
        own.write_all(&bind(2, OWN)?)?;
        assert_eq!(code(&mut own)?, Some(0));
        drop(own);
        wait_until("nothing open", || Ok(open("dvl-ckl2.net")? == 0))
    });
}

#[test]
fn explain_says_where_a_bind_goes_as_it_does() {
    test(Site::innovaphone(), &[], |lab| {
        let office = Office::start(lab, &without_list()?)?;
        for (name, target) in [
            ("dvl-ckl2.net\\contacts", "172.31.31.2"),
            ("user@dvl-ckl2.net", "172.31.31.2"),
            ("cn=admin, dc=branch-b, dc=dvl-ckl2, dc=net", "172.31.31.3"),
        ] {
            for (scheme, port) in [("ldap", 389), ("ldaps", 636)] {
                let asked = format!("{scheme}:{name}");
                let said = office.gate.ok(&["explain", &asked])?;
                assert!(
                    said.contains(&format!("{target}:{port}")),
                    "{asked}: {said}"
                );
            }
        }
        for (asked, target) in [
            ("h323:hq@dvl-ckl2.net/branch-b", "172.31.31.3:1720"),
            ("h323s:hq@dvl-ckl2.net", "172.31.31.2:1300"),
        ] {
            let said = office.gate.ok(&["explain", asked])?;
            assert!(said.contains(target), "{asked}: {said}");
        }
        for nobody in ["ldap:elsewhere.example\\john", "h323:hq@elsewhere.example"] {
            let said = office.gate.command(&["explain", nobody])?;
            let said = said.stdout + &said.stderr;
            assert!(!said.contains("172.31.31."), "{nobody}: {said}");
        }
        Ok(())
    });
}
