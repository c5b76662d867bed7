//! What an operator at the serial line can do, with nothing but a keyboard.

use anyhow::{Context as _, Result};
use lab::{Gatehouse, Lab, Place, Process, Site, Terminal, contract, program, test, wait_until};
use nix::sys::signal::Signal;

/// What a box may come with: it names no secret, for there is none after a factory reset.
const FACTORY: &str = "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
    interface = \"eth0\"\naddresses = [\"172.31.31.4/24\"]\n[admin]\nport = 8443\n";

const MENU: &str = "1  State and addresses";

/// A box, and a console beside it that takes `terminal`.
fn console(lab: &Lab, gate: &Gatehouse<'_>, terminal: &Terminal) -> Result<Process> {
    let program = program()?.display().to_string();
    let (tty, state) = (
        terminal.path().display().to_string(),
        gate.state().display().to_string(),
    );
    let words = [&program, "console", "--tty", &tty, "--state", &state];
    lab.spawn(Place::Gate, "console", &words)
}

fn stopped(gate: &Gatehouse<'_>) -> Result<()> {
    gate.signal(Signal::SIGTERM)?;
    assert_eq!(gate.wait()?, Some(0), "{}", gate.output());
    Ok(())
}

#[test]
fn the_console_shows_the_box_and_pings_and_looks_up() {
    test(Site::innovaphone(), &[], |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let terminal = Terminal::new()?;
        let mut console = console(lab, &gate, &terminal)?;
        terminal.wait_for("edge running, admin running")?;
        terminal.wait_for("172.31.31.4/24")?;
        terminal.scribble("\x1b[5;1H[ 1.234567] a kernel speaks");
        terminal.expect("\x0c", MENU)?;
        wait_until("a clean screen", || Ok(!terminal.shows("a kernel speaks")))?;
        terminal.expect("5172.31.31.2\r", "4 of 4 answered")?;
        terminal.expect("\r5203.0.113.99\r", "0 of 4 answered")?;
        terminal.expect("\r52001:db8:31::2\r", "4 of 4 answered")?;
        terminal.expect("\r6localhost\r", "127.0.0.1")?;
        terminal.expect("\x1b", MENU)?;
        console.signal(Signal::SIGTERM)?;
        console.wait()?;
        wait_until("the terminal as before", || Ok(!terminal.shows(MENU)))?;
        let said = gate.ok(&["ping", "172.31.31.2", "-c", "1"])?;
        assert!(said.contains("1 of 1 answered"), "{said}");
        let pinged = gate.json(&["ping", "2001:db8:31::2", "-c", "1"])?;
        assert_eq!(pinged["sent"], 1);
        let silent = gate.command(&["ping", "172.31.31.77", "-c", "1"])?;
        assert_eq!(silent.code, Some(1), "{silent:?}");
        assert!(gate.ok(&["lookup", "localhost"])?.contains("127.0.0.1"));
        Ok(())
    });
}

#[test]
fn an_address_set_at_the_console_is_on_trial_until_it_is_kept() {
    test(Site::innovaphone(), &[], |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let before = gate.json(&["status"])?["generation"]["number"].clone();
        let terminal = Terminal::new()?;
        let _console = console(lab, &gate, &terminal)?;
        terminal.wait_for("edge running")?;
        terminal.expect("21", "A fixed address")?;
        terminal.expect("2", "Address/prefix:")?;
        terminal.expect("\x15172.31.31.9/24\r", "Gateway:")?;
        terminal.expect("\x15\r", "Type yes")?;
        terminal.expect("yes\r", "rolled back in")?;
        terminal.expect("2", "Type yes")?;
        terminal.expect("yes\r", "in force")?;
        let status = gate.json(&["status"])?;
        assert_eq!(status["generation"]["number"], before, "given up");
        // The same from the command line, and kept.
        let said = gate.ok(&["network", "set", "lan", "172.31.31.9/24"])?;
        assert!(said.contains("on trial"), "{said}");
        gate.ok(&["confirm"])?;
        let text = gate.ok(&["network"])?;
        assert!(text.contains("172.31.31.9/24"), "{text}");
        let wrong = gate.command(&["network", "set", "lan", "172.31.31.9"])?;
        assert_eq!(wrong.code, Some(1));
        assert!(
            wrong.stderr.contains("write an address with its network"),
            "{}",
            wrong.stderr
        );
        // Back by the list of the console: the first one.
        terminal.expect("\x1b4", "Which one shall be in force?")?;
        terminal.expect("\x1b[F\r", "Type yes")?;
        terminal.expect("yes\r", "rolled back in")?;
        terminal.expect("1yes\r", "is in force")?;
        assert!(!gate.ok(&["network"])?.contains("172.31.31.9/24"));
        Ok(())
    });
}

