//! Logins by RADIUS: how long somebody may have to wait before he is told that nobody answers.

use std::time::Duration;

use super::access::twice;
use crate::fault::Report;
use crate::reader::quoted;
use crate::sections::{File, RadiusLogin};

/// The most servers beside the first.
const MOST_OTHERS: usize = 7;
/// The most that one server is asked.
const MOST_TRIES: u32 = 10;
const SHORTEST: Duration = Duration::from_millis(100);
/// For all servers together: browsers and people give up after a minute, and a push to a telephone is over by then.
const LONGEST: Duration = Duration::from_mins(1);

pub(super) fn logins(file: &File, report: &mut Report) {
    for keys in &file.access.entries {
        if let Some(login) = &keys.radius {
            servers(login, report);
            waits(login, report);
        }
    }
}

fn servers(login: &RadiusLogin, report: &mut Report) {
    twice(&login.at, "others", &login.others, report);
    if let Some(index) = login.others.iter().position(|text| *text == login.server) {
        let what = format!("{} is named twice", quoted(&login.server));
        report.fault(login.at.entry("others", index), what, "write it once");
    }
    let count = login.others.len();
    if count > MOST_OTHERS {
        let what = format!("holds {count} servers");
        let remedy = format!("write at most {MOST_OTHERS}");
        report.fault(login.at.key("others"), what, remedy);
    }
}

fn waits(login: &RadiusLogin, report: &mut Report) {
    let mut outside = |key, bounds: &str| {
        report.fault(
            login.at.key(key),
            "is out of bounds",
            format!("write {bounds}"),
        );
    };
    let tries_fit = (1..=MOST_TRIES).contains(&login.tries);
    if !tries_fit {
        outside("tries", "a number from 1 to 10");
    }
    let timeout_fits = (SHORTEST..=LONGEST).contains(&login.timeout);
    if !timeout_fits {
        outside("timeout", "a duration from 100ms to 1m");
    }
    let servers = u32::try_from(login.others.len().min(MOST_OTHERS) + 1).expect("8 fit");
    let all = login.timeout * login.tries.min(MOST_TRIES) * servers;
    if tries_fit && timeout_fits && all > LONGEST {
        let seconds = all.as_secs();
        let what = format!("lets a user wait for {seconds} s where no server answers");
        let remedy = "write less, or less `tries`: a minute is the most for all servers together";
        report.fault(login.at.key("timeout"), what, remedy);
    }
}
