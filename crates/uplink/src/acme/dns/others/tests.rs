use super::super::message::{IN, TXT, put, question};
use super::ask::said;
use super::*;
use tokio::net::UdpSocket;

const NAME: &str = "_acme-challenge.hq.example";
/// The flag of who answers for the zone, and none.
const SURE: u8 = 4;
const VAGUE: u8 = 0;

/// An answer with these flags and code, and one TXT record where there is a text.
fn answer(asked: &[u8], flags: u8, code: u8, record: Option<&[u8]>) -> Vec<u8> {
    let mut out = asked.to_vec();
    out[2] |= 0x80 | flags;
    out[3] = code;
    if let Some(text) = record {
        out[7] = 1;
        let length = u16::try_from(text.len()).unwrap();
        put(&mut out, &[0xc00c, TXT, IN, 0, 60, length + 1]);
        out.push(u8::try_from(length).unwrap());
        out.extend_from_slice(text);
    }
    out
}

/// A name server that sends these answers to each question.
async fn server(answers: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut asked = vec![0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut asked).await {
            for answer in answers(&asked[..length]) {
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    });
    address
}

fn part(address: SocketAddr, name: &str) -> Part {
    let server = Server {
        name: "ns.example".into(),
        address,
    };
    Part {
        server,
        open: vec![(name.into(), "wanted".into())],
        lacks: false,
    }
}

#[test]
fn only_who_answers_for_the_zone_lacks_a_record() {
    let asked = question(7, NAME, TXT).unwrap();
    let answer = |flags, code, record| answer(&asked, flags, code, record);
    for (message, expected) in [
        (answer(SURE, 0, Some(b"wanted")), Said::Here),
        (answer(SURE, 0, Some(b"older")), Said::NotHere),
        (answer(SURE, 0, None), Said::NotHere),
        (answer(SURE, 3, None), Said::NotHere),
        (answer(SURE, 2, None), Said::Nothing),
        (answer(VAGUE, 5, None), Said::Nothing),
        // Somebody who only remembers.
        (answer(VAGUE, 0, Some(b"wanted")), Said::Nothing),
        (vec![0; 12], Said::Nothing),
    ] {
        assert_eq!(said(&message, NAME, "wanted"), expected, "{message:?}");
    }
    let message = answer(SURE, 0, Some(b"wanted"));
    assert_eq!(said(&message, "hq.example", "wanted"), Said::NotHere);
    assert_eq!(
        said(&message, &NAME.to_uppercase(), "wanted"),
        Said::Here,
        "names have no case"
    );
}

#[tokio::test]
async fn only_an_answer_that_repeats_the_question_counts() {
    let address = server(|asked| {
        let number = u16::from_be_bytes([asked[0], asked[1]]);
        let other = question(number, "_acme-challenge.b.example", TXT).unwrap();
        let stranger = question(!number, NAME, TXT).unwrap();
        let mut bare = answer(asked, SURE, 3, None);
        bare.truncate(12);
        bare[5] = 0;
        vec![
            answer(&other, SURE, 3, None),
            answer(&stranger, SURE, 3, None),
            bare,
            Vec::new(),
            answer(&asked.to_ascii_uppercase(), SURE, 0, Some(b"wanted")),
        ]
    })
    .await;
    assert_eq!(ask(address, NAME, "wanted").await, Said::Here);
}

#[tokio::test]
async fn many_silent_servers_keep_nobody_beyond_the_limit() {
    let mut parts = Vec::new();
    let mut mute = Vec::new();
    for _ in 1..AT_ONCE {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        parts.push(part(socket.local_addr().unwrap(), NAME));
        mute.push(socket);
    }
    let late = server(|asked| vec![answer(asked, SURE, 3, None)]).await;
    parts.push(part(late, NAME));
    // Less than one of them is given.
    let limit = Duration::from_secs(1);
    let begun = Instant::now();
    look(&mut parts, begun + limit).await;
    assert!(begun.elapsed() < limit * 2, "{:?}", begun.elapsed());
    assert_eq!(parts.len(), AT_ONCE);
    let lacking = parts.iter().filter(|part| part.lacks);
    let lacking: Vec<SocketAddr> = lacking.map(|part| part.server.address).collect();
    assert_eq!(lacking, [late]);
}

#[tokio::test]
async fn who_does_not_serve_one_zone_is_asked_for_another() {
    let address = server(|asked| {
        let is_served = asked.windows(2).any(|label| label == b"hq");
        let (flags, code) = if is_served { (SURE, 3) } else { (VAGUE, 5) };
        vec![answer(asked, flags, code, None)]
    })
    .await;
    let mut parts = vec![
        part(address, "_acme-challenge.b.example"),
        part(address, NAME),
    ];
    look(&mut parts, Instant::now() + PATIENCE).await;
    let lacks: Vec<bool> = parts.iter().map(|part| part.lacks).collect();
    assert_eq!(lacks, [false, true]);
    // Who lacked it is waited for through a moment of silence.
    let mute = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    parts[1].server.address = mute.local_addr().unwrap();
    look(&mut parts, Instant::now() + Duration::from_millis(100)).await;
    assert!(parts[1].lacks);
    let has = server(|asked| vec![answer(asked, SURE, 0, Some(b"wanted"))]).await;
    parts[1].server.address = has;
    look(&mut parts, Instant::now() + PATIENCE).await;
    assert_eq!(parts.len(), 1);
}

#[test]
fn a_zone_leads_to_other_machines_only() {
    for (address, expected) in [
        ("192.0.2.1", true),
        ("192.168.0.1", true),
        ("2001:db8::1", true),
        ("fd00::1", true),
        ("0.0.0.0", false),
        ("0.0.0.1", false),
        ("127.0.0.53", false),
        ("169.254.169.254", false),
        ("224.0.0.251", false),
        ("255.255.255.255", false),
        ("::", false),
        ("::1", false),
        ("::ffff:127.0.0.1", false),
        ("fe80::1", false),
        ("ff02::fb", false),
    ] {
        assert_eq!(
            is_elsewhere(address.parse().unwrap()),
            expected,
            "{address}"
        );
    }
}

#[test]
fn what_is_left_is_said_of_each_server_once() {
    let of = |number: u8, lacks| Part {
        server: Server {
            name: format!("ns{number}.example"),
            address: SocketAddr::from(([192, 0, 2, number], PORT)),
        },
        lacks,
        ..part(SocketAddr::from(([192, 0, 2, 0], PORT)), NAME)
    };
    assert_eq!(remark(&[]), None);
    let said = remark(&[of(1, true), of(2, false), of(1, true)]);
    assert_eq!(
        said.unwrap(),
        "after 2 minutes these name servers did not have it yet: ns1.example (192.0.2.1); have the primary notify them; \
         these name servers did not answer for the zone: ns2.example (192.0.2.2)"
    );
}
