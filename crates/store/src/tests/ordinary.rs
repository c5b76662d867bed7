//! The store when nothing goes wrong, and when it is used wrongly.

use super::sim::{Image, Sim};
use crate::generations::{KEEP, MAX_TEXT};
use crate::{Error, MAX_BLOB, MAX_SECRET, MAX_SECRETS, Note, State, Store};

fn open(sim: &Sim) -> (Store, Vec<Note>) {
    let opened = Store::open_on(Box::new(sim.clone())).unwrap();
    (opened.store, opened.notes)
}

#[test]
fn generations_are_numbered_confirmed_and_given_up() {
    let sim = Sim::default();
    let (mut store, notes) = open(&sim);
    assert!(notes.is_empty());
    assert!(store.current().is_none() && store.list().is_empty());
    assert!(matches!(store.confirm(), Err(Error::NothingPending)));
    assert!(matches!(store.revert("why"), Err(Error::NothingPending)));

    let first = store.add("one", "file", true, 1_000).unwrap();
    assert_eq!(
        (first.number, first.state),
        (1, State::Confirmed),
        "there is nothing to go back to"
    );
    let second = store.add("two", "reload", true, 2_000).unwrap();
    assert_eq!((second.number, second.state), (2, State::Pending));
    assert_eq!(store.current().unwrap().number, 2);
    assert_eq!(store.confirmed().unwrap().number, 1);
    assert_eq!(store.revert("not confirmed in time").unwrap().number, 1);
    assert_eq!(store.current().unwrap().number, 1);
    let given_up = store.generation(2).unwrap();
    assert_eq!(
        (given_up.state, given_up.note.as_deref()),
        (State::Reverted, Some("not confirmed in time"))
    );

    let third = store.rollback(2, true, 3_000).unwrap();
    assert_eq!(
        (third.number, third.origin.as_str(), third.unix_ms),
        (3, "rollback to 2", 3_000)
    );
    assert_eq!(store.text(3).unwrap(), "two");
    assert_eq!(store.confirm().unwrap().number, 3);
    assert!(matches!(
        store.rollback(9, true, 0),
        Err(Error::NoSuchGeneration(9))
    ));
    assert_eq!(store.find_text("two"), Some(3));
    assert_eq!(store.find_text("one"), Some(1));
    assert_eq!(store.find_text("other"), None);

    let before = store.list();
    let (store, notes) = open(&sim);
    assert_eq!(store.list(), before);
    assert!(notes.is_empty());
}

#[test]
fn a_restart_gives_a_pending_generation_up_and_says_so() {
    let sim = Sim::default();
    let (mut store, _) = open(&sim);
    store.add("one", "file", false, 1).unwrap();
    store.add("two", "reload", true, 2).unwrap();
    store.add("three", "reload", true, 3).unwrap();
    assert_eq!(
        store.generation(2).unwrap().state,
        State::Reverted,
        "replaced"
    );
    let (store, notes) = open(&sim);
    assert_eq!(
        notes,
        [Note::NotConfirmed {
            number: 3,
            back_to: Some(1)
        }]
    );
    assert_eq!(
        notes[0].to_string(),
        "generation 3 was not confirmed before the restart; back to generation 1"
    );
    assert_eq!(store.current().unwrap().number, 1);
    assert_eq!(
        store.text(3).unwrap(),
        "three",
        "the work in it is not lost"
    );
    let (_, notes) = open(&sim);
    assert!(notes.is_empty(), "said once");
}

#[test]
fn the_oldest_go_but_never_the_one_in_force() {
    let sim = Sim::default();
    let (mut store, _) = open(&sim);
    store.add("first", "file", false, 0).unwrap();
    for number in 0..2 * KEEP {
        store
            .add(&format!("try {number}"), "reload", true, 0)
            .unwrap();
        store.revert("not confirmed in time").unwrap();
        assert_eq!(store.confirmed().unwrap().number, 1);
    }
    assert_eq!(store.list().len(), KEEP);
    assert_eq!(
        sim.image().files.len(),
        2 * KEEP,
        "and their files with them"
    );
    let (store, notes) = open(&sim);
    assert!(notes.is_empty());
    assert_eq!(
        store.text(store.current().unwrap().number).unwrap(),
        "first"
    );
    assert_eq!(store.list().last().unwrap().number, 201);
}

