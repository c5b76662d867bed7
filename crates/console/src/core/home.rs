//! The first screen: how the box is, and what can be done.

use super::screen::item;
use super::text::{HEIGHT, WIDTH, cut};
use super::{Console, Frame, report};

/// Interfaces that are shown here; the state has all.
const INTERFACES: usize = 3;
/// Lines above the menu, title and rule among them.
const ABOVE: usize = 12;

/// What the menu has.
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
    ResetUsers,
    Leave,
}

/// One line of the menu: what it does, its key, its words.
type Line = (Item, char, &'static str);

/// There are more lines than digits.
const MENU: [Line; 11] = [
    (Item::State, '1', "State and addresses"),
    (Item::Network, '2', "Network settings"),
    (Item::Trial, '3', "Confirm or give up a change"),
    (Item::Rollback, '4', "Roll back to an earlier configuration"),
    (Item::Ping, '5', "Ping a host"),
    (Item::Lookup, '6', "Look up a name"),
    (Item::Reboot, '7', "Restart the box"),
    (Item::PowerOff, '8', "Switch the box off"),
    (Item::FactoryReset, '9', "Factory reset"),
    (Item::ResetUsers, 'u', "Reset the users of the admin pages"),
    (Item::Leave, '0', "Leave the console"),
];

impl Console {
    /// The menu as it is now.
    pub(super) fn menu(&self) -> &'static [Line] {
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
        for (index, (_, key, text)) in self.menu().iter().enumerate() {
            body.push(item(key, text, index == selected));
        }
        debug_assert!(body.len() <= HEIGHT - 3, "the menu fits");
        Frame::new(
            &title,
            body,
            "Digit or letter, or arrows and Enter: choose.  Ctrl-L: draw anew",
        )
    }

    fn summary(&self) -> (String, Vec<String>) {
        let Some((status, network, claim)) = self.known.as_deref() else {
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
            report::claim(claim, status, network)
                .unwrap_or_else(|| format!("Running for    {}", report::running_for(status))),
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
