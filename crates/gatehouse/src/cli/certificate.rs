//! `gatehouse certificate`.

mod files;
mod handed;

use std::path::Path;

use control::{
    CertificateStatus, Client, ClientCertificate, Moment, OrderStep, Renewal, RenewalState,
};

use super::args::CertificateAction;
use super::output::{Out, Table, Tone, plain};
use super::{Done, Failure};

/// Shows certificates, has one ordered, takes one in or out, or prints the root of the box's own CA.
pub(super) async fn run(out: Out, socket: &Path, action: CertificateAction) -> Done {
    let client = Client::connect(socket).await?;
    match action {
        CertificateAction::List => {
            let certificates = client.certificates().await?;
            out.show(&certificates, || table(&certificates).text(out))
        }
        CertificateAction::Show { name } => {
            let mut certificates = client.certificates().await?;
            certificates.retain(|certificate| {
                let mut names = certificate.names.iter();
                names.any(|known| certs::covers(known, &name))
            });
            if certificates.is_empty() {
                return Err(Failure::Refused(format!(
                    "there is no certificate of {name}; `gatehouse certificate list` shows all"
                )));
            }
            out.show(&certificates, || {
                let shown: Vec<String> = certificates.iter().map(paragraph).collect();
                shown.join("\n")
            })
        }
        CertificateAction::Renew { name } => {
            client.renew_certificate(&name).await?;
            out.show(&serde_json::json!({ "ordered": name }), || {
                format!("{name} is ordered; `gatehouse certificate show {name}` says how it goes\n")
            })
        }
        CertificateAction::Export { name, chain, to } => {
            handed::export(out, &client, name, chain, &to).await
        }
        CertificateAction::Import(from) => handed::import(out, &client, from).await,
        CertificateAction::Issue { name, days, to } => {
            handed::issue(out, &client, name, days, &to).await
        }
        CertificateAction::Issued => {
            let issued = client.issued_certificates().await?;
            out.show(&issued, || issued_table(&issued).text(out))
        }
        CertificateAction::Revoke { certificate } => {
            let revoked = client.revoke_certificate(&certificate).await?;
            out.show(&revoked, || {
                let line = |one: &ClientCertificate| {
                    format!(
                        "the certificate of {} ({}) is revoked\n",
                        one.name, one.serial
                    )
                };
                revoked.iter().map(line).collect()
            })
        }
        CertificateAction::Root => {
            let root = client.root().await?;
            out.show(&root, || root.pem.clone())
        }
    }
}

/// All certificates, one a line.
pub(super) fn table(certificates: &[CertificateStatus]) -> Table {
    let mut table = Table::new(&["CERTIFICATE", "SOURCE", "EXPIRES", "STATE"]);
    for certificate in certificates {
        let (state, tone) = state(certificate);
        let expires = certificate.expires.map(|at| at.to_string());
        table.line([
            plain(certificate.names.join(", ")),
            plain(&certificate.source),
            plain(expires.unwrap_or_default()),
            (state, Some(tone)),
        ]);
    }
    table
}

/// What was issued for clients, one a line.
fn issued_table(issued: &[ClientCertificate]) -> Table {
    let mut table = Table::new(&["CLIENT", "SERIAL", "ISSUED", "EXPIRES", "STATE"]);
    for one in issued {
        let state = match one.revoked {
            Some(at) => (format!("revoked on {at}"), Some(Tone::Attention)),
            None => ("good until then".to_owned(), Some(Tone::Good)),
        };
        table.line([
            plain(&one.name),
            plain(&one.serial),
            plain(one.issued),
            plain(one.expires),
            state,
        ]);
    }
    table
}

/// What there is to say of a certificate, and how good it is.
fn state(certificate: &CertificateStatus) -> (String, Tone) {
    let mut said = certificate.problems.clone();
    let mut tone = if said.is_empty() {
        Tone::Good
    } else {
        Tone::Attention
    };
    match &certificate.renewal {
        Some(renewal) => {
            if renewal.state != RenewalState::Planned || certificate.expires.is_none() {
                tone = Tone::Attention;
            }
            said.push(next(renewal, &certificate.names));
        }
        None if said.is_empty() => said.push("good".to_owned()),
        None => {}
    }
    (said.join("; "), tone)
}

