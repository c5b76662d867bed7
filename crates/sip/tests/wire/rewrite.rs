//! The exchange of addresses: what it does, what it leaves alone, and that the way back is exact.

use std::borrow::Cow;

use sip::Span;
use sip::message::{Item, Limits, Message, Name, next};
use sip::rewrite::{Direction, Legs, Mapping, Place};

use crate::mutation::Mutator;

const LEGS: [Legs; 3] = [Legs::Plain, Legs::Secure, Legs::SecureToPlain];

fn place(host: &str, plain: u16, secure: u16) -> Place {
    Place::new(host, plain, secure).unwrap()
}

/// The target, its name and our listeners; the public address and a name of it.
fn mapping(inside: (u16, u16), outside: (u16, u16), legs: Legs) -> Mapping {
    let inside = vec![
        place("172.31.31.3", inside.0, inside.1),
        place("pbx.lan", inside.0, inside.1),
        place("fd00::3", inside.0, inside.1),
        place("172.31.31.4", 5070, 5071),
    ];
    let outside = vec![
        place("78.54.23.241", outside.0, outside.1),
        place("Gate.example", outside.0, outside.1),
    ];
    Mapping::new(inside, outside, legs).unwrap()
}

/// With the listeners on both sides, and a name that is a domain.
fn two_faced(legs: Legs, is_first: bool) -> Mapping {
    let listener = || place("172.31.31.4", 5070, 5071);
    let domain = place("gate.example", 5060, 5061).shared();
    let mut outside = vec![place("78.54.23.241", 5060, 5061), listener()];
    outside.insert(if is_first { 0 } else { 2 }, domain);
    let inside = vec![place("172.31.31.3", 5060, 5061), listener()];
    Mapping::new(inside, outside, legs).unwrap()
}

fn usual(legs: Legs) -> Mapping {
    mapping((5060, 5061), (5060, 5061), legs)
}

fn message(bytes: &[u8]) -> Message<'_> {
    match next(bytes, &Limits::LATER) {
        Ok(Some(Item::Message(message))) => message,
        other => panic!("{other:?}: {}", bytes.escape_ascii()),
    }
}

/// A message with these lines and all that each message has.
fn text(start: &str, lines: &[String]) -> String {
    let lines = lines.iter().map(|line| format!("{line}\r\n"));
    let lines: String = lines.collect();
    let method = match start.split_once(' ') {
        Some(("SIP/2.0", _)) | None => "INVITE",
        Some((method, _)) => method,
    };
    format!(
        "{start}\r\nv: SIP/2.0/X own.example;branch=0\r\nFrom: <sip:172.31.31.3>;tag=1\r\nTo: <sip:78.54.23.241>\r\n\
         Call-ID: 1@172.31.31.3\r\nCSeq: 1 {method}\r\n{lines}Content-Type: text/plain\r\nl: 26\r\n\r\n\
         Via: SIP/2.0/X 172.31.31.3"
    )
}

fn rewritten(mapping: &Mapping, direction: Direction, text: &str) -> String {
    let changed = mapping.rewritten(direction, &message(text.as_bytes()));
    // It is a message still, with the same body.
    let again = message(&changed);
    assert_eq!(again.bytes().len(), changed.len());
    assert_eq!(again.body(), message(text.as_bytes()).body());
    String::from_utf8(changed.into_owned()).unwrap()
}

/// What becomes of one line.
fn line(mapping: &Mapping, direction: Direction, start: &str, line: &str) -> String {
    let before = text(start, &[line.to_owned()]);
    let after = rewritten(mapping, direction, &before);
    let at = before.find(line).unwrap();
    let end = before.len() - at - line.len();
    assert_eq!(after[..at], before[..at]);
    after[at..after.len() - end].to_owned()
}

const REQUEST: &str = "INVITE sip:john@10.0.0.7:5060;transport=tcp SIP/2.0";
const RESPONSE: &str = "SIP/2.0 200 OK";

