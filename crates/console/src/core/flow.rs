//! What a key does on each screen, and what follows what.

use std::net::IpAddr;

use control::{Applied, Generation, GenerationState, MachineOrder, Rollback, ZoneChange};
use ipnet::IpNet;

use super::home::Item;
use super::keys::Key;
use super::screen::{List, PAGE, Pager, Prompt};
use super::{Console, Question, View, report};

/// What an item of a list means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    Zone(String),
    Dhcp(String),
    Static(String),
    Generation(u32),
    Keep(u32),
    GiveUp(u32),
    Later,
}

/// What something is typed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Goal {
    Address {
        zone: String,
    },
    Gateway {
        zone: String,
        address: IpNet,
    },
    /// The word that makes a question happen.
    Word(&'static str, Box<Question>),
    Ping,
    Lookup,
}

impl Console {
    pub(super) fn press_in_view(&mut self, key: Key) {
        match &mut self.view {
            View::Home(_) => self.press_at_home(key),
            View::List(list) => {
                if let Some(choice) = in_list(list, key) {
                    self.choose(choice);
                }
            }
            View::Text(pager, _) => {
                let goes_on = match key {
                    Key::PageDown | Key::Char(' ' | 'n') => pager.page(1) || key != Key::Char(' '),
                    Key::PageUp | Key::Char('p') => {
                        pager.page(-1);
                        true
                    }
                    Key::Down => return pager.step(1),
                    Key::Up => return pager.step(-1),
                    Key::First => return pager.step(isize::MIN),
                    Key::Last => return pager.step(isize::MAX),
                    Key::Enter | Key::Char('q') => false,
                    _ => true,
                };
                if !goes_on {
                    self.go_home();
                }
            }
            View::Prompt(prompt) => match key {
                Key::Char(character) => prompt.push(character),
                Key::Backspace => drop(prompt.text.pop()),
                Key::Clear => prompt.text.clear(),
                Key::Enter => self.entered(),
                _ => {}
            },
            View::Busy(..) => {}
        }
    }

    fn press_at_home(&mut self, key: Key) {
        let menu = self.menu();
        let View::Home(selected) = &mut self.view else {
            return;
        };
        let last = menu.len().saturating_sub(1);
        let index = match key {
            Key::Up => return *selected = selected.saturating_sub(1),
            Key::Down => return *selected = (*selected + 1).min(last),
            Key::First | Key::PageUp => return *selected = 0,
            Key::Last | Key::PageDown => return *selected = last,
            Key::Enter => *selected,
            Key::Char(pressed) => match menu.iter().position(|(_, key, _)| *key == pressed) {
                Some(index) => index,
                None => return,
            },
            _ => return,
        };
        if let Some((item, _, title)) = menu.get(index) {
            self.begin(*item, title);
        }
    }

    fn begin(&mut self, item: Item, title: &str) {
        match item {
            Item::State => {
                let text = match self.known.as_deref() {
                    Some((status, network, claim)) => report::whole(status, network, claim),
                    None => self.trouble.clone().unwrap_or_default(),
                };
                self.show(View::Text(Pager::new(title, &text), true));
            }
            Item::Network => self.choose_zone(title),
            Item::Trial => self.choose_about_trial(title),
            Item::Rollback => self.wait_for(title, Question::Generations),
            Item::Ping => self.prompt(title, "", "Name or address", "", Goal::Ping),
            Item::Lookup => self.prompt(title, "", "Name", "", Goal::Lookup),
            Item::Reboot => self.order(
                title,
                "All connections are cut; the box is back in about a minute.",
                MachineOrder::Reboot,
            ),
            Item::PowerOff => self.order(
                title,
                "All connections are cut. Only its power switch brings the box back.",
                MachineOrder::PowerOff,
            ),
            Item::FactoryReset => self.prompt(
                title,
                "This removes every configuration, secret and certificate that the box keeps, and begins anew with the \
                 configuration that it came with. There is no way back.\n\nType RESET, in capitals, to do it.",
                "Type RESET",
                "",
                word("RESET", Question::Order(MachineOrder::FactoryReset)),
            ),
            Item::ResetUsers => self.prompt(
                title,
                "This removes all users of the admin pages and ends their sessions; nothing else of the box changes. Whoever enters the \
                 code that this console shows then becomes the first user.\n\nType RESET, in capitals, to do it.",
                "Type RESET",
                "",
                word("RESET", Question::ResetUsers),
            ),
            Item::Leave => self.outputs.push_back(super::Output::Leave),
        }
    }

    fn order(&mut self, title: &str, body: &str, order: MachineOrder) {
        self.confirm(title, body, Question::Order(order));
    }

