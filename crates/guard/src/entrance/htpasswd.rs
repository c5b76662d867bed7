//! Files of `htpasswd`, from which visitors of other web servers come along.

use std::collections::BTreeMap;
use std::fmt;

use super::visitor::VisitorHash;
use super::visitors::MAX_VISITORS;
use crate::operators::UserName;

/// The most bytes of a file.
pub const LONGEST_FILE: usize = 1 << 20;
/// The most faults that are told of a file.
const MOST_FAULTS: usize = 100;

/// What is wrong with a line; whoever keeps the file is to blame. Nothing of a password or hash is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Reads a file: a line `NAME:HASH` for each visitor, empty lines and comments (`#`) between them.
///
/// # Errors
/// All faults at once, a hundred at the most.
pub fn read(text: &str) -> Result<Vec<(UserName, VisitorHash)>, Vec<Fault>> {
    if text.len() > LONGEST_FILE {
        let what = format!("the file is longer than {LONGEST_FILE} bytes");
        return Err(vec![Fault { line: 1, what }]);
    }
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    let mut first: BTreeMap<UserName, usize> = BTreeMap::new();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let told = entry(text).and_then(|(name, hash)| match first.get(&name) {
            Some(before) => Err(format!("{name} is in line {before} already")),
            None if found.len() >= MAX_VISITORS => {
                Err(format!("{MAX_VISITORS} visitors are the most"))
            }
            None => Ok((name, hash)),
        });
        match told {
            Ok((name, hash)) => {
                first.insert(name.clone(), line);
                found.push((name, hash));
            }
            Err(what) => faults.push(Fault { line, what }),
        }
        if faults.len() >= MOST_FAULTS {
            break;
        }
    }
    if faults.is_empty() {
        Ok(found)
    } else {
        Err(faults)
    }
}

fn entry(line: &str) -> Result<(UserName, VisitorHash), String> {
    let (name, hash) = line
        .split_once(':')
        .ok_or("there is no `:` between a name and a hash")?;
    let name = UserName::new(name).map_err(|error| error.to_string())?;
    let hash = VisitorHash::read(hash).map_err(|what| format!("{name} has {what}"))?;
    Ok((name, hash))
}
