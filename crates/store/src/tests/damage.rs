//! Files that no longer hold what was written.

use super::sim::{Image, Sim};
use crate::{Error, Note, Store};

const TEXTS: [&str; 4] = [
    "schema = 1 # one",
    "schema = 1 # two",
    "schema = 1 # three",
    "schema = 1 # four",
];

/// Three confirmed generations and one that was given up.
fn image() -> Image {
    let sim = Sim::default();
    let mut store = Store::open_on(Box::new(sim.clone())).unwrap().store;
    for text in &TEXTS[..3] {
        store.add(text, "reload", false, 1_700_000_000_000).unwrap();
    }
    store
        .add(TEXTS[3], "reload", true, 1_700_000_000_000)
        .unwrap();
    store.revert("not confirmed in time").unwrap();
    sim.image()
}

/// Whatever was done to the files: the box starts, with a text that was confirmed, and says what is wrong if it is not the newest.
fn expect_a_good_start(image: &Image, case: &str) -> (Store, Vec<Note>) {
    let sim = Sim::of(image);
    let opened = Store::open_on(Box::new(sim)).unwrap_or_else(|error| panic!("{case}: {error}"));
    let (mut store, notes) = (opened.store, opened.notes);
    let confirmed = store
        .confirmed()
        .unwrap_or_else(|| panic!("{case}: nothing is left"))
        .clone();
    let text = store.text(confirmed.number).unwrap();
    assert!(TEXTS.contains(&text.as_str()), "{case}: {text}");
    if confirmed.number != 3 {
        assert!(!notes.is_empty(), "{case}: silent");
    }
    let next = store.add("next", "reload", false, 0).unwrap();
    assert!(
        next.number > confirmed.number && store.text(next.number).unwrap() == "next",
        "{case}"
    );
    (store, notes)
}

fn damaged(kind: &str, content: &[u8]) -> Option<Vec<u8>> {
    Some(match kind {
        "gone" => return None,
        "empty" => Vec::new(),
        "half" => content[..content.len() / 2].to_vec(),
        "zeros" => vec![0; content.len()],
        "ones" => vec![0xFF; content.len()],
        "longer" => [content, b"x"].concat(),
        "huge" => vec![b' '; 5 * 1024 * 1024],
        "deep" => vec![b'['; 60_000],
        _ => unreachable!("{kind}"),
    })
}

const KINDS: [&str; 8] = [
    "gone", "empty", "half", "zeros", "ones", "longer", "huge", "deep",
];

#[test]
fn any_one_file_may_be_damaged() {
    let whole = image();
    for (path, content) in &whole.files {
        for kind in KINDS {
            let mut image = whole.clone();
            match damaged(kind, content) {
                Some(content) => drop(image.files.insert(path.clone(), content)),
                None => drop(image.files.remove(path)),
            }
            let case = format!("{path} {kind}");
            let (_, notes) = expect_a_good_start(&image, &case);
            let told = notes
                .iter()
                .any(|note| note.to_string().contains("generation"));
            // Gone at either end, a file looks like a removal that was cut short.
            assert!(told || kind == "gone", "{case}: {notes:?}");
        }
    }
}

#[test]
fn the_newest_is_damaged_and_the_one_before_counts() {
    let mut image = image();
    image
        .files
        .insert("generations/0003.toml".into(), TEXTS[0].into());
    let (store, notes) = expect_a_good_start(&image, "text exchanged");
    assert_eq!(store.text(2).unwrap(), TEXTS[1]);
    assert_eq!(
        notes[0].to_string(),
        "/state/generations/0003.toml: the text does not match its checksum; generation 3 is left out"
    );
    assert!(store.generation(3).is_none());
    assert!(matches!(store.text(3), Err(Error::NoSuchGeneration(3))));
}

#[test]
fn every_bit_of_the_newest_generation_may_flip() {
    let whole = image();
    for path in ["generations/0003.json", "generations/0003.toml"] {
        for byte in 0..whole.files[path].len() {
            for bit in 0..8 {
                let mut image = whole.clone();
                image.files.get_mut(path).unwrap()[byte] ^= 1 << bit;
                expect_a_good_start(&image, &format!("{path} byte {byte} bit {bit}"));
            }
        }
        for length in 0..whole.files[path].len() {
            let mut image = whole.clone();
            image.files.get_mut(path).unwrap().truncate(length);
            expect_a_good_start(&image, &format!("{path} cut at {length}"));
        }
    }
}

#[test]
fn without_a_confirmed_one_a_given_up_one_counts() {
    let mut image = image();
    for number in 1..=3 {
        image
            .files
            .insert(format!("generations/000{number}.toml"), b"rubbish".to_vec());
    }
    let (store, notes) = expect_a_good_start(&image, "only the one that was given up");
    assert!(
        notes.contains(&Note::NeverConfirmed { number: 4 }),
        "{notes:?}"
    );
    assert_eq!(store.text(4).unwrap(), TEXTS[3]);
}

#[test]
fn without_any_record_the_newest_text_counts() {
    let mut image = image();
    for number in 1..=4 {
        image
            .files
            .insert(format!("generations/000{number}.json"), b"rubbish".to_vec());
    }
    image
        .files
        .insert("generations/0004.toml".into(), vec![0; 40]);
    let (store, notes) = expect_a_good_start(&image, "only texts");
    assert!(notes.contains(&Note::Unverified { number: 3 }), "{notes:?}");
    assert_eq!(store.text(3).unwrap(), TEXTS[2]);
}

#[test]
fn when_all_is_lost_the_store_still_opens() {
    let mut image = image();
    for content in image.files.values_mut() {
        *content = vec![0xFF; content.len()];
    }
    let sim = Sim::of(&image);
    let opened = Store::open_on(Box::new(sim.clone())).unwrap();
    assert!(opened.notes.contains(&Note::NothingLeft));
    let mut store = opened.store;
    assert!(store.current().is_none());
    assert_eq!(
        store.add("new", "file", true, 0).unwrap().number,
        5,
        "numbers go on"
    );
    let opened = Store::open_on(Box::new(sim)).unwrap();
    assert_eq!(opened.store.current().unwrap().number, 5);
}

#[test]
fn damage_while_running_is_told_and_not_passed_on() {
    let sim = Sim::of(&image());
    let store = Store::open_on(Box::new(sim.clone())).unwrap().store;
    let disk: &dyn crate::disk::Disk = &sim;
    disk.write_new("generations/0003.toml", b"rubbish").unwrap();
    let error = store.text(3).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }));
    assert_eq!(
        error.to_string(),
        "/state/generations/0003.toml: damaged: the text does not match its checksum; \
         go back to another generation with `gatehouse rollback N`"
    );
    disk.write_new("secrets/empty", b"").unwrap();
    assert!(matches!(store.secret("empty"), Err(Error::Damaged { .. })));
}
