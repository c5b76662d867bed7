//! What only the box knows: secrets in its store, files on its disk.

use std::collections::BTreeSet;

use crate::fault::{Known, Report};
use crate::nearest::nearest;
use crate::place::Place;
use crate::reader::{Reader, quoted};

/// Checks what the file refers to against what is known, and lists what is not.
pub(crate) fn known(reader: &mut Reader<'_>, known: &Known) {
    let secrets = std::mem::take(&mut reader.secrets);
    for (place, name) in secrets {
        let remedy = format!("store it with `gatehouse secret set {name}`");
        let kind = "secret";
        one(
            kind,
            place,
            &name,
            &remedy,
            known.secrets.as_ref(),
            &mut reader.report,
        );
    }
    let files = std::mem::take(&mut reader.files);
    for (place, name) in files {
        let remedy = "copy it to the box, or mend its name";
        one(
            "file",
            place,
            &name,
            remedy,
            known.files.as_ref(),
            &mut reader.report,
        );
    }
}

fn one(
    kind: &str,
    place: Place,
    name: &str,
    remedy: &str,
    known: Option<&BTreeSet<String>>,
    report: &mut Report,
) {
    let Some(known) = known else {
        report.unchecked(
            place,
            format!("that the box has the {kind} {}", quoted(name)),
        );
        return;
    };
    if !known.contains(name) {
        let what = format!("the box has no {kind} {}", quoted(name));
        let near = nearest(name, known.iter().map(String::as_str));
        let near = near.map(|near| format!("did you mean {}? Else ", quoted(near)));
        report.fault(place, what, format!("{}{remedy}", near.unwrap_or_default()));
    }
}