#[test]
fn what_the_target_names_as_its_own_is_shown_as_the_public_address() {
    let exchanged = [
        (
            "Via: SIP/2.0/TLS 172.31.31.3:5061;rport;branch=z9hG4bK1",
            "Via: SIP/2.0/TLS 78.54.23.241:5061;rport;branch=z9hG4bK1",
        ),
        (
            "Via: SIP/2.0/TCP 172.31.31.3, SIP/2.0/UDP 172.31.31.20",
            "Via: SIP/2.0/TCP 78.54.23.241, SIP/2.0/UDP 172.31.31.20",
        ),
        (
            "m: \"Hall <1>, x\" <sip:100@172.31.31.3:5060;transport=tcp>;q=1",
            "m: \"Hall <1>, x\" <sip:100@78.54.23.241:5060;transport=tcp>;q=1",
        ),
        (
            "Contact: sip:100@172.31.31.3;expires=5, <sips:1@172.31.31.3>",
            "Contact: sip:100@78.54.23.241;expires=5, <sips:1@78.54.23.241>",
        ),
        (
            "Record-Route: <sip:172.31.31.3;lr>,\r\n <sip:172.31.31.3:5061;transport=tls;lr>",
            "Record-Route: <sip:78.54.23.241;lr>,\r\n <sip:78.54.23.241:5061;transport=tls;lr>",
        ),
        ("Path: <sip:172.31.31.3;lr>", "Path: <sip:78.54.23.241;lr>"),
        (
            "Service-Route: <sip:orig@172.31.31.3;lr>",
            "Service-Route: <sip:orig@78.54.23.241;lr>",
        ),
        // Other spellings, our own listener, and what is the public address already, come with a mark.
        (
            "Contact: <sip:PBX.lan>",
            "Contact: <sip:78.54.23.241;gh-was=x5042582e6c616e>",
        ),
        (
            "Contact: <sip:pbx.lan:5060>",
            "Contact: <sip:78.54.23.241:5060;gh-was=1-5060>",
        ),
        (
            "Contact: <sip:[fd00::3]?a=b>",
            "Contact: <sip:78.54.23.241;gh-was=2?a=b>",
        ),
        (
            "Contact: <sip:172.31.31.4:5071;lr>",
            "Contact: <sip:78.54.23.241:5061;gh-was=3-5071;lr>",
        ),
        (
            "Contact: <sip:x@78.54.23.241:5060;lr>",
            "Contact: <sip:x@78.54.23.241:5060;gh-was=k;lr>",
        ),
        (
            "Contact: <sip:172.31.31.3;gh-was=1>",
            "Contact: <sip:78.54.23.241;gh-was=0;gh-was=1>",
        ),
    ];
    let mapping = usual(Legs::Secure);
    for (before, after) in exchanged {
        assert_eq!(line(&mapping, Direction::ToClient, REQUEST, before), after);
    }
}

#[test]
fn what_names_others_or_stands_elsewhere_is_left_alone() {
    let mapping = usual(Legs::Secure);
    let same = |direction, start, what: &str| {
        assert_eq!(
            line(&mapping, direction, start, what),
            what,
            "{direction:?}"
        );
    };
    for what in [
        "Contact: *",
        "Contact: <sip:a@172.31.31.3:5062>",
        "Contact: <sip:a@172.31.31.30>",
        "Contact: <sip:172.31.31.3@a.example>",
        "Contact: <sip:a@a.example?Route=172.31.31.3>",
        "Contact: <http:172.31.31.3>",
        "Contact: \"172.31.31.3\" <tel:1>",
        "Contact: \"a <sip:172.31.31.3>",
        "Via: SIP/2.0/TLS 10.0.0.7;received=172.31.31.3",
        "Via: SIP/2.0/TLS 172.31.31.3 :\r\n 5061",
        "Route: <sip:172.31.31.3;lr>",
        "Refer-To: <sip:172.31.31.3>",
        "P-Asserted-Identity: <sip:1@172.31.31.3>",
        "Warning: 399 172.31.31.3 \"x\"",
    ] {
        same(Direction::ToClient, REQUEST, what);
    }
    // The Via of a response is the client's, and so are the contacts that a registrar repeats.
    same(
        Direction::ToClient,
        RESPONSE,
        "Via: SIP/2.0/TLS 172.31.31.3:5061",
    );
    // What the client writes of itself.
    for what in [
        "Via: SIP/2.0/TLS 78.54.23.241",
        "Contact: <sip:78.54.23.241>",
        "Record-Route: <sip:78.54.23.241>",
        "Path: <sip:78.54.23.241>",
    ] {
        same(Direction::ToTarget, REQUEST, what);
    }
    same(Direction::ToTarget, RESPONSE, "Contact: <sip:78.54.23.241>");
    same(
        Direction::ToTarget,
        RESPONSE,
        "Via: SIP/2.0/TLS 172.31.31.3",
    );
    let registered = text(RESPONSE, &["Contact: <sip:john@172.31.31.3>".to_owned()])
        .replace("1 INVITE", "1 REGISTER");
    assert_eq!(
        rewritten(&mapping, Direction::ToClient, &registered),
        registered
    );
    assert!(matches!(
        mapping.rewritten(Direction::ToClient, &message(registered.as_bytes())),
        Cow::Borrowed(_)
    ));
}

