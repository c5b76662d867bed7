//! The operator's side of the running box: what command line, console and pages may ask of it.

use super::draft::{compared, told};
use super::gate::{Gate, Outcome, Stale};
use super::hosts;
use super::journal::now;
use super::network;
use super::orders;
use super::shown::not_renewed;
use super::state::State;
use config::ZoneAddress;
use control::{
    Applied, Apply, Backend, Ban, CertificateExport, CertificateImport, CertificateStatus, Checked,
    Cleared, ClientCertificate, ConfigText, Derived, Diff, Draft, Explanation, ExportedCertificate,
    Generation, GenerationState, Host, ImportedCertificate, IssuedCertificate, Journal,
    ListenerStatus, MachineOrder, Moment, Network, NewBan, NewClientCertificate, NotBuilt, Ordered,
    ProcessStatus, Refusal, Role, Rollback, RootCertificate, Secret, Status, Table, ZoneChange,
};
use service::ServiceState;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::Instant as TokioInstant;

/// One certificate is judged at a time, for whoever asks what would become of it.
static JUDGING: Semaphore = Semaphore::const_new(1);

impl Backend for Gate {
    async fn status(&self) -> Result<Status, Refusal> {
        let processes = self.processes();
        let bans = self.hub.warden.list().len() as u64;
        let started = ago(self.started.elapsed());
        let figures = self.edge.figures().await;
        self.with(|state| {
            let running = &state.running;
            Ok(Status {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                hostname: running.config.system.hostname.clone(),
                started,
                now: now(),
                generation: described(state, running.generation)?,
                processes,
                listeners: state.listener_statuses(),
                certificates: state.certificate_statuses(),
                traffic: figures
                    .as_ref()
                    .map(|figures| hosts::traffic(&running.config, figures)),
                bans,
                not_built: config::tables::not_built(&running.config)
                    .into_iter()
                    .map(|(section, line)| NotBuilt {
                        section: section.to_string(),
                        line,
                    })
                    .collect(),
                left_out: [
                    self.left_out(&running.config),
                    state.network.faults(),
                    state.certificates.client_problems().to_vec(),
                ]
                .concat(),
                machine: self.hub.machine.status(),
            })
        })
        .await
    }

    async fn metrics(&self) -> Result<String, Refusal> {
        let (edge, admin) = tokio::join!(self.edge.metrics(), self.admin.metrics());
        self.hub.steward.measure(&self.hub.registry);
        Ok(self.hub.registry.render() + &edge + &admin)
    }

    async fn bans(&self) -> Result<Vec<Ban>, Refusal> {
        let at = Instant::now();
        let bans = self.hub.warden.list().into_iter();
        Ok(bans.map(|ban| shown(ban, at)).collect())
    }

    async fn ban(&self, ban: NewBan) -> Result<Ban, Refusal> {
        let time = Duration::from_secs(ban.seconds.into());
        let banned = self.hub.warden.ban(ban.client, time, &ban.reason);
        let banned = banned.ok_or_else(|| {
            Refusal::conflict(format!(
                "{} is never banned: it is in `never` or `proxy_protocol_from` of the configuration, or is a target",
                ban.client
            ))
        })?;
        self.audit(format!("banned {} for {} s", ban.client, ban.seconds));
        Ok(shown(banned, Instant::now()))
    }

    async fn derived(&self) -> Result<Derived, Refusal> {
        let config = self.with(|state| Arc::clone(&state.running.config)).await;
        let tables = config::tables::every(&config).into_iter();
        let tables = tables.map(|table| Table {
            title: table.title.to_owned(),
            note: table.note.to_owned(),
            columns: table.headings.iter().map(ToString::to_string).collect(),
            rows: table.rows,
        });
        Ok(Derived {
            tables: tables.collect(),
        })
    }

    async fn hosts(&self) -> Result<Vec<Host>, Refusal> {
        let figures = self.edge.figures().await;
        let (config, certificates) = self
            .with(|state| {
                let config = Arc::clone(&state.running.config);
                (config, state.certificate_statuses())
            })
            .await;
        Ok(hosts::hosts(&config, &certificates, figures.as_ref()))
    }

    async fn history(&self, seconds: u32) -> Result<control::History, Refusal> {
        Ok(self.hub.history.show(seconds))
    }

