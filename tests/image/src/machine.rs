//! One virtual machine.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::network::Network;
use crate::screen::shown;
use crate::{FIRMWARE, PROGRAM, VARIABLES};

/// How long a box may take for anything: without acceleration, on a machine that does other things, too.
const PATIENCE: Duration = Duration::from_mins(4);
const STEP: Duration = Duration::from_millis(50);

/// What a machine is like.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// Where its disk and its firmware's variables are kept; what is there already is used again.
    pub folder: &'a Path,
    /// The image that a new disk begins with.
    pub image: &'a Path,
    /// Bytes of the disk; not less than the image.
    pub disk: u64,
    /// Ports of the box that are reached through ports of this machine's 127.0.0.1.
    pub forwards: &'a [u16],
    /// A program that answers connections of the box to 10.0.2.100:80, on its standard input and output.
    pub target: Option<&'a Path>,
    /// The network of its first port; else one of QEMU's, which forwards and the target need.
    pub network: Option<&'a Network>,
    /// Its network ports: the slot of each on the PCI bus, and its hardware address. Only the first one leads anywhere.
    pub ports: &'a [(u8, &'a str)],
    /// What its clock shows when it is turned on, such as `2001-01-01`; else the time.
    pub clock: Option<&'a str>,
}

impl<'a> Settings<'a> {
    /// A machine that nobody reaches, with its disk in `folder`, which begins with `image`.
    pub fn new(folder: &'a Path, image: &'a Path, disk: u64) -> Self {
        Self {
            folder,
            image,
            disk,
            forwards: &[],
            target: None,
            network: None,
            ports: &[(5, "52:54:00:00:00:01")],
            clock: None,
        }
    }
}

/// A running machine; its power is cut when dropped.
pub struct Machine {
    child: Child,
    line: ChildStdin,
    said: Arc<Mutex<Vec<u8>>>,
    /// How much was said when something was typed last.
    typed: usize,
    ports: Vec<(u16, u16)>,
}

impl Machine {
    /// Turns a machine on.
    ///
    /// # Errors
    /// It can not be started, or there is no room for its disk.
    pub fn start(settings: &Settings) -> Result<Self> {
        let disk = disk(settings)?;
        let variables = settings.folder.join("variables");
        if !variables.exists() {
            fs::copy(VARIABLES, &variables)?;
        }
        let ports = settings.forwards.iter();
        let ports = ports.map(|inside| Ok((free_port()?, *inside)));
        let ports: Vec<(u16, u16)> = ports.collect::<Result<_>>()?;
        let firmware = format!("if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE}");
        let variables = format!("if=pflash,format=raw,unit=1,file={}", variables.display());
        let drive = format!("if=none,id=disk0,format=raw,file={}", disk.display());
        let mut command = Command::new(PROGRAM);
        command
            .args(["-machine", "q35", "-accel", "tcg", "-cpu", "max"])
            .args(["-smp", "2", "-m", "512", "-nodefaults", "-display", "none"])
            .args(["-drive", &firmware, "-drive", &variables, "-drive", &drive])
            .args(["-device", "virtio-blk-pci,drive=disk0,bootindex=0"])
            .args(network(settings, &ports))
            .args(["-device", "i6300esb", "-action", "watchdog=reset"])
            .args(["-serial", "stdio", "-monitor", "none"]);
        if let Some(clock) = settings.clock {
            command.args(["-rtc", &format!("base={clock}")]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context(PROGRAM)?;
        let said = Arc::default();
        // What it says about itself is read along with what the box says.
        collect(child.stdout.take().context("piped")?, &said);
        collect(child.stderr.take().context("piped")?, &said);
        let line = child.stdin.take().context("piped")?;
        Ok(Self {
            child,
            line,
            said,
            typed: 0,
            ports,
        })
    }

    /// Everything that came over the serial line so far.
    pub fn said(&self) -> String {
        self.said_behind(0)
    }

    fn said_behind(&self, before: usize) -> String {
        let bytes = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(bytes.get(before..).unwrap_or_default()).into_owned()
    }

    /// Waits until `text` came over the serial line, and returns its line.
    ///
    /// # Errors
    /// It did not within 4 min, or the machine has ended; with the end of what was said.
    pub fn wait_for(&mut self, text: &str) -> Result<String> {
        self.wait_behind(0, text)
    }

    /// The same, of what came since something was typed last.
    ///
    /// # Errors
    /// As there.
    pub fn wait_anew_for(&mut self, text: &str) -> Result<String> {
        self.wait_behind(self.typed, text)
    }

    /// Waits until a terminal at the serial line shows all of `parts`, and returns the screen.
    ///
    /// # Errors
    /// As [`Machine::wait_for`], with the screen.
    pub fn see(&mut self, parts: &[&str]) -> Result<String> {
        self.see_within(PATIENCE, parts)
    }

    /// The same, for what takes longer than anything else.
    ///
    /// # Errors
    /// As there, after `patience`.
    pub fn see_within(&mut self, patience: Duration, parts: &[&str]) -> Result<String> {
        self.until(patience, parts, |machine| {
            let screen = shown(&machine.said());
            let sees = parts.iter().all(|part| screen.contains(part));
            (sees.then(|| screen.clone()), screen)
        })
    }

    fn wait_behind(&mut self, before: usize, text: &str) -> Result<String> {
        self.until(PATIENCE, text, |machine| {
            let said = machine.said_behind(before);
            let found = said.lines().find(|line| line.contains(text));
            (found.map(str::to_owned), said)
        })
    }

    /// Looks until something is found; with it comes what was looked at.
    fn until(
        &mut self,
        patience: Duration,
        wanted: impl Debug,
        look: impl Fn(&Self) -> (Option<String>, String),
    ) -> Result<String> {
        let start = Instant::now();
        loop {
            let (found, seen) = look(self);
            if let Some(found) = found {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                let end = end_of(&seen);
                bail!("the machine ended with {status} before it said {wanted:?}:\n{end}");
            }
            ensure!(
                start.elapsed() < patience,
                "it has not said {wanted:?}:\n{}",
                end_of(&seen)
            );
            thread::sleep(STEP);
        }
    }

    /// Types on the serial line.
    ///
    /// # Errors
    /// The machine is off.
    pub fn type_in(&mut self, keys: &str) -> Result<()> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        self.typed = said.len();
        drop(said);
        self.line.write_all(keys.as_bytes())?;
        Ok(self.line.flush()?)
    }

    /// The port of 127.0.0.1 that leads to this port of the box.
    ///
    /// # Errors
    /// None does.
    pub fn port(&self, inside: u16) -> Result<u16> {
        let found = self.ports.iter().find(|(_, port)| *port == inside);
        Ok(found
            .with_context(|| format!("nothing leads to port {inside}"))?
            .0)
    }

    /// Waits until the machine has turned itself off.
    ///
    /// # Errors
    /// It has not within 4 min.
    pub fn wait_until_off(mut self) -> Result<()> {
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            ensure!(
                start.elapsed() < PATIENCE,
                "it is still on:\n{}",
                end_of(&self.said())
            );
            thread::sleep(STEP);
        }
        Ok(())
    }

