use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::*;
use crate::totp::TotpSecret;

const SECOND: Duration = Duration::from_secs(1);

fn name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

fn user(role: Role) -> User {
    User::new(role, PasswordHash::cheap("correct horse"), 1_795_225_367)
}

#[allow(clippy::unnecessary_wraps, reason = "what the tries are given")]
fn address(text: &str) -> Option<Origin> {
    Some(Origin::outside(text.parse().unwrap()))
}

/// Bytes that differ from number to number.
fn bytes<const N: usize>(number: u64) -> [u8; N] {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    [(); N].map(|()| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
}

#[test]
fn a_name_can_end_no_line_no_tag_and_no_word() {
    for (text, kept) in [
        ("anna", "anna"),
        ("Anna.Berg", "anna.berg"),
        ("a", "a"),
        ("anna_b-2@hq.example", "anna_b-2@hq.example"),
    ] {
        assert_eq!(name(text).as_str(), kept);
    }
    let long = "a".repeat(LONGEST_NAME + 1);
    for text in [
        "",
        " ",
        "1anna",
        ".anna",
        "-rf",
        "anna berg",
        "anna\n",
        "anna\0",
        "anna\u{1b}[31m",
        "<img>",
        "a&b",
        "a\"b",
        "a'b",
        "a/b",
        "a:b",
        "jürgen",
        "аnna",
        "anna\u{202e}",
        &long,
    ] {
        assert_eq!(UserName::new(text), Err(BadName), "{text:?}");
        assert!(!BadName.to_string().contains(text) || text.trim().len() < 2);
    }
}

#[test]
fn passwords_that_everybody_guesses_are_not_taken() {
    let of = |password: &str| check_password(password, "anna", "gate-hq.example");
    for password in [
        "correct horse",
        "  spaces count ",
        "gate-hq is not enough",
        "jürgens läden",
        "anna1234bella",
        "密码很长没有人猜得到它",
    ] {
        assert_eq!(of(password), Ok(()), "{password}");
    }
    let longest = "ab cdefgh ".repeat(25) + "123456";
    assert_eq!(of(&longest), Ok(()));
    for (password, fault) in [
        ("", PasswordFault::Short),
        ("ninechars", PasswordFault::Short),
        ("ääääääääß", PasswordFault::Short),
        (&(longest + "7"), PasswordFault::Long),
        (&"x".repeat(1_000_000), PasswordFault::Long),
        ("correct\nhorse", PasswordFault::Control),
        ("correct\0horse", PasswordFault::Control),
        ("aaaaaaaaaaaa", PasswordFault::Monotonous),
        ("abababababab", PasswordFault::Monotonous),
        ("annaanna123", PasswordFault::Name),
        ("Anna-123456", PasswordFault::Name),
        ("GATE-HQ.EXAMPLE", PasswordFault::Name),
        ("gate-hq2026!", PasswordFault::Name),
        ("1234567890", PasswordFault::Common),
        ("Password123", PasswordFault::Common),
        ("Passwort1234", PasswordFault::Common),
        ("qwertzuiop", PasswordFault::Common),
    ] {
        assert_eq!(of(password), Err(fault), "{password:.40}");
        assert!(!fault.to_string().contains(password) || password.is_empty());
    }
}

#[test]
fn a_hash_is_argon2id_as_others_write_it() {
    // From the tests of the reference implementation of RFC 9106.
    let text =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let hash = PasswordHash::try_from(text.to_owned()).unwrap();
    assert!(hash.matches("password"));
    assert!(!hash.matches("Password"));
    assert!(hash.is_outdated());
    assert_eq!(String::from(hash), text);
    let own = PasswordHash::of("correct horse", bytes(1));
    let text = String::from(own.clone());
    assert!(
        text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{text}"
    );
    assert!(own.matches("correct horse") && !own.matches("") && !own.is_outdated());
    assert_ne!(PasswordHash::of("correct horse", bytes(2)), own);
    assert!(!PasswordHash::of_nobody().is_outdated());
}

#[test]
fn a_kept_hash_can_neither_be_another_kind_nor_cost_hours() {
    let good = String::from(PasswordHash::cheap("x"));
    assert!(PasswordHash::try_from(good.clone()).is_ok());
    for (from, to) in [
        ("argon2id", "argon2i"),
        ("argon2id", "argon2d"),
        ("v=19", "v=16"),
        ("m=8", "m=4194304"),
        ("m=8", "m=7"),
        ("m=8", "m=-1"),
        ("t=1", "t=0"),
        ("t=1", "t=100000"),
        ("p=1", "p=0"),
        ("p=1", "p=16777215"),
        ("p=1", "p=1,x=1"),
        ("$m", "$$m"),
        ("BwcHBwcHBwcHBwcHBwcHBw", "BwcH"),
        ("BwcHBwcHBwcHBwcHBwcHBw", ""),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good, "{from}");
        assert!(PasswordHash::try_from(bad).is_err(), "{from} {to}");
    }
    for end in [1, 10, 40, good.len() - 1] {
        assert!(PasswordHash::try_from(good[..end].to_owned()).is_err());
    }
    assert!(PasswordHash::try_from(good + "AAAA").is_err());
}