#[test]
fn a_factory_reset_off_the_box_ends_gatehouse_and_begins_anew() {
    test(Site::innovaphone(), &[], |lab| {
        let gate = Gatehouse::start(lab, FACTORY)?;
        let root = std::fs::read(gate.root()?)?;
        let unsure = gate.command(&["factory-reset"])?;
        assert_eq!(unsure.code, Some(2), "{unsure:?}");
        for order in ["reboot", "poweroff"] {
            let refused = gate.command(&[order])?;
            assert_eq!(refused.code, Some(1), "{refused:?}");
            assert!(refused.stderr.contains("not running as a box's firmware"));
        }
        let terminal = Terminal::new()?;
        let _console = console(lab, &gate, &terminal)?;
        terminal.wait_for("edge running")?;
        terminal.expect("9", "Type RESET")?;
        terminal.expect("RESET\r", "Gatehouse ends now")?;
        assert_eq!(gate.wait()?, Some(0), "{}", gate.output());
        assert!(gate.state().join("factory-reset").exists());
        terminal.expect("\r", "The box does not answer")?;
        gate.start_again()?;
        assert!(
            gate.output()
                .contains("everything that was kept is removed")
        );
        assert_ne!(std::fs::read(gate.root()?)?, root, "another CA");
        assert!(!gate.state().join("factory-reset").exists());
        assert_eq!(
            gate.json(&["generations"])?
                .as_array()
                .context("a list")?
                .len(),
            1
        );
        terminal.wait_for("edge running")?;
        Ok(())
    });
}

/// A supervisor that keeps a console on `terminal`; `gate` has ended.
fn keeping(lab: &Lab, gate: &Gatehouse<'_>, terminal: &Terminal) -> Result<Process> {
    let program = program()?.display().to_string();
    let paths = [gate.file(), gate.state(), terminal.path()];
    let [file, state, tty] = paths.map(|path| path.display().to_string());
    let words = [
        &program,
        "run",
        "--config",
        &file,
        "--state",
        &state,
        "--console",
        &tty,
    ];
    lab.spawn(Place::Gate, "with-console", &words)
}

/// The pid of the console that it keeps; 0: there is none now.
fn kept(gate: &Gatehouse<'_>) -> Result<u64> {
    let status = gate.json(&["status"])?;
    let processes = status["processes"].as_array().cloned().unwrap_or_default();
    let console = processes.iter().find(|one| one["name"] == "console");
    Ok(console.and_then(|one| one["pid"].as_u64()).unwrap_or(0))
}

#[test]
fn the_supervisor_keeps_a_console_on_a_line() {
    test(Site::innovaphone(), &[], |lab| {
        let terminal = Terminal::new()?;
        let before = terminal.modes()?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        stopped(&gate)?;
        let mut run = keeping(lab, &gate, &terminal)?;
        terminal.wait_for("console running")?;
        let first = kept(&gate)?;
        lab.run(Place::Gate, &["kill", "-9", &first.to_string()])?;
        wait_until(
            "another console",
            || Ok(![0, first].contains(&kept(&gate)?)),
        )?;
        // What the first one has left is no sign of the second.
        terminal.scribble("\x1b[2J");
        terminal.expect("\x0c", MENU)?;
        // Ctrl-C leaves nothing where there is nothing else.
        terminal.scribble("\x1b[2J");
        terminal.expect("\x03\x0c", MENU)?;
        run.signal(Signal::SIGTERM)?;
        run.wait()?;
        wait_until("the line to be given back", || Ok(!terminal.shows(MENU)))?;
        assert_eq!(terminal.modes()?, before, "as it was");
        Ok(())
    });
}

#[test]
fn a_line_is_given_back_after_a_console_that_could_not() {
    test(Site::innovaphone(), &[], |lab| {
        let terminal = Terminal::new()?;
        let before = terminal.modes()?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        stopped(&gate)?;
        // The end meets no console, one that begins, or one that runs.
        for pause in [0, 50, 150, 300] {
            let mut run = keeping(lab, &gate, &terminal)?;
            terminal.wait_for("console running")?;
            let console = kept(&gate)?.to_string();
            lab.run(Place::Gate, &["kill", "-9", &console])?.success()?;
            std::thread::sleep(std::time::Duration::from_millis(pause));
            run.signal(Signal::SIGTERM)?;
            run.wait()?;
            wait_until("the line to be given back", || Ok(!terminal.shows(MENU)))?;
            assert_eq!(terminal.modes()?, before, "as it was, {pause} ms");
        }
        Ok(())
    });
}

#[test]
fn on_a_developers_terminal_the_operator_can_leave() {
    test(Site::innovaphone(), &[], |lab| {
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let terminal = Terminal::new()?;
        let before = terminal.modes()?;
        let mut console = std::process::Command::new(program()?)
            .args(["console", "--socket"])
            .arg(gate.state().join("control.sock"))
            .stdin(terminal.line()?)
            .spawn()?;
        terminal.expect("", "0  Leave the console")?;
        assert_ne!(terminal.modes()?, before);
        terminal.press("0")?;
        wait_until("the end of the console", || {
            Ok(console.try_wait()?.is_some())
        })?;
        assert!(console.wait()?.success());
        assert_eq!(terminal.modes()?, before, "as it was");
        let alone = gate.alone(&["console"])?;
        assert_eq!(alone.code, Some(2));
        assert!(alone.stderr.contains("not a terminal"), "{}", alone.stderr);
        Ok(())
    });
}
