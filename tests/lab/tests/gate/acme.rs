//! Certificates from a public CA: a real one outside (pebble, which refuses every fifth nonce), the box behind its
//! router, and clients that see what is served.

use anyhow::{Context as _, Result, ensure};
use lab::{Curl, Gatehouse, Lab, Nginx, Pebble, Place, Process, Site, test, wait_until};
use std::fs;

const NAME: &str = "hq.dvl-ckl2.net";
const PROGRAMS: [&str; 5] = ["pebble", "pebble-challtestsrv", "openssl", "nginx", "curl"];

/// A box with one host, and `certificate` below the header of its certificate.
fn configuration(lab: &Lab, ca: &Pebble, certificate: &str) -> Result<String> {
    fs::write(lab.dir().join("pebble-root.pem"), ca.root())?;
    Ok(format!(
        "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\ninterface = \"eth0\"\n\
         addresses = [\"172.31.31.4/24\"]\n[site]\ndomain = \"dvl-ckl2.net\"\npublic_address = \"78.54.23.241\"\n\
         [[certificate]]\nsource = \"acme\"\ndirectory = \"{}\"\ndirectory_ca = \"pebble-root.pem\"\n{certificate}\n\
         [[host]]\nname = \"{NAME}\"\n[[host.http]]\ntarget = \"http://172.31.31.2\"\n",
        ca.directory()
    ))
}

/// Issuer and serial number of the certificate that clients outside get.
fn served(lab: &Lab) -> Result<String> {
    let command = format!(
        "openssl s_client -connect {}:443 -servername {NAME} </dev/null 2>/dev/null | \
         openssl x509 -noout -issuer -serial -ext subjectAltName",
        lab.site().public
    );
    lab.run(Place::Internet, &["sh", "-c", &command])?.success()
}

/// Waits until clients outside get another certificate of the CA than `before`; what they get.
pub(crate) fn wait_for_issued(lab: &Lab, gate: &Gatehouse<'_>, before: &str) -> Result<String> {
    let mut seen = String::new();
    let waited = wait_until("a certificate of the CA", || {
        seen = served(lab)?;
        Ok(seen != before && seen.contains("Pebble Intermediate"))
    });
    waited.with_context(|| gate.ok(&["certificate", "list"]).unwrap_or_default())?;
    Ok(seen)
}

/// The one certificate that is had from the CA, as `gatehouse certificate show` has it.
pub(crate) fn shown(gate: &Gatehouse<'_>) -> Result<serde_json::Value> {
    let mut shown = gate.json(&["certificate", "show", NAME])?;
    let list = shown.as_array_mut().context("it is no list")?;
    let is_ordered = |one: &serde_json::Value| one["source"] == "acme";
    let place = list.iter().position(is_ordered);
    Ok(list.swap_remove(place.context("none is from a CA")?))
}

#[test]
fn by_a_page_renewed_by_hand_and_kept_while_the_ca_is_down_and_over_a_restart() {
    test(Site::innovaphone(), &PROGRAMS, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let ca = Pebble::start(lab, "")?;
        let text = format!("names = [\"{NAME}\"]\nchallenge = \"http-01\"");
        let gate = Gatehouse::start(lab, &configuration(lab, &ca, &text)?)?;
        let first = wait_for_issued(lab, &gate, "")?;
        ensure!(first.contains(&format!("DNS:{NAME}")), "{first}");
        // What is not a proof goes its way, and nothing of the order is left behind.
        let url = format!("http://{NAME}/.well-known/acme-challenge/other");
        Curl::new(&url).expect(lab, Place::Internet, 200)?;
        let about = shown(&gate)?;
        ensure!(about["renewal"]["state"] == "planned", "{about}");
        ensure!(about["problems"] == serde_json::json!([]), "{about}");

        gate.ok(&["certificate", "renew", NAME])?;
        let second = wait_for_issued(lab, &gate, &first)?;

        ca.stop();
        gate.ok(&["certificate", "renew", NAME])?;
        wait_until("the failure to be told", || {
            Ok(shown(&gate)?["renewal"]["state"] == "failed")
        })?;
        let about = shown(&gate)?;
        let why = about["renewal"]["text"].as_str().unwrap_or_default();
        ensure!(why.contains("can not be reached"), "{about}");
        ensure!(served(lab)? == second, "what works must go on working");

        gate.signal(nix::sys::signal::Signal::SIGKILL)?;
        gate.wait()?;
        gate.start_again()?;
        wait_until("the box to serve again", || {
            Ok(served(lab).is_ok_and(|now| now == second))
        })
    });
}