#[test]
fn codes_are_read_as_people_type_them() {
    let code = Code::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 31, 32, 255]);
    let shown = code.to_string();
    assert_eq!(shown, "ABCD-EFGH-J9A9");
    for typed in [
        shown.as_str(),
        "abcdefghj9a9",
        " abcd efgh j9a9 ",
        "A-B-C-D-EFGHJ9A9",
    ] {
        assert!(Code::typed(typed).unwrap().matches(&code), "{typed}");
    }
    for typed in [
        "",
        "ABCD-EFGH-J9A",
        "ABCD-EFGH-J9A9A",
        "ABCD-EFGH-J9A0",
        "ABCD-EFGH-J9Aé",
        "1",
    ] {
        assert!(Code::typed(typed).is_none(), "{typed}");
    }
    assert!(Code::typed(&"A".repeat(1_000_000)).is_none());
    assert!(Code::typed(&"é".repeat(63)).is_none());
    assert!(!Code::typed("ABCD-EFGH-J9A8").unwrap().matches(&code));
    assert_eq!(format!("{code:?}"), "Code(..)");
}

#[test]
fn a_claim_code_is_good_once_for_half_an_hour_and_five_wrong_tries() {
    let start = Instant::now();
    let mut claim = Claim::default();
    assert!(matches!(
        claim.take("ABCD-EFGH-JKLM", start),
        Claimed::NoCode
    ));
    let (code, until) = claim.show(bytes(1), start);
    let first = code.to_string();
    assert_eq!(until, start + CLAIM_LIFE);
    // Whoever looks again sees the same.
    let later = start + CLAIM_LIFE.saturating_sub(SECOND);
    assert_eq!(claim.show(bytes(2), later).0.to_string(), first);
    for left in [4, 3, 2, 1] {
        let wrong = claim.take("ABCD-EFGH-JKLM", later);
        assert!(
            matches!(wrong, Claimed::Wrong { left: now } if now == left),
            "{wrong:?}"
        );
    }
    let Claimed::Right(taken) = claim.take(&first, later) else {
        panic!("it is the code");
    };
    assert!(matches!(claim.take(&first, later), Claimed::NoCode));
    claim.give_back(taken);
    // What was tried wrongly before still counts.
    assert!(matches!(claim.take("", later), Claimed::Wrong { left: 0 }));
    assert!(matches!(claim.take(&first, later), Claimed::NoCode));
    let second = claim.show(bytes(3), later).0.to_string();
    assert_ne!(second, first);
    let over = later + CLAIM_LIFE;
    assert!(matches!(claim.take(&second, over), Claimed::NoCode));
    let third = claim.show(bytes(4), over).0.to_string();
    claim.clear();
    assert!(matches!(claim.take(&third, over), Claimed::NoCode));
}

