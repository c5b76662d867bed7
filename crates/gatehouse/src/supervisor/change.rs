//! Which changes of the configuration could lock the operator out.

use config::Config;

/// A part of the configuration: its name, and its content without lines.
type Part = (&'static str, fn(&Config) -> String);

/// Why a change from `old` to `new` must be confirmed; empty where it need not be.
///
/// Addresses, names (the pages answer under no others), firewall and admin pages are what an operator reaches the box through.
pub fn locks_out(old: &Config, new: &Config) -> Vec<&'static str> {
    let parts: [Part; 5] = [
        ("the networks", |config| without_lines(&config.zones)),
        ("the admin pages' listener", |config| {
            without_lines(&config.admin)
        }),
        ("the names of the box", |config| {
            format!("{:?} {:?}", config.system.hostname, config.site.domain)
        }),
        ("the port forwards", |config| {
            without_lines(&config.forwards)
        }),
        ("the firewall", |config| {
            without_lines(&(&config.allows, &config.nat))
        }),
    ];
    parts
        .into_iter()
        .filter(|(_, part)| part(old) != part(new))
        .map(|(name, _)| name)
        .collect()
}

/// Whether nothing changes from `old` to `new` but comments and the places of lines.
pub fn is_same(old: &Config, new: &Config) -> bool {
    without_lines(old) == without_lines(new)
}

/// The value in its debug form, without the lines it stands in: a comment above it changes nothing.
fn without_lines(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("line: ") {
        kept.push_str(before);
        rest = after.trim_start_matches(|character: char| character.is_ascii_digit());
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
        interface = \"eth0\"\naddresses = [\"192.0.2.4/24\"]\n[admin]\nport = 8443\n";

    fn parsed(text: &str) -> Config {
        config::check(text, "test.toml").unwrap().config
    }

    #[test]
    fn asks_where_an_operator_could_lose_the_way_in() {
        let base = parsed(BASE);
        let moved = parsed(&format!("# a comment\n\n{BASE}"));
        assert!(locks_out(&base, &moved).is_empty());
        assert!(is_same(&base, &moved));
        assert!(!is_same(&base, &parsed(&BASE.replace("gate", "gate-hq"))));
        let other_port = parsed(&BASE.replace("8443", "8444"));
        assert_eq!(locks_out(&base, &other_port), ["the admin pages' listener"]);
        let other_name = parsed(&BASE.replace("\"gate\"", "\"gate-hq\""));
        assert_eq!(locks_out(&base, &other_name), ["the names of the box"]);
        let other_domain = parsed(&format!("{BASE}[site]\ndomain = \"a.example\"\n"));
        assert_eq!(locks_out(&base, &other_domain), ["the names of the box"]);
        let other_address = parsed(&BASE.replace("192.0.2.4", "192.0.2.5"));
        assert_eq!(locks_out(&base, &other_address), ["the networks"]);
    }
}
