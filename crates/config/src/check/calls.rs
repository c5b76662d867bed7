//! The session border controller: names that exist, numbers that can be rewritten.

use crate::fault::Report;
use crate::nearest::instead;
use crate::place::Place;
use crate::reader::quoted;
use crate::sections::{File, Rewrite, Sbc};

pub(super) fn calls(file: &File, report: &mut Report) {
    let Some(sbc) = &file.sbc else { return };
    if sbc.listen.is_empty() && !sbc.at.is_broken("listen") {
        let remedy = "write [[sbc.listen]] with zone, transport and port";
        report.fault(sbc.at.place.clone(), "listens nowhere", remedy);
    }
    if sbc.media_ports.count() < 4 {
        let remedy = "write at least four ports: two for each side of a call";
        report.fault(sbc.at.key("media_ports"), "are too few for a call", remedy);
    }
    for (index, number) in sbc.emergency.iter().enumerate() {
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            let what = format!("{} is no number", quoted(number));
            report.fault(sbc.at.entry("emergency", index), what, "write digits alone");
        }
    }
    unique(sbc, report);
    for trunk in &sbc.trunk {
        pbx(sbc, &trunk.pbx, trunk.at.key("pbx"), report);
        if let Some(most) = trunk.max_calls.filter(|most| *most > sbc.max_calls) {
            let what = format!("{most} is more than all calls together, {}", sbc.max_calls);
            report.fault(
                trunk.at.key("max_calls"),
                what,
                "write less, or a higher sbc.max_calls",
            );
        }
        for rule in &trunk.rewrite {
            rewrite(rule, report);
        }
    }
    if let Some(phones) = &sbc.phones {
        pbx(sbc, &phones.pbx, phones.at.key("pbx"), report);
    }
}

fn unique(sbc: &Sbc, report: &mut Report) {
    let pbxs: Vec<_> = sbc
        .pbx
        .iter()
        .map(|pbx| (&pbx.name, &pbx.at, pbx.line))
        .collect();
    let trunks: Vec<_> = sbc
        .trunk
        .iter()
        .map(|trunk| (&trunk.name, &trunk.at, trunk.line))
        .collect();
    for all in [pbxs, trunks] {
        for (index, (name, at, _)) in all.iter().enumerate() {
            if let Some((.., line)) = all.iter().take(index).find(|(other, ..)| other == name) {
                let what = format!("{} is already in line {line}", quoted(name));
                report.fault(at.key("name"), what, "give each a name of its own");
            }
        }
    }
}

fn pbx(sbc: &Sbc, name: &str, place: Place, report: &mut Report) {
    // One that could not be read may be the one that is meant.
    if sbc.at.count("pbx") != sbc.pbx.len() || sbc.pbx.iter().any(|pbx| pbx.name == name) {
        return;
    }
    let known: Vec<_> = sbc.pbx.iter().map(|pbx| pbx.name.as_str()).collect();
    let remedy = match known.as_slice() {
        [] => format!("write [[sbc.pbx]] with name = \"{name}\""),
        known => instead(name, known),
    };
    report.fault(place, format!("there is no PBX {}", quoted(name)), remedy);
}

fn rewrite(rule: &Rewrite, report: &mut Report) {
    let pattern = match regex_syntax::parse(&rule.r#match) {
        Ok(pattern) => pattern,
        Err(error) => {
            let what = format!(
                "{} is no regular expression: {}",
                quoted(&rule.r#match),
                reason(&error)
            );
            report.fault(
                rule.at.key("match"),
                what,
                "write for example \"^0([1-9].*)$\"",
            );
            return;
        }
    };
    let groups = pattern.properties().explicit_captures_len();
    for number in references(&rule.replace) {
        if number > groups {
            let what = match groups {
                0 => format!("${number} stands for nothing: `match` has no parentheses"),
                1 => format!("${number} stands for nothing: `match` has one pair of parentheses"),
                _ => format!(
                    "${number} stands for nothing: `match` has {groups} pairs of parentheses"
                ),
            };
            let remedy =
                "put what it shall stand for into parentheses there, or write \"$$\" for a \"$\"";
            report.fault(rule.at.key("replace"), what, remedy);
        }
    }
}

/// What a regular expression lacks, on one line.
fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => "it can not be read".to_owned(),
    }
}

/// The numbers behind "$" in a replacement; "$$" is a "$".
fn references(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('$') {
        if let Some(after) = after.strip_prefix('$') {
            rest = after;
            continue;
        }
        let after = after.strip_prefix('{').unwrap_or(after);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        found.extend(after[..digits].parse::<usize>());
        rest = after;
    }
    found
}