    /// Cuts the power; the disk stays as it is.
    pub fn cut(self) {
        drop(self);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn disk(settings: &Settings) -> Result<PathBuf> {
    let disk = settings.folder.join("disk");
    if !disk.exists() {
        sparse_copy(settings.image, &disk)?;
    }
    let file = File::options().write(true).open(&disk)?;
    let length = file.metadata()?.len();
    ensure!(
        length <= settings.disk,
        "the disk is smaller than the image"
    );
    file.set_len(settings.disk)?;
    Ok(disk)
}

/// The ports of the machine; nothing of it reaches the world.
fn network(settings: &Settings, ports: &[(u16, u16)]) -> Vec<String> {
    let mut arguments = Vec::new();
    for (number, (slot, mac)) in settings.ports.iter().enumerate() {
        let network = match (number, settings.network) {
            (0, Some(Network { frames, end })) => format!(
                "dgram,id=net0,local.type=inet,local.host=127.0.0.1,local.port={end},\
                 remote.type=inet,remote.host=127.0.0.1,remote.port={}",
                frames.port()
            ),
            (0, None) => network_of_qemu(settings, ports),
            _ => format!("hubport,id=net{number},hubid={number}"),
        };
        let card = format!("virtio-net-pci,netdev=net{number},mac={mac},addr={slot:#x},romfile=");
        arguments.extend(["-netdev".to_owned(), network, "-device".to_owned(), card]);
    }
    arguments
}

fn network_of_qemu(settings: &Settings, ports: &[(u16, u16)]) -> String {
    let mut parts = vec!["user,id=net0,restrict=on".to_owned()];
    let forward = |(outside, inside)| format!("hostfwd=tcp:127.0.0.1:{outside}-:{inside}");
    parts.extend(ports.iter().copied().map(forward));
    let target = |path: &Path| format!("guestfwd=tcp:10.0.2.100:80-cmd:{}", path.display());
    parts.extend(settings.target.map(target));
    parts.join(",")
}

/// Copies an image without its zeros.
///
/// # Errors
/// There is no room.
pub fn sparse_copy(image: &Path, disk: &Path) -> Result<()> {
    let mut copy = Command::new("cp");
    copy.arg("--sparse=always").args([image, disk]);
    ensure!(
        copy.status()?.success(),
        "{} can not be copied",
        image.display()
    );
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Reads in the background for as long as something comes.
fn collect(mut from: impl std::io::Read + Send + 'static, to: &Arc<Mutex<Vec<u8>>>) {
    let to = Arc::clone(to);
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
            to.extend(&bytes[..length]);
        }
    });
}

/// The last lines, without what only moves the cursor.
fn end_of(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len().saturating_sub(60);
    lines[last..].join("\n").replace('\u{1b}', "")
}
