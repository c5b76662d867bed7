//! The proxy's instruments, each named once.

use crate::core::{Reason, Routes, Spoken, Standing, Target};
use service::metrics::{Counter, Gauge, Histogram, Registry};

/// Upper bounds of the latency histogram, in seconds.
pub(crate) const SECONDS: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];
pub(crate) const TARGET_WELL: &str = "gatehouse_proxy_target_well";
pub(crate) const CONNECTIONS: &str = "gatehouse_proxy_connections";
pub(crate) const REJECTED: &str = "gatehouse_proxy_rejected_total";
pub(crate) const REQUESTS: &str = "gatehouse_proxy_requests_total";
pub(crate) const HOST_REJECTED: &str = "gatehouse_proxy_host_rejected_total";
pub(crate) const BYTES: &str = "gatehouse_proxy_bytes_total";
pub(crate) const UPGRADED: &str = "gatehouse_proxy_upgraded_connections";
pub(crate) const REQUEST_SECONDS: &str = "gatehouse_proxy_request_seconds";
pub(crate) const FORWARDED: &str = "gatehouse_proxy_forwarded_connections";
pub(crate) const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What is counted for the proxy as a whole.
pub(crate) struct Instruments {
    registry: Registry,
    /// Open connections of clients, by [`Spoken::number`].
    open: Vec<Gauge>,
    pub(crate) open_streams: Gauge,
    pub(crate) handshakes: Counter,
    pub(crate) connects_new: Counter,
    pub(crate) connects_reused: Counter,
    pub(crate) retries: Counter,
    pub(crate) passwords: Counter,
    rejected: Vec<Counter>,
    /// For requests that name no host of ours.
    pub(crate) no_host: HostInstruments,
}

/// What is counted for one host.
#[derive(Clone)]
pub(crate) struct HostInstruments {
    classes: [Counter; 5],
    pub(crate) rejected: Counter,
    pub(crate) received: Counter,
    pub(crate) sent: Counter,
    pub(crate) upgraded: Gauge,
    pub(crate) seconds: Histogram,
}

impl Instruments {
    pub(crate) fn new(registry: Registry) -> Self {
        let open = |spoken: Spoken| {
            let help = "Open connections of clients.";
            registry.gauge(CONNECTIONS, help, &[("protocol", spoken.name())])
        };
        let connects = |kind| {
            let help =
                "Requests by whether a connection to the target was opened for them or reused.";
            registry.counter(
                "gatehouse_proxy_target_connections_total",
                help,
                &[("kind", kind)],
            )
        };
        let rejected = |reason: &&'static str| {
            let help = "Rejected requests and connections.";
            registry.counter(REJECTED, help, &[("reason", *reason)])
        };
        Self {
            open: Spoken::ALL.map(open).into(),
            open_streams: registry.gauge(
                "gatehouse_proxy_http2_streams",
                "Open streams of HTTP/2 clients.",
                &[],
            ),
            handshakes: registry.counter(
                "gatehouse_proxy_tls_handshakes_total",
                "TLS handshakes with clients that succeeded.",
                &[],
            ),
            connects_new: connects("new"),
            connects_reused: connects("reused"),
            passwords: registry.counter(
                "gatehouse_proxy_passwords_checked_total",
                "Passwords of visitors that were compared with a hash.",
                &[],
            ),
            retries: registry.counter(
                "gatehouse_proxy_retries_total",
                "Requests sent again because an idle connection to the target had died.",
                &[],
            ),
            rejected: Reason::LABELS.iter().map(rejected).collect(),
            no_host: HostInstruments::new(&registry, ""),
            registry,
        }
    }

    /// The open connections of clients that speak so.
    pub(crate) fn open(&self, spoken: Spoken) -> &Gauge {
        &self.open[spoken.number()]
    }

    /// The open connections of a host that are forwarded, by what the client speaks.
    pub(crate) fn forwarded(&self, host: &str, spoken: &'static str) -> Gauge {
        let help = "Open connections of SIP, LDAP and H.323 that are forwarded.";
        let labels = [("host", host), ("protocol", spoken)];
        self.registry.gauge(FORWARDED, help, &labels)
    }

    /// Whether a target is well, which all are taken for until they are not.
    pub(crate) fn target_well(&self, target: &Target, standing: &Standing) -> Gauge {
        let help = "1 for a target that is well, 0 for one that is passed over.";
        let target = target.to_string();
        let probe = standing.probe();
        let asked = probe.map(|probe| format!("{}{}", probe.host, probe.path));
        let asked = asked.unwrap_or_default();
        let labels = [("target", target.as_str()), ("asked", asked.as_str())];
        self.registry.gauge(TARGET_WELL, help, &labels)
    }

    /// Shows no other targets than these.
    pub(crate) fn retain_targets(&self, shown: &[Gauge]) {
        self.registry.retain_gauges(TARGET_WELL, shown);
    }

    pub(crate) fn rejected(&self, reason: &Reason) {
        self.rejected[reason.number()].inc();
    }

    /// Those of the hosts, by [`crate::core::HostRoutes::index`], behind them those whose TLS is
    /// passed through, by [`crate::core::PassthroughHost::index`], and then those that serve SIP, LDAP or H.323, by
    /// [`crate::core::DomainHost::index`].
    pub(crate) fn hosts(&self, routes: &Routes) -> Vec<HostInstruments> {
        let hosts = routes.hosts().iter().map(|host| &host.name);
        let passthroughs = routes.passthroughs().hosts().iter().map(|host| &host.name);
        let domains = routes.domains().hosts().iter().map(|host| &host.name);
        hosts
            .chain(passthroughs)
            .chain(domains)
            .map(|name| HostInstruments::new(&self.registry, name))
            .collect()
    }
}

impl HostInstruments {
    fn new(registry: &Registry, host: &str) -> Self {
        let class = |class| {
            let help = "Requests by host and class of the status sent.";
            let labels = [("host", host), ("status", class)];
            registry.counter(REQUESTS, help, &labels)
        };
        let bytes = |direction| {
            let help = "Bytes of bodies and of connections that are passed through, as seen from the client.";
            let labels = [("host", host), ("direction", direction)];
            registry.counter(BYTES, help, &labels)
        };
        Self {
            classes: CLASSES.map(class),
            rejected: registry.counter(
                HOST_REJECTED,
                "Rejected requests and connections by host.",
                &[("host", host)],
            ),
            received: bytes("received"),
            sent: bytes("sent"),
            upgraded: registry.gauge(
                UPGRADED,
                "Open WebSockets and TLS connections that are passed through.",
                &[("host", host)],
            ),
            seconds: registry.histogram(
                REQUEST_SECONDS,
                "From the head of a request to the end of its response.",
                &[("host", host)],
                &SECONDS,
            ),
        }
    }

    pub(crate) fn answered(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, CLASSES.len()) - 1;
        self.classes[class].inc();
    }
}
