//! Sense: rules that look at more than one setting.

mod access;
mod calls;
mod certificates;
mod dhcp;
mod headers;
mod hosts;
mod limits;
mod names;
mod ourselves;
mod ports;
mod radius;
mod relay;
mod rules;
mod sso;
mod store;
mod targets;
mod zones;

pub(crate) use store::known;

use crate::fault::Report;
use crate::sections::File;
use crate::types::Config;

/// Reports everything of a file that does not fit together.
pub(crate) fn sense(file: &File, config: &Config, report: &mut Report) {
    zones::zones(file, report);
    dhcp::servers(file, report);
    certificates::certificates(file, report);
    access::lists(file, report);
    radius::logins(file, report);
    hosts::hosts(file, config, report);
    rules::rules(file, report);
    targets::targets(file, config, report);
    headers::headers(file, report);
    limits::limits(file, report);
    ports::ports(file, config, report);
    ourselves::targets(file, config, report);
    relay::relay(file, config, report);
    names::records(file, config, report);
    calls::calls(file, report);
}
