//! What the supervisor and its processes say to each other over their link.

use certs::Material;
use guard::BanSet;
use guard::entrance::{Change, Roll, SessionNews, Typed};
use guard::operators::UserName;
use net::resolve::Names;
use net::sandbox::Sandbox;
use net::{Device, ListenKey, link};
use proxy::Figures;
use serde::{Deserialize, Serialize};
use service::Event;
use std::collections::BTreeMap;
use std::net::IpAddr;
use uplink::acme::{News, Wanted};
use uplink::dhcp::{Identity, Lease, Standing};

/// From the supervisor to a process.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToRole {
    /// The first message: how to shut itself in. With it travels a line to the control API, for a process that needs one.
    Start(Start),
    /// A listener; its sockets travel with the message.
    Listener(ListenKey),
    /// The configuration to be in force from now on. Its answer is [`FromRole::Loaded`] or [`FromRole::Refused`].
    Load {
        /// The number that the answer names; larger for every later one.
        number: u64,
        /// The configuration.
        load: Box<Load>,
    },
    /// Who is banned from now on.
    Bans(BanSet),
    /// Who may enter from now on, whole.
    Roll(Box<Roll>),
    /// What changes of it, in order.
    Entrance(Vec<Change>),
    /// The ports whose address is to be asked for from now on, whole; their sockets travel with the message, in the
    /// same order.
    Ports(Vec<Port>),
    /// What is to be had from certificate authorities from now on, whole.
    Orders(Box<Wanted>),
    /// Asks for [`FromRole::Metrics`].
    Metrics,
    /// Asks for [`FromRole::Figures`].
    Figures,
    /// Let what is under way end, cut the rest after `grace_ms`, and end.
    Stop {
        /// Milliseconds from now.
        grace_ms: u64,
    },
}

/// How a process is to run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Start {
    /// The user to become; `None` without root.
    pub uid: Option<u32>,
    /// Threads of the data path; every listener has as many sockets.
    pub workers: usize,
}

/// A network interface whose address is asked for by DHCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// The interface.
    pub device: Device,
    /// Who asks.
    pub identity: Identity,
    /// How often its link has come up: the cable may lead to another network now.
    pub carriers: u32,
    /// What it had last.
    pub remembered: Option<Lease>,
}

/// A configuration and all that a process without files needs to put it to work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// What the file is called in messages.
    pub file: String,
    /// The file itself; it was checked.
    pub text: String,
    /// The complete set of listeners; those that were handed over and are not named are closed.
    pub listeners: Vec<ListenKey>,
    /// Certificates with their keys, those of the file first.
    pub certificates: Vec<Material>,
    /// What is shown to targets that ask who we are.
    pub identity: Option<Material>,
    /// Content of files that the configuration names, by name.
    pub files: BTreeMap<String, String>,
    /// Secrets that logins need, by the names that the configuration calls them.
    pub secrets: BTreeMap<String, Typed>,
    /// Zones that are answered here for certificate authorities, each with the name of the box as its server.
    pub zones: Vec<(String, String)>,
    /// Name servers and hosts file of this machine.
    pub names: Names,
}

impl Load {
    /// Whether it can be sent to a process at all.
    pub fn fits(&self) -> bool {
        link::fits(self)
    }
}

/// From a process to the supervisor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromRole {
    /// It has shut itself in.
    Started(Sandbox),
    /// It can not serve, for this reason, and ends.
    Failed(String),
    /// A configuration is in force: the service of the process has taken it.
    Loaded {
        /// Its number.
        number: u64,
    },
    /// A configuration was not taken; what was in force before stays, if anything was.
    Refused {
        /// Its number.
        number: u64,
        /// Why.
        why: String,
    },
    /// News, in order.
    Events(Vec<Event>),
    /// What a port has from DHCP.
    Standing {
        /// The port.
        device: Device,
        /// What it has.
        standing: Box<Standing>,
    },
    /// What became of something in [`ToRole::Orders`].
    Acme(Box<News>),
    /// The password of a visitor was right, while its hash is to be made anew.
    Outdated {
        /// Who it is.
        user: UserName,
        /// What he typed.
        password: Typed,
    },
    /// Sessions began, ended or were used.
    Sessions(SessionNews),
    /// Offences of clients, with their weights.
    Offences(Vec<(IpAddr, u32)>),
    /// The answer to [`ToRole::Metrics`], as Prometheus text.
    Metrics(String),
    /// The answer to [`ToRole::Figures`].
    Figures(Box<Figures>),
}