#[test]
fn a_code_of_an_app_is_taken_once_and_only_about_its_time() {
    let secret = TotpSecret::new(bytes(7));
    let at = 1_795_225_380_u64;
    for (offset, taken) in [
        (-60, false),
        (-30, true),
        (0, true),
        (30, true),
        (60, false),
    ] {
        let code = secret.code_at(at.saturating_add_signed(offset));
        assert_eq!(secret.step_of(&code, at, 0).is_some(), taken, "{offset}");
    }
    let (mut totp, _) = Totp::begin(secret.clone(), 0, [bytes(1); RECOVERY_CODES]);
    let (early, now) = (secret.code_at(at - 30), secret.code_at(at));
    assert!(totp.take(&now, at));
    assert!(!totp.take(&now, at), "the same again");
    assert!(!totp.take(&now, at + 29), "the same in the next step");
    assert!(!totp.take(&early, at), "one before it");
    assert!(totp.take(&secret.code_at(at + 30), at));
    for typed in [
        "",
        "00000",
        "0000000",
        "+12345",
        "-00001",
        "12 34",
        "१२३४५६",
        "1e5   ",
    ] {
        assert!(!totp.take(typed, at + 300), "{typed}");
    }
    let spaced = secret.code_at(at + 300);
    assert!(totp.take(&format!("{} {}", &spaced[..3], &spaced[3..]), at + 300));
}

#[test]
fn a_recovery_code_is_good_once() {
    let random = std::array::from_fn(|number| bytes(number as u64));
    let (mut totp, codes) = Totp::begin(TotpSecret::new(bytes(7)), 0, random);
    assert_eq!((codes.len(), totp.recovery_codes_left()), (10, 10));
    let kept = serde_json::to_string(&totp).unwrap();
    for (left, code) in (0..10).rev().zip(&codes) {
        let typed = code.to_string();
        assert!(!kept.contains(&typed) && !kept.contains(&typed.replace('-', "")));
        assert!(totp.take(&typed.to_lowercase(), 0));
        assert!(!totp.take(&typed, 0));
        assert_eq!(totp.recovery_codes_left(), left);
    }
}

#[test]
fn a_session_ends_when_it_is_not_used_and_after_half_a_day() {
    let start = Instant::now();
    let mut sessions = Sessions::default();
    let token = Token::new(bytes(1));
    let id = sessions.begin(&token, name("anna"), None, start).id;
    let mut at = start;
    let almost = IDLE.saturating_sub(SECOND);
    while at + almost < start + LIFE {
        at += almost;
        assert_eq!(sessions.of(&token, at).unwrap().id, id);
    }
    assert!(
        sessions.of(&token, start + LIFE).is_none(),
        "half a day is over"
    );
    let token = Token::new(bytes(2));
    let id = sessions.begin(&token, name("anna"), None, at).id;
    // Being looked at is no use.
    assert!(sessions.get(id, at + almost).is_some());
    // A look of a clock is answered and keeps nothing alive.
    assert!(sessions.known(&token, at + almost).is_some());
    assert!(sessions.get(id, at + IDLE).is_none());
    assert!(sessions.of(&token, at + IDLE).is_none());
}

#[test]
fn a_token_can_not_be_guessed_nor_read_from_what_is_kept() {
    let now = Instant::now();
    let mut sessions = Sessions::default();
    let token = Token::new(bytes(1));
    sessions.begin(&token, name("anna"), None, now);
    let text = token.text();
    assert_eq!(text.len(), 43);
    assert!(sessions.of(&Token::read(&text).unwrap(), now).is_some());
    let debug = format!("{sessions:?} {token:?}");
    assert!(!debug.contains(&text), "{debug}");
    for wrong in [
        "",
        "x",
        &text[1..],
        &format!("{text}A"),
        &format!("{text}="),
        &"é".repeat(43),
        &"/".repeat(43),
    ] {
        assert!(Token::read(wrong).is_none(), "{wrong}");
    }
    // One bit in each place.
    for place in 0..TOKEN_BYTES {
        let mut other = bytes(1);
        other[place] ^= 1;
        assert!(sessions.of(&Token::new(other), now).is_none());
    }
}

