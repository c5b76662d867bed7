//! A backend that only remembers.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use control::{
    Actor, Applied, Apply, Backend, Ban, CertificateExport, CertificateImport, CertificateStatus,
    Checked, Cleared, ClientCertificate, ConfigText, Derived, Diff, Draft, Explanation,
    ExportedCertificate, Fault, Generation, GenerationState, History, Host, HostFigures,
    HostProtocol, HostRule, HostTarget, ImportedCertificate, InterfaceStatus, IssuedCertificate,
    Journal, MachineOrder, Moment, Network, NewBan, NewClientCertificate, Ordered, ProcessStatus,
    Refusal, Renewal, RenewalState, Rollback, RootCertificate, Secret, Series, SeriesKind, Status,
    Table, ZoneChange, ZoneStatus,
};
use service::{Event, ServiceState};
use tokio::sync::watch;

pub(crate) const NOW: Moment = Moment(1_795_225_367_000);

#[derive(Clone)]
pub(crate) struct Memory {
    pub(crate) secrets: Arc<Mutex<Vec<Secret>>>,
    pub(crate) journal: Journal,
    pub(crate) actor: Actor,
    /// Whether somebody asked, or a clock, of each request with a token.
    pub(crate) attended: Arc<Mutex<Vec<bool>>>,
    /// The session that is over.
    pub(crate) over: watch::Sender<u64>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            secrets: Arc::default(),
            journal: Journal::new(100, NOW),
            actor: Actor::Local,
            attended: Arc::default(),
            over: watch::Sender::new(0),
        }
    }

    pub(crate) fn note(&self, text: &str) {
        let event = Event::Notice {
            service: "edge".into(),
            text: text.to_owned(),
        };
        self.journal.push(event, NOW);
    }
}

fn generation(number: u32, state: GenerationState) -> Generation {
    Generation {
        number,
        created: NOW,
        origin: "reload".to_owned(),
        state,
    }
}

pub(crate) fn applied(number: u32) -> Applied {
    Applied {
        generation: generation(number, GenerationState::Trial { seconds: 180 }),
        changed: true,
        notes: vec!["confirm it".to_owned()],
    }
}

pub(crate) fn fault() -> Fault {
    Fault {
        line: 5,
        column: 2,
        path: "x".to_owned(),
        what: "y".to_owned(),
        remedy: "z".to_owned(),
    }
}