    async fn clear_ban(&self, client: Option<IpAddr>) -> Result<Cleared, Refusal> {
        let cleared = self.hub.warden.lift(client) as u64;
        if cleared > 0 {
            let whose = client.map_or("all".to_owned(), |client| client.to_string());
            self.audit(format!("lifted the ban of {whose}"));
        }
        Ok(Cleared { cleared })
    }

    async fn reload(&self) -> Result<Applied, Refusal> {
        let gate = self.clone();
        let reload = async move { gate.reload().await };
        let done = |generation| format!("reloaded: generation {generation}");
        self.carry_out("reload", done, reload).await
    }

    async fn confirm(&self, generation: Option<u32>) -> Result<Applied, Refusal> {
        let generation =
            Gate::confirm(self, generation)
                .await
                .map_err(|error| match error.downcast() {
                    Ok(refusal) => refusal,
                    Err(error) => Refusal::conflict(format!("{error:#}")),
                })?;
        self.audit(format!("confirmed generation {generation}"));
        let generation = self.with(|state| described(state, generation)).await?;
        Ok(Applied {
            generation,
            changed: true,
            notes: Vec::new(),
        })
    }

    async fn rollback(&self, way: Rollback) -> Result<Applied, Refusal> {
        self.with(|state| match way {
            Rollback::To(number) => described(state, number).map(drop),
            Rollback::Back if state.trial.is_none() => {
                earlier(state, state.running.generation).map(drop)
            }
            Rollback::Back | Rollback::GiveUp(_) => Ok(()),
        })
        .await?;
        let gate = self.clone();
        let rollback = async move { gate.rollback(way).await };
        let done = |generation| format!("rolled back: generation {generation}");
        self.carry_out("roll back", done, rollback).await
    }

    async fn generations(&self) -> Result<Vec<Generation>, Refusal> {
        self.with(|state| {
            let list = state.store.list();
            list.into_iter()
                .map(|generation| described(state, generation.number))
                .collect()
        })
        .await
    }

    async fn config_text(&self, generation: Option<u32>) -> Result<ConfigText, Refusal> {
        self.with(|state| {
            let generation = generation.unwrap_or(state.running.generation);
            let text = state.store.text(generation).map_err(not_found)?;
            Ok(ConfigText { generation, text })
        })
        .await
    }

    async fn diff(&self, from: Option<u32>, to: Option<u32>) -> Result<Diff, Refusal> {
        let (from, to, old, new) = self
            .with(|state| {
                let to = to.unwrap_or(state.running.generation);
                let new = state.store.text(to).map_err(not_found)?;
                let from = from.map_or_else(|| earlier(state, to), Ok)?;
                let old = state.store.text(from).map_err(not_found)?;
                Ok((from, to, old, new))
            })
            .await?;
        let names = (format!("generation {from}"), format!("generation {to}"));
        let compare = move || compared(&old, &new, (&names.0, &names.1));
        let text = tokio::task::spawn_blocking(compare).await.map_err(failed)?;
        Ok(Diff { from, to, text })
    }

    async fn check(&self, draft: Draft) -> Result<Checked, Refusal> {
        self.look_at(draft.text).await
    }

    async fn apply(&self, apply: Apply) -> Result<Applied, Refusal> {
        let gate = self.clone();
        let trial = apply
            .trial_seconds
            .map(|seconds| Duration::from_secs(seconds.into()));
        let change = async move { gate.apply_text(&apply.text, apply.base, trial).await };
        let done = |generation| format!("applied: generation {generation}");
        self.carry_out("apply a configuration", done, change).await
    }

    async fn secrets(&self) -> Result<Vec<String>, Refusal> {
        let names = self.with(|state| state.store.secret_names()).await;
        Ok(names.map_err(failed)?.into_iter().collect())
    }

    async fn certificates(&self) -> Result<Vec<CertificateStatus>, Refusal> {
        Ok(self.with(|state| state.certificate_statuses()).await)
    }

    async fn renew_certificate(&self, name: String) -> Result<(), Refusal> {
        self.with(|state| {
            self.still()?;
            let renewed = state.certificates.acme.renew(&name, orders::now());
            renewed.map_err(|why| not_renewed(&name, why))
        })
        .await?;
        self.hub.orders.look_again();
        self.audit(format!("asked for another certificate of {name}"));
        Ok(())
    }