#[test]
fn what_the_client_addresses_to_the_public_address_reaches_the_target_as_its_own() {
    let mapping = usual(Legs::Secure);
    let starts = [
        (
            "BYE sip:100@78.54.23.241:5061;transport=tls SIP/2.0",
            "BYE sip:100@172.31.31.3:5061;transport=tls SIP/2.0",
        ),
        (
            "BYE sip:100@GATE.example SIP/2.0",
            "BYE sip:100@172.31.31.3 SIP/2.0",
        ),
        (
            "BYE sips:100@gate.example:5061;lr;gh-was=3-5071?x=y SIP/2.0",
            "BYE sips:100@172.31.31.4:5071;lr?x=y SIP/2.0",
        ),
        (
            "BYE sip:100@78.54.23.241:5062 SIP/2.0",
            "BYE sip:100@78.54.23.241:5062 SIP/2.0",
        ),
        (
            "BYE sip:100@dvl-ckl2.net SIP/2.0",
            "BYE sip:100@dvl-ckl2.net SIP/2.0",
        ),
    ];
    for (before, after) in starts {
        let done = rewritten(&mapping, Direction::ToTarget, &text(before, &[]));
        assert_eq!(done, text(after, &[]), "{before}");
    }
    let route = "Route: <sip:78.54.23.241;lr>, <sip:gate.example:5061; gh-was=x5042582e6c616e ;transport=tls>";
    let back = "Route: <sip:172.31.31.3;lr>, <sip:PBX.lan;transport=tls>";
    // No space may stand in a URI: such an address is none, and stays.
    let done = line(&mapping, Direction::ToTarget, REQUEST, route);
    assert_eq!(
        done,
        "Route: <sip:172.31.31.3;lr>, <sip:gate.example:5061; gh-was=x5042582e6c616e ;transport=tls>"
    );
    let route = route.replace("; gh", ";gh").replace(" ;t", ";t");
    assert_eq!(line(&mapping, Direction::ToTarget, REQUEST, &route), back);
    let redirected = line(
        &mapping,
        Direction::ToTarget,
        "SIP/2.0 302 Moved",
        "Contact: <sip:200@78.54.23.241>",
    );
    assert_eq!(redirected, "Contact: <sip:200@172.31.31.3>");
}

#[test]
fn listeners_are_hidden_outside_and_mean_the_target_inside() {
    let mapping = two_faced(Legs::Secure, false);
    let shown = "Contact: <sip:78.54.23.241:5061;gh-was=1-5071>";
    let contact = "Contact: <sip:172.31.31.4:5071>";
    assert_eq!(line(&mapping, Direction::ToClient, REQUEST, contact), shown);
    let route = "Route: <sip:172.31.31.4:5070;lr>, <sip:78.54.23.241:5061;gh-was=1-5071>";
    let meant = "Route: <sip:172.31.31.3:5060;lr>, <sip:172.31.31.4:5071>";
    assert_eq!(line(&mapping, Direction::ToTarget, REQUEST, route), meant);
}

#[test]
fn a_domain_that_is_the_public_name_stays_a_domain() {
    let contact = "Contact: <sip:1@172.31.31.3>, <sip:1@gate.example>";
    let route = "Route: <sip:gate.example;lr>, <sip:gate.example;gh-was=0;lr>";
    let meant = "Route: <sip:gate.example;lr>, <sip:172.31.31.3;lr>";
    for (is_first, shown) in [
        (
            true,
            "Contact: <sip:1@gate.example;gh-was=0>, <sip:1@gate.example>",
        ),
        (false, "Contact: <sip:1@78.54.23.241>, <sip:1@gate.example>"),
    ] {
        let mapping = two_faced(Legs::Secure, is_first);
        assert_eq!(line(&mapping, Direction::ToClient, REQUEST, contact), shown);
        assert_eq!(line(&mapping, Direction::ToTarget, REQUEST, route), meant);
    }
}

