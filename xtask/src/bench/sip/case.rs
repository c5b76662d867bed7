//! The cases: what is done, what is counted, and what we aim at.

use clap::ValueEnum;

/// How many idle registrations there are to be.
pub(super) const REGISTRATIONS: u64 = 20_000;

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Case {
    /// Registrations over TCP, each client on its own connection
    Register,
    /// The same over TLS, and over TLS to the target
    RegisterTls,
    /// The same over TLS, and over TCP to the target
    RegisterTlsTcp,
    /// Large blocks both ways over connections of H.323
    Pump,
    /// The same over TLS, and over TLS to the target
    PumpTls,
    /// SIP messages of some 200 bytes on one connection, 32 at a time
    Messages,
    /// Memory for 20 000 idle registrations over TLS, over TLS to the target
    IdleTls,
    /// The same, over TCP to the target
    IdleTlsTcp,
}

/// How a case gets from the client to the target.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// Without TLS.
    Plain,
    /// TLS on both sides.
    Tls,
    /// TLS to the server, TCP to the target.
    TlsToPlain,
}

/// What is to be reached.
#[derive(Clone, Copy)]
pub(super) enum Aim {
    /// At most so much of the peer's figure.
    Ratio(f64),
    /// At most this figure.
    Figure(f64),
    /// Told without one.
    None,
}

impl Case {
    /// As the command line and the table call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::RegisterTls => "register-tls",
            Self::RegisterTlsTcp => "register-tls-tcp",
            Self::Pump => "pump",
            Self::PumpTls => "pump-tls",
            Self::Messages => "messages",
            Self::IdleTls => "idle-tls",
            Self::IdleTlsTcp => "idle-tls-tcp",
        }
    }

    /// The figure that counts, with its unit.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::Register | Self::RegisterTls | Self::RegisterTlsTcp => "CPU-µs per registration",
            Self::Pump | Self::PumpTls => "CPU-µs per MiB",
            Self::Messages => "CPU-µs per message",
            Self::IdleTls | Self::IdleTlsTcp => "MB for 20 000 registrations",
        }
    }

    /// What the issue asks for.
    pub(super) fn aim(self) -> Aim {
        match self {
            Self::Pump | Self::PumpTls => Aim::Ratio(1.10),
            Self::IdleTls | Self::IdleTlsTcp => Aim::Figure(600.0),
            _ => Aim::None,
        }
    }

    /// Units per second as the reader wants them; `None` where no rate means anything.
    pub(super) fn rate(self, units: f64) -> Option<String> {
        match self {
            Self::Pump | Self::PumpTls => Some(format!("{units:.0} MiB/s")),
            Self::IdleTls | Self::IdleTlsTcp => None,
            _ => Some(format!("{units:.0}/s")),
        }
    }

    /// How it gets to the target.
    pub(super) fn way(self) -> Way {
        match self {
            Self::Register | Self::Pump | Self::Messages => Way::Plain,
            Self::RegisterTls | Self::PumpTls | Self::IdleTls => Way::Tls,
            Self::RegisterTlsTcp | Self::IdleTlsTcp => Way::TlsToPlain,
        }
    }

    /// Whether SIP is spoken; else it is H.323.
    pub(super) fn is_sip(self) -> bool {
        !matches!(self, Self::Pump | Self::PumpTls)
    }

    /// Whether memory is measured, of a server that has done nothing yet.
    pub(super) fn is_idle(self) -> bool {
        matches!(self, Self::IdleTls | Self::IdleTlsTcp)
    }
}