    async fn root(&self) -> Result<RootCertificate, Refusal> {
        let pem = self
            .with(|state| state.certificates.root_pem().to_owned())
            .await;
        Ok(RootCertificate { pem })
    }

    async fn export_certificate(
        &self,
        export: CertificateExport,
    ) -> Result<ExportedCertificate, Refusal> {
        self.give_out(export).await
    }

    async fn import_certificate(
        &self,
        import: CertificateImport,
    ) -> Result<ImportedCertificate, Refusal> {
        self.take_in(import).await
    }

    async fn issue_certificate(
        &self,
        new: NewClientCertificate,
    ) -> Result<IssuedCertificate, Refusal> {
        self.issue(new).await
    }

    async fn issued_certificates(&self) -> Result<Vec<ClientCertificate>, Refusal> {
        self.issued().await
    }

    async fn revoke_certificate(
        &self,
        certificate: String,
    ) -> Result<Vec<ClientCertificate>, Refusal> {
        self.revoke(certificate).await
    }

    async fn set_secret(&self, secret: Secret) -> Result<(), Refusal> {
        let (name, value) = (secret.name, secret.value);
        let invalid = |error: store::Error| Refusal::invalid(error.to_string());
        self.with(|state| {
            self.still()?;
            let set = state.store.set_secret(&name, value.as_bytes());
            set.map_err(invalid)
        })
        .await?;
        self.hub.orders.look_again();
        self.audit(format!("set the secret {name}"));
        Ok(())
    }

    async fn remove_secret(&self, name: String) -> Result<(), Refusal> {
        let invalid = |error: store::Error| Refusal::invalid(error.to_string());
        let remove = |state: &mut State| {
            self.still()?;
            state.store.remove_secret(&name).map_err(invalid)
        };
        if self.with(remove).await? {
            self.audit(format!("removed the secret {name}"));
            return Ok(());
        }
        Err(Refusal::not_found(format!("there is no secret `{name}`")))
    }

    async fn network(&self) -> Result<Network, Refusal> {
        let config = self.with(|state| state.running.config.clone()).await;
        network::network(&config)
            .map_err(|error| Refusal::failed(format!("the kernel does not tell: {error}")))
    }

    async fn set_zone(&self, change: ZoneChange) -> Result<Applied, Refusal> {
        let address = zone_address(&change.address)?;
        let gate = self.clone();
        let audit = format!(
            "set the address of zone {} to {}",
            change.zone, change.address
        );
        let set = async move { gate.set_zone(&change.zone, address, change.gateway).await };
        let done = move |_| audit;
        self.carry_out("set the address of a zone", done, set).await
    }

    async fn order(&self, order: MachineOrder) -> Result<Ordered, Refusal> {
        let machine = &self.hub.machine;
        machine.allows(order)?;
        let still = || self.hub.porter.still(&self.actor, Role::Admin);
        if order == MachineOrder::FactoryReset {
            self.forget_all(still).await?;
        } else {
            // The machine may go down before the supervisor is asked to end.
            self.clone().keep_bans(self.hub.warden.saved()).await;
            still()?;
        }
        let text = machine.obey(order)?;
        self.audit(match order {
            MachineOrder::Reboot => "ordered a restart",
            MachineOrder::PowerOff => "ordered to switch off",
            MachineOrder::FactoryReset => "ordered a factory reset",
        });
        self.hub.journal.notice("supervisor", text);
        Ok(Ordered {
            text: text.to_owned(),
        })
    }

