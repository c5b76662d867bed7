//! A power cut at every instant of everything the store does.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::sim::{Forget, Image, Sim};
use crate::generations::KEEP;
use crate::{Error, Note, State, Store};

type Action = fn(&mut Store) -> Result<(), Error>;

/// One day in the life of a box; each line is one change that must happen wholly or not at all.
const SCRIPT: &[(&str, Action)] = &[
    ("first", |s| s.add("one", "file", true, 1).map(drop)),
    ("second, pending", |s| {
        s.add("two", "reload", true, 2).map(drop)
    }),
    ("confirm", |s| s.confirm().map(drop)),
    ("secret", |s| s.set_secret("turn", b"old")),
    ("third, pending", |s| {
        s.add("three", "reload", true, 3).map(drop)
    }),
    ("revert", |s| s.revert("not confirmed in time").map(drop)),
    ("secret changed", |s| s.set_secret("turn", b"new")),
    ("another secret", |s| s.set_secret("acme", b"a")),
    ("rollback, pending", |s| s.rollback(1, true, 4).map(drop)),
    ("replaces the pending one", |s| {
        s.add("five", "reload", true, 5).map(drop)
    }),
    ("replaces it for good", |s| {
        s.add("six", "reload", false, 6).map(drop)
    }),
    ("bans", |s| s.set_blob("bans.json", b"[]")),
    ("bans changed", |s| s.set_blob("bans.json", b"[1]")),
    ("authority", |s| s.set_blob("ca/root", b"key")),
    ("authority changed", |s| {
        s.set_blob("ca/root", b"another key")
    }),
    ("authority removed", |s| s.remove_blob("ca/root").map(drop)),
    ("secret removed", |s| s.remove_secret("turn").map(drop)),
    ("rollback", |s| s.rollback(2, false, 7).map(drop)),
    ("factory reset", Store::factory_reset),
];

/// With as many generations as are kept, so that each addition also removes.
const FULL_SCRIPT: &[(&str, Action)] = &[
    ("confirmed", |s| s.add("a", "reload", false, 1).map(drop)),
    ("pending", |s| s.add("b", "reload", true, 2).map(drop)),
    ("revert", |s| s.revert("not confirmed in time").map(drop)),
    ("another", |s| s.add("c", "reload", true, 3).map(drop)),
    ("confirm", |s| s.confirm().map(drop)),
];

/// All that the outside can see after a start.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    confirmed: Option<u32>,
    generations: BTreeMap<u32, (State, String)>,
    secrets: BTreeMap<String, Vec<u8>>,
    blobs: Vec<Option<Vec<u8>>>,
}

impl Seen {
    fn of(store: &Store) -> Self {
        let list = store.list().into_iter();
        let names = store.secret_names().unwrap().into_iter();
        assert_eq!(
            store.current(),
            store.confirmed(),
            "nothing is pending after a start"
        );
        Self {
            confirmed: store.confirmed().map(|generation| generation.number),
            generations: list
                .map(|g| (g.number, (g.state, store.text(g.number).unwrap())))
                .collect(),
            secrets: names
                .map(|n| {
                    (
                        n.clone(),
                        store.secret(&n).unwrap().unwrap().bytes().to_vec(),
                    )
                })
                .collect(),
            blobs: ["bans.json", "ca/root"]
                .iter()
                .map(|path| store.blob(path).unwrap())
                .collect(),
        }
    }

    /// Without the old generations that the change between the two removes: they may go before the change counts.
    fn without_pruned(mut self, new: &Self) -> Self {
        let oldest = new.generations.keys().next().copied().unwrap_or(0);
        self.generations.retain(|number, _| *number >= oldest);
        self
    }
}