#[test]
fn a_mark_that_we_have_not_written_leads_nowhere_else() {
    let mapping = usual(Legs::Secure);
    let evil: Vec<String> = [
        "",
        "k2",
        "9",
        "99999999999999999999",
        "0-",
        "0-0",
        "0-99999",
        "0-80",
        "-5060",
        "x",
        "x0",
        "xzz",
        "y",
        "0.t.t",
        "0-+1",
        // a.example, "172.31.31.3" with a line end, 172.31.31.3:80
        "x612e6578616d706c65",
        "x3137322e33312e33312e330d0a583a2061",
        "x3137322e33312e33312e333a3830",
    ]
    .iter()
    .map(|mark| format!("Route: <sip:78.54.23.241;gh-was={mark};lr>"))
    .collect();
    for route in evil {
        let done = line(&mapping, Direction::ToTarget, REQUEST, &route);
        assert_eq!(done, route.replace("78.54.23.241", "172.31.31.3"));
    }
}

#[test]
fn a_client_over_tls_sees_tls_where_the_target_is_reached_over_tcp() {
    let mapping = usual(Legs::SecureToPlain);
    let exchanged = [
        (
            "Contact: <sip:1@172.31.31.3:5060;transport=tcp>",
            "Contact: <sip:1@78.54.23.241:5061;transport=tls>",
        ),
        (
            "Contact: <sip:1@172.31.31.3;transport=TCP;lr>",
            "Contact: <sip:1@78.54.23.241;transport=TLS;lr>",
        ),
        (
            "Contact: <sip:1@172.31.31.3>",
            "Contact: <sip:1@78.54.23.241:5061;gh-was=0>",
        ),
        (
            "Contact: <sip:1@172.31.31.3:5061;transport=tls>",
            "Contact: <sip:1@78.54.23.241:5061;gh-was=0-5061;transport=tls>",
        ),
        (
            "Via: SIP/2.0/TCP 172.31.31.3:5060",
            "Via: SIP/2.0/TCP 78.54.23.241:5061",
        ),
        (
            "Via: SIP/2.0/TCP 172.31.31.3",
            "Via: SIP/2.0/TCP 78.54.23.241:5061;gh-was=0",
        ),
    ];
    for (before, after) in exchanged {
        assert_eq!(line(&mapping, Direction::ToClient, REQUEST, before), after);
    }
}

#[test]
fn where_the_router_maps_ports_they_are_written() {
    let mapping = mapping((5060, 5061), (15060, 15061), Legs::Secure);
    let exchanged = [
        (
            "Via: SIP/2.0/TLS 172.31.31.3:5061;branch=1",
            "Via: SIP/2.0/TLS 78.54.23.241:15061;branch=1",
        ),
        (
            "Via: SIP/2.0/TLS 172.31.31.3;branch=1",
            "Via: SIP/2.0/TLS 78.54.23.241:15061;gh-was=0;branch=1",
        ),
        (
            "Contact: <sip:1@172.31.31.3:5060>",
            "Contact: <sip:1@78.54.23.241:15060>",
        ),
        (
            "Contact: <sip:1@78.54.23.241>",
            "Contact: <sip:1@78.54.23.241>",
        ),
    ];
    for (before, after) in exchanged {
        assert_eq!(line(&mapping, Direction::ToClient, REQUEST, before), after);
    }
}

#[test]
fn a_mapping_has_two_sides_and_a_place_is_one() {
    assert!(Mapping::new(vec![], vec![place("a", 1, 2)], Legs::Plain).is_none());
    assert!(Mapping::new(vec![place("a", 1, 2)], vec![], Legs::Plain).is_none());
    for (host, port) in [
        ("", 1),
        ("a b", 1),
        ("a/b", 1),
        ("a", 0),
        ("[::1]", 1),
        ("a:1", 1),
    ] {
        assert!(Place::new(host, port, 1).is_none(), "{host}");
    }
    assert_eq!(
        Place::new("::ffff:192.0.2.1", 1, 2),
        Place::new("192.0.2.1", 1, 2)
    );
}

