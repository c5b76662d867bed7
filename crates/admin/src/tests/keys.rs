//! Programs that show a key of their own.

use super::*;

const KEY: &str = "Bearer gkKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK";
const TOKENS: &str = "/api/v1/access/wcs/tokens";

/// A request of a program, which is no browser.
fn of_program(method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut headers = vec![("cookie", ""), ("sec-fetch-site", "")];
    headers.extend(more);
    request(method, path, &headers, body)
}

#[tokio::test]
async fn a_key_is_passed_on_alone_and_sets_nothing() {
    let running = start(&[]).await;
    let key = ("authorization", KEY);
    let answer = running.text(of_program("POST", TOKENS, &[key], "{}")).await;
    // The control API of this test knows nobody but max.
    assert_eq!(answer.0, 401, "{}", answer.2);
    assert!(!answer.1.contains_key(header::SET_COOKIE));
    // Whatever session the same request brings along, it is not used.
    let both = request("POST", TOKENS, &[key, ("sec-fetch-site", "")], "{}");
    assert_eq!(running.text(both).await.0, 401);
    let asked = running.asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    for (what, headers, body) in asked.iter() {
        assert_eq!(what, "POST /v1/access/wcs/tokens");
        assert_eq!(headers[header::AUTHORIZATION], KEY);
        assert_eq!(body, "{}");
    }
}

#[tokio::test]
async fn what_is_no_key_opens_no_way_around_the_origin() {
    let running = start(&[]).await;
    let long = format!("{{\"note\":\"{}\"}}", "x".repeat(20_000));
    let key = ("authorization", KEY);
    let form = ("content-type", "text/plain");
    for (asked, status) in [
        (
            of_program("POST", TOKENS, &[("authorization", "Bearer t0ken")], "{}"),
            403,
        ),
        (
            of_program("POST", TOKENS, &[("authorization", "Basic eDp5")], "{}"),
            403,
        ),
        (of_program("POST", TOKENS, &[key, key], "{}"), 403),
        (of_program("POST", TOKENS, &[], "{}"), 403),
        (of_program("POST", "/confirm", &[key], ""), 403),
        (of_program("POST", TOKENS, &[key, form], "{}"), 415),
        (of_program("POST", TOKENS, &[key], &long), 413),
        (
            of_program("GET", TOKENS, &[key, ("host", "evil.example")], ""),
            421,
        ),
    ] {
        let what = format!("{asked:?}");
        assert_eq!(running.text(asked).await.0, status, "{what}");
    }
    assert_eq!(running.asked(), Vec::<String>::new());
}