/// What a start finds; an error, a panic or a complaint about damage is a violation.
fn start(sim: &Sim) -> Result<Seen, String> {
    let opened = Store::open_on(Box::new(sim.clone())).map_err(|error| error.to_string())?;
    for note in &opened.notes {
        if !matches!(
            note,
            Note::NotConfirmed { .. } | Note::Unfinished { .. } | Note::Reset
        ) {
            return Err(note.to_string());
        }
    }
    for generation in opened.store.list() {
        opened
            .store
            .text(generation.number)
            .map_err(|error| error.to_string())?;
    }
    for name in opened.store.secret_names().unwrap() {
        opened
            .store
            .secret(&name)
            .map_err(|error| error.to_string())?;
    }
    Ok(Seen::of(&opened.store))
}

/// Runs a script and cuts the power everywhere.
struct Replay {
    forget: Forget,
    looked_at: usize,
    violations: Vec<String>,
}

impl Replay {
    fn run(from: &Image, script: &[(&str, Action)], forget: Forget) -> Self {
        let mut replay = Self {
            forget,
            looked_at: 0,
            violations: Vec::new(),
        };
        let sim = Sim::new(from, forget);
        let mut old = start(&Sim::of(from)).unwrap();
        let mut store = Store::open_on(Box::new(sim.clone())).unwrap().store;
        replay.cut(&sim, "start", 0..=sim.steps(), &old, &old);
        for (name, action) in script {
            let first = sim.steps();
            action(&mut store).unwrap();
            let new = start(&Sim::of(&sim.image())).unwrap();
            replay.cut(&sim, name, first..=sim.steps(), &old, &new);
            // Once the change has returned, it is the new state and nothing else.
            replay.cut(&sim, name, sim.steps()..=sim.steps(), &new, &new);
            old = new;
        }
        replay
    }

    fn cut(&mut self, sim: &Sim, name: &str, steps: RangeInclusive<usize>, old: &Seen, new: &Seen) {
        for step in steps {
            for image in sim.crashes(step) {
                if let Err(wrong) = self.check(&image, old, new) {
                    self.violations
                        .push(format!("\"{name}\", after step {step}: {wrong}\n{image:?}"));
                }
            }
        }
    }

    fn check(&mut self, image: &Image, old: &Seen, new: &Seen) -> Result<(), String> {
        self.looked_at += 1;
        let sim = Sim::of(image);
        let seen = start(&sim)?;
        if seen != *new && seen.clone().without_pruned(new) != old.clone().without_pruned(new) {
            return Err(format!("neither the old state nor the new one: {seen:?}"));
        }
        if self.forget != Forget::Nothing {
            return Ok(());
        }
        // The power may go again while the start mends things; a second start must come to the same.
        for step in 0..=sim.steps() {
            for again in sim.crashes(step) {
                self.looked_at += 1;
                let second = start(&Sim::of(&again))?;
                if second != seen {
                    return Err(format!(
                        "the second start, after step {step} of the first: {second:?}"
                    ));
                }
            }
        }
        Ok(())
    }

    fn expect_no_violation(&self) {
        let first = self.violations.first();
        assert!(
            first.is_none(),
            "{} violations, the first: {first:?}",
            self.violations.len()
        );
    }
}

fn full_store() -> Image {
    let sim = Sim::default();
    let mut store = Store::open_on(Box::new(sim.clone())).unwrap().store;
    for number in 1..=KEEP {
        store
            .add(&format!("text {number}"), "file", false, 0)
            .unwrap();
    }
    assert_eq!(store.list().len(), KEEP);
    sim.image()
}

#[test]
fn a_power_cut_leaves_the_old_state_or_the_new_one() {
    let replay = Replay::run(&Image::default(), SCRIPT, Forget::Nothing);
    replay.expect_no_violation();
    assert!(
        replay.looked_at > 2_000,
        "only {} disks were looked at",
        replay.looked_at
    );
}

