//! `gatehouse status`.

use std::fmt::{self, Write as _};

use control::render::Span;
use control::{Client, GenerationState, Status, Traffic};
use service::ServiceState;

use super::output::{Out, Table, Tone, plain};
use super::{Done, certificate};

/// Shows how the box is.
pub(super) async fn run(out: Out, client: &Client) -> Done {
    let status = client.status().await?;
    out.show(&status, || text(out, &status))
}

fn text(out: Out, status: &Status) -> String {
    let up = status.now.0.saturating_sub(status.started.0) / 1000;
    let mut text = format!(
        "{}: Gatehouse {}, running for {}\n",
        out.paint(Tone::Heading, &status.hostname),
        status.version,
        Span(up)
    );
    text.push_str(&generation(out, status));
    let bans = match status.bans {
        0 => "nobody is banned".to_owned(),
        1 => "1 address is banned".to_owned(),
        count => format!("{count} addresses are banned"),
    };
    let _ = writeln!(text, "guard: {bans}");
    for table in [
        processes(status),
        listeners(status),
        hosts(status.traffic.as_ref()),
        certificate::table(&status.certificates),
    ] {
        let _ = write!(text, "\n{}", table.text(out));
    }
    if let Some(traffic) = status.traffic.as_ref().filter(|it| !it.rejected.is_empty()) {
        let reasons = traffic.rejected.iter();
        let reasons: Vec<_> = reasons
            .map(|rejected| format!("{} {}", rejected.reason, rejected.count))
            .collect();
        let _ = write!(text, "\nrejected: {}\n", reasons.join(", "));
    }
    if !status.not_built.is_empty() {
        let parts = status.not_built.iter();
        let parts: Vec<_> = parts
            .map(|part| format!("{} (line {})", part.section, part.line))
            .collect();
        let label = out.paint(Tone::Attention, "not built yet");
        let _ = write!(text, "\n{label}: {}\n", parts.join(", "));
    }
    for left_out in &status.left_out {
        let _ = writeln!(
            text,
            "{}: {left_out}",
            out.paint(Tone::Attention, "left out")
        );
    }
    text
}

fn generation(out: Out, status: &Status) -> String {
    let generation = &status.generation;
    let trial = match generation.state {
        GenerationState::Trial { seconds } => {
            let text = format!(
                "; on trial, rolled back in {} unless confirmed",
                Span(seconds)
            );
            out.paint(Tone::Attention, text)
        }
        _ => String::new(),
    };
    format!(
        "configuration: generation {} of {} ({}){trial}\n",
        generation.number, generation.created, generation.origin
    )
}

fn processes(status: &Status) -> Table {
    let mut table = Table::new(&["PROCESS", "STATE", "PID", "SINCE", "RESTARTS"]);
    for process in &status.processes {
        let state = match &process.state {
            ServiceState::Running => ("running".to_owned(), Some(Tone::Good)),
            ServiceState::Failed { reason, .. } => (format!("failed: {reason}"), Some(Tone::Bad)),
            ServiceState::Draining => ("draining".to_owned(), Some(Tone::Attention)),
            ServiceState::Stopped => ("stopped".to_owned(), Some(Tone::Attention)),
        };
        table.line([
            plain(&process.name),
            state,
            plain(process.pid.map(|pid| pid.to_string()).unwrap_or_default()),
            plain(process.since),
            plain(process.restarts),
        ]);
    }
    table
}

fn listeners(status: &Status) -> Table {
    let mut table = Table::new(&["LISTENER", "PROTOCOL", "ADDRESS", "INTERFACE", "STATE"]);
    for listener in &status.listeners {
        let state = match &listener.fault {
            None => ("open".to_owned(), Some(Tone::Good)),
            Some(fault) => (fault.clone(), Some(Tone::Bad)),
        };
        table.line([
            plain(&listener.service),
            plain(&listener.protocol),
            plain(&listener.address),
            plain(listener.interface.as_deref().unwrap_or_default()),
            state,
        ]);
    }
    table
}