#[test]
fn renewed_under_load_without_a_connection_cut() {
    let programs = [&PROGRAMS[..], &["wrk"]].concat();
    test(Site::innovaphone(), &programs, |lab| {
        let _target = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
        let ca = Pebble::start(lab, "")?;
        let text = format!("names = [\"{NAME}\"]\nchallenge = \"tls-alpn-01\"");
        let gate = Gatehouse::start(lab, &configuration(lab, &ca, &text)?)?;
        let first = wait_for_issued(lab, &gate, "")?;
        let url = format!("https://{NAME}/");
        let command = ["wrk", "-t1", "-c16", "-d8s", "--timeout", "5s", &url];
        let mut load = lab.spawn(Place::Internet, "wrk", &command)?;
        wait_until("the load", || {
            Ok(gate.metric("gatehouse_proxy_connections{protocol=\"https\"}")? > 8)
        })?;
        gate.ok(&["certificate", "renew", NAME])?;
        wait_for_issued(lab, &gate, &first)?;
        ensure!(load.runs()?, "the renewal took longer than the load");
        ensure!(load.wait()?.success(), "{}", load.log());
        let said = load.log();
        let clean = !said.contains("Socket errors") && !said.contains("Non-2xx");
        ensure!(clean && said.contains("requests in"), "{said}");
        Ok(())
    });
}

/// What the CA says at each step of an order.
const STEPS: &[&str] = &[
    "POST /sign-me-up",
    "Added order",
    "Attempting to validate",
    "set VALID",
    "POST /finalize-order",
    "Issued certificate",
    "POST /certZ/",
];

#[test]
fn an_order_that_a_power_cut_met_at_any_step_ends_in_a_certificate() {
    for step in STEPS {
        test(Site::innovaphone(), &PROGRAMS, |lab| {
            let ca = Pebble::start(lab, "")?;
            let text = format!("names = [\"{NAME}\"]\nchallenge = \"http-01\"");
            let gate = Gatehouse::start(lab, &configuration(lab, &ca, &text)?)?;
            wait_until(step, || Ok(ca.log().contains(step)))?;
            cut(lab, &gate)?;
            wait_for_issued(lab, &gate, "").with_context(|| step.to_string())?;
            // It is taken up, or, where the CA has looked for the proof meanwhile and found nobody, made once more.
            let log = ca.log();
            let orders = log.matches("Added order").count();
            ensure!((1..=2).contains(&orders), "{step}: {orders} orders: {log}");
            let accounts = "There are now 2 accounts";
            ensure!(!log.contains(accounts), "{step}: {log}");
            Ok(())
        });
    }
}

/// The power is gone at once, and comes back.
fn cut(lab: &Lab, gate: &Gatehouse<'_>) -> Result<()> {
    let edge = gate.child("edge")?.to_string();
    gate.signal(nix::sys::signal::Signal::SIGKILL)?;
    // It may have ended with its supervisor.
    lab.run(Place::Gate, &["kill", "-9", &edge])?;
    gate.wait()?;
    gate.start_again()
}

#[test]
fn by_a_hello_on_the_tls_port_with_an_rsa_key() {
    test(Site::innovaphone(), &PROGRAMS, |lab| {
        let ca = Pebble::start(lab, "")?;
        let text =
            format!("names = [\"{NAME}\"]\nchallenge = \"tls-alpn-01\"\nkey_type = \"rsa2048\"");
        let gate = Gatehouse::start(lab, &configuration(lab, &ca, &text)?)?;
        wait_for_issued(lab, &gate, "")?;
        let key = gate.ok(&["log"])?;
        ensure!(key.contains("ordered from"), "{key}");
        Ok(())
    });
}

