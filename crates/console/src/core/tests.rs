use super::*;

use control::{
    ClaimStatus, GenerationState, InterfaceStatus, ListenerStatus, Moment, ProcessStatus,
    ZoneStatus,
};
use service::ServiceState;

const AT: Moment = Moment(1_795_225_367_000);

fn generation(number: u32, state: GenerationState) -> Generation {
    Generation {
        number,
        created: AT,
        origin: "reload".to_owned(),
        state,
    }
}

fn status(state: GenerationState) -> Status {
    let process = |name: &str, state| ProcessStatus {
        name: name.to_owned(),
        pid: Some(42),
        state,
        since: AT,
        restarts: 0,
    };
    Status {
        version: "0.1.0".to_owned(),
        hostname: "gate-hq\u{1b}[31m".to_owned(),
        started: AT,
        now: Moment(AT.0 + 5_400_000),
        generation: generation(12, state),
        processes: vec![
            process("supervisor", ServiceState::Running),
            process("edge", ServiceState::Running),
        ],
        listeners: vec![ListenerStatus {
            service: "proxy".to_owned(),
            protocol: "https".to_owned(),
            address: "0.0.0.0:443".to_owned(),
            interface: None,
            fault: Some("the port is taken".to_owned()),
        }],
        certificates: Vec::new(),
        traffic: None,
        bans: 0,
        not_built: Vec::new(),
        machine: None,
        left_out: Vec::new(),
    }
}

fn network() -> Network {
    Network {
        interfaces: vec![InterfaceStatus {
            name: "eth0".to_owned(),
            zone: Some("lan".to_owned()),
            up: true,
            mac: None,
            addresses: vec!["192.0.2.4/24".to_owned(), "fe80::1/64".to_owned()],
        }],
        zones: vec![ZoneStatus {
            name: "lan".to_owned(),
            trust: "inside".to_owned(),
            interface: "eth0".to_owned(),
            addresses: vec!["192.0.2.4/24".to_owned()],
            gateway: "192.0.2.1".parse().ok(),
        }],
    }
}

fn claimed() -> ClaimStatus {
    ClaimStatus {
        claimed: true,
        code: None,
        expires: None,
    }
}

/// A console, and what it asked besides the state.
struct Desk {
    console: Console,
    now: Instant,
    asked: Vec<(u64, Question)>,
    left: bool,
}

impl Desk {
    fn new() -> Self {
        let now = Instant::now();
        let mut desk = Self {
            console: Console::new(true, now),
            now,
            asked: Vec::new(),
            left: false,
        };
        desk.look();
        desk.state(GenerationState::Active);
        desk
    }

    /// Takes what is to be done, and looks at the screen.
    fn look(&mut self) -> String {
        while let Some(output) = self.console.poll_output() {
            match output {
                Output::Ask(_, Question::State) | Output::Redraw => {}
                Output::Ask(number, question) => self.asked.push((number, question)),
                Output::Leave => self.left = true,
            }
        }
        let frame = self.console.frame();
        assert!(frame.lines.len() <= text::HEIGHT, "{frame:?}");
        assert!(frame.cursor.0 < text::HEIGHT && frame.cursor.1 <= text::WIDTH);
        for line in &frame.lines {
            assert!(line.len() <= text::WIDTH, "{line}");
            assert!(
                line.bytes().all(|byte| matches!(byte, b' '..=b'~')),
                "{line}"
            );
        }
        frame.lines.join("\n")
    }

    fn press(&mut self, keys: &str) -> String {
        self.console.handle_input(keys.as_bytes(), self.now);
        self.look()
    }

    fn answer(&mut self, answer: Answer) -> String {
        let number = self.asked.last().unwrap().0;
        self.console.handle_answer(number, answer, self.now);
        self.look()
    }

    fn state(&mut self, state: GenerationState) -> String {
        let number = self.console.refreshing.unwrap();
        let state = Answer::State(Box::new((status(state), network(), claimed())));
        self.console.handle_answer(number, state, self.now);
        self.look()
    }