/// Dice that fall alike in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// An address in one of its spellings, of one of those that matter or of another one.
    fn address(&mut self) -> String {
        let scheme = self.one(&["sip", "sip", "sips", "SIP"]);
        let user = self.one(&["", "100@", "a;b=172.31.31.3:secret@", "gh-was=1@"]);
        let (host, port) = (self.host(), self.port());
        let parameters = self.one(&[
            "",
            "",
            ";lr",
            ";gh-was=0",
            ";gh-was=k;lr",
            ";gh-was=x.t",
            ";x=y;GH-was=2-5061",
        ]);
        let transport = self.one(&[
            "",
            "",
            ";transport=tcp",
            ";transport=TLS",
            ";transport=tls",
            ";transport=Tcp",
            ";transport=ws",
        ]);
        let headers = self.one(&["", "", "?a=b"]);
        let display = self.one(&["", "A B ", "\"a, <b> \\\" \" "]);
        let behind = self.one(&["", ";q=1", " ;expires=5;gh-was=0"]);
        if headers.is_empty() && display.is_empty() && user.len() < 6 && self.below(3) == 0 {
            return format!("{scheme}:{user}{host}{port}{parameters}{transport}{behind}");
        }
        format!("{display}<{scheme}:{user}{host}{port}{parameters}{transport}{headers}>{behind}")
    }

    fn via(&mut self) -> String {
        let transport = self.one(&["TCP", "TLS", "UDP", "WSS", "tls"]);
        let (host, port) = (self.host(), self.port());
        let space = self.one(&["", "", "", " "]);
        let port = port.replace(':', &format!("{space}:{space}"));
        let behind = self.one(&[
            "",
            ";branch=z9hG4bK1",
            " ; rport ;branch=a",
            ";gh-was=0;branch=b",
            ";received=172.31.31.3",
        ]);
        format!("SIP/2.0/{transport} {host}{port}{behind}")
    }

    fn host(&mut self) -> &'static str {
        self.one(&[
            "172.31.31.3",
            "172.31.31.3",
            "172.31.31.3",
            "pbx.lan",
            "PBX.Lan",
            "[fd00::3]",
            "[FD00:0::3]",
            "172.31.31.4",
            "78.54.23.241",
            "gate.example",
            "GATE.example",
            "10.0.0.7",
            "dvl-ckl2.net/branch-b",
            "[2001:db8::1]",
        ])
    }

    fn port(&mut self) -> &'static str {
        self.one(&[
            "", "", ":5060", ":5061", ":05060", ":5070", ":5071", ":5062", ":15060", ":15061", ":1",
        ])
    }

    fn list(&mut self, name: &str, is_via: bool) -> String {
        let count = 1 + self.below(3);
        let all: Vec<String> = (0..count)
            .map(|_| if is_via { self.via() } else { self.address() })
            .collect();
        format!("{name}: {}", all.join(self.one(&[",", ", ", "\r\n ,\t"])))
    }
}

fn mappings() -> Vec<Mapping> {
    let ports = [(5060, 5061), (15060, 15061), (5061, 5060), (5062, 5062)];
    let all = ports
        .iter()
        .flat_map(|inside| ports.iter().map(move |outside| (*inside, *outside)));
    let mut mappings: Vec<Mapping> = all
        .flat_map(|(inside, outside)| LEGS.map(|legs| mapping(inside, outside, legs)))
        .collect();
    // The box stands at the public address itself.
    let both = vec![
        place("172.31.31.3", 5060, 5061),
        place("78.54.23.241", 5060, 5061),
    ];
    let own = vec![place("78.54.23.241", 5060, 5061)];
    mappings.extend(LEGS.map(|legs| Mapping::new(both.clone(), own.clone(), legs).unwrap()));
    mappings.extend(LEGS.map(|legs| two_faced(legs, false)));
    mappings.extend(LEGS.map(|legs| two_faced(legs, true)));
    mappings
}

#[test]
fn what_clients_repeat_comes_back_as_the_target_has_written_it() {
    let mappings = mappings();
    let mut dice = Dice(1);
    for round in 0..10_000 {
        let mapping = &mappings[round % mappings.len()];
        // A request of the target; the response repeats its Via and Record-Route.
        let lists = [
            dice.list("Via", true),
            dice.list("Record-Route", false),
            dice.list("v", true),
        ];
        let sent = text(REQUEST, &lists);
        let seen = rewritten(mapping, Direction::ToClient, &sent);
        let answered = seen.replacen(REQUEST, RESPONSE, 1);
        let back = rewritten(mapping, Direction::ToTarget, &answered);
        assert_eq!(back, sent.replacen(REQUEST, RESPONSE, 1), "round {round}");
        // A response of the target; its routes become those of the next request.
        let lists = [
            dice.list("Record-Route", false),
            dice.list("Service-Route", false),
            dice.list("Contact", false),
        ];
        let sent = text(RESPONSE, &lists);
        let seen = rewritten(mapping, Direction::ToClient, &sent);
        let as_routes = |text: &str| {
            let text = text
                .replace("Record-Route", "Route")
                .replace("Service-Route", "Route");
            text.replacen("Contact", "Route", 1)
                .replacen(RESPONSE, REQUEST, 1)
        };
        let back = rewritten(mapping, Direction::ToTarget, &as_routes(&seen));
        assert_eq!(back, as_routes(&sent), "round {round}");
    }
}

