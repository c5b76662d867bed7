//! `gatehouse check`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use config::tables::{self, Row, Table};
use config::{Checked, Config, Faults, Known};
use guard::entrance::Visitors;
use serde_json::{Map, Value, json};

use super::output::{self, Out};
use super::{Done, Failure};
use crate::supervisor::entrance;

/// How many files beside the configuration are looked at.
const MOST_FILES: usize = 10_000;

/// Checks `file` and tells what is wrong with it; with `state`, against what that box knows.
pub(super) fn run(out: Out, file: &Path, state: Option<&Path>, tables: bool) -> Done {
    let text = read(file)?;
    let known = match state {
        Some(state) => known(file, state)?,
        None => Known::default(),
    };
    match config::check_with(&text, &file.display().to_string(), &known) {
        Ok(checked) => {
            let mut notices = public_rules(&checked.config);
            notices.extend(signin::to_enter(&checked.config));
            if let Some(state) = state {
                notices.extend(without_password(state, &checked.config)?);
            }
            sound(out, file, &checked, (&notices, tables))
        }
        Err(faults) => faulty(out, &faults),
    }
}

/// The text of a configuration file.
pub(super) fn read(file: &Path) -> Result<String, Failure> {
    let unreadable = |why: String| Failure::Unusable(format!("{}: {why}", file.display()));
    let bytes =
        std::fs::read(file).map_err(|error| unreadable(format!("can not be read: {error}")))?;
    if bytes.len() > store::MAX_TEXT {
        return Err(unreadable(format!(
            "is longer than {} bytes",
            store::MAX_TEXT
        )));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("is not UTF-8 text".to_owned()))
}

/// What is no fault, and should be meant so.
fn sound(
    out: Out,
    file: &Path,
    checked: &Checked,
    (notices, tables): (&[(u32, String)], bool),
) -> Done {
    if out.json {
        let mut value = json!({ "ok": true, "faults": [], "unchecked": unchecked(checked) });
        value["notices"] = notices
            .iter()
            .map(|(line, what)| json!({ "line": line, "what": what }))
            .collect();
        if tables {
            value["tables"] = tables_json(&checked.config);
        }
        return out.show(&value, String::new);
    }
    let mut text = summary(file, &checked.config);
    for unchecked in &checked.unchecked {
        let _ = writeln!(text, "{unchecked}");
    }
    for (line, what) in notices {
        let _ = writeln!(text, "line {line}: {what}");
    }
    if tables {
        let _ = write!(text, "\n{}", tables::all(&checked.config));
    }
    output::write(&text)
}

/// Rules that ask nobody who he is.
fn public_rules(config: &Config) -> Vec<(u32, String)> {
    let mut told = Vec::new();
    for host in &config.hosts {
        let is_public =
            |rule: &&config::HttpRule| rule.access.is_empty() && rule.access_all.is_empty();
        told.extend(host.http.iter().filter(is_public).map(|rule| {
            let text = format!(
                "host[\"{}\"].http: public: without `access` everybody is let in",
                host.name
            );
            (rule.line, text)
        }));
    }
    told
}

/// Users that are let in by password, and who have none in the store of that state directory.
fn without_password(state: &Path, config: &Config) -> Result<Vec<(u32, String)>, Failure> {
    let path = state.join(entrance::VISITORS);
    let visitors = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
            let (path, line) = (path.display(), error.line());
            Failure::Unusable(format!("{path} is damaged in line {line}"))
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Visitors::default(),
        Err(error) => {
            let path = path.display();
            return Err(Failure::Unusable(format!(
                "{path}: can not be read: {error}"
            )));
        }
    };
    Ok(entrance::missing(config, &visitors))
}

/// Prints the faults of a file, and fails.
pub(super) fn faulty(out: Out, faults: &Faults) -> Done {
    if out.json {
        let list = faults.faults.iter().map(|fault| {
            json!({
                "file": faults.file, "line": fault.line, "column": fault.column,
                "path": fault.path, "what": fault.what, "remedy": fault.remedy,
            })
        });
        let list: Vec<Value> = list.collect();
        let value = json!({ "ok": false, "faults": list, "unchecked": [] });
        out.show(&value, String::new)?;
    } else {
        output::note(&faults.to_string());
    }
    Err(Failure::Refused(String::new()))
}

fn summary(file: &Path, config: &Config) -> String {
    let count = |number: usize, one: &str, many: &str| match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {many}"),
    };
    let rules: usize = config.hosts.iter().map(|host| host.http.len()).sum();
    format!(
        "{}: OK: {}, {}, {}\n",
        file.display(),
        count(config.hosts.len(), "host", "hosts"),
        count(rules, "HTTP rule", "HTTP rules"),
        count(config.forwards.len(), "forward", "forwards"),
    )
}

fn unchecked(checked: &Checked) -> Vec<Value> {
    let list = checked.unchecked.iter();
    list.map(|item| json!({ "line": item.line, "path": item.path, "what": item.what }))
        .collect()
}

fn tables_json(config: &Config) -> Value {
    json!({
        "listens": rows(&tables::listens(config)),
        "certificate_names": rows(&tables::certificate_names(config)),
        "internal_dns": rows(&tables::internal_dns(config)),
        "official_dns": rows(&tables::official_dns(config)),
        "router_forwards": rows(&tables::router_forwards(config)),
    })
}

/// A table as a list of objects, named by its headings.
fn rows<R: Row>(table: &Table<R>) -> Vec<Value> {
    let object = |row: &R| {
        let names = R::HEADINGS.iter().map(|heading| heading.replace(' ', "_"));
        let cells = row
            .cells()
            .into_iter()
            .map(|cell| match cell.parse::<u64>() {
                Ok(number) => json!(number),
                Err(_) => Value::String(cell),
            });
        Value::Object(names.zip(cells).collect::<Map<_, _>>())
    };
    table.rows.iter().map(object).collect()
}

/// What the box of that state directory knows.
fn known(file: &Path, state: &Path) -> Result<Known, Failure> {
    let secrets =
        store::secret_names(state).map_err(|error| Failure::Unusable(error.to_string()))?;
    let beside = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut files = BTreeSet::new();
    for folder in [beside, state.join("files")] {
        let Ok(entries) = folder.read_dir() else {
            continue;
        };
        let names = entries.flatten().take(MOST_FILES);
        let regular = names.filter(|entry| entry.path().is_file());
        files.extend(regular.filter_map(|entry| entry.file_name().into_string().ok()));
    }
    Ok(Known {
        secrets: Some(secrets),
        files: Some(files),
    })
}
