//! The load: wrk, and what it says at its end.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::LOAD_CORE;

/// Open connections, all of them busy.
pub(crate) const CONNECTIONS: u32 = 64;

/// What wrk counted.
pub(crate) struct Load {
    /// Answers received.
    pub(crate) requests: u64,
    /// Answers per second.
    pub(crate) rate: f64,
    /// The slowest of a hundred, in milliseconds.
    pub(crate) p99: f64,
}

impl Load {
    /// Loads the server at `port` for so long.
    ///
    /// # Errors
    /// When an answer is not 200 or a connection fails: such a figure would mean nothing.
    pub(crate) fn run(port: u16, seconds: u32) -> Result<Self> {
        let out = Command::new("taskset")
            .args([
                "-c",
                LOAD_CORE,
                "wrk",
                "--latency",
                "-t1",
                &format!("-c{CONNECTIONS}"),
                &format!("-d{seconds}s"),
            ])
            .arg(format!("https://127.0.0.1:{port}/"))
            .args(["-H", "Host: bench.localhost"])
            .output()
            .context("wrk")?;
        let text = String::from_utf8_lossy(&out.stdout);
        Self::read(&text).with_context(|| {
            format!(
                "port {port}: {text}{}",
                String::from_utf8_lossy(&out.stderr)
            )
        })
    }

    fn read(text: &str) -> Result<Self> {
        ensure!(!text.contains("Non-2xx"), "answers other than 200");
        ensure!(!text.contains("Socket errors"), "connections failed");
        let word =
            |line: &str, number: usize| line.split_whitespace().nth(number).map(str::to_owned);
        let line = |part: &str| text.lines().find(|line| line.contains(part));
        let requests = line(" requests in ")
            .and_then(|line| word(line, 0))
            .context("no count")?;
        let rate = line("Requests/sec:")
            .and_then(|line| word(line, 1))
            .context("no rate")?;
        let p99 = line("99%")
            .and_then(|line| word(line, 1))
            .context("no percentiles")?;
        Ok(Self {
            requests: requests.parse()?,
            rate: rate.parse()?,
            p99: milliseconds(&p99)?,
        })
    }
}

/// wrk's times: `812.00us`, `3.51ms`, `1.02s`.
fn milliseconds(text: &str) -> Result<f64> {
    let (number, factor) = match text {
        text if text.ends_with("us") => (&text[..text.len() - 2], 1e-3),
        text if text.ends_with("ms") => (&text[..text.len() - 2], 1.0),
        text => (text.trim_end_matches('s'), 1e3),
    };
    Ok(number.parse::<f64>().with_context(|| text.to_owned())? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
Running 5s test @ https://127.0.0.1:1/
  Latency Distribution
     50%    1.27ms
     99%  812.00us
  148234 requests in 5.10s, 35.20MB read
Requests/sec:  29065.49
Transfer/sec:      6.90MB
";

    #[test]
    fn the_figures_are_read() {
        let load = Load::read(SAID).expect("good output");
        assert_eq!(load.requests, 148_234);
        assert!((load.rate - 29_065.49).abs() < 1e-6);
        assert!((load.p99 - 0.812).abs() < 1e-9);
    }

    #[test]
    fn figures_with_errors_are_refused() {
        assert!(Load::read(&format!("{SAID}  Non-2xx or 3xx responses: 3\n")).is_err());
        assert!(
            Load::read(&format!(
                "{SAID}  Socket errors: connect 0, read 1, write 0, timeout 0\n"
            ))
            .is_err()
        );
    }
}