    /// Has the operator type a word before `question` is asked.
    fn confirm(&mut self, title: &str, body: &str, question: Question) {
        self.prompt(title, body, "Type yes to do it", "", word("yes", question));
    }

    fn prompt(&mut self, title: &str, body: &str, label: &str, text: &str, goal: Goal) {
        self.show(View::Prompt(Prompt {
            title: title.to_owned(),
            body: body.to_owned(),
            label: label.to_owned(),
            text: text.to_owned(),
            note: String::new(),
            goal,
        }));
    }

    fn choose_zone(&mut self, title: &str) {
        let Some((_, network, _)) = self.known.as_deref() else {
            return self.say(title, "The box does not answer yet; try again in a moment.");
        };
        let zones = network
            .zones
            .iter()
            .map(|zone| (report::zone(zone), Choice::Zone(zone.name.clone())));
        let items = zones.collect();
        self.list(title, "The address of which zone?", items);
    }

    fn choose_about_trial(&mut self, title: &str) {
        let known = self.known.as_deref().map(|(status, _, _)| status);
        let trial = known.and_then(|status| {
            let generation = &status.generation;
            Some((report::trial(generation)?, generation.number))
        });
        match trial {
            Some((trial, number)) => self.list(title, &trial, about_trial(number)),
            None => self.say(title, "No change waits to be confirmed."),
        }
    }

    pub(super) fn choose_generation(&mut self, list: Vec<Generation>) {
        // The newest is the likeliest.
        let earlier = list.into_iter().rev().filter(|generation| {
            matches!(
                generation.state,
                GenerationState::Kept | GenerationState::GivenUp
            )
        });
        let items: Vec<_> = earlier
            .map(|generation| {
                let given_up = match generation.state {
                    GenerationState::GivenUp => ", given up",
                    _ => "",
                };
                let text = format!("{}{given_up}", report::generation(&generation));
                (text, Choice::Generation(generation.number))
            })
            .collect();
        let title = "Roll back to an earlier configuration";
        if items.is_empty() {
            return self.say(title, "There is no earlier configuration.");
        }
        self.list(title, "Which one shall be in force?", items);
    }

    pub(super) fn show_applied(&mut self, title: &str, applied: &Applied) {
        let number = applied.generation.number;
        if let Some(trial) = report::trial(&applied.generation) {
            let head = format!(
                "Generation {number} is in force. {trial}\nSee whether you still reach the box as you want to, then keep it."
            );
            return self.list(title, &head, about_trial(number));
        }
        let what = if applied.changed {
            "is in force."
        } else {
            "is in force as before."
        };
        let notes = applied.notes.join("\n");
        self.say(title, &format!("Generation {number} {what}\n{notes}"));
    }

    fn say(&mut self, title: &str, text: &str) {
        self.show(View::Text(Pager::new(title, text), false));
    }

    fn list(&mut self, title: &str, head: &str, items: Vec<(String, Choice)>) {
        self.show(View::List(List {
            title: title.to_owned(),
            head: head.to_owned(),
            items,
            selected: 0,
        }));
    }

    fn choose(&mut self, choice: Choice) {
        let title = match &self.view {
            View::List(list) => list.title.clone(),
            _ => return,
        };
        match choice {
            Choice::Zone(zone) => {
                let head = format!("How does the box get its address in zone {zone}?");
                let items = vec![
                    (
                        "From the network (DHCP)".to_owned(),
                        Choice::Dhcp(zone.clone()),
                    ),
                    ("A fixed address".to_owned(), Choice::Static(zone)),
                ];
                self.list(&title, &head, items);
            }
            Choice::Dhcp(zone) => self.confirm_zone(
                &title,
                ZoneChange {
                    zone,
                    address: "dhcp".to_owned(),
                    gateway: None,
                },
            ),
            Choice::Static(zone) => {
                let fixed = self.zone_addresses(&zone).into_iter().next();
                let present = fixed.map(|address| address.to_string());
                let body = format!(
                    "The address of the box in zone {zone}, with the length of its network, such as 192.168.1.4/24."
                );
                let goal = Goal::Address { zone };
                self.prompt(
                    &title,
                    &body,
                    "Address/prefix",
                    &present.unwrap_or_default(),
                    goal,
                );
            }
            Choice::Generation(number) => {
                let body = format!("Generation {number} is put into force again.");
                self.confirm(&title, &body, Question::Rollback(Rollback::To(number)));
            }
            Choice::Keep(number) => {
                let body = "The change stays, also over a restart.";
                self.confirm("Keep the change", body, Question::Confirm(number));
            }
            Choice::GiveUp(number) => {
                let body = "What was confirmed last is put into force again.";
                let question = Question::Rollback(Rollback::GiveUp(number));
                self.confirm("Give the change up", body, question);
            }
            Choice::Later => self.go_home(),
        }
    }

