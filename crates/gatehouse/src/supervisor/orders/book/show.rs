//! What the operator is shown of certificates from CAs.

use super::Book;
use crate::supervisor::orders::clock_is_wrong;
use control::{Moment, OrderStep, Renewal, RenewalState};
use uplink::acme::Step;

/// A certificate that is had from a CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewing {
    /// Line of its `[[certificate]]`.
    pub line: u32,
    /// Its names, as they are wanted.
    pub names: Vec<String>,
    /// What happens with it next.
    pub renewal: Renewal,
}

impl Book {
    /// What happens next with every certificate that is had from a CA.
    pub fn renewing(&self, now: u64) -> Vec<Renewing> {
        let wants = self.wants.iter();
        wants
            .map(|want| Renewing {
                line: want.line,
                names: want.names.clone(),
                renewal: self.renewal_of(want, now),
            })
            .collect()
    }

    fn renewal_of(&self, want: &super::Want, now: u64) -> Renewal {
        let at = Moment(self.order_at(want).max(now).saturating_mul(1000));
        let shown = |state, at, text: Option<String>| Renewal {
            state,
            at,
            text,
            step: None,
        };
        let kept = self.kept.records.get(&want.place());
        let failure = kept.and_then(|kept| kept.failure.clone());
        match &want.terms {
            Err(fault) => shown(RenewalState::Held, None, Some(fault.clone())),
            Ok(_) if clock_is_wrong(now) => {
                let text = "the clock shows a time before this version was made";
                shown(RenewalState::Held, None, Some(text.to_owned()))
            }
            Ok(_) if self.flights.contains_key(&want.key) => Renewal {
                step: self.flights[&want.key].step.map(step),
                ..shown(RenewalState::Ordered, None, failure)
            },
            Ok(_) if failure.is_some() => shown(RenewalState::Failed, Some(at), failure),
            Ok(_) => shown(RenewalState::Planned, Some(at), None),
        }
    }
}

fn step(step: Step) -> OrderStep {
    match step {
        Step::Account => OrderStep::Account,
        Step::Order => OrderStep::Order,
        Step::Proofs => OrderStep::Proofs,
        Step::Issuance => OrderStep::Issuance,
    }
}
