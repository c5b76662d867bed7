//! Ports and runs of ports.

use std::fmt;

use toml::de::DeValue;

use crate::definition::Shape;
use crate::reader::{Node, Reader, Value, quoted};

/// A port, or a run of them with both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ports {
    /// The first port.
    pub first: u16,
    /// The last port; not before the first.
    pub last: u16,
}

impl Ports {
    /// One port alone.
    pub const fn one(port: u16) -> Self {
        Self {
            first: port,
            last: port,
        }
    }

    /// Whether a port is one of them.
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// Whether both hold a common port.
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// How many ports these are.
    pub const fn count(self) -> usize {
        self.last as usize - self.first as usize + 1
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return self.first.fmt(f);
        }
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl Value for Ports {
    fn shape() -> Shape {
        Shape::Text("a port or a run of ports, such as \"21326\" or \"10000-13999\"")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        if let DeValue::Integer(_) = node.value.get_ref() {
            return u16::read(reader, node).map(Self::one);
        }
        let text = reader.text(node)?;
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
        match (port(first), port(last)) {
            (Some(first), Some(last)) if first <= last => Some(Self { first, last }),
            (Some(first), Some(last)) => {
                let what = format!("{} runs backwards", quoted(text));
                reader.fault(node, what, format!("write \"{last}-{first}\""));
                None
            }
            _ => {
                let remedy = "write ports from 1 to 65535, such as \"21326\" or \"10000-13999\"";
                reader.fault(node, format!("{} is no port", quoted(text)), remedy);
                None
            }
        }
    }
}
