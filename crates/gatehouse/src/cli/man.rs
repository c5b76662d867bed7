//! The manual pages, made from the same definitions as the help texts.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::args::Args;
use super::{Done, Failure};

/// Commands of an administrator.
const SECTION: &str = "8";

/// Writes `gatehouse.8` and a page for each command into `directory`, which is made if it is missing.
pub(super) fn write(directory: &Path) -> Done {
    let failed =
        |error: std::io::Error| Failure::Unusable(format!("{}: {error}", directory.display()));
    std::fs::create_dir_all(directory).map_err(failed)?;
    let mut root = Args::command();
    root.build();
    let mut waiting = vec![root];
    while let Some(command) = waiting.pop() {
        let shown = command.get_subcommands().filter(|c| !c.is_hide_set());
        waiting.extend(shown.cloned());
        let mut text = Vec::new();
        let page = page(command);
        page.render(&mut text).map_err(failed)?;
        std::fs::write(directory.join(page.get_filename()), text).map_err(failed)?;
    }
    Ok(())
}

fn page(command: Command) -> Man {
    let source = format!("Gatehouse {}", env!("CARGO_PKG_VERSION"));
    Man::new(command)
        .section(SECTION)
        .source(source)
        .manual("Gatehouse")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The pages as they are written, by the name of their file.
    fn pages() -> BTreeMap<String, String> {
        let folder = std::env::temp_dir().join(format!("gatehouse-man-{}", std::process::id()));
        write(&folder).unwrap();
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        };
        let pages = std::fs::read_dir(&folder).unwrap().map(read).collect();
        std::fs::remove_dir_all(&folder).unwrap();
        pages
    }

    /// Every command that is shown, by the name of its page; its subcommands with it.
    fn commands(command: &Command, page: &str, found: &mut BTreeMap<String, Command>) {
        found.insert(format!("{page}.8"), command.clone());
        for subcommand in command.get_subcommands().filter(|c| !c.is_hide_set()) {
            commands(
                subcommand,
                &format!("{page}-{}", subcommand.get_name()),
                found,
            );
        }
    }

    #[test]
    fn every_command_has_a_page_that_names_its_options_and_hidden_ones_have_none() {
        let (pages, mut shown) = (pages(), BTreeMap::new());
        let mut root = Args::command();
        root.build();
        commands(&root, "gatehouse", &mut shown);
        assert!(shown.len() > 15, "{:?}", shown.keys());
        assert!(pages.keys().eq(shown.keys()), "{:?}", pages.keys());
        for (name, command) in shown {
            // How roff writes hyphens and apostrophes that shall be nothing else.
            let text = pages[&name].replace("\\-", "-").replace("\\*(Aq", "'");
            let about = command.get_about().unwrap().to_string();
            assert!(text.contains(&about), "{name}: {about}: {text}");
            for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
                let long = argument.get_long().map(|long| format!("--{long}"));
                let short = argument.get_short().map(|short| format!("-{short}"));
                let values = argument
                    .get_value_names()
                    .filter(|_| argument.is_positional());
                let values = values.unwrap_or_default().iter().map(ToString::to_string);
                for word in long.into_iter().chain(short).chain(values) {
                    assert!(text.contains(&word), "{name}: {word}: {text}");
                }
            }
            for subcommand in command.get_subcommands().filter(|c| !c.is_hide_set()) {
                let page = format!("{}-{}", name.trim_end_matches(".8"), subcommand.get_name());
                assert!(text.contains(&page), "{name}: {page}: {text}");
            }
        }
    }
}
