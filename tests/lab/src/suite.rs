//! Programs of another suite of Debian, where `cargo xtask prepare` puts them: in the user's cache, with their own libraries.

use std::env;
use std::path::{Path, PathBuf};

/// The folder that they were unpacked to, laid out as the root of a system is.
pub(crate) fn folder() -> Option<PathBuf> {
    let given = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty());
    let cache = given.map(PathBuf::from);
    let cache = cache.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cache")))?;
    let folder = cache.join("gatehouse/sid");
    // Written last.
    folder.join("packages").exists().then_some(folder)
}

/// How a program of it is started, such as `sbin/asterisk`: by its own loader with its own libraries.
pub(crate) fn command(program: &str) -> Option<Vec<String>> {
    let folder = folder()?;
    let loader = match env::consts::ARCH {
        "aarch64" => "lib/ld-linux-aarch64.so.1",
        _ => "lib64/ld-linux-x86-64.so.2",
    };
    let libraries = format!("usr/lib/{}-linux-gnu", env::consts::ARCH);
    let at = |name: &str| folder.join(name).display().to_string();
    let program = at(&format!("usr/{program}"));
    Some(vec![
        at(loader),
        "--library-path".to_owned(),
        at(&libraries),
        program,
    ])
}
