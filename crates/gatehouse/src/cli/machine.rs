//! `gatehouse reboot`, `poweroff` and `factory-reset`.

use std::path::Path;

use control::{Client, MachineOrder};

use super::Done;
use super::output::Out;
use super::sure::sure;

/// Has the box as a whole do something.
pub(super) async fn run(out: Out, socket: &Path, order: MachineOrder) -> Done {
    let client = Client::connect(socket).await?;
    obey(out, &client, order).await
}

/// Has the box forget everything, if that is wanted indeed.
pub(super) async fn factory_reset(out: Out, socket: &Path, yes: bool) -> Done {
    let client = Client::connect(socket).await?;
    sure(
        yes,
        "a factory reset removes every configuration, secret and certificate",
    )?;
    obey(out, &client, MachineOrder::FactoryReset).await
}

async fn obey(out: Out, client: &Client, order: MachineOrder) -> Done {
    let ordered = client.order(order).await?;
    out.show(&ordered, || format!("{}\n", ordered.text))
}
