//! `gatehouse ping` and `lookup`: done by this process, which the supervisor must not; it reads nothing from the network.

use std::net::IpAddr;
use std::time::Duration;

use net::ping::Pinger;
use net::resolve::Names;
use serde::Serialize;

use super::output::{self, Out};
use super::{Done, Failure};

/// The pause between two requests.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Serialize)]
struct Pinged {
    address: IpAddr,
    sent: u16,
    /// Milliseconds of each answer, in order; null where none came.
    answers: Vec<Option<f64>>,
}

/// Asks a host for a sign of life.
pub(super) async fn ping(out: Out, host: &str, count: u16) -> Done {
    let addresses = addresses(host).await?;
    let address = addresses.first().copied();
    let address = address.ok_or_else(|| Failure::Refused(format!("{host} has no address")))?;
    let refused = |error: &dyn std::fmt::Display| Failure::Refused(format!("{address}: {error}"));
    let pinger = Pinger::open(address).map_err(|error| refused(&error))?;
    let mut answers = Vec::new();
    for sequence in 1..=count {
        let answer = pinger
            .echo(sequence)
            .await
            .map_err(|error| refused(&error))?;
        let answer = answer.map(|time| time.as_secs_f64() * 1000.0);
        if !out.json {
            output::write(&match answer {
                Some(time) => format!("{address}: answer {sequence} after {time:.2} ms\n"),
                None => format!("{address}: no answer {sequence}\n"),
            })?;
        }
        answers.push(answer);
        if sequence < count {
            tokio::time::sleep(PAUSE).await;
        }
    }
    let came = answers.iter().flatten().count();
    out.show(
        &Pinged {
            address,
            sent: count,
            answers,
        },
        || format!("{came} of {count} answered\n"),
    )?;
    if came == 0 {
        return Err(Failure::Refused(String::new()));
    }
    Ok(())
}

/// Asks the name servers of this machine for a name.
pub(super) async fn lookup(out: Out, name: &str) -> Done {
    let addresses = addresses(name).await?;
    out.show(&addresses, || {
        let lines = addresses.iter().map(|address| format!("{address}\n"));
        lines.collect()
    })
}

async fn addresses(name: &str) -> Result<Vec<IpAddr>, Failure> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let failed = |error| Failure::Refused(format!("{name}: {error}"));
    let resolver = Names::from_system().resolver().map_err(failed)?;
    resolver.addresses(name).await.map_err(failed)
}