#[test]
fn sessions_have_an_end_in_number_and_the_oldest_goes() {
    let now = Instant::now();
    let mut sessions = Sessions::default();
    for number in 0..20 {
        sessions.begin(&Token::new(bytes(number)), name("anna"), None, now);
    }
    assert_eq!(sessions.iter(now).count(), MAX_SESSIONS_OF_USER);
    assert!(sessions.of(&Token::new(bytes(3)), now).is_none());
    assert!(sessions.of(&Token::new(bytes(4)), now).is_some());
    for number in 0..200 {
        let user = name(&format!("user{number}"));
        sessions.begin(&Token::new(bytes(1000 + number)), user, None, now);
    }
    assert_eq!(sessions.iter(now).count(), MAX_SESSIONS);
    assert!(sessions.of(&Token::new(bytes(19)), now).is_none());
    assert!(sessions.of(&Token::new(bytes(1199)), now).is_some());
    let mut numbers: Vec<_> = sessions.iter(now).map(|session| session.id).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), MAX_SESSIONS, "no name is given twice");
}

#[test]
fn sessions_of_one_user_end_together_but_for_one() {
    let now = Instant::now();
    let mut sessions = Sessions::default();
    let ids: Vec<_> = ["anna", "bert", "anna"]
        .into_iter()
        .zip(0..)
        .map(|(user, number)| {
            sessions
                .begin(&Token::new(bytes(number)), name(user), None, now)
                .id
        })
        .collect();
    sessions.end_of(&name("anna"), Some(ids[2]));
    let left: Vec<_> = sessions.iter(now).map(|session| session.id).collect();
    assert_eq!(left, ids[1..]);
    assert!(sessions.end(ids[1]) && !sessions.end(ids[1]));
    sessions.end_of(&name("anna"), None);
    assert_eq!(sessions.iter(now).count(), 0);
}

#[test]
fn the_last_admin_stays() {
    let mut users = Users::default();
    assert!(!users.is_claimed());
    for role in [Role::Viewer, Role::Operator] {
        assert_eq!(
            users.add(name("anna"), user(role)),
            Err(UserFault::FirstAdmin)
        );
        assert!(!users.is_claimed());
    }
    users.add(name("anna"), user(Role::Admin)).unwrap();
    users.add(name("bert"), user(Role::Operator)).unwrap();
    assert_eq!(
        users.add(name("Anna"), user(Role::Viewer)),
        Err(UserFault::Exists)
    );
    assert_eq!(users.remove(&name("anna")), Err(UserFault::LastAdmin));
    assert_eq!(
        users.set_role(&name("anna"), Role::Viewer),
        Err(UserFault::LastAdmin)
    );
    assert_eq!(users.set_role(&name("anna"), Role::Admin), Ok(()));
    assert_eq!(
        users.set_role(&name("carl"), Role::Admin),
        Err(UserFault::Unknown)
    );
    users.set_role(&name("bert"), Role::Admin).unwrap();
    users.set_role(&name("anna"), Role::Viewer).unwrap();
    assert_eq!(users.remove(&name("bert")), Err(UserFault::LastAdmin));
    users.remove(&name("anna")).unwrap();
    assert_eq!(users.remove(&name("anna")), Err(UserFault::Unknown));
    for number in 1..MAX_USERS {
        users
            .add(name(&format!("u{number}")), user(Role::Viewer))
            .unwrap();
    }
    assert_eq!(
        users.add(name("more"), user(Role::Viewer)),
        Err(UserFault::Full)
    );
}

