//! `gatehouse apply`.

use std::path::Path;

use config::{Fault, Faults};
use control::{Apply, Client, ClientError};

use super::output::Out;
use super::{Done, check, generations};

/// Puts `file` into force; on trial for `trial` seconds where that is given.
pub(super) async fn run(out: Out, client: &Client, file: &Path, trial: Option<u32>) -> Done {
    let text = check::read(file)?;
    let apply = Apply {
        text,
        base: client.config_text(None).await?.generation,
        trial_seconds: trial,
    };
    match client.apply(&apply).await {
        Ok(applied) => out.show(&applied, || generations::applied_text(out, &applied)),
        // The box does not know what the file is called here.
        Err(ClientError::Refused(refusal)) if !refusal.faults.is_empty() => {
            check::faulty(out, &named(file, refusal.faults))
        }
        Err(error) => Err(error.into()),
    }
}

fn named(file: &Path, faults: Vec<control::Fault>) -> Faults {
    let faults = faults.into_iter().map(|fault| Fault {
        line: fault.line,
        column: fault.column,
        path: fault.path,
        what: fault.what,
        remedy: fault.remedy,
    });
    Faults {
        file: file.display().to_string(),
        faults: faults.collect(),
    }
}
