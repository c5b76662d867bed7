//! Programs that look for phones and guess passwords, by what they say of themselves.
//!
//! None of them has to say it, and nobody else says it: it is a reason to reject, its absence no reason to trust. Programs that administrators use,
//! too (sipsak, sipp, nmap by hand), and names that attackers borrow from real phones are not listed.

use crate::message::{Message, Name};

/// How a User-Agent of such a program begins, in lower case; what follows is no letter and no digit.
const AGENTS: &[&str] = &[
    "friendly-request",
    "friendly-scanner",
    "gulp",
    "iwar",
    "masscan",
    "mr.sip",
    "pplsip",
    "scan",
    "scanner",
    "sip-scan",
    "sip-scanner",
    "siparmyknife",
    "sipcli",
    "sipdigger",
    "sippts",
    "sipptk",
    "sipscan",
    "sipv",
    "sipvicious",
    "sipviciuos",
    "sivus",
    "smap",
    "sundayddr",
    "vaxipuseragent",
    "vaxsipuseragent",
    "voippack",
    "zgrab",
];

/// Names that such a program shows in From, in lower case.
const CALLERS: &[&str] = &["sipvicious", "sippts", "friendly-scanner", "sip-scan"];

/// Users and hosts in From that only such a program writes, in lower case.
const ADDRESSES: &[(&str, &str)] = &[("nm", "nm"), ("nm2", "nm2")];

/// Whether a message says of itself that such a program has sent it.
pub fn is_attack_tool(message: &Message<'_>) -> bool {
    let is_agent = |name: Name| matches!(name, Name::UserAgent | Name::Server);
    let mut agents = message.headers().filter(|header| is_agent(header.name));
    agents.any(|header| is_listed(header.value())) || is_caller(message)
}

fn is_listed(agent: &[u8]) -> bool {
    let agent = agent.strip_prefix(b"\"").unwrap_or(agent);
    AGENTS.iter().any(|listed| {
        agent
            .split_at_checked(listed.len())
            .is_some_and(|(start, behind)| {
                start.eq_ignore_ascii_case(listed.as_bytes())
                    && !behind.first().is_some_and(u8::is_ascii_alphanumeric)
            })
    })
}

fn is_caller(message: &Message<'_>) -> bool {
    let Ok(from) = message.from() else {
        return false;
    };
    let display = from.display().to_ascii_lowercase();
    let user = from.uri.user().unwrap_or_default();
    CALLERS.contains(&display.as_str())
        || ADDRESSES.iter().any(|(listed, host)| {
            user.eq_ignore_ascii_case(listed)
                && from.uri.host().eq_ignore_ascii_case(host.as_bytes())
        })
}
