//! Whatever the file holds, `check` answers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

/// Bytes that mean something to TOML, and some that never should.
const ODD: &[char] = &[
    '"', '\'', '[', ']', '{', '}', '=', '.', ',', '#', '\n', '-', '0', 'e', '\\', '\0', 'é',
];

fn file(name: &str) -> String {
    let path = format!("{}/../../configs/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// Checks a text and prints what is said, as the command line would.
fn check(text: &str) {
    match config::check(text, "x.toml") {
        Ok(checked) => assert!(!config::tables::all(&checked.config).is_empty()),
        Err(faults) => {
            assert!(
                !faults.faults.is_empty(),
                "refused without a reason:\n{text}"
            );
            let said = faults.to_string();
            assert!(!said.contains('\0') && !said.contains('\u{1b}'), "{said:?}");
        }
    }
}

fn truncations(name: &str) {
    let text = file(name);
    let ends = text.char_indices().map(|(end, _)| end);
    ends.for_each(|end| check(&text[..end]));
}

/// Replaces, inserts and removes at each place; which odd byte comes where is spread evenly.
fn mutations(name: &str) {
    let text = file(name);
    let places = text.char_indices().zip(text.char_indices().skip(1));
    for (index, ((start, _), (end, _))) in places.enumerate() {
        let odd = ODD[index % ODD.len()];
        let next = ODD[(index / ODD.len() + index) % ODD.len()];
        let (before, after) = (&text[..start], &text[end..]);
        check(&format!("{before}{after}"));
        check(&format!("{before}{odd}{after}"));
        check(&format!("{before}{next}{}", &text[start..]));
    }
}

macro_rules! files {
    ($($test:ident: $name:literal,)+) => {
        $(
            mod $test {
                #[test]
                fn truncations() {
                    super::truncations($name);
                }

                #[test]
                fn mutations() {
                    super::mutations($name);
                }
            }
        )+
    };
}

files! {
    estos: "estos-ucserver",
    wcs: "flashphoner-wcs",
    infinityone: "infinityone",
    innovaphone: "innovaphone",
    interwise: "interwise",
    sip_trunk: "sip-trunk",
}

#[test]
fn hostile_files() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    check(&format!("schema = {}", deep("[", "]")));
    check(&format!("schema = {}", deep("{a=", "}")));
    check(&format!("{}a = 1", "a.".repeat(200_000)));
    check(&format!("[{}a]", "a.".repeat(200_000)));
    check(&"[[host]]\n".repeat(50_000));
    check(&"x".repeat(2 << 20));
    check("\u{feff}schema = 1\n");
    check("schema = 1\r\n[system]\r\nhostname = \"gate\"\r\n");
    let forward = "[[forward]]\nname=\"x\"\nprotocol=\"udp\"\nports=\"1-65535\"\nto=\"10.0.0.3\"\n";
    let zones = "schema=1\n[network.w]\ntrust=\"outside\"\ninterface=\"w\"\naddresses=[\"dhcp\"]\n";
    check(&format!("{zones}{}", forward.repeat(10_000)));
    let rule = "schema = 1\n[[host]]\nname = \"a\"\n[[host.http]]\n";
    let targets = "\"10.0.0.2\",".repeat(80_000);
    check(&format!("{rule}target = [{targets}]"));
    let names = (0..50_000).map(|number| format!("\"x{number}\" = \"\", "));
    let names: String = names.collect();
    check(&format!(
        "{rule}target = \"10.0.0.2\"\nrequest_headers.set = {{ {names} }}"
    ));
    let removed = "\"x\",".repeat(200_000);
    check(&format!(
        "{rule}target = \"10.0.0.2\"\nrequest_headers.remove = [{removed}]"
    ));
    check(&format!(
        "schema = 1\n[guard]\nnever = [{}]",
        "\"x\",".repeat(100_000)
    ));
}
