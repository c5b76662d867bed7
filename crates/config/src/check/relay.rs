//! The media relay: somebody may use it, and its address is known.

use super::access::twice;
use crate::fault::Report;
use crate::sections::{File, RelayAddress};
use crate::types::{Config, Internal};

pub(super) fn relay(file: &File, config: &Config, report: &mut Report) {
    let Some(turn) = &file.turn else { return };
    let at = &turn.at;
    let broken = at.is_broken("user") || at.is_broken("shared_secret");
    if turn.user.is_empty() && turn.shared_secret.is_none() && !broken {
        let what = "nobody could use it: there is neither a user nor a shared secret";
        let remedy = "write [[turn.user]], or `shared_secret = { secret = \"NAME\" }`";
        report.fault(at.place.clone(), what, remedy);
    }
    for (index, user) in turn.user.iter().enumerate() {
        if let Some(other) = turn
            .user
            .iter()
            .take(index)
            .find(|other| other.name == user.name)
        {
            let what = format!("this user is already in line {}", other.line);
            report.fault(user.at.key("name"), what, "write each user once");
        }
    }
    twice(at, "zones", &turn.zones, report);
    let public = turn.relay_address == RelayAddress::Public;
    if public && file.site.public_address.is_none() && !file.site.at.is_broken("public_address") {
        let what = "the public address is not known";
        let remedy = "write site.public_address, or relay_address = \"local\"";
        report.fault(at.key("relay_address"), what, remedy);
    }
    let name = turn.name.to_ascii_lowercase();
    let host = config
        .hosts
        .iter()
        .find(|host| host.name.domain == name && host.internal == Internal::Target);
    if let Some(host) = host {
        let what = format!(
            "inside, the host of this name (line {}) leads to its target, where no relay is",
            host.line
        );
        report.fault(
            at.key("name"),
            what,
            "write internal = \"gateway\" there, or another name",
        );
    }
}
