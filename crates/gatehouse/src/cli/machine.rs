//! `gatehouse reboot`, `poweroff` and `factory-reset`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use control::{Client, MachineOrder};

use super::output::Out;
use super::{Done, Failure};

/// What has to be typed for a factory reset.
const WORD: &str = "reset";

/// Has the box as a whole do something.
pub(super) async fn run(out: Out, socket: &Path, order: MachineOrder) -> Done {
    let client = Client::connect(socket).await?;
    obey(out, &client, order).await
}

/// Has the box forget everything, if that is wanted indeed.
pub(super) async fn factory_reset(out: Out, socket: &Path, yes: bool) -> Done {
    let client = Client::connect(socket).await?;
    sure(yes)?;
    obey(out, &client, MachineOrder::FactoryReset).await
}

async fn obey(out: Out, client: &Client, order: MachineOrder) -> Done {
    let ordered = client.order(order).await?;
    out.show(&ordered, || format!("{}\n", ordered.text))
}

/// Asks whether everything is to be removed, unless `--yes` said so.
fn sure(yes: bool) -> Done {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Unusable(
            "a factory reset removes every configuration, secret and certificate; say that you want it with --yes"
                .to_owned(),
        ));
    }
    let failed = |error: io::Error| Failure::Unusable(format!("can not ask: {error}"));
    let mut stderr = io::stderr().lock();
    write!(
        stderr,
        "This removes every configuration, secret and certificate of the box. Type {WORD} to do it: "
    )
    .and_then(|()| stderr.flush())
    .map_err(failed)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    if line.trim() == WORD {
        Ok(())
    } else {
        Err(Failure::Refused("nothing was removed".to_owned()))
    }
}
