//! `gatehouse log`.

use std::path::Path;
use std::time::Duration;

use control::render::{self, Line};
use control::{Client, ClientError, LogQuery, Record};

use super::output::{self, Out, Tone};
use super::{Done, Failure};

/// How long to wait before a box that is gone is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows the last `lines` records, and with `follow` all that come, over restarts of the box.
pub(super) async fn run(
    out: Out,
    socket: &Path,
    follow: bool,
    service: Option<String>,
    lines: usize,
) -> Done {
    let client = Client::connect(socket).await?;
    let mut query = LogQuery {
        after: None,
        last: Some(lines),
        service,
        follow,
    };
    loop {
        let result = pass(out, &client, &mut query).await;
        match result {
            Ok(()) if !follow => return Ok(()),
            Ok(()) | Err(Failure::NotRunning(_)) => {}
            Err(failure) => return Err(failure),
        }
        output::note("gatehouse: the box ended; waiting for it to come back");
        while Client::connect(socket).await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Shows what comes until the box ends, and remembers where to go on.
async fn pass(out: Out, client: &Client, query: &mut LogQuery) -> Done {
    let mut log = client.log(query).await?;
    loop {
        let record = match log.next().await {
            Ok(Some(record)) => record,
            // A box that is killed breaks the connection.
            Ok(None) | Err(ClientError::Connection(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        query.after = Some(record.id);
        query.last = None;
        output::write(&shown(out, &record)?)?;
    }
}

fn shown(out: Out, record: &Record) -> Result<String, Failure> {
    if out.json {
        return match serde_json::to_string(record) {
            Ok(json) => Ok(json + "\n"),
            Err(error) => Err(Failure::Refused(error.to_string())),
        };
    }
    let line = render::line(record);
    let word = match tone(line) {
        Some(tone) => out.paint(tone, line.word()),
        None => line.word().to_owned(),
    };
    Ok(format!("{} {word} {}\n", record.time, line.rest()))
}

fn tone(line: Line<'_>) -> Option<Tone> {
    match line.word() {
        "forwarded" | "answered" => Some(Tone::Good),
        "rejected" | "banned" => Some(Tone::Bad),
        "certificate" | "config" | "dropped" | "service" => Some(Tone::Attention),
        _ => None,
    }
}