    fn last_asked(&self) -> &Question {
        &self.asked.last().unwrap().1
    }
}

fn on_trial() -> Applied {
    Applied {
        generation: generation(13, GenerationState::Trial { seconds: 180 }),
        changed: true,
        notes: vec!["this changes the networks".to_owned()],
    }
}

#[test]
fn the_menu_shows_the_box_and_what_can_be_done() {
    let mut desk = Desk::new();
    let rule = "-".repeat(79);
    let expected = format!(
        "\
Gatehouse 0.1.0 on gate-hq?[31m
{rule}
Configuration  generation 12 of 2026-11-21T01:42:47Z (reload)

Running for    1h 30m
Processes      supervisor running, edge running
Faults         proxy https 0.0.0.0:443: the port is taken
Addresses      eth0 (lan): 192.0.2.4/24 fe80::1/64




 > 1  State and addresses
   2  Network settings
   3  Confirm or give up a change
   4  Roll back to an earlier configuration
   5  Ping a host
   6  Look up a name
   7  Restart the box
   8  Switch the box off
   9  Factory reset
   u  Reset the users of the admin pages
   0  Leave the console
Digit or letter, or arrows and Enter: choose.  Ctrl-L: draw anew"
    );
    assert_eq!(desk.look(), expected);
    desk.console.handle_timeout(desk.now + REFRESH);
    let screen = desk.state(GenerationState::Trial { seconds: 125 });
    assert!(
        screen.contains("ON TRIAL: rolled back in 2m 5s unless confirmed (3)"),
        "{screen}"
    );
}

#[test]
fn an_address_is_set_only_after_the_word_and_then_waits_to_be_kept() {
    let mut desk = Desk::new();
    assert!(
        desk.press("2")
            .contains("1  lan (inside, eth0): 192.0.2.4/24, gateway 192.0.2.1")
    );
    assert!(desk.press("1").contains("2  A fixed address"));
    let screen = desk.press("\x1b[B\r");
    assert!(screen.contains("Address/prefix: 192.0.2.4/24"), "{screen}");
    assert!(
        desk.press("\x15192.0.2.9\r")
            .contains("is no address with its network")
    );
    let screen = desk.press("/24\r");
    assert!(screen.contains("Gateway: 192.0.2.1"), "{screen}");
    let screen = desk.press("x\x7f\r");
    assert!(
        screen.contains("Address  192.0.2.9/24\nGateway  192.0.2.1\n"),
        "{screen}"
    );
    assert!(
        desk.press("y\r")
            .contains("Nothing is done unless you type yes")
    );
    assert!(desk.asked.is_empty());
    assert!(desk.press("es\r").contains("Please wait"));
    let change = ZoneChange {
        zone: "lan".to_owned(),
        address: "192.0.2.9/24".to_owned(),
        gateway: "192.0.2.1".parse().ok(),
    };
    assert_eq!(*desk.last_asked(), Question::SetZone(change));
    let screen = desk.answer(Answer::Applied(Box::new(on_trial())));
    assert!(
        screen.contains("rolled back in 3m unless confirmed"),
        "{screen}"
    );
    desk.press("1yes\r");
    assert_eq!(*desk.last_asked(), Question::Confirm(13));
    let kept = Applied {
        generation: generation(13, GenerationState::Active),
        changed: true,
        notes: Vec::new(),
    };
    let screen = desk.answer(Answer::Applied(Box::new(kept)));
    assert!(screen.contains("Generation 13 is in force."), "{screen}");
}

#[test]
fn dhcp_needs_no_more_than_the_word() {
    let mut desk = Desk::new();
    let screen = desk.press("211");
    assert!(
        screen.contains("Address  dhcp\nGateway  from the network"),
        "{screen}"
    );
    desk.press("yes\r");
    let expected = ZoneChange {
        zone: "lan".to_owned(),
        address: "dhcp".to_owned(),
        gateway: None,
    };
    assert_eq!(*desk.last_asked(), Question::SetZone(expected));
    let screen = desk.answer(Answer::Failed("network settings:7: x:\ny".to_owned()));
    assert!(
        screen.contains("It was not done: network settings:7: x:\ny"),
        "{screen}"
    );
}

