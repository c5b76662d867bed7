//! Every head of tests/data/http through Gatehouse, nginx and HAProxy: who passes on what the others refuse.
//!
//! The answers are kept beside the heads; `GATEHOUSE_BLESS=1 cargo nextest run -p lab differential` writes
//! them anew. Read the difference before it is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Read, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result, ensure};
use lab::{Gatehouse, Lab, Place, Process, Recorder, Site, contract, repository, rows, say, test};
use proto::http::{Limits, Scheme, TargetForm, path_is_unambiguous, request, response};

/// What they pass on and we refuse; what we pass on and they refuse.
const STRICTER: &str = "tests/data/http/stricter.tsv";
const LAXER: &str = "tests/data/http/laxer.tsv";
const MANUAL: &str = "docs/manual/strictness.md";
/// Between these lines of the manual stands what is counted.
const COUNTS: [&str; 2] = ["<!-- counted from here -->\n", "<!-- to here -->\n"];

/// What targets answer to requests of the tables.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
/// What is asked for answers of the tables.
const QUESTION: &[u8] = b"GET / HTTP/1.1\r\nHost: hq.example\r\nConnection: close\r\n\r\n";

/// A server with a target of its own.
struct Server {
    name: &'static str,
    from: Place,
    address: &'static str,
    target: Recorder,
}

const GATE: &str = "78.54.23.241:80";
const GATE_TARGET: &str = "172.31.31.2:80";
const NGINX: &str = "172.31.31.3:8080";
const NGINX_TARGET: &str = "172.31.31.3:80";
const HAPROXY: &str = "172.31.31.12:8080";
const HAPROXY_TARGET: &str = "172.31.31.12:80";

/// The heads by their names.
type Heads = BTreeMap<String, Head>;

/// A head, and who sends it.
enum Head {
    Request(Vec<u8>),
    Response(Vec<u8>),
}

/// What became of a head: `None` if it was passed on, otherwise the status of the refusal.
type Outcome = Option<String>;

impl Server {
    fn new(
        lab: &Lab,
        name: &'static str,
        from: Place,
        address: &'static str,
        target: &str,
    ) -> Result<Self> {
        Ok(Self {
            name,
            from,
            address,
            target: Recorder::start(lab, Place::Lan, target)?,
        })
    }

    fn outcomes(&self, lab: &Lab, heads: &Heads) -> Result<Vec<Outcome>> {
        let outcome = |(name, head): (&String, &Head)| {
            let outcome = self.outcome(lab, head);
            outcome.with_context(|| format!("{}: {name}", self.name))
        };
        heads.iter().map(outcome).collect()
    }

    fn outcome(&self, lab: &Lab, head: &Head) -> Result<Outcome> {
        let (asked, answer) = match head {
            Head::Request(bytes) => (&bytes[..], ANSWER),
            Head::Response(bytes) => (QUESTION, &bytes[..]),
        };
        self.target.answer(answer);
        let mut stream = lab.connect(self.from, self.address)?;
        // A refusal may close the connection before all is written.
        stream.write_all(asked).ok();
        let status = final_status(&mut stream)?;
        drop(stream);
        let arrived = self.target.take_and_hang_up()?;
        let passed = match head {
            Head::Request(_) => !arrived.is_empty(),
            Head::Response(_) => !["none", "502", "504"].contains(&status.as_str()),
        };
        Ok((!passed).then_some(status))
    }
}

/// Reads up to the head of the final answer and returns its status; `none` when the connection is
/// closed without one. Each of the servers gives up waiting before the lab does.
fn final_status(stream: &mut TcpStream) -> Result<String> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        while let Some(end) = all.windows(4).position(|four| four == b"\r\n\r\n") {
            let head: Vec<u8> = all.drain(..end + 4).collect();
            let head = String::from_utf8_lossy(&head);
            let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
            if status.len() != 3 || !status.starts_with('1') {
                return Ok(status);
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Ok("none".to_owned()),
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                return Ok("none".to_owned());
            }
            Err(error) => return Err(error).context("the connection stays open"),
        }
    }
}

/// Every request and answer of the tables, and a request for every path of them.
fn heads() -> Result<Heads> {
    let mut heads = Heads::new();
    for row in rows("malformed")?.into_iter().chain(rows("wellformed")?) {
        let path = || {
            [
                b"GET ",
                &row.bytes[..],
                b" HTTP/1.1\r\nHost: hq.example\r\n\r\n",
            ]
            .concat()
        };
        let head = match row.kind.as_str() {
            "request" => Head::Request(row.bytes),
            "path" => Head::Request(path()),
            "response" if tells_of_itself(&row.bytes) => Head::Response(row.bytes),
            _ => continue,
        };
        let name = format!("{}: {}", row.kind, row.name);
        ensure!(
            heads.insert(name.clone(), head).is_none(),
            "two rows are called {name}"
        );
    }
    Ok(heads)
}

