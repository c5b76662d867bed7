//! `[proxy.limits]` and load balancers: bounds within which a limit still serves somebody.

use std::time::Duration;

use super::access::twice;
use crate::fault::Report;
use crate::place::At;
use crate::sections::File;

/// Counts with narrower bounds than any count: key, least, most.
const COUNTS: &[(&str, u32, u32)] = &[
    ("streams", 1, 1000),
    ("resets", 1, 10_000),
    ("head_fields", 8, 128),
    ("handshakes_per_address", 1, 1_000_000),
];

/// The longest head whose places fit into 16 bits, which is what the reader of heads has for them.
const MOST_HEAD: u64 = 65_535;

/// Less than HTTP/2 begins with can not be had (RFC 9113 section 6.9.2).
const AHEAD: std::ops::RangeInclusive<u64> = 64 << 10..=16 << 20;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_hours(1);

pub(super) fn limits(file: &File, report: &mut Report) {
    let limits = &file.proxy.limits;
    let at = &limits.at;
    let counts = [
        limits.streams,
        limits.resets,
        limits.head_fields,
        limits.handshakes_per_address,
    ];
    for ((key, least, most), count) in COUNTS.iter().zip(counts) {
        if !(*least..=*most).contains(&count) {
            outside(at, key, &format!("a number from {least} to {most}"), report);
        }
    }
    for (key, timeout) in [
        ("handshake_timeout", limits.handshake_timeout),
        ("head_timeout", limits.head_timeout),
        ("first_request_timeout", limits.first_request_timeout),
        ("keep_alive", limits.keep_alive),
        ("connect_timeout", limits.connect_timeout),
    ] {
        if !(SHORTEST..=LONGEST).contains(&timeout) {
            outside(at, key, "a duration from 100ms to 1h", report);
        }
    }
    if !(1000..=MOST_HEAD).contains(&limits.head_size) {
        outside(at, "head_size", "a size from 1kB to 64kB", report);
    }
    if !AHEAD.contains(&limits.send_ahead) {
        outside(at, "send_ahead", "a size from 64KiB to 16MiB", report);
    }
    if limits.body_rate > 1_000_000 {
        outside(at, "body_rate", "a size from 0B to 1MB", report);
    }
    if !(Duration::from_secs(1)..=LONGEST).contains(&limits.body_rate_grace) {
        let bounds = "a duration from 1s to 1h";
        outside(at, "body_rate_grace", bounds, report);
    }
    let one = limits.connections_per_address;
    if at.holds("connections_per_address") && one > limits.connections {
        let all = limits.connections;
        let what = format!("{one} of one address are more than all together, {all}");
        let remedy = "write less, or a higher `connections`";
        report.fault(at.key("connections_per_address"), what, remedy);
    }
    balancers(file, report);
}

/// Who may name clients is named, too.
fn balancers(file: &File, report: &mut Report) {
    let (at, networks) = (&file.proxy.at, &file.proxy.proxy_protocol_from);
    for (index, network) in networks.iter().enumerate() {
        if network.prefix_len() == 0 {
            let what = format!("{network} would let every client say who it is");
            let place = at.entry("proxy_protocol_from", index);
            report.fault(place, what, "write the addresses of the load balancers");
        }
    }
    let texts: Vec<_> = networks.iter().map(ToString::to_string).collect();
    twice(at, "proxy_protocol_from", &texts, report);
}

fn outside(at: &At, key: &str, bounds: &str, report: &mut Report) {
    report.fault(at.key(key), "is out of bounds", format!("write {bounds}"));
}
