//! What the operator should know of whose client certificates are believed.

use super::Certificates;
use crate::supervisor::orders::clock_is_wrong;
use config::Config;
use service::Event;
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

/// Seconds between two looks.
const EACH: u64 = 3600;
/// Seconds between two times that the same is told.
const DAY: u64 = 24 * 3600;

/// What was seen at the last look.
#[derive(Default)]
pub(super) struct Look {
    problems: Vec<String>,
    /// Seconds since 1970, as the other.
    looked: u64,
    told: u64,
}

impl Certificates {
    /// Looks, at most once an hour, at the authorities of clients that `config` names and at their lists, and tells once a day what is wrong.
    /// At a start and at every reload, the process that judges by them tells it.
    pub(in crate::supervisor) fn look_at_clients(
        &mut self,
        config: &Config,
        files: &BTreeMap<String, String>,
        now: u64,
    ) -> Vec<Event> {
        let look = &mut self.clients;
        if now.abs_diff(look.looked) < EACH || clock_is_wrong(now) {
            return Vec::new();
        }
        if look.told == 0 {
            look.told = now;
        }
        look.looked = now;
        let at = UNIX_EPOCH + Duration::from_secs(now);
        look.problems = proxy::client_problems(config, files, at);
        if now.abs_diff(look.told) < DAY {
            return Vec::new();
        }
        look.told = now;
        let notice = |text: &String| Event::Notice {
            service: "certs".into(),
            text: text.clone(),
        };
        look.problems.iter().map(notice).collect()
    }

    /// Has the next look not wait.
    pub(in crate::supervisor) fn look_again_at_clients(&mut self) {
        self.clients.looked = 0;
    }

    /// What was wrong at the last look, one sentence each.
    pub(in crate::supervisor) fn client_problems(&self) -> &[String] {
        &self.clients.problems
    }
}