#[test]
fn users_are_kept_whole_and_nothing_else_is_taken_for_them() {
    let mut users = Users::default();
    let mut anna = user(Role::Admin);
    anna.totp = Some(Totp::begin(TotpSecret::new(bytes(1)), 9, [bytes(2); 10]).0);
    anna.last_login = Some(5);
    users.add(name("anna"), anna).unwrap();
    users.add(name("bert"), user(Role::Viewer)).unwrap();
    let text = serde_json::to_string(&users).unwrap();
    assert_eq!(serde_json::from_str::<Users>(&text).unwrap(), users);
    assert!(!text.contains("correct horse"));
    let closed = serde_json::to_string(&Users::closed()).unwrap();
    let closed: Users = serde_json::from_str(&closed).unwrap();
    assert!(closed.is_closed() && closed.is_claimed());
    for (from, to) in [
        ("\"bert\"", "\"anna\""),
        ("\"bert\"", "\"<b>\""),
        ("\"schema\":1", "\"schema\":2"),
        ("\"schema\":1", "\"more\":1,\"schema\":1"),
        ("viewer", "root"),
        ("argon2id", "plain"),
        ("\"recovery\":[", "\"recovery\":[\"00\","),
    ] {
        let bad = text.replacen(from, to, 1);
        assert_ne!(bad, text, "{from}");
        assert!(serde_json::from_str::<Users>(&bad).is_err(), "{from} {to}");
    }
    for end in 0..text.len() {
        assert!(serde_json::from_str::<Users>(&text[..end]).is_err());
    }
}

#[test]
fn each_further_failure_at_an_account_waits_twice_as_long() {
    let mut now = Instant::now();
    let mut delays = Delays::default();
    // From an address of its own each, so that only the account counts.
    let mut next = (1..=250).map(|last| Some(Origin::outside([192, 0, 2, last].into())));
    for wait in [0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30] {
        if wait > 0 {
            let refused = delays.begin("anna", next.next().unwrap(), now).unwrap_err();
            assert_eq!(refused, Duration::from_secs(wait));
            // A try within the wait makes it no longer.
            assert!(
                delays
                    .begin("ANNA", next.next().unwrap(), now + refused / 2)
                    .is_err()
            );
            now += refused;
        }
        let _ = delays.begin("anna", next.next().unwrap(), now).unwrap();
    }
    assert!(
        delays.begin("bert", next.next().unwrap(), now).is_ok(),
        "only her account waits"
    );
    let quiet = now + Duration::from_mins(15);
    for _ in 0..3 {
        assert!(
            delays.begin("anna", next.next().unwrap(), quiet).is_ok(),
            "it is forgotten"
        );
    }
}

