//! The names of network ports. A name is what a zone, and so its trust, hangs on: it stays with its port, and that of a port
//! which is out is not given to another.
//!
//! A port is known by its hardware address, since places on the bus are counted anew when something is put in before them; and
//! by its place, so that a new card in the slot of a broken one takes its name over.

use super::{link, say};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Names all ports: eth0 is at the first place of `order`, and so on; then come those that `memory` knows, under the numbers they
/// had; others get the lowest numbers that are free, in the order of their places on the bus, and are remembered.
///
/// # Errors
/// The kernel refuses a name.
pub(super) fn name(order: &[String], memory: &Path) -> nix::Result<()> {
    let before = read(&fs::read_to_string(memory).unwrap_or_default());
    let (ports, remembered) = numbered(found(), order, before.clone());
    if remembered != before
        && let Err(error) = write(memory, &remembered)
    {
        say(&format!(
            "the names of the ports are not remembered: {error}"
        ));
    }
    // By way of names that nobody has, since each may be another's.
    for (number, port) in &ports {
        if port.name != format!("eth{number}") {
            link::rename(&port.name, &format!("port{number}"))?;
        }
    }
    for (number, port) in &ports {
        let new = format!("eth{number}");
        if port.name != new {
            link::rename(&format!("port{number}"), &new)?;
        }
        let mac = port.mac.as_deref().unwrap_or("no hardware address");
        say(&format!("{new} is {} [{mac}]", port.place));
    }
    Ok(())
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Port {
    /// Where it is on the bus.
    place: String,
    /// Its hardware address, as it was made.
    mac: Option<String>,
    /// What it is called now.
    name: String,
}

/// What is remembered of the port of each number.
type Memory = BTreeMap<usize, Known>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    place: String,
    mac: Option<String>,
}

impl Known {
    fn of(port: &Port) -> Self {
        Self {
            place: port.place.clone(),
            mac: port.mac.clone(),
        }
    }
}

fn found() -> Vec<Port> {
    let entries = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten();
    let ports = entries.filter_map(|entry| {
        // What has no device is no port: the loopback interface, bridges, tunnels.
        let device = fs::canonicalize(entry.path().join("device")).ok()?;
        let address = fs::read_to_string(entry.path().join("address"));
        Some(Port {
            place: place_of(&device.display().to_string()),
            mac: address.ok().and_then(|text| mac(text.trim())),
            name: entry.file_name().to_string_lossy().into_owned(),
        })
    });
    ports.collect()
}

/// A device's place below /sys/devices, without what the kernel counts in the order of finding.
fn place_of(device: &str) -> String {
    let place = device.strip_prefix("/sys/devices/").unwrap_or(device);
    match place.rsplit_once('/') {
        Some((card, counted)) if counted.starts_with("virtio") => card.to_owned(),
        _ => place.to_owned(),
    }
}

/// What tells a port from others; of a port without a hardware address it is all zeros.
fn mac(text: &str) -> Option<String> {
    let is_mac = text.len() == 17
        && text
            .split(':')
            .all(|pair| u8::from_str_radix(pair, 16).is_ok());
    (is_mac && text != "00:00:00:00:00:00").then(|| text.to_owned())
}

