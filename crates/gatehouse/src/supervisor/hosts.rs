//! The hosts as the operator is shown them: what the configuration says in words, and what was counted.

use config::{
    Balance, Config, Host as Written, HttpRule, Passthrough, PathPolicy, Plain, Target, Targets,
    WebSocket,
};
use control::{
    CertificateStatus, Host, HostFigures, HostProtocol, HostRule, HostTarget, HostTraffic,
    OpenConnections, RejectedFor, Traffic,
};
use proxy::Figures;

/// All hosts of `config`, with what `figures` has of them.
pub fn hosts(
    config: &Config,
    certificates: &[CertificateStatus],
    figures: Option<&Figures>,
) -> Vec<Host> {
    let hosts = config.hosts.iter();
    hosts
        .map(|host| {
            let rules = rules(host, figures);
            let mut protocols: Vec<HostProtocol> = rules.iter().map(|rule| rule.protocol).collect();
            protocols.dedup();
            let terminates = |protocol: &HostProtocol| *protocol != HostProtocol::TlsPassthrough;
            let certificate = protocols.iter().any(terminates).then(|| {
                let name = &host.name.domain;
                let covers = |known: &String| certs::covers(known, name);
                let mut fitting = certificates.iter();
                fitting.find(|certificate| certificate.names.iter().any(covers))
            });
            Host {
                name: host.name.to_string(),
                line: host.line,
                protocols,
                rules,
                certificate: certificate.flatten().cloned(),
                figures: figures.map(|figures| counted(figures, &name(host))),
            }
        })
        .collect()
}

/// What `figures` has of the hosts of `config`, in short.
pub fn traffic(config: &Config, figures: &Figures) -> Traffic {
    let none = proxy::HostFigures::default();
    let hosts = config.hosts.iter().map(|host| {
        let figures = figures.hosts.get(&name(host)).unwrap_or(&none);
        let spoken = match &host.tls_passthrough {
            Some(_) => "tls",
            None => "websocket",
        };
        let upgraded = (spoken.to_owned(), figures.upgraded);
        let upgraded = (figures.upgraded > 0).then_some(upgraded);
        HostTraffic {
            name: host.name.to_string(),
            open: upgraded
                .into_iter()
                .map(open)
                .chain(forwarded(figures))
                .collect(),
            requests: figures.requests(),
            received: figures.received,
            sent: figures.sent,
            rejected: figures.rejected,
        }
    });
    let reasons = figures.reasons.iter();
    let mut rejected: Vec<_> = reasons
        .map(|(reason, count)| RejectedFor {
            reason: reason.clone(),
            count: *count,
        })
        .collect();
    rejected.sort_by_key(|rejected| std::cmp::Reverse(rejected.count));
    Traffic {
        hosts: hosts.collect(),
        rejected,
    }
}

/// As the proxy calls a host.
fn name(host: &Written) -> String {
    host.name.to_string().to_lowercase()
}

fn forwarded(figures: &proxy::HostFigures) -> impl Iterator<Item = OpenConnections> {
    figures.forwarded.clone().into_iter().map(open)
}

fn open((protocol, count): (String, u64)) -> OpenConnections {
    OpenConnections { protocol, count }
}

fn rules(host: &Written, figures: Option<&Figures>) -> Vec<HostRule> {
    let mut rules: Vec<HostRule> = host.http.iter().map(|rule| http(rule, figures)).collect();
    rules.extend(host.tls_passthrough.as_ref().map(passthrough));
    let mut other = |protocol, line, target: &Targets, checks: bool| {
        let policy = "the TLS target is only for clients whose certificate names them";
        let policy = checks.then(|| policy.to_owned());
        rules.push(HostRule {
            line,
            protocol,
            paths: Vec::new(),
            policy: policy.into_iter().collect(),
            targets: both(target)
                .into_iter()
                .map(|target| shown(target, None))
                .collect(),
        });
    };
    if let Some(rule) = &host.sip {
        other(
            HostProtocol::Sip,
            rule.line,
            &rule.target,
            rule.check_certificate,
        );
    }
    if let Some(rule) = &host.ldap {
        other(HostProtocol::Ldap, rule.line, &rule.target, false);
    }
    if let Some(rule) = &host.h323 {
        other(
            HostProtocol::H323,
            rule.line,
            &rule.target,
            rule.check_certificate,
        );
    }
    rules
}

