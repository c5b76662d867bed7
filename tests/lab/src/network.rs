//! Network namespaces with wires between them, gone when the value is dropped.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::site::{Place, Segment, Site};

/// What every namespace of the lab begins with; the pid of its test follows.
const PREFIX: &str = "gatelab-";

/// Where `ip netns` keeps its names.
const NAMES: &str = "/run/netns";
/// A folder per namespace here holds files that programs in it see in place of those in /etc.
const FILES: &str = "/etc/netns";

/// The namespaces of one site.
pub struct Network {
    prefix: String,
}

impl Network {
    /// Makes the places and wires of `site`; `tag` starts with the pid of this process.
    pub(crate) fn create(tag: &str, site: &Site) -> Result<Self> {
        remove_stale();
        // Made first, so that a failure half-way removes what is there already.
        let network = Self {
            prefix: format!("{PREFIX}{tag}"),
        };
        let places = Place::ALL.map(|place| format!("netns add {}", network.name(place)));
        ip(&[], &places)?;
        network.use_addresses_at_once()?;
        for segment in site.segments {
            network.wire(segment)?;
        }
        for place in Place::ALL {
            let mut lines = vec!["link set dev lo up".to_owned()];
            let routes = site.routes.iter().filter(|(at, _)| *at == place);
            lines.extend(routes.map(|(_, route)| format!("route add {route}")));
            ip(&["-n", &network.name(place)], &lines)?;
        }
        network.prepare_router(site)?;
        network.tell_names(site)?;
        Ok(network)
    }

    /// The name of a place's namespace, as `ip netns` takes it.
    pub fn name(&self, place: Place) -> String {
        format!("{}-{}", self.prefix, place.name())
    }

    /// Runs `work` on a thread of its own that has entered the namespace of `place`.
    pub fn enter<T: Send>(&self, place: Place, work: impl FnOnce() -> T + Send) -> Result<T> {
        let path = Path::new(NAMES).join(self.name(place));
        let namespace = File::open(&path).with_context(|| format!("{}", path.display()))?;
        thread::scope(|scope| {
            let thread = scope.spawn(|| -> Result<T> {
                setns(namespace, CloneFlags::CLONE_NEWNET)?;
                Ok(work())
            });
            thread.join().expect("work in a namespace does not panic")
        })
    }

    /// Ends whatever still runs in the namespaces and removes them.
    pub(crate) fn remove(&self) {
        for place in Place::ALL {
            remove(&self.name(place));
        }
    }

    /// Switches duplicate address detection off for interfaces to come: an IPv6 address would not answer
    /// during its first second or two, and a browser that sees one arrive gives up what it has begun.
    fn use_addresses_at_once(&self) -> Result<()> {
        for place in Place::ALL {
            self.enter(place, || {
                fs::write("/proc/sys/net/ipv6/conf/default/accept_dad", "0")
            })??;
        }
        Ok(())
    }

    /// A bridge with its hosts' addresses, and a veth pair per port.
    fn wire(&self, segment: &Segment) -> Result<()> {
        let home = self.name(segment.at);
        let mut lines = vec!["link add name segment type bridge".to_owned()];
        for (number, port) in segment.ports.iter().enumerate() {
            let (there, interface) = (self.name(port.place), port.interface);
            let pair = format!(
                "link add name port{number} netns {home} type veth peer name {interface} netns {there}"
            );
            ip(&[], &[pair])?;
            lines.push(format!("link set dev port{number} master segment"));
            lines.push(format!("link set dev port{number} up"));
            ip(&["-n", &there], &addresses(interface, port.addresses))?;
        }
        lines.extend(addresses("segment", segment.hosts));
        ip(&["-n", &home], &lines)
    }

