//! The names of network ports: eth0 is the one that the board says is the first, not the one whose driver was quickest.

use super::{link, say};
use std::fs;
use std::path::Path;

/// Names all ports: those of `order` first, the others in the order of their places on the bus.
///
/// # Errors
/// The kernel refuses a name.
pub(super) fn name(order: &[String]) -> nix::Result<()> {
    let wanted = wanted(found(), order);
    // By way of names that nobody has, since each may be another's.
    for (number, (_, old)) in wanted.iter().enumerate() {
        if *old != format!("eth{number}") {
            link::rename(old, &format!("port{number}"))?;
        }
    }
    for (number, (place, old)) in wanted.iter().enumerate() {
        let new = format!("eth{number}");
        if *old != new {
            link::rename(&format!("port{number}"), &new)?;
        }
        say(&format!("{new} is {place}"));
    }
    Ok(())
}

/// Ports by their place and the name they have.
type Port = (String, String);

fn found() -> Vec<Port> {
    let entries = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten();
    let ports = entries.filter_map(|entry| {
        // What has no device is no port: the loopback interface, bridges, tunnels.
        let device = fs::canonicalize(entry.path().join("device")).ok()?;
        let place = device.strip_prefix("/sys/devices").unwrap_or(&device);
        Some((
            shown(place),
            entry.file_name().to_string_lossy().into_owned(),
        ))
    });
    ports.collect()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn wanted(mut ports: Vec<Port>, order: &[String]) -> Vec<Port> {
    let rank = |place: &str| {
        let found = order.iter().position(|one| place.starts_with(one.as_str()));
        found.unwrap_or(order.len())
    };
    ports.sort_by_cached_key(|(place, name)| (rank(place), place.clone(), name.clone()));
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boards_order_comes_before_that_of_the_bus() {
        let port = |place: &str, name: &str| (place.to_owned(), name.to_owned());
        let ports = vec![
            port("pci/03", "eth0"),
            port("pci/01", "eth2"),
            port("pci/02/virtio0", "eth1"),
        ];
        let names = |order: &[&str]| {
            let order: Vec<String> = order.iter().map(|one| (*one).to_owned()).collect();
            let sorted = wanted(ports.clone(), &order);
            sorted.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["eth2", "eth1", "eth0"]);
        assert_eq!(names(&["pci/03", "pci/02"]), ["eth0", "eth1", "eth2"]);
    }
}
