//! Small requests over HTTP/2, by h2load.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::HOST;
use crate::bench::case::SMALL;
use crate::bench::sample::{Sample, count, p99};
use crate::bench::server::Server;

pub(super) fn run(server: &Server, seconds: u32, dir: &Path) -> Result<Sample> {
    let (log, port) = (dir.join("h2load.log"), server.port());
    let before = server.cpu()?;
    let out = Command::new("h2load")
        .args(["-c8", "-m8", "-t1", "-D", &seconds.to_string()])
        // The one that wrk and the servers agree on.
        .arg("--tls13-ciphers=TLS_AES_256_GCM_SHA384")
        .arg(format!("--connect-to=127.0.0.1:{port}"))
        .arg(format!("--log-file={}", log.display()))
        .arg(format!("https://{HOST}:{port}/"))
        .output()
        .context("h2load")?;
    let cpu = server.cpu()?.saturating_sub(before);
    let text = String::from_utf8_lossy(&out.stdout);
    let requests =
        check(&text).with_context(|| format!("{text}{}", String::from_utf8_lossy(&out.stderr)))?;
    let mut times = times(&fs::read_to_string(&log)?)?;
    fs::remove_file(log)?;
    ensure!(
        times.len() as u64 >= requests,
        "{} lines for {requests} requests",
        times.len()
    );
    let wall = Duration::from_secs(u64::from(seconds));
    Ok(Sample::timed(cpu, count(requests), wall, p99(&mut times)))
}

/// The number of answers, when all of them were right.
fn check(text: &str) -> Result<u64> {
    ensure!(
        text.contains("Application protocol: h2\n"),
        "this is not HTTP/2"
    );
    let line = |start: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(start))
            .with_context(|| format!("no line \"{start}\""))
    };
    let (requests, codes, traffic) = (
        line("requests: ")?,
        line("status codes: ")?,
        line("traffic: ")?,
    );
    let done = before(requests, " done")?;
    ensure!(done > 0, "no answer");
    for word in [" failed", " errored", " timeout"] {
        ensure!(before(requests, word)? == 0, "{requests}");
    }
    ensure!(before(codes, " 2xx")? == done, "{codes}");
    let data = traffic
        .rsplit_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .context("no bytes")?
        .0;
    ensure!(data.parse::<u64>()? == done * SMALL, "{traffic}");
    Ok(done)
}

/// The number in front of a word.
fn before(line: &str, word: &str) -> Result<u64> {
    let (number, _) = line
        .split_once(word)
        .with_context(|| format!("no \"{word}\" in \"{line}\""))?;
    let number = number.rsplit(' ').next().unwrap_or_default();
    number.parse().with_context(|| line.to_owned())
}

/// The time of each request: start, status and microseconds with tabs between them.
fn times(log: &str) -> Result<Vec<Duration>> {
    log.lines()
        .map(|line| {
            let mut fields = line.split('\t').skip(1);
            let status = fields.next().context("no status")?;
            ensure!(status == "200", "status {status}");
            let micros = fields.next().context("no time")?.parse()?;
            Ok(Duration::from_micros(micros))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
TLS Protocol: TLSv1.3
Application protocol: h2
finished in 1.00s, 15649.00 req/s, 2.93MB/s
requests: 15649 total, 15653 started, 15649 done, 15649 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 15649 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 2.93MB (3067302) total, 764.11KB (782450) headers (space savings 50.00%), 1.91MB (2003072) data
";

    #[test]
    fn the_answers_are_counted() {
        assert_eq!(check(SAID).unwrap(), 15_649);
    }

    #[test]
    fn figures_with_errors_or_wrong_sizes_are_refused() {
        for (good, bad) in [
            ("protocol: h2\n", "protocol: http/1.1\n"),
            ("0 failed", "1 failed"),
            ("0 errored", "1 errored"),
            ("0 timeout", "1 timeout"),
            ("15649 2xx, 0 3xx", "15648 2xx, 1 3xx"),
            ("(2003072) data", "(2003071) data"),
            ("15649 done", "0 done"),
            ("status codes", "codes"),
        ] {
            let text = SAID.replace(good, bad);
            assert_ne!(text, SAID);
            assert!(check(&text).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_read_and_other_statuses_refused() {
        let log = "1700000000000000\t200\t812\n1700000000000100\t200\t1250\n";
        let expected = [812, 1250].map(Duration::from_micros);
        assert_eq!(times(log).unwrap(), expected);
        assert!(times("1700000000000000\t502\t812\n").is_err());
        assert!(times("1700000000000000\t200\n").is_err());
    }
}