#[test]
fn secrets_are_kept_and_never_shown() {
    let sim = Sim::default();
    let (mut store, _) = open(&sim);
    assert!(store.secret("turn").unwrap().is_none());
    store.set_secret("turn", b"hush-hush").unwrap();
    store.set_secret("key.pem", &[0xFF, 0x00]).unwrap();
    let secret = store.secret("turn").unwrap().unwrap();
    assert_eq!(
        (secret.bytes(), secret.text()),
        (&b"hush-hush"[..], Some("hush-hush"))
    );
    assert_eq!(store.secret("key.pem").unwrap().unwrap().text(), None);
    for shown in [
        format!("{secret:?}"),
        format!("{:?}", Some(&secret)),
        format!("{store:?}"),
    ] {
        assert!(!shown.contains("hush") && !shown.contains("104"), "{shown}");
    }
    assert_eq!(
        store
            .secret_names()
            .unwrap()
            .into_iter()
            .collect::<Vec<_>>(),
        ["key.pem", "turn"]
    );
    assert!(store.remove_secret("turn").unwrap());
    assert!(!store.remove_secret("turn").unwrap());

    assert!(matches!(
        store.set_secret("../x", b"x"),
        Err(Error::BadName { .. })
    ));
    assert!(matches!(store.secret("a/b"), Err(Error::BadName { .. })));
    assert!(matches!(
        store.set_secret("turn", b""),
        Err(Error::BadValue { .. })
    ));
    assert!(matches!(
        store.set_secret("turn", &vec![1; MAX_SECRET + 1]),
        Err(Error::BadValue { .. })
    ));
    for number in 1..MAX_SECRETS {
        store.set_secret(&format!("s{number}"), b"x").unwrap();
    }
    let error = store.set_secret("one-more", b"value-of-it").unwrap_err();
    assert!(
        matches!(error, Error::BadValue { .. }) && !error.to_string().contains("value-of-it"),
        "{error}"
    );
    store.set_secret("s1", b"y").unwrap();
}

#[test]
fn blobs_have_places_of_their_own() {
    let sim = Sim::default();
    let (mut store, _) = open(&sim);
    assert!(store.blob("bans.json").unwrap().is_none());
    store.set_blob("bans.json", b"").unwrap();
    assert_eq!(store.blob("bans.json").unwrap().unwrap(), b"");
    store.set_blob("ca/root", b"key").unwrap();
    assert_eq!(store.blob("ca/root").unwrap().unwrap(), b"key");
    assert!(store.remove_blob("ca/root").unwrap());
    assert!(!store.remove_blob("ca/root").unwrap());
    assert!(store.blob("ca/root").unwrap().is_none());
    assert_eq!(store.blob("bans.json").unwrap().unwrap(), b"");
    for path in [
        "",
        "/",
        "/etc",
        "ca/",
        "ca/a/b",
        "../x",
        "lock",
        "lock/x",
        "secrets/turn",
        "generations/0001.toml",
        ".x",
        "A",
    ] {
        assert!(
            matches!(store.set_blob(path, b"x"), Err(Error::BadName { .. })),
            "{path}"
        );
        assert!(
            matches!(store.blob(path), Err(Error::BadName { .. })),
            "{path}"
        );
        assert!(
            matches!(store.remove_blob(path), Err(Error::BadName { .. })),
            "{path}"
        );
    }
    assert!(matches!(
        store.set_blob("big", &vec![0; MAX_BLOB + 1]),
        Err(Error::BadValue { .. })
    ));
}

#[test]
fn odd_texts_and_long_sentences() {
    let sim = Sim::default();
    let (mut store, _) = open(&sim);
    for text in ["", "\0", "\r\n", "ä€😀", &"x".repeat(MAX_TEXT)] {
        let number = store
            .add(text, &"ä".repeat(5_000), false, u64::MAX)
            .unwrap()
            .number;
        assert_eq!(store.text(number).unwrap(), text);
    }
    assert!(matches!(
        store.add(&"x".repeat(MAX_TEXT + 1), "file", false, 0),
        Err(Error::BadValue { .. })
    ));
    let list = store.list();
    let (store, notes) = open(&sim);
    assert!(notes.is_empty());
    assert_eq!(store.list(), list);
}

#[test]
fn a_disk_that_became_read_only_still_starts_the_box() {
    let sim = Sim::default();
    let (mut store, _) = open(&sim);
    store.add("one", "file", false, 1).unwrap();
    store.add("two", "reload", true, 2).unwrap();
    sim.make_read_only();
    let (mut store, notes) = open(&sim);
    assert_eq!(store.current().unwrap().number, 1);
    assert_eq!(store.generation(2).unwrap().state, State::Reverted);
    let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
    assert!(
        notes
            .iter()
            .any(|note| note.contains("mount the file system for writing")),
        "{notes:?}"
    );
    let error = store
        .add("three", "reload", false, 3)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("/state/generations/") && error.contains("can not write"),
        "{error}"
    );
    assert_eq!(store.current().unwrap().number, 1);
}

#[test]
fn files_of_others_are_left_alone() {
    let mut image = Image::default();
    image
        .directories
        .extend(["generations".into(), "secrets".into()]);
    for path in [
        "generations/notes.txt",
        "generations/x.json",
        "generations/4294967295.json",
        "secrets/UPPER",
        "readme",
    ] {
        image.files.insert(path.into(), b"mine".to_vec());
    }
    let sim = Sim::of(&image);
    let (mut store, notes) = open(&sim);
    assert!(notes.is_empty(), "{notes:?}");
    assert!(store.secret_names().unwrap().is_empty());
    assert_eq!(store.add("one", "file", false, 0).unwrap().number, 1);
    assert!(
        image
            .files
            .keys()
            .all(|path| sim.image().files.contains_key(path))
    );
}
