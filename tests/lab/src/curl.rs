//! curl as client: one request, its answer in pieces.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{Lab, Place};

/// A request to be made.
pub struct Curl {
    arguments: Vec<String>,
    url: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status of the last response head; 0 when the connection ended without one.
    pub status: u16,
    /// The last response head, as received.
    pub head: String,
    /// The body.
    pub body: String,
    /// curl's exit code: 0, or what failed (52: closed without a byte, 60: certificate not trusted).
    pub exit: i32,
}

impl Answer {
    /// The value of a header, empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        let lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        let mut values = lines
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim());
        values.next().unwrap_or_default()
    }
}

impl Curl {
    /// A request for `url`; its path is sent as written.
    pub fn new(url: &str) -> Self {
        let fixed = [
            "curl",
            "--silent",
            "--show-error",
            "--include",
            "--path-as-is",
            "--max-time",
            "40",
        ];
        Self {
            arguments: fixed.map(str::to_owned).to_vec(),
            url: url.to_owned(),
        }
    }

    /// More of curl's own arguments.
    #[must_use]
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|&text| text.to_owned()));
        self
    }

    /// Servers are trusted whose certificates this root has signed.
    #[must_use]
    pub fn trusting(self, root: &Path) -> Self {
        self.with(&["--cacert", &root.display().to_string()])
    }

    /// A request header, `Name: value`.
    #[must_use]
    pub fn header(self, line: &str) -> Self {
        self.with(&["--header", line])
    }

    /// Where the URL's name is found: `IP`, on the URL's port.
    #[must_use]
    pub fn at(self, address: &str) -> Self {
        let address = if address.contains(':') {
            format!("[{address}]")
        } else {
            address.to_owned()
        };
        self.with(&["--connect-to", &format!("::{address}:")])
    }

    /// From which of the place's addresses.
    #[must_use]
    pub fn from(self, address: &str) -> Self {
        self.with(&["--interface", address])
    }

    /// Makes the request; an answer of any status, and none at all, is a result.
    pub fn run(&self, lab: &Lab, place: Place) -> Result<Answer> {
        let mut command: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        command.push(&self.url);
        let out = lab.run(place, &command)?;
        let exit = out.code.context("curl was killed")?;
        let mut rest = out.stdout.as_str();
        let mut head = "";
        // Interim answers and the answer itself: the last head counts.
        while rest.starts_with("HTTP/") {
            let (this, after) = rest
                .split_once("\r\n\r\n")
                .with_context(|| format!("half a head: {rest}"))?;
            (head, rest) = (this, after);
            if !head.contains(" 100 ") && !head.contains(" 103 ") {
                break;
            }
        }
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        Ok(Answer {
            status,
            head: head.to_owned(),
            body: rest.to_owned(),
            exit,
        })
    }

    /// Makes the request and demands a status.
    ///
    /// # Errors
    /// When another status, or no answer, comes back; the whole answer is in the message.
    pub fn expect(&self, lab: &Lab, place: Place, status: u16) -> Result<Answer> {
        let answer = self.run(lab, place)?;
        ensure!(
            answer.status == status,
            "{}: wanted {status}, got {answer:?}",
            self.url
        );
        Ok(answer)
    }
}
