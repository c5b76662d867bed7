//! The names of network ports. A name is what a zone, and so its trust, hangs on: it stays with its port, and that of a port
//! which is out is not given to another.

use super::{link, say};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Names all ports: eth0 is the first of `order`, and so on; then come those that `memory` knows, under the numbers they had;
/// others get the lowest numbers that are free, in the order of their places on the bus, and are remembered.
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
        say(&format!("{new} is {}", port.place));
    }
    Ok(())
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Port {
    /// Where it is on the bus.
    place: String,
    /// What it is called now.
    name: String,
}

/// Numbers by places.
type Memory = BTreeMap<String, usize>;

fn found() -> Vec<Port> {
    let entries = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten();
    let ports = entries.filter_map(|entry| {
        // What has no device is no port: the loopback interface, bridges, tunnels.
        let device = fs::canonicalize(entry.path().join("device")).ok()?;
        let place = device.strip_prefix("/sys/devices").unwrap_or(&device);
        Some(Port {
            place: place.display().to_string(),
            name: entry.file_name().to_string_lossy().into_owned(),
        })
    });
    ports.collect()
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
    memory.retain(|_, number| *number >= order.len());
    let mut taken: BTreeSet<usize> = (0..order.len()).chain(memory.values().copied()).collect();
    for port in ports {
        let of_board = order.iter().position(|place| is_at(&port.place, place));
        let known = of_board.filter(|number| !numbered.contains_key(number));
        let number = known
            .or_else(|| memory.get(&port.place).copied())
            .unwrap_or_else(|| {
                // Of one number more than are taken, one is free.
                let free = (0..=taken.len()).find(|number| !taken.contains(number));
                let number = free.unwrap_or(taken.len());
                memory.insert(port.place.clone(), number);
                number
            });
        taken.insert(number);
        numbered.insert(number, port);
    }
    (numbered, memory)
}

/// Whether a device is at `place`, or a part of what is there.
fn is_at(device: &str, place: &str) -> bool {
    let rest = device.strip_prefix(place);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A line for each port: its number and its place. What is not understood is left out.
fn read(text: &str) -> Memory {
    let mut taken = BTreeSet::new();
    let lines = text.lines().filter_map(|line| {
        let (number, place) = line.split_once(' ')?;
        let number = number.parse().ok()?;
        taken.insert(number).then(|| (place.to_owned(), number))
    });
    lines.collect()
}

/// The old content or the new, whatever the power does.
fn write(file: &Path, memory: &Memory) -> std::io::Result<()> {
    let lines = memory
        .iter()
        .map(|(place, number)| format!("{number} {place}\n"));
    let new = file.with_extension("new");
    fs::write(&new, lines.collect::<String>())?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(places: &[&str]) -> Vec<Port> {
        let port = |(number, place): (usize, &&str)| Port {
            place: (*place).to_owned(),
            name: format!("kernel{number}"),
        };
        places.iter().enumerate().map(port).collect()
    }

    fn named(places: &[&str], order: &[&str], memory: &Memory) -> (Vec<(usize, String)>, Memory) {
        let order: Vec<String> = order.iter().map(|one| (*one).to_owned()).collect();
        let (ports, memory) = numbered(ports(places), &order, memory.clone());
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
    fn a_port_of_the_board_that_is_out_leaves_its_name_free() {
        let order = ["pci/1", "pci/2", "pci/3"];
        let (names, memory) = named(
            &["pci/2/virtio0", "pci/3", "usb/1", "pci/10"],
            &order,
            &Memory::new(),
        );
        are(
            &names,
            &[
                (1, "pci/2/virtio0"),
                (2, "pci/3"),
                (3, "pci/10"),
                (4, "usb/1"),
            ],
        );
        // What was remembered under a number of the board does not count any more.
        let stale = Memory::from([("usb/1".to_owned(), 0)]);
        let (names, _) = named(&["usb/1"], &order, &stale);
        are(&names, &[(3, "usb/1")]);
        assert_eq!(memory.len(), 2);
    }

    #[test]
    fn what_is_remembered_is_read_again() {
        let folder = std::env::temp_dir().join(format!("gatehouse-ports-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("ports");
        let memory = Memory::from([("pci/01".to_owned(), 0), ("usb/1 a".to_owned(), 7)]);
        write(&file, &memory).unwrap();
        assert_eq!(read(&fs::read_to_string(&file).unwrap()), memory);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(read("x\n0 a\n0 b\nz y\n").len(), 1);
    }
}