/// The ports by their numbers, and what is to be remembered.
fn numbered(
    mut ports: Vec<Port>,
    order: &[String],
    mut memory: Memory,
) -> (BTreeMap<usize, Port>, Memory) {
    ports.sort();
    let mut numbered = BTreeMap::new();
    // A number of the board is that of one place only, whether there is a port or not.
    memory.retain(|number, _| *number >= order.len());
    for (number, place) in order.iter().enumerate() {
        let there = ports.iter().position(|port| is_at(&port.place, place));
        if let Some(index) = there {
            numbered.insert(number, ports.remove(index));
        }
    }
    // Who moved takes the name along, before somebody else at the old place gets it.
    let macs: Vec<Option<String>> = ports.iter().map(|port| port.mac.clone()).collect();
    let is_single = |mac: &str| macs.iter().flatten().filter(|one| *one == mac).count() == 1;
    let by_mac = |known: &Known, port: &Port| {
        known.mac == port.mac && port.mac.as_deref().is_some_and(is_single)
    };
    let by_place = |known: &Known, port: &Port| known.place == port.place;
    take_known(&mut ports, &memory, &mut numbered, &by_mac);
    take_known(&mut ports, &memory, &mut numbered, &by_place);
    let mut taken: BTreeSet<usize> = (0..order.len()).chain(memory.keys().copied()).collect();
    for port in ports {
        // Of one number more than are taken, one is free.
        let free = (0..=taken.len()).find(|number| !taken.contains(number));
        let number = free.unwrap_or(taken.len());
        taken.insert(number);
        numbered.insert(number, port);
    }
    let new = numbered
        .iter()
        .filter(|(number, _)| **number >= order.len());
    memory.extend(new.map(|(number, port)| (*number, Known::of(port))));
    (numbered, memory)
}

/// Gives ports their numbers back; each number to one.
fn take_known(
    ports: &mut Vec<Port>,
    memory: &Memory,
    numbered: &mut BTreeMap<usize, Port>,
    is_it: &dyn Fn(&Known, &Port) -> bool,
) {
    for (number, known) in memory {
        let there = ports.iter().position(|port| is_it(known, port));
        if let Some(index) = there
            && !numbered.contains_key(number)
        {
            numbered.insert(*number, ports.remove(index));
        }
    }
}