#[test]
fn a_name_that_leads_elsewhere_is_said_with_the_remedy_and_the_own_ca_stands_in() {
    test(Site::innovaphone(), &PROGRAMS, |lab| {
        let ca = Pebble::start(lab, "")?;
        let text = format!("names = [\"{NAME}\"]\nchallenge = \"http-01\"");
        let text = configuration(lab, &ca, &text)?;
        // The router leads port 80 to where nobody listens.
        let elsewhere = text.replace(
            "[[certificate]]",
            "[proxy.listen]\nhttp = 9099\n[[certificate]]",
        );
        let gate = Gatehouse::start(lab, &elsewhere)?;
        wait_until("the failure to be told", || {
            Ok(shown(&gate)?["renewal"]["state"] == "failed")
        })?;
        let about = shown(&gate)?;
        let why = about["renewal"]["text"].as_str().unwrap_or_default();
        ensure!(why.contains(NAME) && why.contains("80"), "{about}");
        ensure!(
            !served(lab)?.contains("Pebble"),
            "the box's own CA stands in"
        );
        // Mended, it is ordered at once.
        gate.write(&text)?;
        gate.ok(&["reload"])?;
        gate.ok(&["certificate", "renew", NAME])?;
        wait_for_issued(lab, &gate, "").map(drop)
    });
}

#[test]
fn a_ca_that_has_had_enough_is_left_alone_until_it_takes_orders_again() {
    test(Site::innovaphone(), &PROGRAMS, |lab| {
        let ca = Pebble::start_limited(lab)?;
        let text = format!("names = [\"{NAME}\"]\nchallenge = \"http-01\"");
        let gate = Gatehouse::start(lab, &configuration(lab, &ca, &text)?)?;
        let first = wait_for_issued(lab, &gate, "")?;
        gate.ok(&["certificate", "renew", NAME])?;
        wait_until("the failure to be told", || {
            Ok(shown(&gate)?["renewal"]["state"] == "failed")
        })?;
        let about = shown(&gate)?;
        let why = about["renewal"]["text"].as_str().unwrap_or_default();
        for words in [
            "the CA has had enough requests",
            "two orders a minute are enough",
        ] {
            ensure!(why.contains(words), "{about}");
        }
        let told = gate.ok(&["certificate", "list"])?;
        ensure!(told.contains("next try at"), "{told}");
        // By hand neither.
        for _ in 0..3 {
            let refused = gate.command(&["certificate", "renew", NAME])?;
            let why = "its CA takes no other order before";
            ensure!(
                refused.code == Some(1) && refused.stderr.contains(why),
                "{refused:?}"
            );
        }
        ensure!(ca.orders() == "201 429", "{}", ca.orders());
        ensure!(served(lab)? == first, "what works must go on working");
        wait_until("the end of the limit", || {
            std::thread::sleep(std::time::Duration::from_secs(1));
            Ok(gate.command(&["certificate", "renew", NAME])?.code == Some(0))
        })?;
        wait_for_issued(lab, &gate, &first)?;
        ensure!(ca.orders() == "201 429 201", "{}", ca.orders());
        Ok(())
    });
}

/// The serial number that the target of `path` has seen last.
fn seen_by(target: &Nginx, path: &str) -> Result<String> {
    let requests = target.wait_for(path)?;
    let mut requests = requests.iter().rev();
    let request = requests.find(|request| request.get("uri") == path);
    Ok(request
        .context("waited for")?
        .get("ssl_client_serial")
        .to_owned())
}

#[test]
fn targets_see_the_renewed_identity_and_no_connection_to_them_is_cut() {
    test(Site::innovaphone(), &PROGRAMS, |lab| {
        let target = Nginx::start_taking_any(lab, Place::Lan, &["172.31.31.2:443 ssl"])?;
        fs::write(target.folder().join("large"), vec![b'x'; 3_000_000])?;
        let ca = Pebble::start(lab, "")?;
        let text = format!("names = [\"{NAME}\"]\nchallenge = \"http-01\"");
        let text = configuration(lab, &ca, &text)?
            .replace("target = \"http://", "target = \"")
            .replace(
                "[[certificate]]",
                &format!("[proxy]\nidentity = \"{NAME}\"\n[[certificate]]"),
            );
        let gate = Gatehouse::start(lab, &text)?;
        let serial = |served: &str| {
            let mut lines = served.lines();
            let line = lines.find_map(|line| line.strip_prefix("serial="));
            line.unwrap_or_default().to_owned()
        };
        let first = wait_for_issued(lab, &gate, "")?;
        let get = |path: &str| {
            let answer = Curl::new(&format!("https://{NAME}{path}")).with(&["-k"]);
            answer.expect(lab, Place::Internet, 200).map(drop)
        };
        get("/first")?;
        ensure!(seen_by(&target, "/first")? == serial(&first), "{first}");
        let url = format!("https://{NAME}/slow/large");
        let file = lab.dir().join("large").display().to_string();
        let command = ["curl", "-sSkN", "-o", &file, "-w", "%{http_code}", &url];
        let mut load = lab.spawn(Place::Internet, "download", &command)?;
        let length = || fs::metadata(&file).map_or(0, |about| about.len());
        wait_until("the download", || Ok(length() > 0))?;
        gate.ok(&["certificate", "renew", NAME])?;
        let second = wait_for_issued(lab, &gate, &first)?;
        get("/second")?;
        ensure!(seen_by(&target, "/second")? == serial(&second), "{second}");
        ensure!(load.runs()?, "the renewal took longer than the download");
        ensure!(load.wait()?.success(), "{}", load.log());
        ensure!(
            load.log() == "200" && length() == 3_000_000,
            "{}",
            load.log()
        );
        ensure!(
            seen_by(&target, "/slow/large")? == serial(&first),
            "{first}"
        );
        Ok(())
    });
}