/// Of a box with much to remove: after the decision every start, however often it is cut short, ends in an empty store.
#[test]
fn a_power_cut_while_everything_is_removed() {
    let sim = Sim::default();
    let mut store = Store::open_on(Box::new(sim.clone())).unwrap().store;
    for text in ["one", "two", "three"] {
        store.add(text, "file", false, 0).unwrap();
    }
    store.set_secret("turn", b"secret").unwrap();
    store.set_blob("ca/root", b"key").unwrap();
    store.set_blob("files/chain.pem", b"chain").unwrap();
    store.set_blob("bans.json", b"[]").unwrap();
    store.factory_reset().unwrap();
    let decided = sim.image();
    drop(store);
    let sim = Sim::of(&decided);
    let opened = Store::open_on(Box::new(sim.clone())).unwrap();
    assert_eq!(opened.notes, [Note::Reset]);
    assert!(sim.image().files.is_empty(), "{:?}", sim.image().files);
    let empty = Seen::of(&opened.store);
    let mut looked_at = 0;
    for step in 0..=sim.steps() {
        for image in sim.crashes(step) {
            looked_at += 1;
            let again = Sim::of(&image);
            assert_eq!(start(&again).unwrap(), empty, "after step {step}");
            let left = again.image().files;
            assert!(left.is_empty(), "after step {step}: {left:?}");
        }
    }
    assert!(looked_at > 100, "only {looked_at} disks were looked at");
}

/// What was to be removed does not come back to work because the disk refuses.
#[test]
fn a_disk_that_removes_nothing_keeps_the_store_closed() {
    let sim = Sim::default();
    let mut store = Store::open_on(Box::new(sim.clone())).unwrap().store;
    store.add("one", "file", false, 1).unwrap();
    store.factory_reset().unwrap();
    let decided = Sim::of(&sim.image());
    decided.make_read_only();
    let error = Store::open_on(Box::new(decided)).unwrap_err().to_string();
    assert!(error.contains("can not remove"), "{error}");
}

#[test]
fn a_power_cut_while_old_generations_are_removed() {
    let replay = Replay::run(&full_store(), FULL_SCRIPT, Forget::Nothing);
    replay.expect_no_violation();
    assert!(
        replay.looked_at > 500,
        "only {} disks were looked at",
        replay.looked_at
    );
}

/// The replay itself: it must find a store that does not wait for its disk.
#[test]
fn a_store_that_forgets_to_sync_is_found_out() {
    for forget in [Forget::FileSync, Forget::DirectorySync] {
        let replay = Replay::run(&Image::default(), SCRIPT, forget);
        assert!(!replay.violations.is_empty(), "{forget:?} went unnoticed");
    }
}

/// A disk that fails once, at each single change of the script.
#[test]
fn a_failing_disk_changes_nothing_or_everything() {
    let prepared = || {
        let sim = Sim::default();
        let mut store = Store::open_on(Box::new(sim.clone())).unwrap().store;
        store.add("one", "file", false, 1).unwrap();
        store.set_secret("turn", b"old").unwrap();
        (sim, store)
    };
    for change in 0..12 {
        let (sim, mut store) = prepared();
        sim.fail_change(Some(change));
        let result = store.add("two", "reload", false, 2);
        let expected = if result.is_ok() { "two" } else { "one" };
        assert_eq!(result.is_ok(), change >= 6, "change {change}");
        assert_eq!(
            store.text(store.current().unwrap().number).unwrap(),
            expected
        );
        sim.fail_change(None);
        let seen = start(&Sim::of(&sim.image())).unwrap();
        assert_eq!(
            seen,
            Seen::of(&store),
            "change {change}: the disk and the answer agree"
        );
        let third = store.add("three", "reload", false, 3).unwrap();
        assert_eq!(third.number, 3, "a number is used once");

        let (sim, mut store) = prepared();
        sim.fail_change(Some(change));
        let result = store.set_secret("turn", b"new");
        let value = store.secret("turn").unwrap().unwrap();
        assert!(value.bytes() == b"new" || (result.is_err() && value.bytes() == b"old"));
        assert!(
            !sim.image().files.keys().any(|path| path.contains(".new")),
            "nothing half is left"
        );

        let (sim, mut store) = prepared();
        store.add("two", "reload", true, 2).unwrap();
        sim.fail_change(Some(change));
        let result = store.revert("the test wants it");
        assert_eq!(result.is_err(), change < 3);
        assert_eq!(
            store.current().unwrap().number,
            1,
            "given up whatever the disk does"
        );
    }
}