/// Whether a device is at `place`, or a part of what is there.
fn is_at(device: &str, place: &str) -> bool {
    let rest = device.strip_prefix(place);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A line for each port: its number, its hardware address or `-`, its place. What is not understood is left out.
fn read(text: &str) -> Memory {
    let lines = text.lines().filter_map(|line| {
        let (number, rest) = line.split_once(' ')?;
        let (address, place) = rest.split_once(' ')?;
        let mac = mac(address);
        let place = place.to_owned();
        (mac.is_some() || address == "-").then_some((number.parse().ok()?, Known { place, mac }))
    });
    lines.collect()
}

/// The old content or the new, whatever the power does.
fn write(file: &Path, memory: &Memory) -> std::io::Result<()> {
    let lines = memory.iter().map(|(number, Known { place, mac })| {
        let mac = mac.as_deref().unwrap_or("-");
        format!("{number} {mac} {place}\n")
    });
    let new = file.with_extension("new");
    fs::write(&new, lines.collect::<String>())?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ports by their places, each with the hardware address behind a `@`, if any.
    fn ports(of: &[&str]) -> Vec<Port> {
        let port = |(number, text): (usize, &&str)| {
            let (place, last) = text.split_once('@').unwrap_or((text, ""));
            Port {
                place: place.to_owned(),
                mac: mac(&format!("52:54:00:00:00:{last}")),
                name: format!("kernel{number}"),
            }
        };
        of.iter().enumerate().map(port).collect()
    }

    fn named(of: &[&str], order: &[&str], memory: &Memory) -> (Vec<(usize, String)>, Memory) {
        let order: Vec<String> = order.iter().map(|one| (*one).to_owned()).collect();
        let (ports, memory) = numbered(ports(of), &order, memory.clone());
        let ports = ports.into_iter().map(|(number, port)| (number, port.place));
        (ports.collect(), memory)
    }

    fn are(names: &[(usize, String)], wanted: &[(usize, &str)]) {
        let names: Vec<_> = names
            .iter()
            .map(|(number, place)| (*number, place.as_str()))
            .collect();
        assert_eq!(names, wanted);
    }

    #[test]
    fn without_a_board_that_says_more_the_bus_decides_once() {
        let (first, memory) = named(&["pci/03", "pci/01"], &[], &Memory::new());
        are(&first, &[(0, "pci/01"), (1, "pci/03")]);
        // A card is put in before them, and one is taken out.
        let (second, memory) = named(&["pci/00", "pci/03"], &[], &memory);
        are(&second, &[(1, "pci/03"), (2, "pci/00")]);
        let (third, _) = named(&["pci/00", "pci/01", "pci/03"], &[], &memory);
        are(&third, &[(0, "pci/01"), (1, "pci/03"), (2, "pci/00")]);
    }

    #[test]
    fn a_port_that_is_found_elsewhere_takes_its_name_along() {
        let (_, memory) = named(&["pci/01@0a", "pci/02@0b"], &[], &Memory::new());
        // They change places, and a third one comes before them.
        let (names, memory) = named(&["pci/00@0c", "pci/01@0b", "pci/02@0a"], &[], &memory);
        are(&names, &[(0, "pci/02"), (1, "pci/01"), (2, "pci/00")]);
        // A bus before them: all places are others.
        let (names, _) = named(&["pci/11@0c", "pci/12@0b", "pci/13@0a"], &[], &memory);
        are(&names, &[(0, "pci/13"), (1, "pci/12"), (2, "pci/11")]);
    }

    #[test]
    fn a_new_card_takes_the_name_of_the_one_that_it_replaces() {
        let (_, memory) = named(&["pci/01@0a", "pci/02@0b"], &[], &Memory::new());
        let (names, memory) = named(&["pci/01@0c", "pci/02@0b"], &[], &memory);
        are(&names, &[(0, "pci/01"), (1, "pci/02")]);
        // The old one is no longer known.
        let (names, _) = named(&["pci/01@0c", "pci/02@0b", "pci/03@0a"], &[], &memory);
        are(&names, &[(0, "pci/01"), (1, "pci/02"), (2, "pci/03")]);
    }

    #[test]
    fn ports_with_the_same_hardware_address_are_told_by_their_places() {
        let (_, memory) = named(&["pci/01@0a", "pci/02@0a"], &[], &Memory::new());
        let (names, _) = named(&["pci/00@0a", "pci/01@0a", "pci/02@0a"], &[], &memory);
        are(&names, &[(0, "pci/01"), (1, "pci/02"), (2, "pci/00")]);
    }

    #[test]
    fn what_the_kernel_counts_is_no_part_of_a_place() {
        let place = place_of("/sys/devices/pci0000:00/0000:00:02.0/virtio1");
        assert_eq!(place, "pci0000:00/0000:00:02.0");
        assert_eq!(
            place_of("/sys/devices/pci0000:00/0000:00:03.0"),
            "pci0000:00/0000:00:03.0"
        );
    }

    #[test]
    fn a_port_of_the_board_that_is_out_leaves_its_name_free() {
        let order = ["pci/1", "pci/2", "pci/3"];
        let (names, memory) = named(
            &["pci/2/0", "pci/3", "usb/1", "pci/10"],
            &order,
            &Memory::new(),
        );
        are(
            &names,
            &[(1, "pci/2/0"), (2, "pci/3"), (3, "pci/10"), (4, "usb/1")],
        );
        // What was remembered under a number of the board does not count any more.
        let stale = Memory::from([(0, known("usb/1", None))]);
        let (names, _) = named(&["usb/1"], &order, &stale);
        are(&names, &[(3, "usb/1")]);
        assert_eq!(memory.len(), 2);
    }

    #[test]
    fn what_is_remembered_is_read_again() {
        let folder = std::env::temp_dir().join(format!("gatehouse-ports-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("ports");
        let memory = Memory::from([
            (0, known("pci/01", mac("52:54:00:00:00:0a"))),
            (7, known("usb/1 a", None)),
        ]);
        write(&file, &memory).unwrap();
        assert_eq!(read(&fs::read_to_string(&file).unwrap()), memory);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(read("x\n0 - a\n0 - b\nz - y\n1 52:54:00 c\n2\n").len(), 1);
    }

    fn known(place: &str, mac: Option<String>) -> Known {
        let place = place.to_owned();
        Known { place, mac }
    }
}