/// A resolver outside that knows who answers the zone of the box, and the alias that leads there.
fn resolver(lab: &Lab) -> Result<Process> {
    let dir = lab.dir().join("named");
    fs::create_dir_all(&dir)?;
    let alias = "$TTL 5\n@ IN SOA ns hostmaster 1 60 60 600 5\n@ IN NS ns\nns IN A 127.0.0.1\n\
                 @ IN A 78.54.23.241\nhq IN A 78.54.23.241\n\
                 _acme-challenge IN CNAME dvl-ckl2.net.acme.gate.example.\n";
    fs::write(dir.join("dvl-ckl2.net"), alias)?;
    let config = format!(
        "options {{ directory \"{0}\"; pid-file none; session-keyfile none; listen-on port 5399 {{ 127.0.0.1; }}; \
         listen-on-v6 {{ none; }}; recursion yes; dnssec-validation no; max-cache-ttl 1; max-ncache-ttl 1; }};\n\
         controls {{ }};\nzone \"dvl-ckl2.net\" {{ type primary; file \"dvl-ckl2.net\"; }};\n\
         zone \"acme.gate.example\" {{ type static-stub; server-addresses {{ 78.54.23.241; }}; }};\n",
        dir.display()
    );
    let file = dir.join("named.conf");
    fs::write(&file, config)?;
    let file = file.display().to_string();
    let named = lab.spawn(Place::Internet, "named", &["named", "-g", "-c", &file])?;
    lab.wait_for_port(Place::Internet, "127.0.0.1:5399")?;
    Ok(named)
}

#[test]
fn a_wildcard_by_a_zone_that_the_box_answers_itself() {
    let programs = [&PROGRAMS[..], &["named", "dig"]].concat();
    let mut site = Site::innovaphone();
    site.forwards = &[(80, 90), (443, 453), (53, 53)];
    site.datagrams = &[(53, 53)];
    test(site, &programs, |lab| {
        let _named = resolver(lab)?;
        let ca = Pebble::start_asking(lab, "", "127.0.0.1:5399")?;
        let text = "names = [\"dvl-ckl2.net\", \"*.dvl-ckl2.net\"]\nchallenge = \"dns-01\"\n\
                    dns_zone = \"acme.gate.example\"";
        let gate = Gatehouse::start(lab, &configuration(lab, &ca, text)?)?;
        let seen = wait_for_issued(lab, &gate, "")?;
        ensure!(seen.contains("DNS:*.dvl-ckl2.net"), "{seen}");
        // Nothing else is answered there, over UDP or TCP, and the proofs are gone.
        for (question, over, answer) in [
            ("acme.gate.example SOA", "+notcp", "status: NOERROR"),
            ("acme.gate.example NS", "+tcp", "hq.dvl-ckl2.net."),
            ("dvl-ckl2.net.acme.gate.example TXT", "+tcp", "ANSWER: 0"),
            ("hq.dvl-ckl2.net A", "+notcp", "status: REFUSED"),
        ] {
            let mut command = vec![
                "dig",
                "+norec",
                "+tries=2",
                "+time=5",
                "@78.54.23.241",
                over,
            ];
            command.extend(question.split(' '));
            let said = lab.run(Place::Internet, &command)?.success()?;
            ensure!(said.contains(answer), "{question}: {said}");
        }
        Ok(())
    });
}
