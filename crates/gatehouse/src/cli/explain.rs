//! `gatehouse explain`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use control::{Client, ExplainShown};

use super::output::Out;
use super::{Done, Failure, check};

/// Explains by a file.
pub(super) fn offline(out: Out, file: &Path, url: &str, from: Option<IpAddr>) -> Done {
    let text = check::read(file)?;
    let checked = config::check(&text, &file.display().to_string())
        .map_err(|faults| Failure::Refused(format!("the configuration has faults\n{faults}")))?;
    let explanation = proxy::explain(&checked.config, url, from, None)
        .map_err(|error| Failure::Unusable(error.to_string()))?;
    out.show(&explanation, || lines(&explanation.to_string()))
}

/// Explains by what is in force.
pub(super) async fn running(
    out: Out,
    socket: &Path,
    url: &str,
    from: Option<IpAddr>,
    certificate: Option<PathBuf>,
) -> Done {
    let client = Client::connect(socket).await?;
    let explanation = match certificate {
        None => client.explain(url, from).await?,
        Some(file) => {
            let certificate = certificates(&file)?;
            let url = url.to_owned();
            let asked = ExplainShown {
                url,
                from,
                certificate,
            };
            client.explain_shown(&asked).await?
        }
    };
    out.show(&explanation.decision, || lines(&explanation.text))
}

fn lines(text: &str) -> String {
    format!("{}\n", text.trim_end())
}

/// The certificates of a file, and nothing else of it: a key has no business here.
fn certificates(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Unusable(format!("can not read {}: {error}", file.display())))?;
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let parts = text.split(begin).skip(1);
    let parts = parts.filter_map(|part| Some(part.split_once(end)?.0));
    Ok(parts.flat_map(|part| [begin, part, end, "\n"]).collect())
}
