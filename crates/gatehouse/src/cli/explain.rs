//! `gatehouse explain`.

use std::net::IpAddr;
use std::path::Path;

use control::Client;

use super::output::Out;
use super::{Done, Failure, check};

/// Explains by a file.
pub(super) fn offline(out: Out, file: &Path, url: &str, from: Option<IpAddr>) -> Done {
    let text = check::read(file)?;
    let checked = config::check(&text, &file.display().to_string())
        .map_err(|faults| Failure::Refused(format!("the configuration has faults\n{faults}")))?;
    let explanation = proxy::explain(&checked.config, url, from)
        .map_err(|error| Failure::Unusable(error.to_string()))?;
    out.show(&explanation, || lines(&explanation.to_string()))
}

/// Explains by what is in force.
pub(super) async fn running(out: Out, client: &Client, url: &str, from: Option<IpAddr>) -> Done {
    let explanation = client.explain(url, from).await?;
    out.show(&explanation.decision, || lines(&explanation.text))
}

fn lines(text: &str) -> String {
    format!("{}\n", text.trim_end())
}