/// Whether the client sees if an answer is passed on: not so with one that another follows, or
/// that proxies give themselves.
fn tells_of_itself(answer: &[u8]) -> bool {
    let status = answer.get(9..12).unwrap_or_default();
    !status.starts_with(b"1") && !matches!(status, b"502" | b"504")
}

/// Every name of the tables is a host that lets all paths through; clients are never banned.
fn configuration() -> Result<String> {
    let text = contract("innovaphone")?.replace(
        "[\"172.31.31.0/24\"]",
        "[\"172.31.31.0/24\", \"78.54.23.0/24\"]",
    );
    let (before, after) = text.split_once("# --- master PBX").unwrap();
    let mut text = before.to_owned();
    for name in ["hq.example", "hq.demo.localhost", "my_pbx.example", "a"] {
        write!(
            text,
            "[[host]]\nname = \"{name}\"\n[[host.http]]\ntarget = \"http://172.31.31.2\"\n\n"
        )?;
    }
    Ok(format!("{text}# --- master PBX{after}"))
}

/// As its manual begins, with short times to wait, and so that a head goes on without its body.
fn start_nginx(lab: &Lab) -> Result<Process> {
    let dir = lab.dir().join("nginx");
    fs::create_dir_all(&dir)?;
    let file = dir.join("nginx.conf");
    let dir = dir.display();
    let text = format!(
        "daemon off; master_process off; user root; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body;
  client_header_timeout 2s;
  client_body_timeout 2s;
  client_max_body_size 0;
  server {{
    listen {NGINX};
    location / {{
      proxy_pass http://{NGINX_TARGET};
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_read_timeout 2s;
      proxy_set_header Host $http_host;
    }}
  }}
}}
"
    );
    fs::write(&file, text)?;
    let process = lab.spawn(
        Place::Lan,
        "nginx",
        &["nginx", "-c", &file.display().to_string()],
    )?;
    lab.wait_for_port(Place::Lan, NGINX)?;
    Ok(process)
}

fn start_haproxy(lab: &Lab) -> Result<Process> {
    let file = lab.dir().join("haproxy.cfg");
    let text = format!(
        "global
  maxconn 256
  nbthread 1
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 2s
  timeout http-request 2s
  option http-server-close
frontend all
  bind {HAPROXY}
  default_backend target
backend target
  server target {HAPROXY_TARGET}
"
    );
    fs::write(&file, text)?;
    let process = lab.spawn(
        Place::Lan,
        "haproxy",
        &["haproxy", "-db", "-f", &file.display().to_string()],
    )?;
    lab.wait_for_port(Place::Lan, HAPROXY)?;
    Ok(process)
}

/// The versions whose answers these are.
fn versions(lab: &Lab) -> Result<String> {
    let number = |text: &str| {
        let start = text
            .find(|byte: char| byte.is_ascii_digit())
            .unwrap_or_default();
        let number = text[start..].split(|byte: char| byte != '.' && !byte.is_ascii_digit());
        number.map(str::to_owned).next().unwrap_or_default()
    };
    let nginx = lab.run(Place::Lan, &["nginx", "-v"])?.stderr;
    let haproxy = lab.run(Place::Lan, &["haproxy", "-v"])?.stdout;
    Ok(format!(
        "nginx {}, HAProxy {}",
        number(&nginx),
        number(&haproxy)
    ))
}

/// Why Gatehouse refuses a head, in the words of its log.
fn our_reason(head: &Head, status: &str) -> String {
    let limits = Limits::default();
    let bytes = match head {
        Head::Request(bytes) => bytes,
        Head::Response(bytes) => {
            let fault = response(bytes, "GET", &limits).err();
            return fault.map_or_else(|| format!("answered {status}"), |fault| fault.to_string());
        }
    };
    let head = match request(bytes, &limits) {
        Err(fault) => return fault.to_string(),
        Ok(None) => return "the head does not end".to_owned(),
        Ok(Some(head)) => head,
    };
    if let Err(fault) = path_is_unambiguous(head.target.path.as_bytes())
        && head.target.path != "*"
    {
        return fault.to_string();
    }
    if head.target.form == TargetForm::Absolute(Scheme::Https) {
        return "an https address is asked for in plain".to_owned();
    }
    match head.host {
        None => "Host is missing".to_owned(),
        Some(host) if host.ip().is_some() => {
            "Host is an address, and hosts of the file are names".to_owned()
        }
        Some(_) => format!("answered {status}"),
    }
}

