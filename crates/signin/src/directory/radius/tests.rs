//! Against a server of a few lines, which does what no real one does.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use config::{AccessKind, Login};
use guard::entrance::Typed;
use net::resolve::Names;
use proto::radius::{Answer as Said, Nonce, Verdict};

use super::*;
use crate::directory::Person;

const SECRET: &[u8] = b"a shared secret";

/// Packets that the server answers a request with.
type Reply = Box<dyn FnMut(&Asked) -> Vec<Vec<u8>> + Send>;

/// A request as the server sees it.
struct Asked {
    packet: Vec<u8>,
    nonce: Nonce,
}

impl Asked {
    fn say(&self, verdict: Verdict, attributes: &[(u8, &[u8])]) -> Vec<u8> {
        Said::write(verdict, attributes, &self.nonce, SECRET)
    }

    fn holds(&self, bytes: &[u8]) -> bool {
        self.packet.windows(bytes.len()).any(|part| part == bytes)
    }
}

/// A server on a port of its own.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    ends: UdpSocket,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(mut reply: Reply) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let ends = UdpSocket::bind("127.0.0.1:0").unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sees = Arc::clone(&seen);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((len, from)) = socket.recv_from(&mut buffer) {
                if len == 0 {
                    return;
                }
                let packet = buffer[..len].to_vec();
                sees.lock().unwrap().push(packet.clone());
                let nonce = Nonce {
                    identifier: packet[1],
                    authenticator: packet[4..20].try_into().unwrap(),
                };
                for answer in reply(&Asked { packet, nonce }) {
                    socket.send_to(&answer, from).unwrap();
                }
            }
        });
        Self {
            address,
            seen,
            ends,
            thread: Some(thread),
        }
    }

    fn seen(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.send_to(&[], self.address).unwrap();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn server(reply: impl FnMut(&Asked) -> Vec<Vec<u8>> + Send + 'static) -> Server {
    Server::start(Box::new(reply))
}

fn silent() -> Server {
    server(|_| Vec::new())
}

fn accepting() -> Server {
    server(|asked| vec![asked.say(Verdict::Accept, &[])])
}

/// A login at these servers that waits 200 ms, twice.
fn radius(servers: &[&str], more: &str) -> Radius {
    let (first, others) = servers.split_first().unwrap();
    let text = format!(
        "schema = 1\n[access.sso]\nkind = \"sso\"\nlogin = \"radius\"\n\
         session = {{ domain = \"example.com\" }}\n\
         radius = {{ server = \"{first}\", others = {others:?}, shared = {{ secret = \"radius\" }}, \
         timeout = \"200ms\"{more} }}\n"
    );
    let checked = config::check(&text, "x.toml").unwrap_or_else(|faults| panic!("{faults}"));
    let AccessKind::Sso(sso) = &checked.config.access[0].kind else {
        panic!("no sso")
    };
    let Login::Radius(login) = &sso.login else {
        panic!("no radius")
    };
    let names = Names::from_texts("", "127.0.0.1 radius.example\n");
    Radius::new(login, SECRET, names, "gate.example.com")
}

fn at(servers: &[&Server]) -> Radius {
    let texts: Vec<_> = servers
        .iter()
        .map(|server| server.address.to_string())
        .collect();
    radius(&texts.iter().map(|text| &**text).collect::<Vec<_>>(), "")
}

fn typing(user: &str, password: &str) -> Typing {
    Typing {
        user: user.to_owned(),
        password: Typed::from(password.to_owned()),
        client: "192.0.2.7".parse().unwrap(),
    }
}

fn person(answer: Answer) -> Person {
    match answer {
        Answer::Known(person) => person,
        other => panic!("{other:?}"),
    }
}

fn refusal(answer: Answer) -> String {
    match answer {
        Answer::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

/// Server and reason of a fault.
fn why(result: Result<Answer, Fault>) -> (String, String) {
    match result.unwrap_err() {
        Fault::Unreachable { server, why } => (server, why),
        other @ Fault::Unfit { .. } => panic!("{other}"),
    }
}

#[tokio::test]
async fn who_is_let_in_has_the_name_and_the_groups_of_the_server() {
    let one = server(|asked| {
        let said: &[(u8, &[u8])] = &[
            (1, b"Nemo"),
            (11, b"pbx-users"),
            (11, b"\xff\xfe"),
            (11, b"a\nb"),
            (25, b"OU=staff"),
            (11, b" admins "),
            (11, b"pbx-users"),
        ];
        vec![asked.say(Verdict::Accept, said)]
    });
    let known = at(&[&one]).sign_in(&typing("nemo", "x")).await.unwrap();
    let expected = Person {
        is_named: true,
        user: "Nemo".to_owned(),
        groups: vec!["pbx-users".to_owned(), "admins".to_owned()],
    };
    assert_eq!(person(known), expected);
    // A server that is named, and groups in the other attribute.
    let text = format!("radius.example:{}", one.address.port());
    let login = radius(&[&text], ", groups_attribute = \"class\"");
    let known = login.sign_in(&typing("nemo", "x")).await.unwrap();
    assert_eq!(person(known).groups, ["OU=staff"]);
    let plain = accepting();
    let known = at(&[&plain]).sign_in(&typing("nemo", "x")).await.unwrap();
    let expected = Person {
        is_named: false,
        user: "nemo".to_owned(),
        groups: Vec::new(),
    };
    assert_eq!(person(known), expected);
}

#[tokio::test]
async fn who_is_kept_out_is_told_nothing_and_the_operator_what_the_server_says() {
    let one = server(|asked| {
        let said: &[(u8, &[u8])] = &[(18, b"locked\r\nsince"), (18, b"Monday")];
        vec![asked.say(Verdict::Reject, said)]
    });
    let login = at(&[&one]);
    let answer = login.sign_in(&typing("nemo", "x")).await.unwrap();
    assert_eq!(refusal(answer), "the server says no: locked since Monday");
    // What RADIUS can not carry is asked nobody.
    let before = one.seen().len();
    for (user, password) in [("nemo", "x".repeat(129)), ("nemo", "\0".to_owned())] {
        let answer = login.sign_in(&typing(user, &password)).await.unwrap();
        refusal(answer);
    }
    let answer = login.sign_in(&typing(&"ß".repeat(127), "x")).await;
    refusal(answer.unwrap());
    assert_eq!(one.seen().len(), before);
}

#[tokio::test]
async fn the_answer_to_a_question_goes_to_whoever_has_asked() {
    let (first, second) = (
        silent(),
        server(|asked| {
            let said = if asked.holds(b"\x18\x05a\nb") {
                asked.say(Verdict::Accept, &[])
            } else {
                asked.say(Verdict::Challenge, &[(18, b"Code?"), (24, b"a\nb")])
            };
            vec![said]
        }),
    );
    let login = at(&[&first, &second]);
    let Answer::Asks(question) = login.sign_in(&typing("nemo", "x")).await.unwrap() else {
        panic!("no question")
    };
    assert_eq!(question.prompt, "Code?");
    let before = first.seen().len();
    let answer = login
        .answer(&typing("nemo", "123456"), &question.state)
        .await;
    assert_eq!(person(answer.unwrap()).user, "nemo");
    assert_eq!(first.seen().len(), before);
    // Where the configuration has another server by now, nobody knows about the question.
    let changed = at(&[&first]);
    let (server, why) = why(changed.answer(&typing("nemo", "1"), &question.state).await);
    assert_eq!(server, second.address.to_string());
    assert!(why.contains("not in the configuration"), "{why}");
}

#[tokio::test]
async fn what_proves_nothing_is_as_if_it_had_not_come() {
    // All that a forger can send without the secret, and a refusal that is as little worth; then the server itself.
    let one = server(|asked| {
        let mut other = asked.nonce;
        other.authenticator[0] ^= 1;
        let mut refusal = Said::write(Verdict::Reject, &[], &asked.nonce, b"another secret");
        let forged = refusal.clone();
        refusal[1] ^= 1;
        vec![
            forged,
            refusal,
            Said::write(Verdict::Accept, &[], &other, SECRET),
            without_proof(asked),
            Vec::from(&b"x"[..]),
            asked.say(Verdict::Accept, &[(11, b"real")]),
        ]
    });
    let answer = at(&[&one]).sign_in(&typing("nemo", "x")).await.unwrap();
    assert_eq!(person(answer).groups, ["real"]);
    let blast = server(|asked| vec![without_proof(asked)]);
    let (_, reason) = why(at(&[&blast]).sign_in(&typing("nemo", "x")).await);
    let expected =
        "no answer in 400ms, but 2 that can not be believed: it has no Message-Authenticator";
    assert_eq!(reason, expected);
    let wrong = server(|asked| vec![Said::write(Verdict::Accept, &[], &asked.nonce, b"other")]);
    let (_, reason) = why(at(&[&wrong]).sign_in(&typing("nemo", "x")).await);
    assert!(
        reason.ends_with("as with another shared secret"),
        "{reason}"
    );
}

/// An Access-Accept whose Response Authenticator is right, and which has nothing else: that of CVE-2024-3596.
fn without_proof(asked: &Asked) -> Vec<u8> {
    let mut packet = vec![2, asked.nonce.identifier, 0, 20];
    let digest = md5(&[packet.as_slice(), &asked.nonce.authenticator, SECRET].concat());
    packet.extend(digest);
    packet
}

fn md5(bytes: &[u8]) -> [u8; 16] {
    use md5::Digest as _;
    md5::Md5::digest(bytes).into()
}

#[tokio::test]
async fn a_lost_packet_is_sent_again_as_it_was() {
    let mut first = true;
    let one = server(move |asked| {
        if std::mem::replace(&mut first, false) {
            return Vec::new();
        }
        vec![asked.say(Verdict::Accept, &[])]
    });
    let answer = at(&[&one]).sign_in(&typing("nemo", "x")).await;
    person(answer.unwrap());
    let seen = one.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], seen[1]);
    // Another login is another packet, with another authenticator.
    person(at(&[&one]).sign_in(&typing("nemo", "x")).await.unwrap());
    assert_ne!(one.seen()[2][4..20], seen[0][4..20]);
}

#[tokio::test]
async fn where_one_is_silent_the_next_is_asked_and_first_from_then_on() {
    let (first, second) = (silent(), accepting());
    let login = at(&[&first, &second]);
    person(login.sign_in(&typing("nemo", "x")).await.unwrap());
    assert_eq!(first.seen().len(), 2);
    let start = Instant::now();
    person(login.sign_in(&typing("nemo", "x")).await.unwrap());
    assert_eq!((first.seen().len(), second.seen().len()), (2, 2));
    assert!(start.elapsed() < Duration::from_millis(400));
}

#[tokio::test]
async fn where_nobody_answers_each_says_why() -> io::Result<()> {
    // A port that was free a moment ago.
    let gone = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
    let (server, reason) = why(radius(&[&gone.to_string()], "")
        .sign_in(&typing("n", "x"))
        .await);
    assert_eq!(server, gone.to_string());
    assert!(reason.contains("refused"), "{reason}");
    let quiet = silent();
    let texts = [gone.to_string(), quiet.address.to_string()];
    let login = radius(&[&texts[0], &texts[1], "nowhere.example"], ", tries = 1");
    let (servers, reason) = why(login.sign_in(&typing("n", "x")).await);
    assert_eq!(
        servers,
        format!("{}, {}, nowhere.example", texts[0], texts[1])
    );
    assert!(
        reason.contains(&format!("{}: no answer in 200ms", texts[1])),
        "{reason}"
    );
    Ok(())
}