    async fn explain(
        &self,
        url: String,
        from: Option<IpAddr>,
        certificate: Option<String>,
    ) -> Result<Explanation, Refusal> {
        // To judge a certificate takes a while, and the box has only this thread for everything else.
        let _one = match certificate {
            Some(_) => Some(JUDGING.acquire().await.map_err(failed)?),
            None => None,
        };
        let (config, files) = self
            .with(|state| {
                let told = state.told.as_ref().filter(|_| certificate.is_some());
                let files = told.map(|told| told.edge.load.files.clone());
                (state.running.config.clone(), files.unwrap_or_default())
            })
            .await;
        let explain = move || {
            let invalid = |error: &dyn Display| Refusal::invalid(error.to_string());
            let chain = certificate.map(|pem| certs::chain(&pem)).transpose();
            let chain = chain.map_err(|error| invalid(&error))?;
            let shows = chain.as_deref().map(|chain| proxy::Shows {
                chain,
                files: &files,
                now: std::time::SystemTime::now(),
            });
            proxy::explain(&config, &url, from, shows).map_err(|error| invalid(&error))
        };
        let explanation = tokio::task::spawn_blocking(explain)
            .await
            .map_err(failed)??;
        let mut text = explanation.to_string();
        if let Some(from) = from
            && self.hub.warden.bans().borrow().contains(from)
        {
            text = format!(
                "{from} is banned: whatever it asks is rejected until the ban ends\n{text}"
            );
        }
        Ok(Explanation {
            text,
            decision: serde_json::to_value(&explanation).map_err(failed)?,
        })
    }

    fn journal(&self) -> Journal {
        self.hub.journal.kept()
    }
}

impl Gate {
    /// Carries a change out to its end and writes down whose it was, also when whoever asked for it has left: half of it would
    /// stay for good, and nobody would have done it.
    async fn carry_out(
        &self,
        what: &'static str,
        done: impl FnOnce(u32) -> String + Send + 'static,
        change: impl Future<Output = anyhow::Result<Outcome>> + Send + 'static,
    ) -> Result<Applied, Refusal> {
        let gate = self.clone();
        let carried_out = tokio::spawn(async move {
            let outcome = change.await;
            gate.audit(match &outcome {
                Ok(outcome) => done(outcome.generation),
                Err(_) => format!("asked in vain to {what}"),
            });
            outcome
        });
        let outcome = carried_out.await.map_err(failed)?.map_err(invalid)?;
        self.applied(outcome).await
    }

    /// Writes down what the actor did.
    pub(super) fn audit(&self, text: impl Into<String>) {
        self.hub.porter.audit(&self.actor, text);
    }

    async fn applied(&self, outcome: Outcome) -> Result<Applied, Refusal> {
        let generation = self
            .with(|state| described(state, outcome.generation))
            .await?;
        let mut notes = outcome.notes;
        notes.extend(
            outcome
                .confirm_within
                .map(|time| must_confirm(&outcome.trial, time)),
        );
        Ok(Applied {
            generation,
            changed: !outcome.unchanged,
            notes,
        })
    }

    fn processes(&self) -> Vec<ProcessStatus> {
        let own = ProcessStatus {
            name: "supervisor".to_owned(),
            pid: Some(std::process::id()),
            state: ServiceState::Running,
            since: ago(self.started.elapsed()),
            restarts: 0,
        };
        let kept = [&self.edge, &self.admin].map(|child| (child.name, child.condition()));
        let console = self.hub.machine.console();
        let console = console.map(|condition| ("console", condition));
        let kept = kept.into_iter().chain(console);
        let kept = kept.map(|(name, condition)| ProcessStatus {
            name: name.to_owned(),
            pid: condition.pid,
            state: condition.state.unwrap_or(ServiceState::Stopped),
            since: condition.since,
            restarts: u64::from(condition.starts.saturating_sub(1)),
        });
        std::iter::once(own).chain(kept).collect()
    }

    /// What this machine or user does not allow.
    fn left_out(&self, config: &config::Config) -> Vec<String> {
        let mut texts = Vec::new();
        if !nix::unistd::geteuid().is_root() {
            texts.push("not root: the processes keep the rights of this user".to_owned());
        }
        texts.extend(self.hub.machine.forgets());
        texts.extend(self.hub.uplink.faults());
        texts.extend(self.hub.few_files(config));
        texts.extend(self.hub.steward.without_password(config));
        for child in [&self.edge, &self.admin] {
            let condition = child.condition();
            if let Some(why) = condition.answer.and_then(|answer| answer.fault) {
                texts.push(format!("{}: it can not serve: {why}", child.name));
            }
            let Some(sandbox) = condition.sandbox else {
                continue;
            };
            for (closed, what) in [(sandbox.landlock, "landlock"), (sandbox.seccomp, "seccomp")] {
                if !closed {
                    texts.push(format!("{}: this kernel has no {what}", child.name));
                }
            }
        }
        texts
    }
}