#[test]
fn the_differential_lists_of_heads_are_as_they_are_kept() {
    test(Site::innovaphone(), &["nginx", "haproxy"], |lab| {
        let heads = heads()?;
        let ours = Server::new(lab, "gatehouse", Place::Internet, GATE, GATE_TARGET)?;
        let peers = [
            Server::new(lab, "nginx", Place::Lan, NGINX, NGINX_TARGET)?,
            Server::new(lab, "HAProxy", Place::Lan, HAPROXY, HAPROXY_TARGET)?,
        ];
        let _gate = Gatehouse::start(lab, &configuration()?)?;
        let _peers = [start_nginx(lab)?, start_haproxy(lab)?];
        let (ours, theirs) = thread::scope(|scope| {
            let threads = peers
                .each_ref()
                .map(|peer| scope.spawn(|| peer.outcomes(lab, &heads)));
            let ours = ours.outcomes(lab, &heads)?;
            let theirs: Result<Vec<_>> = threads
                .into_iter()
                .map(|thread| thread.join().expect("it returns its errors"))
                .collect();
            anyhow::Ok((ours, theirs?))
        })?;
        let mut lists = [BTreeSet::new(), BTreeSet::new()];
        for (peer, theirs) in peers.iter().zip(&theirs) {
            for (((name, head), ours), theirs) in heads.iter().zip(&ours).zip(theirs) {
                let (list, why) = match (ours, theirs) {
                    (Some(status), None) => (0, our_reason(head, status)),
                    (None, Some(status)) => (1, format!("answered {status}")),
                    _ => continue,
                };
                lists[list].insert(format!("{}\t{name}\t{why}\n", peer.name));
            }
        }
        let versions = versions(lab)?;
        let [stricter, laxer] = lists.map(|list| list.into_iter().collect::<String>());
        let by = format!("written by the lab test `differential`: {versions}");
        let first = format!(
            "# what the peer passes on and Gatehouse refuses; {by}\n# peer\thead\twhy Gatehouse refuses it\n"
        );
        keep(STRICTER, &(first + &stricter))?;
        let first = format!(
            "# what Gatehouse passes on and the peer refuses; {by}\n# peer\thead\twhat the peer does\n"
        );
        keep(LAXER, &(first + &laxer))?;
        keep_manual()
    });
}

#[test]
fn the_manual_counts_what_the_differential_lists_hold() {
    keep_manual().unwrap();
}

fn keep_manual() -> Result<()> {
    let text = read(MANUAL)?;
    let counts = counts()?;
    let [start, end] = COUNTS;
    let (before, rest) = text.split_once(start).context(start)?;
    let (_, after) = rest.split_once(end).context(end)?;
    keep(MANUAL, &[before, start, &counts, end, after].concat())
}

/// The table of the manual, from the lists alone.
fn counts() -> Result<String> {
    let mut reasons: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let stricter = read(STRICTER)?;
    let rows = |text: &str| -> Vec<[String; 3]> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| {
                let columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
                columns.try_into().expect("three columns")
            })
            .collect()
    };
    let column = |peer: &str| usize::from(peer != "nginx");
    for [peer, _, reason] in rows(&stricter) {
        reasons.entry(reason).or_default()[column(&peer)] += 1;
    }
    let versions = stricter
        .lines()
        .next()
        .and_then(|line| line.rsplit_once(": "));
    let versions = versions.context("the list does not say whose it is")?.1;
    let mut sums = [0, 0];
    let mut lines: Vec<_> = reasons.into_iter().collect();
    // The most first; what is equal stays in the order of the alphabet.
    lines.sort_by_key(|(_, [nginx, haproxy])| std::cmp::Reverse(nginx + haproxy));
    let mut out =
        "| refused by Gatehouse, because | nginx passes on | HAProxy passes on |\n|---|---|---|\n"
            .to_owned();
    for (reason, [nginx, haproxy]) in &lines {
        writeln!(out, "| {reason} | {nginx} | {haproxy} |")?;
        sums = [sums[0] + nginx, sums[1] + haproxy];
    }
    writeln!(
        out,
        "| **all of {} heads** | **{}** | **{}** |\n",
        heads()?.len(),
        sums[0],
        sums[1]
    )?;
    writeln!(out, "Asked were {versions}.\n")?;
    writeln!(
        out,
        "| passed on by Gatehouse, refused by | head | answer |\n|---|---|---|"
    )?;
    for [peer, name, answer] in rows(&read(LAXER)?) {
        writeln!(out, "| {peer} | {name} | {answer} |")?;
    }
    Ok(out)
}

fn path(file: &str) -> PathBuf {
    repository().join(file)
}

fn read(file: &str) -> Result<String> {
    fs::read_to_string(path(file)).with_context(|| file.to_owned())
}

/// Makes sure that a file holds `text`, or writes it there when told to.
fn keep(file: &str, text: &str) -> Result<()> {
    if std::env::var_os("GATEHOUSE_BLESS").is_some() {
        return Ok(fs::write(path(file), text)?);
    }
    let kept = read(file).unwrap_or_default();
    let (kept, found): (BTreeSet<_>, BTreeSet<_>) =
        (kept.lines().collect(), text.lines().collect());
    for line in kept.difference(&found) {
        say(&format!("- {line}"));
    }
    for line in found.difference(&kept) {
        say(&format!("+ {line}"));
    }
    ensure!(
        read(file).unwrap_or_default() == text,
        "{file} is stale: run this test with GATEHOUSE_BLESS=1, and read what has changed"
    );
    Ok(())
}
