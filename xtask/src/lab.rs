//! The lab tests alone.

use anyhow::{Result, bail};

use crate::run::{cargo, is_root, visibly};

/// `cargo xtask lab [FILTER]`.
///
/// # Errors
/// When a test fails, or when this is not root.
pub(crate) fn run(filter: Option<&str>) -> Result<()> {
    if !is_root() {
        bail!("the lab makes network namespaces: run this as root");
    }
    visibly(&mut cargo(&["build", "--package", "gatehouse"]))?;
    let mut command = cargo(&["nextest", "run", "--package", "lab"]);
    if let Some(filter) = filter {
        command.arg(filter);
    }
    visibly(&mut command)
}
