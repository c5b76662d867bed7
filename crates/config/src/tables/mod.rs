//! What follows from a configuration and is therefore never typed: where we listen, which names
//! need a certificate, which DNS records and port forwards there must be.

mod certificates;
mod dns;
mod listens;
mod protocols;
mod router;

pub use certificates::{CertificateName, Wanted, certificate_names};
pub use dns::{Delegation, Record, RecordValue, delegations, internal_dns, official_dns};
pub use listens::{Listen, On, listens};
pub(crate) use listens::{Use, uses, zone_on};
pub(crate) use protocols::served_publicly;
pub use router::{RouterForward, router_forwards};

use std::fmt;

use crate::types::Config;

/// A derived table; displays with aligned columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<R> {
    /// Its rows, in the order of the file.
    pub rows: Vec<R>,
}

/// A row of a derived table.
pub trait Row {
    /// Headings of the columns.
    const HEADINGS: &'static [&'static str];

    /// One text for each column.
    fn cells(&self) -> Vec<String>;
}

impl<R: Row> fmt::Display for Table<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<Vec<String>> = self.rows.iter().map(Row::cells).collect();
        write_aligned(f, R::HEADINGS, &rows)
    }
}

/// A derived table as it is shown, whatever its rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Titled {
    /// What it holds.
    pub title: &'static str,
    /// What the operator should know of it; empty: nothing.
    pub note: &'static str,
    /// Headings of the columns.
    pub headings: &'static [&'static str],
    /// One text for each column.
    pub rows: Vec<Vec<String>>,
}

/// All tables, in the order in which they are shown.
pub fn every(config: &Config) -> Vec<Titled> {
    vec![
        titled("Listens", "", &listens(config)),
        titled("Certificate names", "", &certificate_names(config)),
        titled("Internal DNS", "", &internal_dns(config)),
        titled(
            "Official DNS",
            "to be entered at the provider",
            &official_dns(config),
        ),
        titled(
            "Port forwards of the router upstream",
            "",
            &router_forwards(config),
        ),
    ]
}

/// All tables with their titles, for `gatehouse check --tables`.
pub fn all(config: &Config) -> String {
    let texts: Vec<String> = every(config).iter().map(ToString::to_string).collect();
    texts.join("\n")
}

fn titled<R: Row>(title: &'static str, note: &'static str, table: &Table<R>) -> Titled {
    Titled {
        title,
        note,
        headings: R::HEADINGS,
        rows: table.rows.iter().map(Row::cells).collect(),
    }
}

impl fmt::Display for Titled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let comma = if self.note.is_empty() { "" } else { ", " };
        writeln!(f, "{}{comma}{}", self.title, self.note)?;
        write_aligned(f, self.headings, &self.rows)
    }
}

/// Rows below their headings, every column as wide as it must be.
fn write_aligned(
    f: &mut fmt::Formatter<'_>,
    headings: &[&str],
    rows: &[Vec<String>],
) -> fmt::Result {
    if rows.is_empty() {
        return writeln!(f, "(nothing)");
    }
    let headings = headings.iter().map(|heading| (*heading).to_owned());
    let headings: Vec<String> = headings.collect();
    let lines = || std::iter::once(&headings).chain(rows);
    let width = |column: usize| {
        let cells = lines().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..headings.len()).map(width).collect();
    for line in lines() {
        let cells = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// Parts of the configuration whose service this version does not have, with their lines.
pub fn not_built(config: &Config) -> Vec<(&'static str, u32)> {
    let mut parts = Vec::new();
    let mut add = |part, lines: &mut dyn Iterator<Item = u32>| {
        parts.extend(lines.map(|line| (part, line)));
    };
    let dhcp = config.zones.iter().filter_map(|zone| zone.dhcp.as_ref());
    add("network.dhcp", &mut dhcp.map(|dhcp| dhcp.line));
    add(
        "forward",
        &mut config.forwards.iter().map(|forward| forward.line),
    );
    add("allow", &mut config.allows.iter().map(|allow| allow.line));
    let nat = config.nat.masquerade || config.nat.hairpin;
    add("nat", &mut nat.then_some(config.nat.line).into_iter());
    add("turn", &mut config.turn.iter().map(|turn| turn.line));
    add("dns", &mut config.dns.iter().map(|dns| dns.line));
    add("sbc", &mut config.sbc.iter().map(|sbc| sbc.line));
    parts
}
