//! Orders from the first to the renewal, with a CA of our own and no clock.

mod cuts;

use super::*;
use crate::supervisor::journal::Journal;
use certs::{Ca, KeyKind, Material, Usage};
use config::Config;
use control::{OrderStep, RenewalState};
use std::path::PathBuf;
use store::Store;
use uplink::acme::{Blame, Failure, News, Order, OrderId, Proof, Step, Wanted, Window};

const NOW: u64 = 1_800_000_000;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const HEAD: &str = "schema = 1\n[system]\nhostname = \"gate\"\n";
const ONE: &str = "[[certificate]]\nnames = [\"b.example\", \"a.example\"]\nsource = \"acme\"\nchallenge = \"http-01\"\n\
    contact = [\"admin@a.example\"]\n";
const DNS: &str = "[[certificate]]\nnames = [\"*.a.example\"]\nsource = \"acme\"\nchallenge = \"dns-01\"\n\
    directory = \"https://ca.example/dir\"\n[certificate.dns]\nserver = \"192.0.2.53\"\ntsig_name = \"gate\"\n\
    tsig_key = { secret = \"tsig\" }\n";

/// A state directory with its book.
struct Shelf {
    store: Option<Store>,
    book: Book,
    folder: PathBuf,
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn config(text: &str) -> Config {
    config::check(&format!("{HEAD}{text}"), "test.toml")
        .unwrap()
        .config
}

impl Shelf {
    fn new(name: &str) -> Self {
        let folder = format!("gatehouse-orders-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let mut store = Store::open(&folder).unwrap().store;
        let book = Book::open(&mut store, &Journal::new());
        let store = Some(store);
        Self {
            store,
            book,
            folder,
        }
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    /// The power is cut, and comes back.
    fn restart(&mut self) {
        self.store = None;
        let mut store = Store::open(&self.folder).unwrap().store;
        self.book = Book::open(&mut store, &Journal::new());
        self.store = Some(store);
    }

    /// What the supervisor does at `now` with the configuration `text`.
    fn look(&mut self, text: &str, now: u64) -> (Wanted, Vec<Event>) {
        let store = self.store.as_mut().unwrap();
        let read = |file: &str| anyhow::bail!("there is no {file}");
        self.book.want(wants(&config(text), store, read));
        for (key, kind) in self.book.keys_missing(now) {
            self.book.give_key(&key, certs::new_key(kind).unwrap());
        }
        let events = self.book.order(store, now, 0);
        (self.book.wanted(now), events)
    }

    fn hear(&mut self, news: News, now: u64) -> Heard {
        self.book.hear(news, self.store.as_mut().unwrap(), now, 0)
    }

    /// What is served with the configuration `text`.
    fn served(&self, text: &str, now: u64) -> Vec<Material> {
        self.book.materials(&config(text).certificates[0], now)
    }

    fn state(&self, now: u64) -> (RenewalState, Option<u64>) {
        let renewing = self.book.renewing(now);
        let renewal = &renewing[0].renewal;
        (renewal.state, renewal.at.map(|at| at.0 / 1000))
    }
}

/// A certificate for the key that waits in `store`, by a CA that nobody knows.
pub(in crate::supervisor) fn sign(store: &Store, names: &[&str], now: u64) -> String {
    sign_for(store, names, now, 90 * DAY)
}

fn sign_for(store: &Store, names: &[&str], now: u64, life: u64) -> String {
    let pending = store.blob("acme/pending.json").unwrap().unwrap();
    let pending: serde_json::Value = serde_json::from_slice(&pending).unwrap();
    let (_, entry) = pending.as_object().unwrap().iter().next().unwrap();
    let key = entry["key"].as_str().unwrap();
    let at = judge::at(now);
    let mut params =
        rcgen::CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())
            .unwrap();
    params.not_before = at.into();
    params.not_after = judge::at(now + life).into();
    params.use_authority_key_identifier_extension = true;
    let mut root = rcgen::CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    root.not_before = at.into();
    root.not_after = judge::at(now + 900 * DAY).into();
    let issuer = rcgen::Issuer::new(root, rcgen::KeyPair::generate().unwrap());
    let key = rcgen::KeyPair::from_pem(key).unwrap();
    params.signed_by(&key, &issuer).unwrap().pem()
}

fn issue(shelf: &mut Shelf, id: OrderId, names: &[&str], now: u64) -> Heard {
    let chain = sign(shelf.store(), names, now);
    shelf.hear(News::Issued { id, chain }, now)
}

fn failed(id: OrderId, blame: Blame) -> News {
    News::Failed {
        id,
        failure: Failure {
            blame,
            text: "it does not want to".to_owned(),
            retry_after: None,
        },
    }
}

#[test]
fn what_is_not_there_is_ordered_and_what_came_is_kept_and_renewed() {
    let mut shelf = Shelf::new("first");
    let (wanted, events) = shelf.look(ONE, NOW);
    let order = &wanted.orders[0];
    assert_eq!(order.names, ["b.example", "a.example"]);
    assert_eq!(order.proof, Proof::Http01);
    assert_eq!(order.authority.account.contact, ["mailto:admin@a.example"]);
    assert!(!order.request.is_empty() && order.begun.is_none());
    assert_eq!((events.len(), wanted.lookups.len()), (1, 0));
    assert_eq!(shelf.state(NOW), (RenewalState::Ordered, None));
    assert!(shelf.served(ONE, NOW).is_empty());
    // Nothing else is made of it while it goes on.
    assert_eq!(shelf.look(ONE, NOW + 60).0, wanted);

    let heard = issue(&mut shelf, order.id, &["a.example", "b.example"], NOW + 90);
    assert!(heard.is_new, "{:?}", heard.events);
    let material = shelf.served(ONE, NOW).pop().unwrap();
    assert_eq!(material.line, Some(4));
    assert!(!material.temporary && material.certified_key().is_ok());
    let due = NOW + 90 + 60 * DAY;
    assert_eq!(shelf.state(NOW + 90), (RenewalState::Planned, Some(due)));
    let (later, _) = shelf.look(ONE, NOW + 91);
    assert!(later.orders.is_empty());
    assert_eq!(later.lookups.len(), 1, "the CA may want it earlier");

    shelf.restart();
    shelf.look(ONE, NOW + 100);
    assert_eq!(shelf.state(NOW + 100), (RenewalState::Planned, Some(due)));
    assert_eq!(shelf.served(ONE, NOW), [material]);
    let (renewal, _) = shelf.look(ONE, due);
    let next = &renewal.orders[0];
    assert_ne!(next.request, order.request, "with another key");
    assert_eq!(next.replaces.as_ref(), Some(&later.lookups[0].certificate));
    assert_eq!(shelf.served(ONE, NOW).len(), 1);
}

#[test]
fn a_power_cut_loses_no_order() {
    let mut shelf = Shelf::new("cut");
    let (wanted, _) = shelf.look(ONE, NOW);
    let before = wanted.orders[0].clone();
    let account = News::Account {
        directory: before.authority.directory.clone(),
        url: "https://ca.example/acct/1".to_owned(),
    };
    shelf.hear(account, NOW);
    let url = "https://ca.example/order/1".to_owned();
    let begun = |url: &str| News::Begun {
        id: before.id,
        url: url.to_owned(),
    };
    shelf.hear(begun("javascript:1"), NOW);
    shelf.hear(begun(&url), NOW);
    // To a process that is started anew at once.
    let again = shelf.book.wanted(NOW).orders[0].clone();
    assert_eq!(again.begun.as_ref(), Some(&url));

    shelf.restart();
    let after = shelf.look(ONE, NOW + 5).0.orders[0].clone();
    assert_eq!(after.request, before.request);
    assert_eq!(after.begun, Some(url));
    let account = &after.authority.account;
    assert_eq!(account.key, before.authority.account.key);
    assert_eq!(account.url.as_deref(), Some("https://ca.example/acct/1"));
    assert!(issue(&mut shelf, after.id, &["a.example", "b.example"], NOW + 9).is_new);
}

#[test]
fn what_edge_says_is_believed_only_where_it_can_be_true() {
    let mut shelf = Shelf::new("lies");
    let order = shelf.look(ONE, NOW).0.orders[0].clone();
    let stranger = Ca::create("stranger", judge::at(NOW)).unwrap();
    let stranger = stranger
        .issue(&["a.example", "b.example"], Usage::Server, judge::at(NOW))
        .unwrap();
    for id in [0, 2, u64::MAX] {
        let chain = stranger.chain_pem.clone();
        let unknown = News::Issued {
            id: OrderId(id),
            chain,
        };
        let heard = shelf.hear(unknown, NOW);
        assert!(!heard.is_new && heard.events.is_empty());
        assert!(
            shelf
                .hear(failed(OrderId(id), Blame::Us), NOW)
                .events
                .is_empty()
        );
    }
    let said = |heard: Heard| match &heard.events[0] {
        Event::Certificate { text, .. } => text.clone(),
        other => panic!("{other:?}"),
    };
    let chain = stranger.chain_pem;
    let heard = shelf.hear(
        News::Issued {
            id: order.id,
            chain,
        },
        NOW,
    );
    assert!(said(heard).contains("private key does not belong"));
    for (names, at, expected) in [
        (
            &["a.example"][..],
            NOW + DAY,
            "does not cover the name `b.example`",
        ),
        (&["a.example", "b.example"], NOW + 300 * DAY, "expired"),
    ] {
        let order = shelf.look(ONE, at).0.orders[0].clone();
        let chain = sign(shelf.store(), names, at.min(NOW + 2 * DAY));
        let heard = shelf.hear(
            News::Issued {
                id: order.id,
                chain,
            },
            at,
        );
        assert!(!heard.is_new);
        let said = said(heard);
        assert!(said.contains(expected), "{said}");
    }
    assert!(shelf.served(ONE, NOW).is_empty());
}

#[test]
fn a_renewal_that_fails_takes_nothing_down_and_is_tried_again() {
    let mut shelf = Shelf::new("fails");
    let first = shelf.look(ONE, NOW).0.orders[0].clone();
    issue(&mut shelf, first.id, &["a.example", "b.example"], NOW);
    let due = NOW + 60 * DAY;
    let second = shelf.look(ONE, due).0.orders[0].clone();
    let heard = shelf.hear(failed(second.id, Blame::Unreachable), due);
    assert!(!heard.is_new && heard.events.len() == 1);
    assert_eq!(shelf.state(due), (RenewalState::Failed, Some(due + 60)));
    assert_eq!(shelf.served(ONE, NOW).len(), 1);
    assert!(shelf.look(ONE, due + 59).0.orders.is_empty());
    shelf.restart();
    let (wanted, _) = shelf.look(ONE, due + 59);
    assert!(wanted.orders.is_empty(), "a restart is no reason");
    let third = shelf.look(ONE, due + 60).0.orders[0].clone();
    assert_eq!(third.request, second.request, "the key is still good");
    shelf.hear(failed(third.id, Blame::Order), due + 60);
    let next = due + 60 + DAY;
    assert_eq!(shelf.state(due + 60), (RenewalState::Failed, Some(next)));
    // The operator has changed something.
    let other = ONE.replace("http-01", "tls-alpn-01");
    assert_eq!(shelf.look(&other, due + 61).0.orders.len(), 1);
}

#[test]
fn other_names_and_another_ca_are_ordered_at_once_and_the_old_one_serves_meanwhile() {
    let mut shelf = Shelf::new("names");
    let first = shelf.look(ONE, NOW).0.orders[0].clone();
    issue(&mut shelf, first.id, &["a.example", "b.example"], NOW);
    let more = ONE.replace("\"b.example\", ", "\"b.example\", \"c.example\", ");
    let (wanted, _) = shelf.look(&more, NOW + 1);
    let order = wanted.orders[0].clone();
    assert_eq!(order.names, ["b.example", "c.example", "a.example"]);
    assert_eq!(shelf.served(ONE, NOW).len(), 1);
    let elsewhere = format!("{ONE}directory = \"https://other.example/\"\n");
    let (wanted, _) = shelf.look(&elsewhere, NOW + 2);
    assert_eq!(wanted.orders.len(), 1, "the other one is given up");
    assert_eq!(
        wanted.orders[0].authority.directory,
        "https://other.example/"
    );
    assert_ne!(
        wanted.orders[0].authority.account.key,
        first.authority.account.key
    );
    assert_eq!(shelf.served(ONE, NOW).len(), 1);
}

const PAIR: &[&str] = &["a.example", "b.example"];

#[test]
fn a_trial_of_another_ca_or_kind_of_key_takes_nothing_away() {
    let mut shelf = Shelf::new("trial");
    let first = shelf.look(ONE, NOW).0.orders[0].clone();
    issue(&mut shelf, first.id, PAIR, NOW);
    let ours = shelf.served(ONE, NOW);
    let staging = format!("{ONE}directory = \"https://staging.example/\"\n");
    let later = NOW + 50 * DAY;
    let order = shelf.look(&staging, later).0.orders[0].clone();
    assert_eq!(shelf.served(&staging, later), ours, "meanwhile");
    assert!(issue(&mut shelf, order.id, PAIR, later).is_new);
    let theirs = shelf.served(&staging, later);
    assert!(theirs.len() == 1 && theirs != ours);
    let rsa = format!("{ONE}key_type = \"rsa2048\"\n");
    let order = shelf.look(&rsa, later).0.orders[0].clone();
    assert_eq!(order.replaces, None);
    for restarts in [false, true] {
        if restarts {
            shelf.restart();
        }
        let (wanted, _) = shelf.look(ONE, later + 1);
        assert!(wanted.orders.is_empty(), "the old one is there");
        assert_eq!(shelf.served(ONE, later + 1), ours);
        assert_eq!(shelf.served(&staging, later + 1), theirs);
        assert_eq!(shelf.served(&rsa, later + 1), theirs, "the longest");
    }
    // It has ended, and the other one has not.
    assert_eq!(shelf.served(ONE, NOW + 91 * DAY), theirs);
    let order = shelf.look(ONE, NOW + 91 * DAY).0.orders[0].clone();
    assert_eq!(shelf.book.keys_missing(NOW + 91 * DAY), []);
    shelf.hear(failed(order.id, Blame::Unreachable), NOW + 91 * DAY);
    assert_eq!(shelf.served(ONE, NOW + 200 * DAY), ours, "all have ended");
}

#[test]
fn going_to_and_fro_between_cas_is_no_way_around_the_brakes() {
    let mut shelf = Shelf::new("flip");
    let staging = format!("{ONE}directory = \"https://staging.example/\"\n");
    for second in 0..5 {
        let order = shelf.look(ONE, NOW + second).0.orders[0].clone();
        shelf.hear(failed(order.id, Blame::Proof), NOW + second);
        assert_eq!(shelf.look(&staging, NOW + second).0.orders.len(), 1);
    }
    assert!(shelf.look(ONE, NOW + 5).0.orders.is_empty());
    assert_eq!(shelf.state(NOW + 5).1, Some(NOW + HOUR));
}

#[test]
fn a_certificate_that_lives_for_years_is_taken_only_from_a_ca_of_our_own() {
    let mut shelf = Shelf::new("years");
    shelf.look(ONE, NOW);
    let sign = |shelf: &Shelf, days| {
        let store = shelf.store.as_ref().unwrap();
        let chain = sign_for(store, &["a.example"], NOW, days * DAY);
        let pending = store.blob("acme/pending.json").unwrap().unwrap();
        let pending: serde_json::Value = serde_json::from_slice(&pending).unwrap();
        let (_, entry) = pending.as_object().unwrap().iter().next().unwrap();
        (chain, entry["key"].as_str().unwrap().to_owned())
    };
    let names = ["a.example".to_owned()];
    for (days, is_public, is_taken) in [
        (398, true, true),
        (400, true, false),
        (36500, true, false),
        (3650, false, true),
    ] {
        let (chain, key) = sign(&shelf, days);
        let judged = judge::judge(&chain, &key, &names, NOW, is_public);
        assert_eq!(judged.is_ok(), is_taken, "{days}: {:?}", judged.err());
    }
}

fn begun(id: OrderId, number: u32) -> News {
    let url = format!("https://ca.example/order/{number}");
    News::Begun { id, url }
}

#[test]
fn a_certificate_that_can_not_be_used_is_judged_again_and_not_ordered_anew() {
    let mut shelf = Shelf::new("spoiled");
    let first = shelf.look(ONE, NOW).0.orders[0].clone();
    shelf.hear(begun(first.id, 1), NOW);
    // Our clock is behind.
    let ahead = NOW + 5 * HOUR;
    let chain = sign(shelf.store(), PAIR, ahead);
    let issued = |id, chain: &str| News::Issued {
        id,
        chain: chain.to_owned(),
    };
    assert!(!shelf.hear(issued(first.id, &chain), NOW).is_new);
    assert_eq!(shelf.state(NOW), (RenewalState::Failed, Some(NOW + HOUR)));
    let mut at = NOW;
    for tries in 0..3 {
        at += HOUR;
        shelf.restart();
        let order = shelf.look(ONE, at).0.orders[0].clone();
        assert!(order.begun.is_some(), "{tries}");
        if tries < 2 {
            assert!(!shelf.hear(issued(order.id, &chain), at).is_new);
        } else {
            assert!(shelf.hear(issued(order.id, &chain), ahead).is_new);
        }
    }
}

#[test]
fn a_certificate_that_can_never_be_used_is_ordered_rarely() {
    let mut shelf = Shelf::new("never");
    let (mut at, mut made) = (NOW, 0);
    while at < NOW + 7 * DAY {
        let (wanted, _) = shelf.look(ONE, at);
        if let [order] = wanted.orders.as_slice() {
            if order.begun.is_none() {
                made += 1;
                shelf.hear(begun(order.id, made), at);
            }
            let chain = sign(shelf.store(), &["a.example"], at);
            shelf.hear(
                News::Issued {
                    id: order.id,
                    chain,
                },
                at,
            );
        }
        at += 30 * 60;
    }
    assert!((2..=5).contains(&made), "{made}");
}

#[test]
fn an_order_that_is_stuck_is_not_taken_up_for_ever() {
    let mut shelf = Shelf::new("stuck");
    let first = shelf.look(ONE, NOW).0.orders[0].clone();
    shelf.hear(begun(first.id, 1), NOW);
    shelf.hear(failed(first.id, Blame::Unreachable), NOW);
    let mut at = NOW;
    for resumes in [true, true, true, false] {
        at += 3 * HOUR;
        shelf.restart();
        let order = shelf.look(ONE, at).0.orders[0].clone();
        assert_eq!(order.begun.is_some(), resumes);
        assert_eq!(order.request, first.request);
        shelf.hear(failed(order.id, Blame::Unreachable), at);
    }
    let order = shelf.look(ONE, at + DAY).0.orders[0].clone();
    shelf.hear(begun(order.id, 2), at + DAY);
    shelf.restart();
    let order = shelf.look(ONE, at + 2 * DAY + 1).0.orders[0].clone();
    assert_eq!(order.begun, None, "it is older than a day");
}

#[test]
fn edge_has_each_address_written_once_an_order() {
    let mut shelf = Shelf::new("writes");
    let order = shelf.look(ONE, NOW).0.orders[0].clone();
    let account = |number: u32| News::Account {
        directory: order.authority.directory.clone(),
        url: format!("https://ca.example/acct/{number}"),
    };
    for number in 1..4 {
        shelf.hear(begun(order.id, number), NOW);
        shelf.hear(account(number), NOW);
    }
    let known = shelf.book.wanted(NOW).orders[0].clone();
    assert_eq!(known.begun.as_deref(), Some("https://ca.example/order/1"));
    let url = known.authority.account.url;
    assert_eq!(url.as_deref(), Some("https://ca.example/acct/1"));
    shelf.hear(failed(order.id, Blame::Unreachable), NOW);
    shelf.look(ONE, NOW + HOUR);
    shelf.hear(account(2), NOW + HOUR);
    let next = shelf.book.wanted(NOW + HOUR).orders[0].clone();
    let url = next.authority.account.url;
    assert_eq!(url.as_deref(), Some("https://ca.example/acct/2"));
}

#[test]
fn a_clock_that_was_ahead_holds_nothing_up_once_it_is_right() {
    let mut shelf = Shelf::new("ahead");
    let ahead = NOW + 1500 * DAY;
    let order = shelf.look(ONE, ahead).0.orders[0].clone();
    shelf.hear(failed(order.id, Blame::Order), ahead);
    assert_eq!(shelf.look(ONE, NOW).0.orders.len(), 1);
    let mut shelf = Shelf::new("ahead-flight");
    shelf.look(ONE, ahead);
    shelf.look(ONE, NOW);
    let (wanted, events) = shelf.look(ONE, NOW + 3 * HOUR);
    assert!(wanted.orders.is_empty() && events.len() == 1, "given up");
}

#[test]
fn edge_is_given_little_at_a_time() {
    let mut shelf = Shelf::new("many");
    let names: Vec<String> = (0..10).map(|number| format!("n{number}.example")).collect();
    let text: String = names
        .iter()
        .map(|name| ONE.replace("\"b.example\", \"a.example\"", &format!("\"{name}\"")))
        .collect();
    for name in &names {
        let (wanted, _) = shelf.look(&text, NOW);
        assert!(wanted.orders.len() <= 8);
        let mut orders = wanted.orders.iter();
        let order = orders.find(|order| order.names[0] == *name).unwrap();
        assert!(issue(&mut shelf, order.id, &[name], NOW).is_new);
    }
    assert_eq!(shelf.look(&text, NOW).0.lookups.len(), 8);
}

#[test]
fn a_long_file_of_roots_is_refused_in_a_sentence() {
    let shelf = Shelf::new("roots");
    let text = format!("{ONE}directory_ca = \"roots.pem\"\n");
    let wanted = |length: usize| {
        let read = |_: &str| Ok("a".repeat(length));
        let store = shelf.store.as_ref().unwrap();
        wants(&config(&text), store, read).remove(0).terms
    };
    assert!(wanted(64 << 10).is_ok());
    assert!(wanted((64 << 10) + 1).unwrap_err().contains("64 KiB"));
}

#[test]
fn what_lacks_a_secret_is_not_ordered_and_says_so() {
    let mut shelf = Shelf::new("secret");
    assert!(shelf.look(DNS, NOW).0.orders.is_empty());
    let renewal = shelf.book.renewing(NOW)[0].renewal.clone();
    assert_eq!(renewal.state, RenewalState::Held);
    let text = renewal.text.unwrap();
    assert!(text.contains("gatehouse secret set tsig"), "{text}");
    assert_eq!(
        shelf.book.renew("*.a.example", NOW),
        Err(NotRenewed::Not(text))
    );
    shelf.store().set_secret("tsig", b"c2VjcmV0\n").unwrap();
    let order = shelf.look(DNS, NOW).0.orders[0].clone();
    let Proof::Dns01(dns) = &order.proof else {
        panic!("{:?}", order.proof);
    };
    assert_eq!(
        (dns.tsig_key.as_str(), dns.server.as_str()),
        ("c2VjcmV0", "192.0.2.53")
    );
}

#[test]
fn by_hand_it_is_ordered_at_once_within_the_limits_of_the_ca() {
    let mut shelf = Shelf::new("hand");
    let first = shelf.look(ONE, NOW).0.orders[0].clone();
    assert_eq!(
        shelf.book.renew("a.example", NOW),
        Err(NotRenewed::UnderWay)
    );
    assert_eq!(shelf.book.renew("x.example", NOW), Err(NotRenewed::Unknown));
    issue(&mut shelf, first.id, &["a.example", "b.example"], NOW);
    assert!(shelf.look(ONE, NOW + 1).0.orders.is_empty());
    shelf.book.renew("A.example.", NOW + 1).unwrap();
    let order = shelf.look(ONE, NOW + 1).0.orders[0].clone();
    let limited = News::Failed {
        id: order.id,
        failure: Failure {
            blame: Blame::Limited,
            text: "too many".to_owned(),
            retry_after: Some(3 * HOUR),
        },
    };
    shelf.hear(limited, NOW + 1);
    assert_eq!(
        shelf.book.renew("a.example", NOW + 2),
        Err(NotRenewed::Before(NOW + 1 + 3 * HOUR + 1))
    );
}

#[test]
fn a_ca_that_wants_it_renewed_earlier_is_heard_when_it_was_asked() {
    let mut shelf = Shelf::new("ari");
    let first = shelf.look(ONE, NOW).0.orders[0].clone();
    issue(&mut shelf, first.id, &["a.example", "b.example"], NOW);
    let lookup = shelf.look(ONE, NOW).0.lookups[0].clone();
    let window = |certificate: &str| News::Renewal {
        certificate: certificate.to_owned(),
        window: Window {
            start: NOW + 10 * DAY,
            end: NOW + 11 * DAY,
            explanation: None,
            ask_again: Some(6 * HOUR),
        },
    };
    shelf.hear(window("another"), NOW);
    assert_eq!(shelf.look(ONE, NOW).0.lookups.len(), 1);
    let heard = shelf.hear(window(&lookup.certificate), NOW);
    assert_eq!(heard.events.len(), 1, "the operator is told");
    assert_eq!(
        shelf.state(NOW),
        (RenewalState::Planned, Some(NOW + 10 * DAY))
    );
    assert!(shelf.look(ONE, NOW + HOUR).0.lookups.is_empty());
    assert_eq!(shelf.look(ONE, NOW + 6 * HOUR).0.lookups.len(), 1);
    assert_eq!(shelf.look(ONE, NOW + 10 * DAY).0.orders.len(), 1);
}

#[test]
fn an_order_that_nobody_hears_of_is_given_up() {
    let mut shelf = Shelf::new("silence");
    let first = shelf.look(ONE, NOW).0.orders[0].clone();
    let (wanted, events) = shelf.look(ONE, NOW + 3 * HOUR);
    assert!(wanted.orders.is_empty() && events.len() == 1);
    let next = shelf.look(ONE, NOW + 3 * HOUR + 60).0.orders[0].clone();
    assert!(next.id != first.id && next.request == first.request);
}

#[test]
fn the_end_of_a_certificate_is_told_once_a_stage() {
    let mut shelf = Shelf::new("ends");
    let ca = Ca::create("ours", judge::at(NOW)).unwrap();
    let material = Material {
        line: Some(9),
        ..ca.issue(&["a.example"], Usage::Server, judge::at(NOW))
            .unwrap()
    };
    let until = judge::seconds(certs::validity(&material).unwrap().not_after);
    let shown = [material];
    let told = |shelf: &mut Shelf, shown: &[Material], at| {
        let store = shelf.store.as_mut().unwrap();
        shelf.book.judge_ends(shown, store, at).len()
    };
    assert_eq!(told(&mut shelf, &shown, until - 31 * DAY), 0);
    for days in [30, 14, 7, 1] {
        assert_eq!(told(&mut shelf, &shown, until - days * DAY), 1, "{days}");
        shelf.restart();
        let later = until - days * DAY + HOUR;
        assert_eq!(told(&mut shelf, &shown, later), 0, "{days}");
    }
    assert_eq!(told(&mut shelf, &shown, until + 1), 1);
    let temporary = Material {
        temporary: true,
        ..shown[0].clone()
    };
    assert_eq!(told(&mut shelf, &[temporary], until), 0);
}

#[test]
fn the_step_of_an_order_is_shown_and_changes_nothing_else() {
    let mut shelf = Shelf::new("steps");
    let id = shelf.look(ONE, NOW).0.orders[0].id;
    let step = |shelf: &Shelf| shelf.book.renewing(NOW)[0].renewal.step;
    assert_eq!(step(&shelf), None);
    let wanted = shelf.book.wanted(NOW);
    let news = |id, step| News::Step { id, step };
    let heard = shelf.hear(news(id, Step::Proofs), NOW);
    assert!(heard.events.is_empty() && !heard.is_new);
    assert_eq!(step(&shelf), Some(OrderStep::Proofs));
    shelf.hear(news(OrderId(99), Step::Order), NOW);
    assert_eq!(step(&shelf), Some(OrderStep::Proofs), "that of another");
    assert_eq!(shelf.book.wanted(NOW), wanted);
}

#[test]
fn what_is_damaged_is_laid_aside() {
    let mut shelf = Shelf::new("damaged");
    shelf.store().set_blob("acme/issued.json", b"{").unwrap();
    shelf.restart();
    assert_eq!(
        shelf.store().blob("acme/issued.damaged").unwrap().unwrap(),
        b"{"
    );
    assert_eq!(shelf.look(ONE, NOW).0.orders.len(), 1);
    assert_eq!(KeyKind::default(), KeyKind::P256);
}

#[test]
fn what_an_order_waits_for_is_told_once() {
    let mut shelf = Shelf::new("note");
    let id = shelf.look(ONE, NOW).0.orders[0].id;
    let note = |id| News::Note {
        id,
        text: "waits ".repeat(1000),
    };
    assert!(shelf.hear(note(OrderId(99)), NOW).events.is_empty());
    let told = shelf.hear(note(id), NOW).events;
    assert!(
        matches!(&told[..], [Event::Certificate { text, .. }] if text.len() < 1100),
        "{told:?}"
    );
    assert!(shelf.hear(note(id), NOW).events.is_empty());
}