impl Backend for Memory {
    async fn status(&self) -> Result<Status, Refusal> {
        Ok(Status {
            version: "1.2.3".to_owned(),
            hostname: "gate-hq".to_owned(),
            started: NOW,
            now: NOW,
            generation: generation(3, GenerationState::Active),
            processes: vec![ProcessStatus {
                name: "edge".to_owned(),
                pid: Some(7),
                state: ServiceState::Failed {
                    reason: "x".to_owned(),
                    retry_ms: 250,
                },
                since: NOW,
                restarts: 1,
            }],
            listeners: vec![],
            certificates: vec![],
            traffic: None,
            bans: 1,
            not_built: vec![],
            left_out: vec![],
            machine: None,
        })
    }
    async fn metrics(&self) -> Result<String, Refusal> {
        Ok("up 1\n".to_owned())
    }
    async fn bans(&self) -> Result<Vec<Ban>, Refusal> {
        Ok(vec![Ban {
            client: "203.0.113.9".to_owned(),
            since: NOW,
            until: NOW,
            offences: 21,
            by_hand: false,
        }])
    }
    async fn ban(&self, ban: NewBan) -> Result<Ban, Refusal> {
        Ok(Ban {
            client: ban.client.to_string(),
            since: NOW,
            until: Moment(NOW.0 + u64::from(ban.seconds) * 1000),
            offences: 0,
            by_hand: true,
        })
    }
    async fn derived(&self) -> Result<Derived, Refusal> {
        Ok(Derived {
            tables: vec![Table {
                title: "Listens".to_owned(),
                note: String::new(),
                columns: vec!["port".to_owned()],
                rows: vec![vec!["443/tcp".to_owned()]],
            }],
        })
    }
    async fn certificates(&self) -> Result<Vec<CertificateStatus>, Refusal> {
        Ok(vec![CertificateStatus {
            names: vec!["hq.example".to_owned()],
            source: "acme".to_owned(),
            expires: Some(NOW),
            days_left: Some(0),
            line: Some(3),
            problems: Vec::new(),
            renewal: Some(Renewal {
                state: RenewalState::Failed,
                at: Some(NOW),
                text: Some("the CA can not be reached".to_owned()),
                step: None,
            }),
        }])
    }
    async fn renew_certificate(&self, name: String) -> Result<(), Refusal> {
        match name.as_str() {
            "hq.example" => Ok(()),
            name => Err(Refusal::not_found(format!("{name} is not there"))),
        }
    }
    async fn root(&self) -> Result<RootCertificate, Refusal> {
        let pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        Ok(RootCertificate { pem })
    }
    async fn export_certificate(
        &self,
        export: CertificateExport,
    ) -> Result<ExportedCertificate, Refusal> {
        let pem = export.passphrase.is_none().then(|| "pem".to_owned());
        Ok(ExportedCertificate {
            names: vec![export.name],
            pem,
            pkcs12: export.passphrase,
        })
    }
    async fn import_certificate(
        &self,
        import: CertificateImport,
    ) -> Result<ImportedCertificate, Refusal> {
        let length = import.pem.map_or(0, |pem| pem.len());
        Ok(ImportedCertificate {
            names: import.name.into_iter().collect(),
            expires: NOW,
            line: None,
            lines: Some(length.to_string()),
            notes: Vec::new(),
        })
    }
    async fn issue_certificate(
        &self,
        new: NewClientCertificate,
    ) -> Result<IssuedCertificate, Refusal> {
        Ok(IssuedCertificate {
            certificate: ClientCertificate {
                name: new.name,
                serial: "4a".to_owned(),
                issued: NOW,
                expires: NOW,
                revoked: None,
            },
            pkcs12: new.passphrase,
        })
    }
    async fn issued_certificates(&self) -> Result<Vec<ClientCertificate>, Refusal> {
        self.revoke_certificate("anna".to_owned()).await
    }
    async fn revoke_certificate(
        &self,
        certificate: String,
    ) -> Result<Vec<ClientCertificate>, Refusal> {
        Ok(vec![ClientCertificate {
            name: certificate,
            serial: "4a".to_owned(),
            issued: NOW,
            expires: NOW,
            revoked: Some(NOW),
        }])
    }
    async fn hosts(&self) -> Result<Vec<Host>, Refusal> {
        Ok(vec![Host {
            name: "hq.example".to_owned(),
            line: 7,
            protocols: vec![
                HostProtocol::Http,
                HostProtocol::TlsPassthrough,
                HostProtocol::H323,
            ],
            rules: vec![HostRule {
                line: 8,
                protocol: HostProtocol::Http,
                paths: vec!["/a".to_owned()],
                policy: vec!["WebSocket only".to_owned()],
                targets: vec![HostTarget {
                    address: "192.0.2.2:443".to_owned(),
                    tls: true,
                    well: Some(true),
                }],
            }],
            certificate: None,
            figures: Some(HostFigures {
                requests: 3,
                by_class: [0, 2, 0, 1, 0],
                rejected: 1,
                received: 4,
                sent: 5,
                upgraded: 0,
                forwarded: vec![],
                p50_seconds: Some(0.25),
                p95_seconds: None,
            }),
        }])
    }
    async fn history(&self, seconds: u32) -> Result<History, Refusal> {
        Ok(History {
            step_seconds: seconds,
            end: NOW,
            series: vec![Series {
                name: "bans".to_owned(),
                host: None,
                unit: "clients".to_owned(),
                kind: SeriesKind::Level,
                points: vec![None, Some(0.5)],
            }],
        })
    }
    async fn clear_ban(&self, client: Option<IpAddr>) -> Result<Cleared, Refusal> {
        match client {
            Some(address) if address == IpAddr::from([203, 0, 113, 9]) => {
                Ok(Cleared { cleared: 1 })
            }
            Some(address) => Err(Refusal::not_found(format!("{address} is not banned"))),
            None => Ok(Cleared { cleared: 5 }),
        }
    }
    async fn reload(&self) -> Result<Applied, Refusal> {
        Err(Refusal::invalid("a.toml:1: x: y, z\na.toml:2: x: y, z"))
    }
    async fn confirm(&self, generation: Option<u32>) -> Result<Applied, Refusal> {
        match generation {
            Some(8) => Ok(applied(8)),
            _ => Err(Refusal::conflict("that is not on trial")),
        }
    }
    async fn rollback(&self, way: Rollback) -> Result<Applied, Refusal> {
        match way {
            Rollback::Back => Ok(applied(2)),
            Rollback::To(number) => Ok(applied(number)),
            Rollback::GiveUp(8) => Ok(applied(7)),
            Rollback::GiveUp(_) => Err(Refusal::conflict("that is not on trial")),
        }
    }
    async fn generations(&self) -> Result<Vec<Generation>, Refusal> {
        Ok(vec![
            generation(2, GenerationState::Kept),
            generation(3, GenerationState::Active),
        ])
    }
    async fn config_text(&self, generation: Option<u32>) -> Result<ConfigText, Refusal> {
        Ok(ConfigText {
            generation: generation.unwrap_or(3),
            text: "schema = 1\n".to_owned(),
        })
    }
    async fn diff(&self, from: Option<u32>, to: Option<u32>) -> Result<Diff, Refusal> {
        Ok(Diff {
            from: from.unwrap_or(2),
            to: to.unwrap_or(3),
            text: String::new(),
        })
    }
    async fn check(&self, draft: Draft) -> Result<Checked, Refusal> {
        if draft.text == "slow" {
            let mut over = self.over.subscribe();
            let _ = over.wait_for(|over| *over == 9).await;
        }
        Ok(Checked {
            generation: 3,
            faults: vec![fault()],
            not_checked: vec![],
            changed: true,
            confirm: vec![],
            new_pages: vec!["https://192.0.2.9:9443/".to_owned()],
            diff: draft.text,
        })
    }
    async fn apply(&self, apply: Apply) -> Result<Applied, Refusal> {
        match apply.base {
            3 => Ok(applied(apply.trial_seconds.unwrap_or(4))),
            4 => Err(Refusal::invalid("a:5: x: y, z").with_faults(vec![fault()])),
            _ => Err(Refusal::conflict("another is in force")),
        }
    }
    async fn secrets(&self) -> Result<Vec<String>, Refusal> {
        let secrets = self.secrets.lock().unwrap();
        Ok(secrets.iter().map(|s| s.name.clone()).collect())
    }
    async fn set_secret(&self, secret: Secret) -> Result<(), Refusal> {
        self.secrets.lock().unwrap().push(secret);
        Ok(())
    }
    async fn remove_secret(&self, name: String) -> Result<(), Refusal> {
        self.secrets.lock().unwrap().retain(|s| s.name != name);
        Ok(())
    }
    async fn network(&self) -> Result<Network, Refusal> {
        Ok(Network {
            interfaces: vec![InterfaceStatus {
                name: "eth0".to_owned(),
                zone: Some("lan".to_owned()),
                up: true,
                mac: Some("02:00:00:00:00:01".to_owned()),
                addresses: vec!["192.0.2.4/24".to_owned()],
            }],
            zones: vec![ZoneStatus {
                name: "lan".to_owned(),
                trust: "inside".to_owned(),
                interface: "eth0".to_owned(),
                addresses: vec!["dhcp".to_owned()],
                gateway: None,
            }],
        })
    }
    async fn set_zone(&self, change: ZoneChange) -> Result<Applied, Refusal> {
        let expected = ZoneChange {
            zone: "lan".to_owned(),
            address: "192.0.2.4/24".to_owned(),
            gateway: Some(IpAddr::from([192, 0, 2, 1])),
        };
        assert_eq!(change, expected);
        Ok(applied(4))
    }
    async fn order(&self, order: MachineOrder) -> Result<Ordered, Refusal> {
        match order {
            MachineOrder::Reboot => Err(Refusal::conflict("not a box")),
            other => Ok(Ordered {
                text: format!("{other:?}"),
            }),
        }
    }
    async fn explain(
        &self,
        url: String,
        from: Option<IpAddr>,
        _certificate: Option<String>,
    ) -> Result<Explanation, Refusal> {
        Ok(Explanation {
            text: format!("{url} {from:?}"),
            decision: serde_json::json!({ "line": 7 }),
        })
    }
    fn journal(&self) -> Journal {
        self.journal.clone()
    }
}