    /// The fixed addresses of a zone as the configuration has them.
    fn zone_addresses(&self, zone: &str) -> Vec<IpNet> {
        let zones = self.known.as_deref().map(|(_, network, _)| &network.zones);
        let zone = zones.and_then(|zones| zones.iter().find(|known| known.name == zone));
        let addresses = zone.map(|zone| zone.addresses.iter());
        let fixed = addresses.into_iter().flatten();
        fixed.filter_map(|text| text.parse().ok()).collect()
    }

    fn zone_gateway(&self, zone: &str) -> Option<IpAddr> {
        let (_, network, _) = self.known.as_deref()?;
        let zone = network.zones.iter().find(|known| known.name == zone)?;
        zone.gateway
    }

    fn confirm_zone(&mut self, title: &str, change: ZoneChange) {
        let gateway = match (change.gateway, change.address.as_str()) {
            (Some(gateway), _) => gateway.to_string(),
            (None, "dhcp") => "from the network".to_owned(),
            (None, _) => "none".to_owned(),
        };
        let body = format!(
            "Zone     {}\nAddress  {}\nGateway  {gateway}\n\nThis is in force at once, on trial: if you do not confirm it within 3 \
             minutes, the box goes back to what it has now.",
            change.zone, change.address
        );
        self.confirm(title, &body, Question::SetZone(change));
    }

    /// Enter was pressed in a prompt.
    fn entered(&mut self) {
        let View::Prompt(prompt) = &mut self.view else {
            return;
        };
        let (title, typed) = (prompt.title.clone(), prompt.text.trim().to_owned());
        match prompt.goal.clone() {
            Goal::Word(word, question) if typed == word => self.wait_for(&title, *question),
            Goal::Word(word, _) => {
                prompt.note =
                    format!("Nothing is done unless you type {word}; Esc goes back to the menu.");
            }
            Goal::Ping | Goal::Lookup if typed.is_empty() => {
                "Type a name or an address.".clone_into(&mut prompt.note);
            }
            Goal::Ping => self.wait_for(&title, Question::Ping(typed)),
            Goal::Lookup => self.wait_for(&title, Question::Lookup(typed)),
            Goal::Address { zone } => match typed.parse::<IpNet>() {
                Ok(address) => {
                    let gateway = self.zone_gateway(&zone);
                    let near = gateway.filter(|gateway| address.contains(gateway));
                    let text = near.map(|gateway| gateway.to_string());
                    let body = "The router towards everything else, or nothing where this zone does not lead there.";
                    let goal = Goal::Gateway { zone, address };
                    self.prompt(&title, body, "Gateway", &text.unwrap_or_default(), goal);
                }
                Err(_) => {
                    prompt.note = format!(
                        "{typed} is no address with its network; write it like 192.168.1.4/24."
                    );
                }
            },
            Goal::Gateway { zone, address } => {
                let gateway = typed.parse().ok();
                if gateway.is_none() && !typed.is_empty() {
                    prompt.note =
                        format!("{typed} is no address; write it like 192.168.1.254, or nothing.");
                    return;
                }
                self.confirm_zone(
                    &title,
                    ZoneChange {
                        zone,
                        address: address.to_string(),
                        gateway,
                    },
                );
            }
        }
    }
}

fn word(word: &'static str, question: Question) -> Goal {
    Goal::Word(word, Box::new(question))
}

fn about_trial(number: u32) -> Vec<(String, Choice)> {
    vec![
        ("Keep it".to_owned(), Choice::Keep(number)),
        ("Give it up now".to_owned(), Choice::GiveUp(number)),
        ("Decide later".to_owned(), Choice::Later),
    ]
}

/// Moves the mark, or returns what was chosen.
fn in_list(list: &mut List<Choice>, key: Key) -> Option<Choice> {
    let page = isize::try_from(PAGE).unwrap_or_default();
    match key {
        Key::Up => list.step(-1),
        Key::Down => list.step(1),
        Key::PageUp | Key::Char('p') => list.step(-page),
        Key::PageDown | Key::Char('n' | ' ') => list.step(page),
        Key::First => list.step(isize::MIN),
        Key::Last => list.step(isize::MAX),
        Key::Enter => {
            return list
                .items
                .get(list.selected)
                .map(|(_, choice)| choice.clone());
        }
        Key::Char(digit) => {
            return list.by_digit(digit.to_digit(10)? as usize).cloned();
        }
        _ => {}
    }
    None
}
