//! A box in a virtual machine (QEMU without acceleration, which is there everywhere): its serial line, its ports.

mod machine;
mod network;
mod screen;

use std::env;
use std::path::{Path, PathBuf};

pub use machine::{Machine, Settings, sparse_copy};
pub use network::{BOX, NAMED, Network, SERVER};

/// What the serial line shows once the box answers to its operator, which is what it does last.
pub const SERVING: &str = "Processes      supervisor running";

/// Programs that a machine needs, and the Debian packages they are in.
const PROGRAM: &str = "qemu-system-x86_64";
const FIRMWARE: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";

/// Why no machine can be started here; `None` where it can.
pub fn missing() -> Option<String> {
    let path = env::var("PATH").unwrap_or_default();
    let found = |name: &str| {
        path.split(':')
            .any(|folder| Path::new(folder).join(name).is_file())
    };
    if !found(PROGRAM) {
        return Some("qemu-system-x86 is not installed".to_owned());
    }
    if !Path::new(FIRMWARE).is_file() || !Path::new(VARIABLES).is_file() {
        return Some("ovmf is not installed".to_owned());
    }
    None
}

/// The image that `cargo xtask test` has built for tests; where it is, or would be.
pub fn test_image() -> PathBuf {
    if let Some(path) = env::var_os("GATEHOUSE_IMAGE") {
        return path.into();
    }
    let test = env::current_exe().unwrap_or_default();
    // A test lies in TARGET/TRIPLE/PROFILE/deps.
    let target = test.ancestors().nth(4).unwrap_or(Path::new("target"));
    let version = env!("CARGO_PKG_VERSION");
    target.join(format!("image/test/gatehouse-x86_64-uefi-{version}.img"))
}
