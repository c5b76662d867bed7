//! The first screen: how the box is, and what can be done.

use super::screen::item;
use super::text::{HEIGHT, WIDTH, cut};
use super::{Console, Frame, report};

/// Interfaces that are shown here; the state has all.
const INTERFACES: usize = 3;
/// Lines above the menu, title and rule among them.
const ABOVE: usize = 12;

/// What the menu has, in the order of its digits; 0 comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    State,
    Network,
    Trial,
    Rollback,
    Ping,
    Lookup,
    Reboot,
    PowerOff,
    FactoryReset,
    Leave,
}

const MENU: [(Item, &str); 10] = [
    (Item::State, "State and addresses"),
    (Item::Network, "Network settings"),
    (Item::Trial, "Confirm or give up a change"),
    (Item::Rollback, "Roll back to an earlier configuration"),
    (Item::Ping, "Ping a host"),
    (Item::Lookup, "Look up a name"),
    (Item::Reboot, "Restart the box"),
    (Item::PowerOff, "Switch the box off"),
    (Item::FactoryReset, "Factory reset"),
    (Item::Leave, "Leave the console"),
];

impl Console {
    /// The menu as it is now.
    pub(super) fn menu(&self) -> &'static [(Item, &'static str)] {
        let items = if self.may_leave {
            MENU.len()
        } else {
            MENU.len() - 1
        };
        MENU.get(..items).unwrap_or_default()
    }

    pub(super) fn home(&self, selected: usize) -> Frame {
        let (title, mut body) = self.summary();
        if let Some(trouble) = &self.trouble {
            body.push(cut(&format!("The box does not answer: {trouble}"), WIDTH));
        }
        body.resize(ABOVE - 2, String::new());
        for (index, (_, text)) in self.menu().iter().enumerate() {
            body.push(item((index + 1) % 10, text, index == selected));
        }
        debug_assert!(body.len() <= HEIGHT - 3, "the menu fits");
        Frame::new(
            &title,
            body,
            "Digit, or arrows and Enter: choose.  Ctrl-L: draw anew",
        )
    }

    fn summary(&self) -> (String, Vec<String>) {
        let Some((status, network)) = self.known.as_deref() else {
            let waiting = match self.trouble {
                None => "Asking the box ...",
                Some(_) => "",
            };
            return ("Gatehouse".to_owned(), vec![waiting.to_owned()]);
        };
        let title = format!("Gatehouse {} on {}", status.version, status.hostname);
        let trial = report::trial(&status.generation).map(|trial| format!("{trial} (3)"));
        let faults = match report::faults(status).as_slice() {
            [] => "none".to_owned(),
            [one] => one.clone(),
            some => format!("{}, see 1", some.len()),
        };
        let mut body = vec![
            format!("Configuration  {}", report::generation(&status.generation)),
            format!("               {}", trial.unwrap_or_default()),
            format!("Running for    {}", report::running_for(status)),
            format!("Processes      {}", report::processes(status)),
            format!("Faults         {faults}"),
        ];
        let shown = network.interfaces.iter().take(INTERFACES);
        for (index, interface) in shown.enumerate() {
            let label = if index == 0 { "Addresses" } else { "" };
            body.push(format!("{label:<13}  {}", report::interface(interface)));
        }
        let more = network.interfaces.len().saturating_sub(INTERFACES);
        if more > 0 {
            body.push(format!("{:<13}  and {more} more, see 1", ""));
        }
        (title, body)
    }
}
