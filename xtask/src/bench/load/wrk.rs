//! Requests over HTTP/1.1 keep-alive, by wrk.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{HOST, client};
use crate::bench::sample::{Sample, count};
use crate::bench::server::Server;

/// What wrk is to say at its end: exact numbers, which its own report rounds.
const SCRIPT: &str = r#"
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("figures: %d %d %d %d %d\n", summary.requests, summary.bytes, summary.duration,
    latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"#;

/// What is asked for.
pub(super) struct Bodies {
    /// The same path each time.
    pub(super) path: &'static str,
    /// Bytes of its body.
    pub(super) size: u64,
    /// Open connections, all of them busy.
    pub(super) connections: u64,
    /// What each request has as its cookie.
    pub(super) cookie: Option<String>,
}

/// What wrk counted.
#[derive(Debug, PartialEq, Eq)]
struct Figures {
    requests: u64,
    bytes: u64,
    wall: Duration,
    p99: Duration,
    errors: u64,
}

impl Bodies {
    pub(super) fn load(&self, server: &Server, seconds: u32, dir: &Path) -> Result<Sample> {
        let script = dir.join("wrk.lua");
        fs::write(&script, SCRIPT)?;
        let cookie = self.cookie.as_deref();
        let answer = client::answer(server.port(), self.path, cookie, self.size)?;
        let before = server.cpu()?;
        let out = Command::new("wrk")
            .args(["--latency", "-t1", "--timeout", "20s"])
            .args([format!("-c{}", self.connections), format!("-d{seconds}s")])
            .arg("-s")
            .arg(&script)
            .args(["-H", &format!("Host: {HOST}")])
            .args(
                cookie
                    .iter()
                    .flat_map(|cookie| ["-H".to_owned(), format!("Cookie: {cookie}")]),
            )
            .arg(format!("https://127.0.0.1:{}{}", server.port(), self.path))
            .output()
            .context("wrk")?;
        let cpu = server.cpu()?.saturating_sub(before);
        let text = String::from_utf8_lossy(&out.stdout);
        let figures = Figures::read(&text)
            .and_then(|figures| self.check(&figures, answer).map(|()| figures))
            .with_context(|| format!("{text}{}", String::from_utf8_lossy(&out.stderr)))?;
        // What was under way at the end was work, too; of large bodies it is too much to leave out.
        let units = if self.size > 1 << 20 {
            count(figures.bytes) / count(self.size)
        } else {
            count(figures.requests)
        };
        let p99 = figures.p99.as_secs_f64() * 1e3;
        Ok(Sample::timed(cpu, units, figures.wall, Some(p99)))
    }

    /// wrk looks at the status only; the bytes say whether every answer was as long as the one that was
    /// compared. Not more than one answer of each connection is under way at the end.
    fn check(&self, figures: &Figures, answer: u64) -> Result<()> {
        ensure!(figures.errors == 0, "{} errors", figures.errors);
        ensure!(figures.requests > 0, "no answer");
        let least = figures.requests * answer;
        let most = (figures.requests + self.connections) * answer;
        ensure!(
            (least..=most).contains(&figures.bytes),
            "{} bytes instead of {least} to {most}",
            figures.bytes
        );
        Ok(())
    }
}

impl Figures {
    fn read(text: &str) -> Result<Self> {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("figures: "))
            .context("no figures")?;
        let numbers: Vec<u64> = line
            .split(' ')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .with_context(|| line.to_owned())?;
        let &[requests, bytes, wall, p99, errors] = numbers.as_slice() else {
            anyhow::bail!("not five figures: {line}");
        };
        Ok(Self {
            requests,
            bytes,
            wall: Duration::from_micros(wall),
            p99: Duration::from_micros(p99),
            errors,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(bytes: u64, errors: u64) -> Figures {
        let text = format!("Requests/sec: 1\nfigures: 100 {bytes} 5100000 812 {errors}\n");
        Figures::read(&text).expect("good output")
    }

    #[test]
    fn the_figures_are_read() {
        let expected = Figures {
            requests: 100,
            bytes: 30_000,
            wall: Duration::from_millis(5100),
            p99: Duration::from_micros(812),
            errors: 0,
        };
        assert_eq!(figures(30_000, 0), expected);
        assert!(Figures::read("Requests/sec: 1\n").is_err());
        assert!(Figures::read("figures: 1 2 3\n").is_err());
    }

    #[test]
    fn figures_with_errors_or_wrong_sizes_are_refused() {
        let bodies = Bodies {
            path: "/",
            size: 128,
            connections: 2,
            cookie: None,
        };
        // 100 answers of 300 bytes, and up to 2 under way.
        for (bytes, errors, is_right) in [
            (30_000, 0, true),
            (30_600, 0, true),
            (30_000, 1, false),
            (29_999, 0, false),
            (30_601, 0, false),
        ] {
            let checked = bodies.check(&figures(bytes, errors), 300);
            assert_eq!(checked.is_ok(), is_right, "{bytes} bytes, {errors} errors");
        }
    }
}
