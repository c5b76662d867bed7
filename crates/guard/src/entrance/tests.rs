//! Visitors, htpasswd files and tokens.

mod factors;
mod sessions;

use super::*;
use crate::operators::{PasswordHash, UserName};

/// What Apache's documentation and its own test programs give for these.
const MYPASSWORD: [&str; 4] = [
    "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/",
    "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC",
    "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=",
    "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/",
];

fn name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

#[test]
fn hashes_of_other_web_servers_are_understood() {
    for text in MYPASSWORD {
        let hash = VisitorHash::read(text).unwrap();
        assert!(hash.matches("myPassword"), "{text}");
        assert!(!hash.matches("mypassword") && !hash.matches(""), "{text}");
        assert!(hash.is_outdated());
        assert_eq!(String::from(hash.clone()), text);
        assert_eq!(format!("{hash:?}"), "VisitorHash(..)");
    }
    // As `openssl passwd -apr1` makes them.
    for (text, password) in [
        ("$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.", "password"),
        ("$apr1$12345678$68ZQVfPkWX/wcXr/41VxQ.", "a"),
        ("$apr1$x$V9eG2VMq8lf4aqgXkOnHq0", &"p".repeat(40)),
    ] {
        assert!(VisitorHash::read(text).unwrap().matches(password), "{text}");
    }
}

#[test]
fn bcrypt_of_the_known_vectors() {
    // From the test vectors of the first implementation, by Solar Designer.
    for (text, password) in [
        (
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "U*U",
        ),
        (
            "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
            "U*U*U",
        ),
        (
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy",
            "",
        ),
        (
            "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
            "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
        ),
    ] {
        assert!(VisitorHash::read(text).unwrap().matches(password), "{text}");
    }
}

#[test]
fn what_is_no_hash_to_take_is_refused_with_a_reason_and_not_repeated() {
    for (text, said) in [
        ("open sesame", "plain text"),
        ("rqXexS6ZhobKA", "crypt(3)"),
        ("$5$salt$canary", "htpasswd -B"),
        (
            "$2y$13$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC",
            "above 12",
        ),
        (
            "$2x$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC",
            "$2y$",
        ),
        ("$2y$05$c4WoMPo3SXsafkva", "damaged"),
        (
            "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRq\u{e9}",
            "damaged",
        ),
        ("$apr1$r31.....$canary", "damaged"),
        ("$apr1$too-long-salt$HqJZimcKQFAMYayBlzkrA/", "damaged"),
        ("{SHA}canary", "damaged"),
        ("$argon2id$canary", "argon2id"),
    ] {
        let why = VisitorHash::read(text).map(|_| text).unwrap_err();
        assert!(why.contains(said), "{text}: {why}");
        assert!(!why.contains("canary") && !why.contains("sesame"));
    }
}

#[test]
fn a_file_of_htpasswd_is_read_with_all_faults_at_once() {
    let sound = format!(
        "# visitors\r\n\r\nlogin:{}\r\n anna:{} \n",
        MYPASSWORD[0], MYPASSWORD[1]
    );
    let found = htpasswd::read(&sound).unwrap();
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["login", "anna"]);
    let faulty = format!(
        "login:{0}\n1st:{0}\nLOGIN:{0}\nno colon\nbert:canary\n",
        MYPASSWORD[2]
    );
    let faults = htpasswd::read(&faulty).unwrap_err();
    let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    for (fault, part) in told.iter().zip([
        "line 2: this is no name",
        "line 3: login is in line 1 already",
        "line 4: there is no `:`",
        "line 5: bert has a password in plain text",
    ]) {
        assert!(fault.contains(part) && !fault.contains("canary"), "{fault}");
    }
    assert_eq!(htpasswd::read(&":\n".repeat(1000)).unwrap_err().len(), 100);
    assert_eq!(htpasswd::read(&"x".repeat(2 << 20)).unwrap_err().len(), 1);
    assert_eq!(htpasswd::read("").unwrap(), []);
}

#[test]
fn visitors_are_kept_whole_or_not_at_all() {
    let mut visitors = Visitors::default();
    let login = Visitor {
        password: VisitorHash::read(MYPASSWORD[0]).unwrap(),
        created: 7,
    };
    visitors.add(name("login"), login.clone()).unwrap();
    assert_eq!(
        visitors.add(name("Login"), login.clone()),
        Err(VisitorFault::Exists)
    );
    assert_eq!(visitors.remove(&name("anna")), Err(VisitorFault::Unknown));
    let other = VisitorHash::Argon2(PasswordHash::cheap("another"));
    visitors
        .set_password(&name("login"), other.clone())
        .unwrap();
    assert_eq!(
        visitors.set_password(&name("anna"), other),
        Err(VisitorFault::Unknown)
    );
    let text = serde_json::to_string(&visitors).unwrap();
    assert_eq!(serde_json::from_str::<Visitors>(&text).unwrap(), visitors);
    for damaged in [
        text.replace("\"schema\":1", "\"schema\":2"),
        text.replace("$argon2id", "$argon2x"),
        text.replace("\"login\"", "\"1\""),
    ] {
        assert!(
            serde_json::from_str::<Visitors>(&damaged).is_err(),
            "{damaged}"
        );
    }
    for number in 0..MAX_VISITORS - 1 {
        visitors
            .add(name(&format!("v{number}")), login.clone())
            .unwrap();
    }
    assert_eq!(visitors.add(name("more"), login), Err(VisitorFault::Full));
}

