//! The store on a real directory.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Error, Note, State, Store, last_confirmed, secret_names};

/// A directory that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("gatehouse-store-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn all_is_kept_over_a_restart_and_closed_to_others() {
    let scratch = Scratch::new();
    let state = scratch.0.join("var/state");
    let mut store = Store::open(&state).unwrap().store;
    store.add("one", "file", false, 1).unwrap();
    store.add("two", "reload", true, 2).unwrap();
    store.set_secret("turn", b"old").unwrap();
    store.set_secret("turn", b"new").unwrap();
    store.set_blob("ca/root", b"key").unwrap();
    drop(store);

    let opened = Store::open(&state).unwrap();
    assert_eq!(opened.notes.len(), 1, "{:?}", opened.notes);
    let store = opened.store;
    assert_eq!(store.text(store.current().unwrap().number).unwrap(), "one");
    assert_eq!(store.generation(2).unwrap().state, State::Reverted);
    assert_eq!(store.secret("turn").unwrap().unwrap().bytes(), b"new");
    assert_eq!(store.blob("ca/root").unwrap().unwrap(), b"key");
    for directory in ["", "generations", "secrets", "ca"] {
        assert_eq!(mode(&state.join(directory)), 0o700, "{directory}");
    }
    for file in [
        "lock",
        "generations/0001.toml",
        "generations/0001.json",
        "secrets/turn",
        "ca/root",
    ] {
        assert_eq!(mode(&state.join(file)), 0o600, "{file}");
    }
    assert_eq!(
        fs::read_dir(state.join("secrets")).unwrap().count(),
        1,
        "nothing unfinished is left"
    );
    assert!(
        secret_names(&state).unwrap().contains("turn"),
        "also while the store is open"
    );
    assert!(secret_names(&scratch.0.join("missing")).is_err());
}

#[test]
fn an_open_directory_is_closed_and_leftovers_are_removed() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.0.join("secrets")).unwrap();
    fs::write(scratch.0.join("secrets/.turn.new"), "half").unwrap();
    for directory in [scratch.0.clone(), scratch.0.join("secrets")] {
        fs::set_permissions(directory, Permissions::from_mode(0o755)).unwrap();
    }
    let mut store = Store::open(&scratch.0).unwrap().store;
    assert_eq!(mode(&scratch.0), 0o700);
    assert_eq!(mode(&scratch.0.join("secrets")), 0o700);
    assert_eq!(fs::read_dir(scratch.0.join("secrets")).unwrap().count(), 0);
    // What is in the way of a new file is replaced, whatever its rights are.
    fs::write(scratch.0.join("secrets/.turn.new"), "x").unwrap();
    fs::set_permissions(
        scratch.0.join("secrets/.turn.new"),
        Permissions::from_mode(0o666),
    )
    .unwrap();
    store.set_secret("turn", b"value").unwrap();
    assert_eq!(mode(&scratch.0.join("secrets/turn")), 0o600);
}

#[test]
fn a_factory_reset_leaves_the_lock_and_what_is_not_ours() {
    let scratch = Scratch::new();
    let mut store = Store::open(&scratch.0).unwrap().store;
    store.add("one", "file", false, 1).unwrap();
    store.set_secret("turn", b"value").unwrap();
    store.set_blob("ca/root", b"key").unwrap();
    let foreign = scratch.0.join(".git");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("config"), "not ours").unwrap();
    store.factory_reset().unwrap();
    assert!(matches!(
        store.set_blob("factory-reset", b""),
        Err(Error::BadName { .. })
    ));
    drop(store);
    let opened = Store::open(&scratch.0).unwrap();
    assert_eq!(opened.notes, [Note::Reset]);
    assert!(opened.store.list().is_empty() && opened.store.secret_names().unwrap().is_empty());
    assert_eq!(opened.store.blob("ca/root").unwrap(), None);
    assert!(foreign.join("config").exists());
    drop(opened);
    assert!(Store::open(&scratch.0).unwrap().notes.is_empty());
}

#[test]
fn two_supervisors_do_not_share_a_directory() {
    let scratch = Scratch::new();
    let first = Store::open(&scratch.0).unwrap().store;
    let error = Store::open(&scratch.0).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "{}: process {} uses this state directory; end that, or name another directory with --state",
            scratch.0.display(),
            std::process::id()
        )
    );
    drop(first);
    Store::open(&scratch.0).unwrap();
}

#[test]
fn what_can_not_be_opened_is_named_with_a_remedy() {
    let scratch = Scratch::new();
    let file = scratch.0.join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = Store::open(&path).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
        assert!(
            error.contains("name another directory with --state"),
            "{error}"
        );
    }
}

#[test]
fn the_last_configuration_is_read_from_a_directory_that_can_not_be_opened() {
    let scratch = Scratch::new();
    let state = scratch.0.as_path();
    assert_eq!(last_confirmed(state), None);
    let mut store = Store::open(state).unwrap().store;
    store.add("one", "file", false, 1).unwrap();
    store.add("two", "reload", false, 2).unwrap();
    store.add("damaged", "reload", false, 3).unwrap();
    store.add("tried", "reload", true, 4).unwrap();
    drop(store);
    fs::remove_dir(state.join("secrets")).unwrap();
    fs::write(state.join("secrets"), "no directory").unwrap();
    fs::write(state.join("generations/0003.toml"), "other").unwrap();
    assert!(Store::open(state).is_err());
    assert_eq!(last_confirmed(state).as_deref(), Some("two"));
    fs::write(state.join("factory-reset"), "").unwrap();
    assert_eq!(last_confirmed(state), None, "it was to be removed");
}
