//! What the operator is shown of certificates.

use super::orders::{NotRenewed, Renewing, clock_is_wrong, now};
use super::state::State;
use certs::{Material, Problem};
use control::{CertificateStatus, Moment, Refusal, RenewalState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: i64 = 24 * 3600;

impl State {
    /// Every certificate that is shown to clients, and those that a CA is still to make.
    pub(super) fn certificate_statuses(&self) -> Vec<CertificateStatus> {
        let now = now();
        let renewing = self.certificates.acme.renewing(now);
        let shown = self.running.certificates.iter();
        let of = |line: Option<u32>| renewing.iter().find(|one| Some(one.line) == line);
        let mut statuses: Vec<_> = shown
            .map(|material| status(material, of(material.line), now))
            .collect();
        let is_there = |line| {
            let mut shown = self.running.certificates.iter();
            shown.any(|material| material.line == Some(line))
        };
        let missing = renewing.iter().filter(|one| !is_there(one.line));
        // Behind those that stand in for them, which is what clients see.
        statuses.extend(missing.map(still_missing));
        statuses
    }
}

fn status(material: &Material, renewing: Option<&Renewing>, now: u64) -> CertificateStatus {
    let at = UNIX_EPOCH + Duration::from_secs(now.min(u64::from(u32::MAX)));
    let renewal = renewing.map(|one| one.renewal.clone());
    let planned = renewal
        .as_ref()
        .is_some_and(|renewal| renewal.state == RenewalState::Planned);
    let names = renewing.map_or(&material.names, |one| &one.names);
    let problems = certs::check(material, names, at);
    let problems = problems.iter().filter(|problem| {
        let is_of_time = matches!(
            problem,
            Problem::Expired { .. } | Problem::NotYetValid { .. } | Problem::ExpiresSoon { .. }
        );
        let is_renewed = planned && matches!(problem, Problem::ExpiresSoon { .. });
        let is_moot = is_of_time && clock_is_wrong(now);
        !(material.temporary || is_renewed || is_moot)
    });
    let mut problems: Vec<String> = problems.map(ToString::to_string).collect();
    if material.temporary {
        problems.push("temporary: phones and browsers will not trust this".to_owned());
    }
    let expires = certs::validity(material).ok();
    let expires = expires.map(|validity| validity.not_after);
    let source = match (material.temporary, renewing) {
        (true, _) => "own",
        (false, Some(_)) => "acme",
        (false, None) => "files",
    };
    CertificateStatus {
        names: material.names.clone(),
        source: source.to_owned(),
        expires: expires.map(Moment::from),
        days_left: expires.map(|end| days(end, now)),
        line: material.line,
        problems,
        renewal,
    }
}

fn still_missing(one: &Renewing) -> CertificateStatus {
    CertificateStatus {
        names: one.names.clone(),
        source: "acme".to_owned(),
        expires: None,
        days_left: None,
        line: Some(one.line),
        problems: Vec::new(),
        renewal: Some(one.renewal.clone()),
    }
}

/// Whole days from `now` until `end`; negative once that is over.
fn days(end: SystemTime, now: u64) -> i64 {
    let seconds = end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let signed = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
    (signed(seconds) - signed(now)).div_euclid(DAY)
}

/// Why a certificate is not ordered anew by hand.
pub fn not_renewed(name: &str, why: NotRenewed) -> Refusal {
    match why {
        NotRenewed::Unknown => Refusal::not_found(format!(
            "no certificate of {name} is had from a CA; `gatehouse certificate list` shows which are"
        )),
        NotRenewed::Not(fault) => Refusal::conflict(format!("it can not be ordered: {fault}")),
        NotRenewed::UnderWay => Refusal::conflict("it is being ordered at this moment"),
        NotRenewed::Before(at) => Refusal::conflict(format!(
            "its CA takes no other order before {}",
            Moment(at.saturating_mul(1000))
        )),
    }
}
