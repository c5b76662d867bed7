//! Every target eats what is kept for it, every beginning of that, and what small accidents make of it. The same in
//! every run: what fails once fails again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod mutation;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mutation::Mutator;

/// Up to this many bytes, every beginning of a kept file is tried; of a longer one so many, evenly spread.
const BEGINNINGS: usize = 2048;
/// How long one input may take, on a machine that has other things to do, too.
const PATIENCE: Duration = Duration::from_secs(10);

/// A test for each target, with the number of mutations, and the list of their names.
macro_rules! replayed {
    ($($name:ident: $mutations:literal,)+) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name), fuzz_targets::$name, $mutations);
            }
        )+

        const TARGETS: &[&str] = &[$(stringify!($name)),+];
    };
}

replayed! {
    acme_answer: 50_000,
    client_certificate: 10_000,
    config: 5000,
    dhcp_answer: 50_000,
    h323_first: 100_000,
    htpasswd: 50_000,
    http2_head: 100_000,
    http_chunked: 100_000,
    http_credentials: 100_000,
    http_request: 100_000,
    http_response: 100_000,
    icmp_echo: 50_000,
    ldap_answer: 50_000,
    ldap_request: 100_000,
    login_form: 50_000,
    oidc_token: 20_000,
    p12: 20_000,
    partition_table: 5000,
    pem: 20_000,
    proxy_header: 100_000,
    radius_answer: 50_000,
    return_address: 100_000,
    sip_message: 100_000,
    stun_message: 50_000,
    stun_stream: 50_000,
    tls_hello: 100_000,
    turn_relay: 50_000,
}

/// What libFuzzer runs by hand and what is replayed here are the same targets, and each has something to begin with.
#[test]
fn every_target_has_its_program_and_its_corpus() {
    let programs = here("libfuzzer/fuzz_targets");
    let manifest = fs::read_to_string(here("libfuzzer/Cargo.toml")).unwrap();
    for name in TARGETS {
        let program = fs::read_to_string(programs.join(format!("{name}.rs")));
        let program = program.unwrap_or_else(|error| panic!("{name}: no program: {error}"));
        assert!(
            program.contains(&format!("fuzz_targets::{name}(data)")),
            "{name}: its program runs something else"
        );
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name}: libfuzzer/Cargo.toml does not name it"
        );
        assert!(!kept(name).is_empty(), "{name}: no corpus");
    }
    let sources = names(&here("src")).into_iter().filter(|name| name != "lib");
    let folders = [names(&programs), names(&here("corpus"))].concat();
    for name in sources.chain(folders) {
        assert!(TARGETS.contains(&name.as_str()), "{name} is not replayed");
    }
}

fn replay(name: &str, target: fn(&[u8]), mutations: u64) {
    let corpus = kept(name);
    for (file, bytes) in &corpus {
        attempt(name, target, bytes, file);
        for end in beginnings(bytes.len()) {
            let what = format!("the first {end} bytes of {file}");
            attempt(name, target, &bytes[..end], &what);
        }
    }
    let files: Vec<&[u8]> = corpus.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    for seed in 0..mutations {
        let input = Mutator::new(name, seed).mutated(&files);
        attempt(name, target, &input, &format!("mutation {seed}"));
    }
}

/// Where a file of so many bytes is cut off.
fn beginnings(length: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(length.div_ceil(BEGINNINGS).max(1))
}

/// Runs the target once; what it fails on is kept, to be looked at and to become part of the corpus.
fn attempt(name: &str, target: fn(&[u8]), input: &[u8], what: &str) {
    let start = Instant::now();
    let passed = catch_unwind(AssertUnwindSafe(|| target(input))).is_ok();
    let took = start.elapsed();
    if passed && took < PATIENCE {
        return;
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("finding-{name}"));
    fs::write(&file, input).unwrap();
    let shown = &input[..input.len().min(400)];
    panic!(
        "{name}: {what} fails after {took:?}, as said above; it is kept in {}; it begins with\n{}",
        file.display(),
        shown.escape_ascii()
    );
}

/// The kept files of a target with their names, in order.
fn kept(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = here("corpus").join(name);
    let entries = folder.read_dir();
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The names in a folder without their endings.
fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    entries.map(|entry| stem(entry.unwrap().path())).collect()
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
