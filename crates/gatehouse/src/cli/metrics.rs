//! `gatehouse metrics`.

use control::Client;
use serde_json::{Map, Value, json};

use super::Done;
use super::output::Out;

/// Shows all counters.
pub(super) async fn run(out: Out, client: &Client) -> Done {
    let text = client.metrics().await?;
    let samples = if out.json { samples(&text) } else { Vec::new() };
    out.show(&samples, || text)
}

/// The samples of a Prometheus text (exposition format 0.0.4) as objects.
fn samples(text: &str) -> Vec<Value> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(sample).collect()
}

fn sample(line: &str) -> Option<Value> {
    let (head, value) = line.rsplit_once(' ')?;
    let value = match value.parse::<i64>() {
        Ok(whole) => json!(whole),
        Err(_) => json!(value.parse::<f64>().ok()?),
    };
    let (name, labels) = match head.split_once('{') {
        Some((name, rest)) => (name, labels(rest.strip_suffix('}')?)?),
        None => (head, Map::new()),
    };
    Some(json!({ "name": name, "labels": labels, "value": value }))
}

fn labels(mut text: &str) -> Option<Map<String, Value>> {
    let mut labels = Map::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at,
                (_, '\\') => match characters.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        labels.insert(name.to_owned(), Value::String(value));
        text = &rest[end + 1..];
        text = text.strip_prefix(',').unwrap_or(text);
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_registry_renders_is_read_back() {
        let registry = service::Registry::default();
        let hostile = "a\"b\\c\nd{e}=\"f\",g ";
        let labels = [("host", hostile), ("status", "2xx")];
        registry
            .counter("requests_total", "Requests.", &labels)
            .add(3);
        registry.gauge("open", "Open.", &[]).set(-1);
        registry
            .histogram("seconds", "Time.", &[], &[0.5])
            .observe(0.25);
        let found = samples(&registry.render());
        let expected = json!([
            { "name": "open", "labels": {}, "value": -1 },
            { "name": "requests_total", "labels": { "host": hostile, "status": "2xx" }, "value": 3 },
            { "name": "seconds_bucket", "labels": { "le": "0.5" }, "value": 1 },
            { "name": "seconds_bucket", "labels": { "le": "+Inf" }, "value": 1 },
            { "name": "seconds_sum", "labels": {}, "value": 0.25 },
            { "name": "seconds_count", "labels": {}, "value": 1 },
        ]);
        assert_eq!(Value::Array(found), expected);
    }
}
