//! The OpenAPI document and the router say the same.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Running, raw};

const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "PATCH"];

/// Every path that the sources of the server name.
fn paths_of_the_router() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/server");
    let mut paths = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let named = text.split('"').filter(|part| part.starts_with("/v1/"));
        paths.extend(named.map(str::to_owned));
    }
    assert!(paths.len() > 10, "{paths:?}");
    paths
}

#[tokio::test]
async fn every_route_is_in_the_document_and_every_operation_of_it_is_served() {
    let running = Running::start("document");
    let socket = running.folder.socket();
    let document: Value = serde_json::from_str(&control::openapi_text()).unwrap();
    let documented = document["paths"].as_object().unwrap();
    let mut paths = paths_of_the_router();
    paths.extend(documented.keys().cloned());
    for path in paths {
        for method in METHODS {
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let answer = raw(&socket, &request).await;
            let is_served =
                !answer.starts_with("HTTP/1.1 405") && !answer.contains("the control API has no");
            let operation = documented
                .get(&path)
                .map(|item| &item[method.to_ascii_lowercase()]);
            let is_documented = operation.is_some_and(Value::is_object);
            assert_eq!(is_served, is_documented, "{method} {path}: {answer}");
        }
    }
}

#[tokio::test]
async fn the_document_is_served_and_says_what_refusals_look_like() {
    let running = Running::start("served");
    let request = "GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = raw(&running.folder.socket(), request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(body, control::openapi_text());
    let document: Value = serde_json::from_str(body).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let schema = "/content/application~1json/schema/$ref";
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            for (status, response) in responses
                .iter()
                .filter(|(status, _)| *status >= &"4".to_owned())
            {
                let refusal = response.pointer(schema).and_then(Value::as_str);
                let expected = Some("#/components/schemas/Refusal");
                assert_eq!(refusal, expected, "{method} {path} {status}");
            }
            assert!(responses.contains_key("500") && responses.contains_key("503"));
        }
    }
}
