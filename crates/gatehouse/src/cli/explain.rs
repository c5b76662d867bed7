//! `gatehouse explain`.

use std::path::Path;

use control::{Client, ExplainShown};
use proxy::Asker;

use super::args::ExplainArgs;
use super::output::Out;
use super::{Done, Failure, check};

/// Explains by a file.
pub(super) fn offline(out: Out, file: &Path, asked: &ExplainArgs) -> Done {
    let text = check::read(file)?;
    by_text(out, (&text, &file.display().to_string()), asked)
}

/// Explains by what is in force.
pub(super) async fn running(out: Out, socket: &Path, asked: &ExplainArgs) -> Done {
    let client = Client::connect(socket).await?;
    let (url, from) = (&asked.url, asked.from);
    let explanation = match &asked.certificate {
        _ if asked.user.is_some() => {
            let running = client.config_text(None).await?;
            return by_text(out, (&running.text, "what is in force"), asked);
        }
        None => client.explain(url, from).await?,
        Some(file) => {
            let certificate = certificates(file)?;
            let url = url.clone();
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

fn by_text(out: Out, (text, name): (&str, &str), asked: &ExplainArgs) -> Done {
    let checked = config::check(text, name)
        .map_err(|faults| Failure::Refused(format!("the configuration has faults\n{faults}")))?;
    let boxed = |groups: &Vec<String>| -> Vec<Box<str>> {
        groups.iter().map(|group| group.as_str().into()).collect()
    };
    let groups = asked.groups.as_ref().map(boxed);
    let asker = Asker {
        from: asked.from,
        user: asked.user.as_deref(),
        groups: groups.as_deref(),
        ..Asker::default()
    };
    let explanation = proxy::explain_to(&checked.config, &asked.url, &asker)
        .map_err(|error| Failure::Unusable(error.to_string()))?;
    out.show(&explanation, || lines(&explanation.to_string()))
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