fn next(renewal: &Renewal, names: &[String]) -> String {
    let at = |at: Option<Moment>| at.map_or_else(|| "soon".to_owned(), |at| at.to_string());
    let text = renewal.text.as_deref().unwrap_or_default();
    match renewal.state {
        RenewalState::Planned => format!("renews on {}", at(renewal.at)),
        RenewalState::Ordered => {
            let step = renewal.step.map(|step| format!(": {}", done(step, names)));
            let step = step.unwrap_or_default();
            let before = match text {
                "" => String::new(),
                text => format!("; before, it failed: {text}"),
            };
            format!("ordered{step}{before}")
        }
        RenewalState::Failed => format!("failed: {text}; next try at {}", at(renewal.at)),
        RenewalState::Held => format!("not ordered: {text}"),
    }
}

/// What is done for an order of `names` now.
fn done(step: OrderStep, names: &[String]) -> String {
    match step {
        OrderStep::Account => "the CA is asked who we are there".to_owned(),
        OrderStep::Order => "the order is made".to_owned(),
        OrderStep::Proofs => match names {
            [name] => format!("the CA looks at the proof of {name}"),
            names => format!("the CA looks at the proofs of {}", names.join(", ")),
        },
        OrderStep::Issuance => "the CA makes the certificate".to_owned(),
    }
}

fn paragraph(certificate: &CertificateStatus) -> String {
    let mut lines = vec![format!("names    {}", certificate.names.join(", "))];
    lines.push(format!("source   {}", certificate.source));
    if let Some(line) = certificate.line {
        lines.push(format!("line     {line}"));
    }
    lines.push(match (certificate.expires, certificate.days_left) {
        (Some(at), Some(days)) => format!("expires  {at} ({days} days left)"),
        _ => "expires  there is no certificate yet".to_owned(),
    });
    lines.push(format!("state    {}", state(certificate).0));
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(state: RenewalState, text: Option<&str>) -> CertificateStatus {
        CertificateStatus {
            names: vec!["a.example".to_owned(), "*.a.example".to_owned()],
            source: "acme".to_owned(),
            expires: Some(Moment(1_795_225_367_000)),
            days_left: Some(12),
            line: Some(4),
            problems: Vec::new(),
            renewal: Some(Renewal {
                state,
                at: (state != RenewalState::Ordered).then_some(Moment(1_795_225_367_000)),
                text: text.map(str::to_owned),
                step: None,
            }),
        }
    }

    #[test]
    fn what_happens_next_is_said_in_one_line() {
        for (of, text, expected) in [
            (
                RenewalState::Planned,
                None,
                "renews on 2026-11-21T01:42:47Z",
            ),
            (RenewalState::Ordered, None, "ordered"),
            (
                RenewalState::Failed,
                Some("no CA"),
                "failed: no CA; next try at 2026-11-21T01:42:47Z",
            ),
            (RenewalState::Held, Some("no key"), "not ordered: no key"),
        ] {
            assert_eq!(state(&certificate(of, text)).0, expected);
        }
    }

    #[test]
    fn the_step_of_an_order_is_said() {
        let mut ordered = certificate(RenewalState::Ordered, Some("no CA"));
        let renewal = ordered.renewal.as_mut().unwrap();
        renewal.step = Some(OrderStep::Proofs);
        assert_eq!(
            state(&ordered).0,
            "ordered: the CA looks at the proofs of a.example, *.a.example; before, it failed: no CA"
        );
        ordered.names.pop();
        ordered.renewal.as_mut().unwrap().text = None;
        assert_eq!(
            state(&ordered).0,
            "ordered: the CA looks at the proof of a.example"
        );
    }

    #[test]
    fn one_certificate_is_a_paragraph() {
        let expected = "\
names    a.example, *.a.example
source   acme
line     4
expires  2026-11-21T01:42:47Z (12 days left)
state    renews on 2026-11-21T01:42:47Z
";
        assert_eq!(
            paragraph(&certificate(RenewalState::Planned, None)),
            expected
        );
    }
}
