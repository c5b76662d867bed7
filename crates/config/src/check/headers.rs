//! Fields that rules set, add and remove: none that others rely on, and none said twice.

use std::collections::{HashMap, HashSet};

use crate::fault::Report;
use crate::place::Place;
use crate::reader::quoted;
use crate::sections::{File, HeaderKeys, HttpKeys};

/// The most names of fields that one rule leaves out.
const MOST_REMOVED: usize = 32;

/// Fields that say how a message is framed or passed on, and those that we write by ourselves.
const OURS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-real-ip",
];

/// How the names of more of them begin.
const OURS_BELOW: &[&str] = &["proxy-", "sec-websocket-", "x-forwarded-"];

/// Whether a field says how a message is framed or passed on, or is written by us.
pub(super) fn is_ours(name: &str) -> bool {
    let name = plain(name);
    OURS.contains(&name.as_str()) || OURS_BELOW.iter().any(|below| name.starts_with(below))
}

pub(super) fn headers(file: &File, report: &mut Report) {
    for rule in file.host.iter().flat_map(|host| &host.http) {
        let request = taken_in_requests(rule, file);
        fields(&rule.request_headers, &request, report);
        let response = taken_in_responses(rule);
        fields(&rule.response_headers, &response, report);
    }
}

/// Names that other settings of a rule take, with what takes them.
type Taken = HashMap<String, String>;

fn taken_in_requests(rule: &HttpKeys, file: &File) -> Taken {
    let mut taken = Taken::new();
    if let Some(name) = &rule.client_address_header {
        taken.insert(plain(name), "client_address_header".to_owned());
    }
    let named = |name: &String| rule.access.contains(name) || rule.access_all.contains(name);
    let lists = file.access.entries.iter();
    for list in lists.filter(|list| named(&list.name)) {
        for (key, name) in [
            ("user_header", &list.user_header),
            ("groups_header", &list.groups_header),
        ] {
            if let Some(name) = name {
                taken.insert(plain(name), format!("access.{}.{key}", list.name));
            }
        }
    }
    taken
}

fn taken_in_responses(rule: &HttpKeys) -> Taken {
    let name = || ("strict-transport-security".to_owned(), "hsts".to_owned());
    rule.hsts.map(|_| name()).into_iter().collect()
}

fn fields(keys: &HeaderKeys, taken: &Taken, report: &mut Report) {
    let mut set = HashMap::new();
    for field in &keys.set.0 {
        reserved(&field.name, &field.place, taken, report);
        if let Some(line) = set.insert(plain(&field.name), field.place.line) {
            let what = same(&field.name, "set", line);
            report.fault(field.place.clone(), what, "write it once");
        }
    }
    for field in &keys.add.0 {
        reserved(&field.name, &field.place, taken, report);
    }
    if keys.remove.len() > MOST_REMOVED {
        let what = format!("holds {} names", keys.remove.len());
        let remedy = format!("write at most {MOST_REMOVED}");
        report.fault(keys.at.key("remove"), what, remedy);
        return;
    }
    let mut removed = HashSet::new();
    for (index, name) in keys.remove.iter().enumerate() {
        let place = keys.at.entry("remove", index);
        reserved(name, &place, taken, report);
        if let Some(line) = set.get(&plain(name)) {
            let what = same(name, "set", *line);
            let remedy = "remove it here: what is set replaces what is there";
            report.fault(place, what, remedy);
        } else if !removed.insert(plain(name)) {
            let what = format!("{} is named twice", quoted(name));
            report.fault(place, what, "write it once");
        }
    }
}

fn reserved(name: &str, place: &Place, taken: &Taken, report: &mut Report) {
    if is_ours(name) {
        let what = format!("{} is no field that a rule can change", quoted(name));
        let remedy = match plain(name).as_str() {
            "host" => "write `target_host` for what the target sees",
            "forwarded" => "write forwarded = true for what the target sees",
            name if name.starts_with("x-") => "remove it: targets get it by themselves",
            _ => "remove it: it belongs to the connection",
        };
        report.fault(place.clone(), what, remedy);
    } else if let Some(other) = taken.get(&plain(name)) {
        let what = format!("{} is what {other} sets", quoted(name));
        report.fault(place.clone(), what, "keep one of the two");
    }
}

fn same(name: &str, verb: &str, line: u32) -> String {
    format!("{} is already {verb} in line {line}", quoted(name))
}

/// A name as careless servers read it: without case, and with "-" and "_" as one.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}
