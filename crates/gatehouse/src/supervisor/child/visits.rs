//! What edge is told of visitors, tokens and sessions.

use crate::message::ToRole;
use crate::supervisor::entrance::Steward;
use guard::entrance::Change;
use std::future::pending;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// How many changes travel in one message.
const BATCH: usize = 256;

/// One life of edge, as far as it is told who may enter; nobody else is.
pub(super) struct Visits {
    steward: Option<Steward>,
    changes: Option<Receiver<Change>>,
}

impl Visits {
    /// Nothing was told yet.
    pub(super) fn of(steward: Option<Steward>) -> Self {
        let changes = None;
        Self { steward, changes }
    }

    /// All there is, from which on changes are told.
    pub(super) fn whole(&mut self) -> Option<ToRole> {
        let (roll, changes) = self.steward.as_ref()?.follow();
        self.changes = Some(changes);
        Some(ToRole::Roll(Box::new(roll)))
    }

    /// What is to be told next, once there is something. May be dropped at any await.
    pub(super) async fn next(&mut self) -> ToRole {
        let Some(changes) = &mut self.changes else {
            return pending().await;
        };
        match changes.recv().await {
            Ok(change) => {
                let mut list = vec![change];
                while list.len() < BATCH
                    && let Ok(change) = changes.try_recv()
                {
                    list.push(change);
                }
                ToRole::Entrance(list)
            }
            Err(RecvError::Lagged(_)) => match self.whole() {
                Some(roll) => roll,
                None => pending().await,
            },
            Err(RecvError::Closed) => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::entrance::Lodge;
    use guard::entrance::Roll;

    /// What edge knows after a message.
    fn hear(roll: &mut Roll, message: ToRole) {
        match message {
            ToRole::Roll(whole) => *roll = *whole,
            ToRole::Entrance(changes) => changes.into_iter().for_each(|change| roll.apply(change)),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn edge_is_told_all_once_changes_in_order_and_all_anew_where_it_lags() {
        let lodge = Lodge::new();
        lodge.make_token().await;
        let mut visits = Visits::of(Some(lodge.steward.clone()));
        let mut roll = Roll::default();
        hear(&mut roll, visits.whole().unwrap());
        assert_eq!(roll.tokens.len(), 1);
        for _ in 0..3 {
            lodge.make_token().await;
        }
        lodge.revoke_all().await;
        lodge.make_token().await;
        hear(&mut roll, visits.next().await);
        assert_eq!(roll, lodge.steward.follow().0);
        for _ in 0..1100 {
            lodge.make_token().await;
        }
        lodge.revoke_all().await;
        let message = visits.next().await;
        assert!(matches!(message, ToRole::Roll(_)), "{message:?}");
        hear(&mut roll, message);
        assert_eq!(roll, Roll::default());
        assert!(Visits::of(None).whole().is_none());
    }
}