impl State {
    fn listener_statuses(&self) -> Vec<ListenerStatus> {
        let open = self.listeners.keys().map(|key| (key, None));
        let missing = self.running.missing.iter();
        open.chain(missing.map(|(key, fault)| (key, Some(fault.clone()))))
            .map(|(key, fault)| ListenerStatus {
                service: key.service.clone(),
                protocol: key.protocol.clone(),
                address: key.addr.to_string(),
                interface: key.device.as_ref().map(ToString::to_string),
                fault,
            })
            .collect()
    }
}

fn shown(ban: guard::Ban, at: Instant) -> Ban {
    Ban {
        client: ban.client.to_string(),
        since: ago(at.saturating_duration_since(ban.since)),
        until: Moment(now().0 + millis(ban.until.saturating_duration_since(at))),
        offences: ban.offences,
        by_hand: ban.by_hand,
    }
}

/// What the operator has to do so that a change stays.
fn must_confirm(reasons: &[&str], time: Duration) -> String {
    let what = match reasons {
        [] => "this is on trial".to_owned(),
        reasons => format!("this changes {}", reasons.join(" and ")),
    };
    let time = match time.as_secs() {
        60 => "a minute".to_owned(),
        seconds if seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} seconds"),
    };
    format!("{what}: confirm it within {time} with `gatehouse confirm`, or it is rolled back")
}

fn earlier(state: &State, number: u32) -> Result<u32, Refusal> {
    let none =
        "there is no earlier generation that says something else; see `gatehouse generations`";
    state
        .earlier(number)
        .ok_or_else(|| Refusal::not_found(none))
}

fn described(state: &State, number: u32) -> Result<Generation, Refusal> {
    let generation = state
        .store
        .generation(number)
        .ok_or_else(|| Refusal::not_found(format!("generation {number} is not kept")))?;
    let trial = state
        .trial
        .as_ref()
        .filter(|trial| trial.generation == number);
    let now_in_force = match trial {
        Some(trial) => GenerationState::Trial {
            seconds: trial
                .until
                .saturating_duration_since(TokioInstant::now())
                .as_secs(),
        },
        None if state.running.generation == number => GenerationState::Active,
        None if generation.state == store::State::Reverted => GenerationState::GivenUp,
        None => GenerationState::Kept,
    };
    Ok(Generation {
        number,
        created: Moment(generation.unix_ms),
        origin: generation.origin.clone(),
        state: now_in_force,
    })
}

fn zone_address(text: &str) -> Result<ZoneAddress, Refusal> {
    match text {
        "dhcp" => Ok(ZoneAddress::Dhcp),
        "auto6" => Ok(ZoneAddress::Auto6),
        text => text.parse().map(ZoneAddress::Static).map_err(|_| {
            Refusal::invalid(format!(
                "`{text}` is no address of an interface; write an address with its network, such as 192.168.1.4/24, or dhcp \
                 or auto6"
            ))
        }),
    }
}

fn ago(elapsed: Duration) -> Moment {
    Moment(now().0.saturating_sub(millis(elapsed)))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn invalid(error: anyhow::Error) -> Refusal {
    let error = match error.downcast::<Refusal>() {
        Ok(refusal) => return refusal,
        Err(error) => error,
    };
    if let Some(stale) = error.downcast_ref::<Stale>() {
        return Refusal::conflict(stale.to_string());
    }
    let faults = error.downcast_ref::<config::Faults>().map(told);
    Refusal::invalid(format!("{error:#}")).with_faults(faults.unwrap_or_default())
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn not_found(error: store::Error) -> Refusal {
    Refusal::not_found(error.to_string())
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn failed(error: impl Display) -> Refusal {
    Refusal::failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_to_be_confirmed_says_why_and_how_long() {
        let usual = must_confirm(&["the networks", "the firewall"], Duration::from_mins(3));
        let expected =
            "this changes the networks and the firewall: confirm it within 3 minutes with";
        assert!(usual.starts_with(expected), "{usual}");
        let asked = must_confirm(&[], Duration::from_mins(1));
        assert!(
            asked.starts_with("this is on trial: confirm it within a minute with"),
            "{asked}"
        );
        assert!(must_confirm(&[], Duration::from_secs(90)).contains("within 90 seconds"));
    }
}
