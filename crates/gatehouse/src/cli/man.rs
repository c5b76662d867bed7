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
    #[test]
    fn every_command_has_a_page_and_hidden_ones_have_none() {
        let folder = std::env::temp_dir().join(format!("gatehouse-man-{}", std::process::id()));
        super::write(&folder).unwrap();
        let names = std::fs::read_dir(&folder).unwrap();
        let mut names: Vec<_> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let text = std::fs::read_to_string(folder.join("gatehouse-check.8")).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(names.contains(&"gatehouse.8".to_owned()), "{names:?}");
        assert!(
            names.contains(&"gatehouse-secret-set.8".to_owned()),
            "{names:?}"
        );
        assert!(
            !names
                .iter()
                .any(|name| name.contains("role") || name.contains("man."))
        );
        assert!(
            text.contains("\\-\\-tables") && text.contains("\\-\\-state"),
            "{text}"
        );
    }
}
