//! Rules for HTTP: paths that can match, each once, and settings that mean something.

use std::collections::HashMap;

use crate::fault::Report;
use crate::reader::quoted;
use crate::sections::{File, HttpKeys, PathPolicy, Plain};

pub(super) fn rules(file: &File, report: &mut Report) {
    for host in &file.host {
        let mut known = HashMap::new();
        for rule in &host.http {
            paths(rule, &mut known, report);
            settings(rule, report);
        }
    }
}

/// What a rule takes, for the search of duplicates: a path, or the empty path alone.
#[derive(PartialEq, Eq, Hash)]
enum Taken {
    Path(String),
    Empty,
}

fn paths(rule: &HttpKeys, known: &mut HashMap<Taken, u32>, report: &mut Report) {
    if rule.default {
        if rule.at.holds("paths") {
            let what = "has no meaning beside `default = true`, which serves \"/\" alone";
            report.fault(
                rule.at.key("paths"),
                what,
                "remove it, or write a [[host.http]] for each",
            );
        }
        if let Some(line) = known.insert(Taken::Empty, rule.line) {
            let what = format!("the rule in line {line} already serves the empty path");
            report.fault(rule.at.key("default"), what, "keep one of the two");
        }
        return;
    }
    if rule.paths.is_empty() {
        if rule.at.is_broken("paths") {
            return;
        }
        if let Some(line) = known.insert(Taken::Path(String::new()), rule.line) {
            let what = format!("the rule in line {line} already serves every path");
            report.fault(
                rule.at.place.clone(),
                what,
                "write `paths` in one of the two",
            );
        }
        return;
    }
    for (index, text) in rule.paths.iter().enumerate() {
        let place = rule.at.entry("paths", index);
        if let Some((what, remedy)) = path_fault(text, rule.path_policy) {
            report.fault(place, what, remedy);
        } else if let Some(line) = known.insert(Taken::Path(text.clone()), place.line) {
            let what = format!("{} is already served by line {line}", quoted(text));
            report.fault(place, what, "write each path of a host once");
        }
    }
}

/// Why a path can not match any request.
fn path_fault(text: &str, policy: PathPolicy) -> Option<(String, String)> {
    let fault =
        |what: &str, remedy: &str| Some((format!("{} {what}", quoted(text)), remedy.to_owned()));
    if text.is_empty() {
        return None;
    }
    if text.contains("://") {
        return fault(
            "is an address",
            "write the path alone, from its first \"/\" on",
        );
    }
    if !text.starts_with('/') {
        let remedy = format!("write {}", quoted(&format!("/{text}")));
        return fault("does not begin with \"/\"", &remedy);
    }
    if text.contains('?') || text.contains('#') {
        return fault(
            "holds a query or a fragment",
            "write what stands before it: both are ignored",
        );
    }
    if text.contains('*') {
        let remedy = "write its initial part alone: whatever follows is served, too";
        return fault("holds a \"*\", which stands for nothing but itself", remedy);
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return fault(
            "holds what no request can",
            "write it percent-encoded, as browsers send it",
        );
    }
    let lower = text.to_ascii_lowercase();
    let ambiguous = ["//", "/./", "/../", "\\", "%2f", "%5c", "%2e", "%00"];
    let dots = text.ends_with("/..") || text.ends_with("/.");
    if policy == PathPolicy::Strict && (dots || ambiguous.iter().any(|odd| lower.contains(odd))) {
        let remedy = "write it in its plain form, or path_policy = \"as_is\"";
        return fault("never matches: such paths are refused before", remedy);
    }
    None
}

fn settings(rule: &HttpKeys, report: &mut Report) {
    if let Some(plain @ (Plain::Redirect | Plain::Refuse)) = rule.plain
        && rule.at.holds("port")
        && rule.at.holds("tls_port")
    {
        let what = format!("has no meaning beside plain = \"{plain}\"");
        report.fault(
            rule.at.key("port"),
            what,
            "remove it: nothing plain is forwarded",
        );
    }
}
