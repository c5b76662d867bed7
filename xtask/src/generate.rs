//! The generated files, written anew: the tests that compare them write instead when told to.
//! Such tests stand in a file `tests/stale.rs` of their crate.

use anyhow::Result;

use crate::run::{cargo, say, visibly};

/// `cargo xtask generate`.
///
/// # Errors
/// When a test that writes fails.
pub(crate) fn run() -> Result<()> {
    let filter = "binary(stale)";
    visibly(
        cargo(&[
            "nextest",
            "run",
            "--workspace",
            "--no-tests=pass",
            "-E",
            filter,
        ])
        .env("GATEHOUSE_BLESS", "1"),
    )?;
    say("written; `git diff` shows what changed");
    Ok(())
}