fn http(rule: &HttpRule, figures: Option<&Figures>) -> HostRule {
    let path = rule.health.as_ref().map(|health| health.path.as_str());
    let well =
        |target: &Target| figures.and_then(|figures| figures.is_well(&target.to_string(), path));
    let targets = rule.targets.iter().flat_map(both);
    let paths = rule.paths.iter().map(|path| path.text.clone());
    let paths: Vec<String> = match rule.default {
        true => vec!["/".to_owned()],
        // One of "" is every path.
        false if rule.paths.iter().any(|path| path.text.is_empty()) => Vec::new(),
        false => paths.collect(),
    };
    HostRule {
        line: rule.line,
        protocol: HostProtocol::Http,
        paths,
        policy: policy(rule),
        targets: targets.map(|target| shown(target, well(target))).collect(),
    }
}

fn passthrough(rule: &Passthrough) -> HostRule {
    let listen = rule
        .listen
        .map(|address| format!("takes all connections to {address}"));
    let unnamed = rule
        .default
        .then(|| "takes clients that send no name there, too".to_owned());
    HostRule {
        line: rule.line,
        protocol: HostProtocol::TlsPassthrough,
        paths: Vec::new(),
        policy: listen.into_iter().chain(unnamed).collect(),
        targets: vec![shown(&rule.target, None)],
    }
}

/// What holds for a rule besides its paths and targets, in words.
fn policy(rule: &HttpRule) -> Vec<String> {
    let plain = match rule.plain {
        Plain::Forward => "requests without TLS are forwarded",
        Plain::Redirect => "requests without TLS are redirected to https",
        Plain::Refuse => "requests without TLS are refused",
    };
    let websocket = match rule.websocket {
        WebSocket::Allowed => None,
        WebSocket::Required => Some("only WebSocket is let through"),
        WebSocket::Refused => Some("WebSocket is refused"),
    };
    let balance = match rule.balance {
        _ if rule.targets.len() < 2 => None,
        Balance::Failover => Some("the first target that is well is asked"),
        Balance::Rotate => Some("the targets are asked in turn"),
        Balance::Sticky => Some("each client has its target"),
    };
    let as_is = (rule.path_policy == PathPolicy::AsIs).then_some("paths are forwarded as they are");
    let fixed = [Some(plain), websocket, balance, as_is]
        .into_iter()
        .flatten();
    let list = |names: &[String]| names.join(", ");
    let any =
        (!rule.access.is_empty()).then(|| format!("for who passes one of: {}", list(&rule.access)));
    let all = (!rule.access_all.is_empty())
        .then(|| format!("for who passes all of: {}", list(&rule.access_all)));
    let body = rule
        .max_body
        .map(|bytes| format!("bodies of at most {bytes} bytes"));
    let health = rule.health.as_ref().map(|health| {
        let seconds = health.every.as_secs_f64();
        format!("targets are asked for {} every {seconds} s", health.path)
    });
    let more = [any, all, body, health].into_iter().flatten();
    fixed.map(str::to_owned).chain(more).collect()
}

/// The target for plain and that for TLS, once where they are the same.
fn both(targets: &Targets) -> Vec<&Target> {
    if targets.plain == targets.tls {
        vec![&targets.plain]
    } else {
        vec![&targets.plain, &targets.tls]
    }
}

fn shown(target: &Target, well: Option<bool>) -> HostTarget {
    HostTarget {
        address: target.to_string(),
        tls: target.tls,
        well,
    }
}

