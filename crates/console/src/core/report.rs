//! The state of the box in words.

use control::render::Span;
use control::{
    ClaimStatus, Generation, GenerationState, InterfaceStatus, MachineStatus, Network, Status,
    ZoneStatus,
};
use service::ServiceState;

/// What does not work, one sentence each.
pub fn faults(status: &Status) -> Vec<String> {
    let mut faults = Vec::new();
    for process in &status.processes {
        if let ServiceState::Failed { reason, .. } = &process.state {
            faults.push(format!("process {}: {reason}", process.name));
        }
    }
    for listener in &status.listeners {
        if let Some(fault) = &listener.fault {
            faults.push(format!(
                "{} {} {}: {fault}",
                listener.service, listener.protocol, listener.address
            ));
        }
    }
    for certificate in &status.certificates {
        for problem in &certificate.problems {
            let names = certificate.names.join(", ");
            faults.push(format!("certificate {names}: {problem}"));
        }
    }
    faults.extend(status.left_out.iter().cloned());
    faults
}

/// How a generation stands, such as `generation 12 of 2026-11-21T01:42:47Z (reload)`.
pub fn generation(generation: &Generation) -> String {
    let Generation {
        number,
        created,
        origin,
        ..
    } = generation;
    format!("generation {number} of {created} ({origin})")
}

/// What is left of a trial; none: nothing waits to be confirmed.
pub fn trial(generation: &Generation) -> Option<String> {
    match generation.state {
        GenerationState::Trial { seconds } => {
            let left = Span(seconds);
            Some(format!("ON TRIAL: rolled back in {left} unless confirmed"))
        }
        _ => None,
    }
}

/// How long it has been running.
pub fn running_for(status: &Status) -> String {
    Span(status.now.0.saturating_sub(status.started.0) / 1000).to_string()
}

/// How a box that nobody has claimed is claimed; none: somebody has.
pub fn claim(claim: &ClaimStatus, status: &Status, network: &Network) -> Option<String> {
    let (code, until) = (claim.code.as_ref()?, claim.expires?);
    let left = Span(until.0.saturating_sub(status.now.0) / 1000);
    let pages = control::pages(status, network);
    Some(match pages.first() {
        Some(page) => format!("Claim code     {code} at {page} (good for {left})"),
        None => format!("Claim code     {code}, but the admin pages are not open"),
    })
}

/// The processes in one line.
pub fn processes(status: &Status) -> String {
    let processes = status.processes.iter().map(|process| {
        let state = match &process.state {
            ServiceState::Running => "running",
            ServiceState::Failed { .. } => "FAILED",
            ServiceState::Draining => "draining",
            ServiceState::Stopped => "stopped",
        };
        format!("{} {state}", process.name)
    });
    processes.collect::<Vec<_>>().join(", ")
}

/// One zone as the configuration has it.
pub fn zone(zone: &ZoneStatus) -> String {
    let gateway = zone.gateway.map(|gateway| format!(", gateway {gateway}"));
    format!(
        "{} ({}, {}): {}{}",
        zone.name,
        zone.trust,
        zone.interface,
        zone.addresses.join(" "),
        gateway.unwrap_or_default()
    )
}

/// The machine of a box.
fn machine(machine: MachineStatus) -> Vec<String> {
    let megabytes = |bytes: u64| bytes / 1_000_000;
    let MachineStatus {
        memory,
        memory_used,
        memory_ours,
        served_after_ms,
    } = machine;
    let (used, whole, ours) = (
        megabytes(memory_used),
        megabytes(memory),
        megabytes(memory_ours),
    );
    let mut lines = vec![format!(
        "Memory         {used} MB in use of {whole}, {ours} by Gatehouse"
    )];
    lines.extend(served_after_ms.map(|served| {
        let (seconds, tenths) = (served / 1000, served % 1000 / 100);
        format!("Start          served {seconds}.{tenths} s after the kernel began")
    }));
    lines
}

/// One interface with its addresses.
pub fn interface(interface: &InterfaceStatus) -> String {
    let zone = match &interface.zone {
        Some(zone) => format!(" ({zone})"),
        None => String::new(),
    };
    let link = if interface.up { "" } else { " no link" };
    let addresses = match interface.addresses.as_slice() {
        [] => "no address".to_owned(),
        some => some.join(" "),
    };
    format!("{}{zone}{link}: {addresses}", interface.name)
}

/// Everything, for reading page by page.
pub fn whole(status: &Status, network: &Network, claim: &ClaimStatus) -> String {
    let mut lines = vec![
        format!("Gatehouse {} on {}", status.version, status.hostname),
        format!("Time           {}", status.now),
        format!("Running for    {}", running_for(status)),
        format!("Configuration  {}", generation(&status.generation)),
    ];
    lines.extend(trial(&status.generation).map(|trial| format!("               {trial}")));
    lines.extend(self::claim(claim, status, network));
    let pages = control::pages(status, network);
    lines.push(format!("Admin pages    {}", pages.join(" ")));
    lines.push(format!("Banned         {} addresses", status.bans));
    lines.extend(status.machine.into_iter().flat_map(machine));
    section(&mut lines, "Faults", faults(status));
    let interfaces = network.interfaces.iter().map(|one| match &one.mac {
        Some(mac) => format!("{}  [{mac}]", interface(one)),
        None => interface(one),
    });
    section(&mut lines, "Interfaces", interfaces);
    let zones = network.zones.iter().map(zone);
    section(&mut lines, "Zones of the configuration", zones);
    let processes = status.processes.iter().map(|process| {
        let state = match &process.state {
            ServiceState::Running => "running".to_owned(),
            ServiceState::Failed { reason, .. } => format!("failed: {reason}"),
            ServiceState::Draining => "draining".to_owned(),
            ServiceState::Stopped => "stopped".to_owned(),
        };
        let (name, since, restarts) = (&process.name, process.since, process.restarts);
        format!("{name}: {state} since {since}, started anew {restarts} times")
    });
    section(&mut lines, "Processes", processes);
    let listeners = status.listeners.iter().map(|listener| {
        let interface = listener.interface.as_deref().unwrap_or("all interfaces");
        let (service, protocol, address) =
            (&listener.service, &listener.protocol, &listener.address);
        format!("{service} {protocol} {address} on {interface}")
    });
    section(&mut lines, "Listeners", listeners);
    let not_built = status.not_built.iter();
    let not_built = not_built.map(|part| format!("{} (line {})", part.section, part.line));
    section(&mut lines, "In the file, but not built yet", not_built);
    lines.join("\n")
}

fn section(lines: &mut Vec<String>, title: &str, of: impl IntoIterator<Item = String>) {
    lines.push(String::new());
    lines.push(format!("{title}:"));
    let before = lines.len();
    lines.extend(of.into_iter().map(|line| format!("  {line}")));
    if lines.len() == before {
        lines.push("  none".to_owned());
    }
}