#[test]
fn each_further_failure_from_an_address_waits_twice_as_long() {
    for (one, other) in [
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8:1:2::5", "2001:db8:1:2:ffff::9"),
    ] {
        let mut now = Instant::now();
        let mut delays = Delays::default();
        for (number, wait) in [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
            .into_iter()
            .enumerate()
        {
            // Another account each, and another address of the same client.
            let account = format!("user{number}");
            let client = address([one, other][number % 2]);
            if wait > 0 {
                let refused = delays.begin(&account, client, now).unwrap_err();
                assert_eq!(refused, Duration::from_secs(wait));
                now += refused;
            }
            let _ = delays.begin(&account, client, now).unwrap();
        }
        assert!(delays.begin("user1", address("198.51.100.1"), now).is_ok());
        assert!(delays.begin("user2", None, now).is_ok());
    }
}

#[test]
fn tries_at_once_are_counted_before_any_is_looked_at() {
    let now = Instant::now();
    let mut delays = Delays::default();
    let let_in = (0..100)
        .filter(|_| delays.begin("anna", address("192.0.2.1"), now).is_ok())
        .count();
    assert_eq!(let_in, 3);
}

#[test]
fn a_flood_from_everywhere_is_slowed_for_all_but_not_for_owners() {
    let mut now = Instant::now();
    let mut delays = Delays::default();
    let home = address("192.0.2.1");
    let attempt = delays.begin("anna", home, now).unwrap();
    delays.succeeded(attempt);
    let mut worst = Duration::ZERO;
    for number in 0..60_u32 {
        let client = Some(Origin::outside(
            number.wrapping_mul(65_599).to_be_bytes().into(),
        ));
        let account = if number % 2 == 0 {
            "anna".to_owned()
        } else {
            format!("x{number}")
        };
        match delays.begin(&account, client, now) {
            Ok(_) => {}
            Err(wait) => {
                worst = worst.max(wait);
                now += wait;
                let _ = delays.begin(&account, client, now).unwrap();
            }
        }
    }
    assert_eq!(worst, LONGEST_ACCOUNT_DELAY);
    let stranger = delays
        .begin("bert", address("198.51.100.9"), now)
        .unwrap_err();
    assert!(stranger <= LONGEST_DELAY_IN_ALL);
    // Anna's own address waits for nothing of that, only for what it does itself.
    for _ in 0..3 {
        assert!(delays.begin("anna", home, now).is_ok());
    }
    assert_eq!(delays.begin("anna", home, now).unwrap_err(), SECOND);
    delays.forget("anna");
    assert!(
        delays.begin("anna", home, now + SECOND).is_err(),
        "her password changed: nobody knows who sits there"
    );
}

#[test]
fn success_forgives_but_not_what_was_guessed_at_others() {
    let now = Instant::now();
    let client = address("192.0.2.1");
    let mut delays = Delays::default();
    for _ in 0..2 {
        let _ = delays.begin("anna", client, now).unwrap();
    }
    let attempt = delays.begin("anna", client, now).unwrap();
    delays.succeeded(attempt);
    for _ in 0..3 {
        assert!(delays.begin("anna", client, now).is_ok());
    }
    // Mallory has an account and guesses at Anna's between good tries at his own.
    let mut delays = Delays::default();
    let mut guesses = 0;
    for number in 0..20 {
        let account = if number % 2 == 0 { "anna" } else { "mallory" };
        let Ok(attempt) = delays.begin(account, client, now) else {
            continue;
        };
        match account {
            "mallory" => delays.succeeded(attempt),
            _ => guesses += 1,
        }
    }
    assert_eq!(guesses, 3);
}

#[test]
fn a_try_that_is_taken_back_leaves_nothing_behind() {
    let now = Instant::now();
    let mut delays = Delays::default();
    for _ in 0..1000 {
        let attempt = delays.begin("anna", address("192.0.2.1"), now).unwrap();
        delays.take_back(attempt);
    }
    assert_eq!(delays.sizes(), [0; 4]);
    // The right password without a code between two wrong codes does not begin anew.
    for _ in 0..3 {
        let _ = delays.begin("anna", address("192.0.2.1"), now).unwrap();
        if let Ok(attempt) = delays.begin("anna", address("192.0.2.1"), now) {
            delays.take_back(attempt);
        }
    }
    assert!(delays.begin("anna", address("192.0.2.1"), now).is_err());
}

#[test]
fn a_flood_of_names_and_addresses_has_an_end_and_pushes_out_no_offender() {
    let mut now = Instant::now();
    let mut delays = Delays::default();
    for _ in 0..5 {
        if let Err(wait) = delays.begin("anna", address("192.0.2.1"), now) {
            now += wait;
            let _ = delays.begin("anna", address("192.0.2.1"), now).unwrap();
        }
    }
    for number in 0..30_000_u32 {
        let client = if number % 2 == 0 {
            IpAddr::from(number.wrapping_mul(65_599).to_be_bytes())
        } else {
            IpAddr::from([
                0x2001,
                0xdb8,
                u16::try_from(number >> 16).unwrap(),
                u16::try_from(number & 0xffff).unwrap(),
                0,
                0,
                0,
                1,
            ])
        };
        // Time stands all but still, so that nothing is forgotten; whoever has to wait does so.
        let (account, client) = (format!("x{number}"), Some(Origin::outside(client)));
        if delays.begin(&account, client, now).is_err() {
            now += Duration::from_millis(20);
        }
        if number % 50 == 0 {
            // Everybody together must not be what holds the flood back here.
            for _ in 0..40 {
                delays.all_take_back();
            }
        }
    }
    let [accounts, v4, v6, known] = delays.sizes();
    assert!(
        accounts <= 1024 && v4 <= 4096 && v6 <= 4096 && known <= 256,
        "{:?}",
        delays.sizes()
    );
    assert!(
        accounts > 500 && v4 > 2000 && v6 > 2000,
        "{:?}",
        delays.sizes()
    );
    assert!(delays.begin("x", address("192.0.2.1"), now).is_err());
    for number in 0..1000_u32 {
        let client = IpAddr::from([
            10,
            9,
            u8::try_from(number / 200).unwrap(),
            u8::try_from(number % 200).unwrap(),
        ]);
        let client = Some(Origin::outside(client));
        if let Ok(attempt) = delays.begin("own", client, now + Duration::from_hours(2)) {
            delays.succeeded(attempt);
        }
    }
    assert_eq!(delays.sizes()[3], 256);
}

#[test]
fn an_offered_secret_is_good_for_ten_minutes_and_five_tries() {
    let now = Instant::now();
    let mut offer = Offer::new(TotpSecret::new(bytes(1)), now);
    assert!(
        offer
            .secret(now + OFFER_LIFE.saturating_sub(Duration::from_secs(1)))
            .is_some()
    );
    assert!(offer.secret(now + OFFER_LIFE).is_none());
    for _ in 0..OFFER_TRIES {
        assert!(offer.secret(now).is_some());
        offer.count_wrong();
    }
    assert!(offer.secret(now).is_none());
}

#[test]
fn one_host_of_a_network_inside_does_not_lock_the_others_out() {
    let mut now = Instant::now();
    let mut delays = Delays::default();
    let host = |last: u16| {
        let client = IpAddr::from([0xfd00, 0, 0, 1, 0, 0, 0, last]);
        Some(Origin::inside(client))
    };
    let attempt = delays.begin("anna", host(1), now).unwrap();
    delays.succeeded(attempt);
    // One that guesses from its own address.
    for number in 0..10 {
        let account = format!("x{number}");
        while let Err(wait) = delays.begin(&account, host(2), now) {
            now += wait;
        }
    }
    assert!(delays.begin("bert", host(2), now).is_err());
    let attempt = delays.begin("bert", host(3), now).unwrap();
    delays.take_back(attempt);
    // One that makes up addresses: the network waits then, not for long, and whoever signed in lately does not.
    let mut worst = Duration::ZERO;
    for last in 100..300 {
        while let Err(wait) = delays.begin(&format!("y{last}"), host(last), now) {
            worst = worst.max(wait);
            now += wait;
        }
        // Everybody together must not be what holds it back here.
        delays.all_take_back();
    }
    assert_eq!(worst, LONGEST_DELAY_IN_ALL);
    assert!(delays.begin("bert", host(3), now).is_err());
    let attempt = delays.begin("anna", host(1), now).unwrap();
    delays.take_back(attempt);
    // Of the world a /64 is one client.
    let client = |last| Origin::outside(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]));
    let later = now + Duration::from_hours(2);
    let let_in = (1..10).filter(|last| {
        let begun = delays.begin(&format!("z{last}"), Some(client(*last)), later);
        begun.is_ok()
    });
    assert_eq!(let_in.count(), 3);
}