#[test]
fn generations_are_paged_and_picked() {
    let mut desk = Desk::new();
    desk.press("4");
    assert_eq!(*desk.last_asked(), Question::Generations);
    let kept = |number| generation(number, GenerationState::Kept);
    let mut list: Vec<_> = (1..12).map(kept).collect();
    list.push(generation(12, GenerationState::Active));
    let screen = desk.answer(Answer::Generations(list));
    assert!(screen.contains(" > 1  generation 11 of"), "{screen}");
    assert!(!screen.contains("generation 12"), "{screen}");
    let screen = desk.press("n");
    assert!(
        screen.contains("Page 2 of 2") && screen.contains(" > 1  generation 2 of"),
        "{screen}"
    );
    desk.press("2");
    desk.press("yes\r");
    assert_eq!(*desk.last_asked(), Question::Rollback(Rollback::To(1)));
}

#[test]
fn what_can_not_be_undone_needs_its_word() {
    for (keys, word, order) in [
        ("7", "yes", MachineOrder::Reboot),
        ("8", "yes", MachineOrder::PowerOff),
        ("9", "RESET", MachineOrder::FactoryReset),
    ] {
        let mut desk = Desk::new();
        desk.press(keys);
        desk.press("\r\r\rreset\r");
        assert!(desk.asked.is_empty(), "{:?}", desk.asked);
        desk.press("\x15");
        desk.press(word);
        desk.press("\r");
        assert_eq!(*desk.last_asked(), Question::Order(order));
        let screen = desk.answer(Answer::Done("the box restarts now".to_owned()));
        assert!(screen.contains("the box restarts now"));
    }
}

#[test]
fn users_are_reset_by_their_word_only() {
    let mut desk = Desk::new();
    assert!(desk.press("u").contains("removes all users"));
    desk.press("yes\r\x15reset\r");
    assert!(desk.asked.is_empty());
    desk.press("\x15RESET\r");
    assert_eq!(*desk.last_asked(), Question::ResetUsers);
    let screen = desk.answer(Answer::Done("enter ABCD-EFGH-JKLM".to_owned()));
    assert!(screen.contains("ABCD-EFGH-JKLM"), "{screen}");
}

#[test]
fn a_box_that_nobody_has_claimed_shows_the_code_and_where_to_enter_it() {
    let mut desk = Desk::new();
    let mut status = status(GenerationState::Active);
    let unclaimed = ClaimStatus {
        claimed: false,
        code: Some("ABCD-EFGH-JKLM".to_owned()),
        expires: Some(Moment(status.now.0 + 1_740_000)),
    };
    let mut seen = |status: &Status| {
        desk.now += REFRESH;
        desk.console.handle_timeout(desk.now);
        let number = desk.console.refreshing.unwrap();
        let state = (status.clone(), network(), unclaimed.clone());
        let answer = Answer::State(Box::new(state));
        desk.console.handle_answer(number, answer, desk.now);
        desk.look()
    };
    let screen = seen(&status);
    assert!(
        screen.contains("ABCD-EFGH-JKLM, but the admin pages are not open"),
        "{screen}"
    );
    status.listeners.push(ListenerStatus {
        service: "admin".to_owned(),
        protocol: "https".to_owned(),
        address: "0.0.0.0:8443".to_owned(),
        interface: Some("eth0".to_owned()),
        fault: None,
    });
    let screen = seen(&status);
    let line = "Claim code     ABCD-EFGH-JKLM at https://192.0.2.4:8443/ (good for 29m)\n";
    assert!(screen.contains(line), "{screen}");
}

