//! `gatehouse totp`.

use std::path::Path;

use control::{Client, FactorsReset, SsoFactor, WhichFactors};

use super::Done;
use super::args::TotpAction;
use super::output::{Out, Table, plain};

/// Does what is asked of second factors.
pub(super) async fn run(out: Out, socket: &Path, action: TotpAction) -> Done {
    let client = Client::connect(socket).await?;
    match action {
        TotpAction::List => {
            let factors = client.sso_factors().await?;
            out.show(&factors, || list(out, &factors))
        }
        TotpAction::Reset { access, user, .. } => {
            let which = match access.zip(user) {
                Some((access, user)) => WhichFactors::One { access, user },
                None => WhichFactors::All,
            };
            let done = client.reset_sso_factors(&which).await?;
            out.show(&done, || told(&done))
        }
    }
}

fn list(out: Out, factors: &[SsoFactor]) -> String {
    if factors.is_empty() {
        return "nobody has a second factor\n".to_owned();
    }
    let mut table = Table::new(&["ACCESS", "USER", "SINCE", "LAST CODE"]);
    for factor in factors {
        table.line([
            plain(&factor.access),
            plain(&factor.user),
            plain(factor.confirmed),
            plain(factor.used),
        ]);
    }
    table.text(out)
}

fn told(done: &FactorsReset) -> String {
    let reset = match done.reset {
        1 => "1 second factor is reset".to_owned(),
        count => format!("{count} second factors are reset"),
    };
    match done.ended {
        1 => format!("{reset}, and 1 session has ended\n"),
        count => format!("{reset}, and {count} sessions have ended\n"),
    }
}