fn wish(access: &str, text: &str, expires: Option<u64>) -> Wish {
    Wish {
        access: access.into(),
        hash: TokenHash::of(text),
        expires,
        note: Note::new("for a test").unwrap(),
        by: "local".to_owned(),
    }
}

#[test]
fn tokens_end_by_time_and_by_word() {
    let mut tokens = Tokens::default();
    let [one, two, three] = [
        ("wcs", "one", None),
        ("wcs", "two", Some(50)),
        ("lab", "three", None),
    ]
    .map(|(access, text, expires)| tokens.add(wish(access, text, expires), 10).unwrap().live.id);
    assert_eq!(tokens.of("wcs").count(), 2);
    assert_eq!(tokens.expire(49), []);
    assert_eq!(tokens.expire(50), [two]);
    assert_eq!(tokens.revoke_all("wcs"), [one]);
    assert!(tokens.revoke(three) && !tokens.revoke(three));
    let text = serde_json::to_string(&tokens).unwrap();
    let mut kept: Tokens = serde_json::from_str(&text).unwrap();
    assert_eq!(kept, tokens);
    // A number is never given twice.
    assert!(kept.add(wish("wcs", "four", None), 60).unwrap().live.id > three);
    assert!(serde_json::from_str::<Tokens>(&text.replace("\"schema\":1", "\"schema\":2")).is_err());
}

#[test]
fn there_is_an_end_to_tokens_and_keys() {
    let mut tokens = Tokens::default();
    for number in 0..MAX_TOKENS {
        // One access can not have all of them.
        if number == MAX_TOKENS_OF_ACCESS {
            let more = wish("wcs", "more", None);
            assert_eq!(tokens.add(more, 10), Err(TokenFault::Full));
        }
        let access = if number < MAX_TOKENS_OF_ACCESS {
            "wcs"
        } else {
            "other"
        };
        let wish = wish(
            access,
            &number.to_string(),
            Some(100 + u64::from(number == 0)),
        );
        tokens.add(wish, 10).unwrap();
    }
    assert_eq!(
        tokens.add(wish("wcs", "x", None), 99),
        Err(TokenFault::Full)
    );
    assert!(serde_json::from_str::<Tokens>(&serde_json::to_string(&tokens).unwrap()).is_ok());
    // What is over makes room.
    tokens.add(wish("wcs", "x", None), 100).unwrap();
    assert_eq!(tokens.iter().count(), 2);
    for number in 0..MAX_KEYS {
        tokens
            .add_key(wish("wcs", &number.to_string(), None), 10)
            .unwrap();
    }
    assert_eq!(
        tokens.add_key(wish("wcs", "x", None), 10),
        Err(TokenFault::FullOfKeys)
    );
}

#[test]
fn a_key_is_known_by_its_text_alone() {
    let mut tokens = Tokens::default();
    let (text, other) = (key_text([7; TEXT_BYTES]), key_text([8; TEXT_BYTES]));
    assert!(is_key_text(&text) && !is_key_text(&token_text([7; TEXT_BYTES])) && !is_key_text("gk"));
    let key = tokens.add_key(wish("wcs", &text, None), 10).unwrap();
    tokens.add_key(wish("lab", &other, None), 10).unwrap();
    assert_eq!(tokens.key(&text).map(|key| &*key.access), Some("wcs"));
    assert_eq!(tokens.key(&format!("{text}x")), None);
    let kept = serde_json::to_string(&tokens).unwrap();
    assert!(!kept.contains(&text), "{kept}");
    assert!(tokens.revoke_key(key.id) && tokens.key(&text).is_none());
}

#[test]
fn a_token_can_be_the_value_of_a_cookie() {
    let text = token_text([0xff; TEXT_BYTES]);
    assert_eq!(text.len(), 45);
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    );
}

#[test]
fn notes_are_one_short_line() {
    assert!(Note::new(&"ä".repeat(LONGEST_NOTE)).is_ok());
    for text in [
        "ä".repeat(LONGEST_NOTE + 1),
        "a\nb".to_owned(),
        "\u{1b}[0m".to_owned(),
    ] {
        assert_eq!(Note::new(&text), Err(BadNote));
    }
}

#[test]
fn a_roll_follows_its_changes() {
    let live = |id, text: &str| LiveToken {
        id: TokenId(id),
        access: "wcs".into(),
        hash: TokenHash::of(text),
        expires: None,
    };
    let mut roll = Roll::default();
    for change in [
        Change::Token(live(1, "one")),
        Change::Token(live(2, "two")),
        Change::Token(live(1, "again")),
        Change::TokenGone(TokenId(2)),
        Change::Visitor(name("login"), Some(VisitorHash::of_nobody())),
        Change::Visitor(name("anna"), None),
    ] {
        roll.apply(change);
    }
    assert_eq!(roll.tokens, [live(1, "again")]);
    assert_eq!(roll.visitors.len(), 1);
    let login = VisitorHash::of_nobody();
    let text = serde_json::to_string(&Change::Visitor(name("login"), Some(login))).unwrap();
    assert!(serde_json::from_str::<Change>(&text).is_ok());
}