#[test]
fn a_trial_is_kept_or_given_up_from_the_menu() {
    let mut desk = Desk::new();
    assert!(desk.press("3").contains("No change waits"));
    desk.press("\r");
    desk.console.handle_timeout(desk.now + REFRESH);
    desk.state(GenerationState::Trial { seconds: 60 });
    assert!(desk.press("3").contains("2  Give it up now"));
    desk.press("2yes\r");
    assert_eq!(*desk.last_asked(), Question::Rollback(Rollback::GiveUp(12)));
}

#[test]
fn ping_shows_each_answer_and_can_be_left() {
    let mut desk = Desk::new();
    desk.press("5");
    assert!(desk.press("\r").contains("Type a name or an address."));
    desk.press("pbx.example\r");
    assert_eq!(*desk.last_asked(), Question::Ping("pbx.example".to_owned()));
    let screen = desk.answer(Answer::Line("192.0.2.7: answer 1".to_owned()));
    assert!(screen.contains("answer 1\nPlease wait"), "{screen}");
    let left = desk.asked.last().unwrap().0;
    desk.press("\x03");
    assert!(desk.left);
    desk.console.may_leave = false;
    assert!(desk.press("\x03").contains("1  State and addresses"));
    assert_eq!(*desk.last_asked(), Question::Nothing);
    desk.press("6hq\r");
    assert_eq!(*desk.last_asked(), Question::Lookup("hq".to_owned()));
    desk.console
        .handle_answer(left, Answer::Done("stale".to_owned()), desk.now);
    assert!(!desk.look().contains("stale"));
    assert!(
        desk.answer(Answer::Done("192.0.2.7".to_owned()))
            .contains("192.0.2.7")
    );
}

#[test]
fn the_state_is_read_page_by_page_and_kept_up_to_date() {
    let mut desk = Desk::new();
    let screen = desk.press("1");
    assert!(screen.contains("more lines: PgDn"), "{screen}");
    let screen = desk.press(" ");
    assert!(screen.contains("The end."), "{screen}");
    assert!(desk.press(" ").contains("2  Network settings"));
    desk.press("1");
    desk.console.handle_timeout(desk.now + REFRESH);
    let screen = desk.state(GenerationState::Trial { seconds: 60 });
    assert!(screen.contains("ON TRIAL: rolled back in 1m"), "{screen}");
}

#[test]
fn a_box_that_does_not_answer_is_asked_again() {
    let mut desk = Desk::new();
    let later = desk.now + REFRESH;
    desk.console.handle_timeout(later);
    let number = desk.console.refreshing.unwrap();
    let failed = Answer::Failed("no running Gatehouse at /x\x1b[2J".to_owned());
    desk.console.handle_answer(number, failed, later);
    let screen = desk.look();
    assert!(
        screen.contains("The box does not answer: no running Gatehouse at /x?[2J"),
        "{screen}"
    );
    assert_eq!(desk.console.poll_timeout(), later + RETRY);
    desk.console.handle_timeout(later + RETRY);
    assert!(
        !desk
            .state(GenerationState::Active)
            .contains("does not answer")
    );
}

/// A generator of noise that is the same in every run (Marsaglia's xorshift).
#[test]
fn noise_never_does_anything_nor_leaves_the_screen() {
    let mut desk = Desk::new();
    desk.console.may_leave = false;
    desk.console.handle_timeout(desk.now + REFRESH);
    desk.state(GenerationState::Trial { seconds: 60 });
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    for round in 0..50_000_u64 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let byte = random.to_le_bytes()[3];
        // Keys of the menu more often than chance has them.
        let byte = if round % 3 == 0 {
            b"0123456789\r\x1b"[usize::from(byte) % 12]
        } else {
            byte
        };
        desk.console.handle_input(&[byte], desk.now);
        desk.look();
        if let Some((number, question)) = desk.asked.pop() {
            match question {
                Question::Generations => {
                    let list = (1..30).map(|number| generation(number, GenerationState::Kept));
                    let answer = Answer::Generations(list.collect());
                    desk.console.handle_answer(number, answer, desk.now);
                }
                Question::Ping(_) | Question::Lookup(_) | Question::Nothing => {}
                other => panic!("noise asked for {other:?}"),
            }
        }
    }
}