fn counted(figures: &Figures, name: &str) -> HostFigures {
    let none = proxy::HostFigures::default();
    let host = figures.hosts.get(name).unwrap_or(&none);
    HostFigures {
        requests: host.requests(),
        by_class: host.classes,
        rejected: host.rejected,
        received: host.received,
        sent: host.sent,
        upgraded: host.upgraded,
        forwarded: forwarded(host).collect(),
        p50_seconds: host.within(0.5),
        p95_seconds: host.within(0.95),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"schema = 1
[system]
hostname = "gate"
[network.lan]
trust = "inside"
interface = "eth0"
addresses = ["192.0.2.4/24"]
[access.office]
kind = "network"
from = ["10.0.0.0/8"]
[[host]]
name = "hq.example"
target = "192.0.2.9"
[[host.http]]
paths = ["/a", "/b/"]
websocket = "required"
access = ["office"]
[[host.http]]
default = true
target = ["https://192.0.2.7:444", "https://192.0.2.8:444"]
plain = "redirect"
health = { path = "/up", every = "5s" }
[[host.http]]
[host.h323]
[[host]]
name = "meet.example"
[host.tls_passthrough]
target = "192.0.2.10:8443"
"#;

    fn config() -> Config {
        config::check(TEXT, "test.toml")
            .unwrap_or_else(|faults| panic!("{faults}"))
            .config
    }

    fn line_of(text: &str, nth: usize) -> u32 {
        let mut lines = TEXT.lines().enumerate().filter(|(_, line)| *line == text);
        u32::try_from(lines.nth(nth).unwrap().0 + 1).unwrap()
    }

    #[test]
    fn a_host_is_told_in_words_with_its_lines() {
        let hosts = hosts(&config(), &[], None);
        let hq = &hosts[0];
        assert_eq!(
            (hq.name.as_str(), hq.line),
            ("hq.example", line_of("[[host]]", 0))
        );
        assert_eq!(hq.protocols, [HostProtocol::Http, HostProtocol::H323]);
        assert!(hq.figures.is_none() && hq.certificate.is_none());
        let [first, second, third, h323] = hq.rules.as_slice() else {
            panic!("{:?}", hq.rules);
        };
        assert_eq!(first.line, line_of("[[host.http]]", 0));
        assert_eq!(first.paths, ["/a", "/b/"]);
        assert!(
            first
                .policy
                .iter()
                .any(|said| said == "only WebSocket is let through")
        );
        assert!(
            first
                .policy
                .iter()
                .any(|said| said == "for who passes one of: office")
        );
        let addresses = |rule: &HostRule| {
            let targets = rule.targets.iter();
            targets
                .map(|target| format!("{} {}", target.address, target.tls))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            addresses(first),
            ["192.0.2.9:80 false", "192.0.2.9:443 true"]
        );
        assert_eq!(second.paths, ["/"]);
        assert_eq!(
            addresses(second),
            ["192.0.2.7:444 true", "192.0.2.8:444 true"]
        );
        for said in [
            "requests without TLS are redirected to https",
            "the first target that is well is asked",
            "targets are asked for /up every 5 s",
        ] {
            assert!(
                second.policy.iter().any(|line| line == said),
                "{said}: {:?}",
                second.policy
            );
        }
        assert!(third.paths.is_empty() && third.targets[0].well.is_none());
        assert_eq!(h323.protocol, HostProtocol::H323);
        let meet = &hosts[1];
        assert_eq!(meet.protocols, [HostProtocol::TlsPassthrough]);
        assert_eq!(addresses(&meet.rules[0]), ["192.0.2.10:8443 true"]);
    }

    #[test]
    fn figures_and_certificates_are_those_of_the_host() {
        let json = r#"{"hosts":{"hq.example":{"classes":[0,3,0,1,0],"rejected":2,"received":7,"sent":9,"upgraded":1,"forwarded":{"sips":2},
            "seconds":[4,0,0,0,0,0,0,0,0,0,0,0,0]}},"rejected":4,"reasons":{"a":1,"b":3},"connections":0,"targets":[
            {"target":"192.0.2.9:80","asked":"","well":true},{"target":"192.0.2.8:444","asked":"hq.example/up","well":false}]}"#;
        let figures: Figures = serde_json::from_str(json).unwrap();
        let of = |name: &str| CertificateStatus {
            names: vec![name.to_owned()],
            source: "own".to_owned(),
            expires: None,
            days_left: None,
            line: None,
            problems: Vec::new(),
            renewal: None,
        };
        let hosts = hosts(
            &config(),
            &[of("meet.example"), of("*.example")],
            Some(&figures),
        );
        let hq = &hosts[0];
        assert_eq!(hq.certificate.as_ref().unwrap().names, ["*.example"]);
        assert!(hosts[1].certificate.is_none(), "it is shown by its target");
        let counted = hq.figures.as_ref().unwrap();
        assert_eq!(
            (counted.requests, counted.rejected, counted.upgraded),
            (4, 2, 1)
        );
        assert!(counted.p50_seconds.is_some_and(|seconds| seconds <= 0.001));
        let well = |rule: usize| {
            let targets = hq.rules[rule].targets.iter();
            targets.map(|target| target.well).collect::<Vec<_>>()
        };
        assert_eq!(well(0), [Some(true), None]);
        assert_eq!(well(1), [None, Some(false)]);
        assert_eq!(hosts[1].figures.as_ref().unwrap().requests, 0);
        let sips = OpenConnections {
            protocol: "sips".to_owned(),
            count: 2,
        };
        assert_eq!(counted.forwarded, [sips]);
        let traffic = traffic(&config(), &figures);
        let open = traffic.hosts[0].open.iter();
        let open: Vec<_> = open.map(|open| (&*open.protocol, open.count)).collect();
        assert_eq!(open, [("websocket", 1), ("sips", 2)]);
        let reasons: Vec<_> = traffic.rejected.iter().map(|it| it.count).collect();
        assert_eq!(reasons, [3, 1], "the most frequent first");
    }
}