fn hosts(traffic: Option<&Traffic>) -> Table {
    let mut table = Table::new(&["HOST", "OPEN", "REQUESTS", "RECEIVED", "SENT", "REJECTED"]);
    for host in traffic.into_iter().flat_map(|traffic| &traffic.hosts) {
        let open = host.open.iter();
        let open: Vec<_> = open
            .map(|open| format!("{} {}", open.count, open.protocol))
            .collect();
        table.line([
            plain(&host.name),
            plain(open.join(", ")),
            plain(host.requests),
            plain(Size(host.received)),
            plain(Size(host.sent)),
            plain(host.rejected),
        ]);
    }
    table
}

/// Bytes as people say them: `812 B`, `1.4 MB`.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = ["kB", "MB", "GB", "TB"];
        if self.0 < 1000 {
            return write!(f, "{} B", self.0);
        }
        let (mut tenths, mut unit) = (self.0 / 100, 0);
        while tenths >= 10_000 && unit + 1 < units.len() {
            tenths /= 1000;
            unit += 1;
        }
        write!(f, "{}.{} {}", tenths / 10, tenths % 10, units[unit])
    }
}

#[cfg(test)]
mod tests {
    use control::{
        Generation, HostTraffic, ListenerStatus, Moment, NotBuilt, OpenConnections, ProcessStatus,
        RejectedFor,
    };

    use super::super::output::TEXT;
    use super::*;

    fn traffic() -> Traffic {
        Traffic {
            hosts: vec![HostTraffic {
                name: "dvl-ckl2.net/branch-b".to_owned(),
                open: ["sip", "sips"]
                    .map(|protocol| OpenConnections {
                        protocol: protocol.to_owned(),
                        count: 3,
                    })
                    .into(),
                requests: 0,
                received: 999,
                sent: 12_345_678,
                rejected: 7,
            }],
            rejected: vec![RejectedFor {
                reason: "banned".to_owned(),
                count: 9,
            }],
        }
    }

    #[test]
    fn a_status_reads_well() {
        let at = Moment(1_795_225_367_000);
        let status = Status {
            version: "0.1.0".to_owned(),
            hostname: "gate-hq".to_owned(),
            started: at,
            now: Moment(at.0 + 5_400_000),
            generation: Generation {
                number: 12,
                created: at,
                origin: "reload".to_owned(),
                state: GenerationState::Trial { seconds: 125 },
            },
            processes: vec![ProcessStatus {
                name: "edge".to_owned(),
                pid: Some(42),
                state: ServiceState::Running,
                since: at,
                restarts: 0,
            }],
            listeners: vec![ListenerStatus {
                service: "proxy".to_owned(),
                protocol: "https".to_owned(),
                address: "0.0.0.0:453".to_owned(),
                interface: None,
                fault: None,
            }],
            certificates: Vec::new(),
            traffic: Some(traffic()),
            bans: 0,
            machine: None,
            not_built: vec![NotBuilt {
                section: "turn".to_owned(),
                line: 99,
            }],
            left_out: vec!["not root".to_owned()],
        };
        let expected = "\
gate-hq: Gatehouse 0.1.0, running for 1h 30m
configuration: generation 12 of 2026-11-21T01:42:47Z (reload); on trial, rolled back in 2m 5s unless confirmed
guard: nobody is banned

PROCESS  STATE    PID  SINCE                 RESTARTS
edge     running  42   2026-11-21T01:42:47Z  0

LISTENER  PROTOCOL  ADDRESS      INTERFACE  STATE
proxy     https     0.0.0.0:453  -          open

HOST                   OPEN           REQUESTS  RECEIVED  SENT     REJECTED
dvl-ckl2.net/branch-b  3 sip, 3 sips  0         999 B     12.3 MB  7

CERTIFICATE  SOURCE  EXPIRES  STATE

rejected: banned 9

not built yet: turn (line 99)
left out: not root
";
        assert_eq!(text(TEXT, &status), expected);
    }
}