    /// Programs outside find the site's names as they would by DNS.
    fn tell_names(&self, site: &Site) -> Result<()> {
        let folder = Path::new(FILES).join(self.name(Place::Internet));
        fs::create_dir_all(&folder)?;
        let names = site.names.join(" ");
        fs::write(
            folder.join("hosts"),
            format!("127.0.0.1 localhost\n{} {names}\n", site.public),
        )?;
        Ok(())
    }

    /// Programs that are started at `place` from now on find `name` at `address`.
    pub(crate) fn tell_name(&self, place: Place, name: &str, address: &str) -> Result<()> {
        let folder = Path::new(FILES).join(self.name(place));
        fs::create_dir_all(&folder)?;
        let file = folder.join("hosts");
        let known =
            fs::read_to_string(&file).unwrap_or_else(|_| "127.0.0.1 localhost\n".to_owned());
        Ok(fs::write(file, format!("{known}{address} {name}\n"))?)
    }

    /// Forwarding on, and the port forwards of the site as any home router has them.
    fn prepare_router(&self, site: &Site) -> Result<()> {
        self.enter(Place::Router, || -> std::io::Result<()> {
            fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
            fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1")
        })??;
        let (public, gate) = (site.public, site.gate);
        let rule = |over: &str, (outside, inside): &(u16, u16)| {
            format!("ip daddr {public} {over} dport {outside} dnat to {gate}:{inside}")
        };
        let streams = site.forwards.iter().map(|ports| rule("tcp", ports));
        let datagrams = site.datagrams.iter().map(|ports| rule("udp", ports));
        let forwards: Vec<String> = streams.chain(datagrams).collect();
        let rules = format!(
            "table ip forwards {{
               chain in {{
                 type nat hook prerouting priority dstnat;
                 {}
               }}
               chain out {{
                 type nat hook postrouting priority srcnat;
                 oifname \"wan\" masquerade
               }}
             }}\n",
            forwards.join("\n")
        );
        feed(
            Command::new("ip").args(["netns", "exec", &self.name(Place::Router), "nft", "-f", "-"]),
            &rules,
        )
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Removes the namespaces of tests whose process is gone (killed, so that nothing was dropped).
fn remove_stale() {
    for entry in fs::read_dir(NAMES).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.strip_prefix(PREFIX).is_some_and(is_of_the_dead) {
            remove(&name);
        }
    }
}

/// Whether a tag, `PID-NUMBER…`, is that of a process which does not live any more.
pub(crate) fn is_of_the_dead(tag: &str) -> bool {
    let pid = tag.split('-').next().unwrap_or_default();
    pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists()
}

/// Kills every process in one of the lab's namespaces, then removes its name.
fn remove(name: &str) {
    if !Path::new(NAMES).join(name).exists() {
        return;
    }
    let inside = Command::new("ip").args(["netns", "pids", name]).output();
    let inside = inside
        .map(|out| String::from_utf8_lossy(&out.stdout).into_owned())
        .unwrap_or_default();
    for pid in inside.split_whitespace().filter_map(|pid| pid.parse().ok()) {
        kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
    }
    Command::new("ip")
        .args(["netns", "del", name])
        .output()
        .ok();
    fs::remove_dir_all(Path::new(FILES).join(name)).ok();
}

/// The `ip` lines that give an interface its addresses and switch it on.
fn addresses(interface: &str, list: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = list
        .iter()
        .map(|address| format!("address add {address} dev {interface}"))
        .collect();
    lines.push(format!("link set dev {interface} up"));
    lines
}

/// One `ip` process for many lines.
fn ip(options: &[&str], lines: &[String]) -> Result<()> {
    let mut text = lines.join("\n");
    text.push('\n');
    feed(
        Command::new("ip").args(options).args(["-batch", "-"]),
        &text,
    )
}

/// Runs a command with `text` as its input.
fn feed(command: &mut Command, text: &str) -> Result<()> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{command:?}"))?;
    child
        .stdin
        .take()
        .expect("stdin is piped")
        .write_all(text.as_bytes())?;
    let out = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "{command:?}: {said}\n{text}");
    Ok(())
}
