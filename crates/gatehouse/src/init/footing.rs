//! What the supervisor is started with: the state on the disk; and where it can not run with that, something less, so that
//! the box can be asked, and reset.

/// How often in a row it may end without having served before something less is tried.
const TRIES: u32 = 4;

/// What the supervisor is started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Footing {
    /// The state on the disk.
    Disk,
    /// An empty one in memory, and the configuration that was confirmed last.
    Last,
    /// An empty one in memory, and the configuration of a new box.
    Factory,
}

impl Footing {
    /// What the supervisor is told of it; nothing of the disk, which is as it should be.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Self::Disk => None,
            Self::Last => Some("last"),
            Self::Factory => Some("factory"),
        }
    }
}

/// How the supervisor has fared. What it has once served with is kept until the box starts anew.
#[derive(Debug)]
pub(super) struct Fate {
    footing: Footing,
    failures: u32,
}

impl Fate {
    /// Of a box that begins.
    pub(super) fn new() -> Self {
        Self {
            footing: Footing::Disk,
            failures: 0,
        }
    }

    /// What it is started with next.
    pub(super) fn footing(&self) -> Footing {
        self.footing
    }

    /// Takes in that it has ended, after it `served` or before, and whether there `is_last`: a configuration of before that can be
    /// read. Whether it is started with something less from now on.
    pub(super) fn ended(&mut self, served: bool, is_last: bool) -> bool {
        if served {
            self.failures = 0;
            return false;
        }
        self.failures += 1;
        let less = match self.footing {
            Footing::Disk if is_last => Footing::Last,
            Footing::Disk | Footing::Last => Footing::Factory,
            // There is nothing less.
            Footing::Factory => return false,
        };
        let falls = self.failures >= TRIES;
        if falls {
            *self = Self {
                footing: less,
                failures: 0,
            };
        }
        falls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it stands on after each of these runs: `s` has served, `f` has not.
    fn after(runs: &str, is_last: bool) -> Footing {
        let mut fate = Fate::new();
        for run in runs.chars() {
            fate.ended(run == 's', is_last);
        }
        fate.footing()
    }

    #[test]
    fn one_that_can_not_start_gets_less_and_less_to_stand_on() {
        for (runs, is_last, footing) in [
            ("", true, Footing::Disk),
            ("fff", true, Footing::Disk),
            ("ffff", true, Footing::Last),
            ("ffff", false, Footing::Factory),
            ("fffffff", true, Footing::Last),
            ("ffffffff", true, Footing::Factory),
            ("ffffffffffffffffffff", true, Footing::Factory),
        ] {
            assert_eq!(after(runs, is_last), footing, "{runs}");
        }
    }

    #[test]
    fn one_that_has_served_keeps_what_it_stands_on() {
        assert_eq!(after("fffsfffsfff", true), Footing::Disk);
        assert_eq!(after("ffffsfff", true), Footing::Last);
    }

    #[test]
    fn a_fall_is_told_once() {
        let mut fate = Fate::new();
        let told: Vec<bool> = (0..9).map(|_| fate.ended(false, false)).collect();
        assert_eq!(told.iter().filter(|told| **told).count(), 1);
        assert!(told[3]);
        assert_eq!(fate.footing().word(), Some("factory"));
    }
}
