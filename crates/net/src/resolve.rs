//! Names of targets to addresses, without `getaddrinfo`: it blocks a thread, and it reads files that the
//! sandboxed process can not open.

use hickory_resolver::config::{LookupIpStrategy, ResolveHosts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{Hosts, TokioResolver, system_conf};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an answer may be used after the name servers have stopped to give one.
const STALE: Duration = Duration::from_hours(1);
/// Names remembered; there are as many as the configuration names targets.
const NAMES: usize = 1024;

/// Which name servers to ask and what the hosts file says; read once, shared by all workers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    resolv_conf: String,
    hosts: String,
}

/// Why a name has no address: what the name servers said, or that none is known.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ResolveError(#[from] NetError);

impl Names {
    /// What `/etc/resolv.conf` and `/etc/hosts` say now; a file that can not be read is empty.
    pub fn from_system() -> Self {
        Self {
            resolv_conf: std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default(),
            hosts: std::fs::read_to_string("/etc/hosts").unwrap_or_default(),
        }
    }

    /// What these texts, in the form of `resolv.conf(5)` and `hosts(5)`, say.
    pub fn from_texts(resolv_conf: impl Into<String>, hosts: impl Into<String>) -> Self {
        Self {
            resolv_conf: resolv_conf.into(),
            hosts: hosts.into(),
        }
    }

    /// A resolver for one worker; its queries run on the runtime that polls them.
    ///
    /// # Errors
    /// The system's, when it gives no randomness.
    pub fn resolver(&self) -> Result<Resolver, ResolveError> {
        // Without a name server the hosts file still answers.
        let (config, mut options) =
            system_conf::parse_resolv_conf(&self.resolv_conf).unwrap_or_default();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.use_hosts_file = ResolveHosts::Never;
        options.positive_min_ttl = Some(Duration::from_secs(1));
        options.negative_max_ttl = Some(Duration::from_secs(10));
        options.timeout = options.timeout.min(Duration::from_secs(2));
        options.attempts = options.attempts.clamp(1, 2);
        let mut hosts = Hosts::default();
        // Reading from memory does not fail; a line that makes no sense is left out.
        let _ = hosts.read_hosts_conf(self.hosts.as_bytes());
        let provider = TokioRuntimeProvider::default();
        let mut inner = TokioResolver::builder_with_config(config, provider)
            .with_options(options)
            .build()?;
        inner.set_hosts(Arc::new(hosts));
        Ok(Resolver {
            inner,
            last: RefCell::default(),
        })
    }
}

/// Resolves names for one worker and remembers the last answer for the time without one.
pub struct Resolver {
    inner: TokioResolver,
    last: RefCell<HashMap<String, (Vec<IpAddr>, Instant)>>,
}

impl Resolver {
    /// All addresses of `name`, IPv4 first; cached as long as the name servers allow.
    ///
    /// # Errors
    /// Nobody's or the name servers': there is no answer, and none that is recent.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let answer = self.ask(name).await;
        let now = Instant::now();
        let mut last = self.last.borrow_mut();
        match answer {
            Ok(addresses) => {
                if last.len() < NAMES || last.contains_key(name) {
                    last.insert(name.to_owned(), (addresses.clone(), now));
                }
                Ok(addresses)
            }
            Err(error) => match last.get(name) {
                Some((addresses, since)) if now.saturating_duration_since(*since) < STALE => {
                    tracing::debug!(name, %error, "using the last known addresses");
                    Ok(addresses.clone())
                }
                _ => Err(error),
            },
        }
    }

    /// What `name` is an alias of (CNAME), if it is one; without a dot at its end.
    ///
    /// # Errors
    /// Nobody's or the name servers': there is no answer.
    pub async fn alias(&self, name: &str) -> Result<Option<String>, ResolveError> {
        let lookup = match self.inner.lookup(name, RecordType::CNAME).await {
            Ok(lookup) => lookup,
            Err(error) if error.is_no_records_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(lookup
            .answers()
            .iter()
            .find_map(|record| match &record.data {
                RData::CNAME(alias) => Some(alias.0.to_utf8().trim_end_matches('.').to_owned()),
                _ => None,
            }))
    }

    async fn ask(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let lookup = self.inner.lookup_ip(name).await?;
        let mut addresses: Vec<IpAddr> = lookup.iter().collect();
        addresses.sort_by_key(IpAddr::is_ipv6);
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_hosts_file_answers_where_no_name_server_is_known() {
        let names = Names::from_texts("", "192.0.2.7 pbx.example\n2001:db8::7 pbx.example\n");
        let resolver = names.resolver().unwrap();
        let expected: Vec<IpAddr> =
            vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
        assert_eq!(resolver.addresses("pbx.example").await.unwrap(), expected);
        assert!(resolver.addresses("other.example").await.is_err());
    }
}