#[test]
fn a_contact_that_becomes_a_request_uri_comes_back_as_it_was() {
    let mappings = mappings();
    let mut dice = Dice(7);
    let mut compared = 0;
    for round in 0..20_000 {
        let mapping = &mappings[round % mappings.len()];
        let contact = dice.address();
        let Some((_, rest)) = contact.rsplit_once('<') else {
            continue;
        };
        let uri = rest.split_once('>').unwrap().0;
        let sent = text(RESPONSE, &[format!("Contact: <{uri}>")]);
        let seen = rewritten(mapping, Direction::ToClient, &sent);
        let parsed = message(seen.as_bytes());
        let value =
            String::from_utf8(parsed.values(Name::Contact).next().unwrap().to_vec()).unwrap();
        let value = value.trim_start_matches('<').trim_end_matches('>');
        let start = |uri: &str| text(&format!("BYE {uri} SIP/2.0"), &[]);
        let back = rewritten(mapping, Direction::ToTarget, &start(value));
        assert_eq!(back, start(uri), "round {round}");
        compared += 1;
    }
    assert!(compared > 10_000);
}

#[test]
fn splices_are_in_order_and_say_what_changes() {
    let mappings = mappings();
    let mut dice = Dice(3);
    for round in 0..5000 {
        let mapping = &mappings[round % mappings.len()];
        let before = text(
            REQUEST,
            &[
                dice.list("Route", false),
                dice.list("Contact", false),
                dice.list("Via", true),
            ],
        );
        let parsed = message(before.as_bytes());
        for direction in [Direction::ToClient, Direction::ToTarget] {
            let mut at = 0;
            for splice in mapping.splices(direction, &parsed) {
                let Span { start, end } = splice.span;
                assert!(at <= start && start <= end && end <= before.len());
                assert_ne!(splice.span.of(before.as_bytes()), splice.text.as_bytes());
                at = end;
            }
        }
    }
}

#[test]
fn accidents_leave_a_message_and_the_way_back_exact() {
    let mapping = mapping((5060, 5061), (15060, 15061), Legs::SecureToPlain);
    let mut dice = Dice(11);
    let texts: Vec<String> = (0..64)
        .map(|_| {
            text(
                REQUEST,
                &[dice.list("Via", true), dice.list("Record-Route", false)],
            )
        })
        .collect();
    let files: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    let mut compared = 0;
    for seed in 0..50_000 {
        let input = Mutator::new("rewrite", seed).mutated(&files);
        let Ok(Some(Item::Message(sent))) = next(&input, &Limits::LATER) else {
            continue;
        };
        let _ = mapping.rewritten(Direction::ToTarget, &sent);
        let Some(method) = sent.method() else {
            continue;
        };
        let seen = mapping.rewritten(Direction::ToClient, &sent).into_owned();
        let line = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\r').unwrap();
        let answer = |bytes: &[u8]| [b"SIP/2.0 200 OK", &bytes[line(bytes)..]].concat();
        let answered = answer(&seen);
        let limits = Limits {
            head: usize::MAX,
            message: usize::MAX,
            headers: usize::MAX,
        };
        let Ok(Some(Item::Message(repeated))) = next(&answered, &limits) else {
            panic!("{method}: {}", answered.escape_ascii());
        };
        // What only a request or only the target writes is not repeated.
        let once: &[&[u8]] = &[b"Contact", b"m", b"Route"];
        if sent.headers().any(|header| {
            once.iter()
                .any(|name| header.written_name().eq_ignore_ascii_case(name))
        }) {
            continue;
        }
        let back = mapping.rewritten(Direction::ToTarget, &repeated);
        assert_eq!(
            back.escape_ascii().to_string(),
            answer(sent.bytes()).escape_ascii().to_string(),
            "{seed}"
        );
        compared += 1;
    }
    assert!(compared > 5000, "only {compared}");
}
