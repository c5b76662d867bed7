//! Configurations on their way to the box.

use control::{Apply, ClientError, Draft, Refusal, RefusalKind};

use super::memory::{applied, fault};
use super::{Running, raw};

fn apply(base: u32, trial_seconds: Option<u32>) -> Apply {
    Apply {
        text: "schema = 1\n".to_owned(),
        base,
        trial_seconds,
    }
}

#[tokio::test]
async fn a_text_is_checked_and_applied() {
    let running = Running::start("texts");
    let client = running.client().await;
    let draft = Draft {
        text: "schema = \"é\"\n".to_owned(),
    };
    let checked = client.check(&draft).await.unwrap();
    assert_eq!((checked.faults, checked.diff), (vec![fault()], draft.text));
    assert_eq!(client.apply(&apply(3, None)).await.unwrap(), applied(4));
    assert_eq!(
        client.apply(&apply(3, Some(600))).await.unwrap(),
        applied(600)
    );
}

#[tokio::test]
async fn what_is_refused_says_which_line_and_a_stale_base_is_a_conflict() {
    let running = Running::start("refused-texts");
    let client = running.client().await;
    let Err(ClientError::Refused(refusal)) = client.apply(&apply(4, None)).await else {
        panic!("not refused");
    };
    assert_eq!(
        (refusal.kind, refusal.faults),
        (RefusalKind::Invalid, vec![fault()])
    );
    let Err(ClientError::Refused(refusal)) = client.apply(&apply(2, None)).await else {
        panic!("not refused");
    };
    assert_eq!(
        (refusal.kind, refusal.faults.len()),
        (RefusalKind::Conflict, 0)
    );
}

#[tokio::test]
async fn a_trial_has_its_bounds_and_unknown_words_are_refused() {
    let running = Running::start("bounds");
    let socket = running.folder.socket();
    for (body, status) in [
        (r#"{"text":"","base":3,"trial_seconds":60}"#, 200),
        (r#"{"text":"","base":3,"trial_seconds":3600}"#, 200),
        (r#"{"text":"","base":3,"trial_seconds":null}"#, 200),
        (r#"{"text":"","base":3,"trial_seconds":59}"#, 422),
        (r#"{"text":"","base":3,"trial_seconds":3601}"#, 422),
        (r#"{"text":"","base":3,"trial":60}"#, 422),
        (r#"{"text":""}"#, 422),
    ] {
        let request = format!(
            "POST /v1/apply HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = raw(&socket, &request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{body}: {answer}"
        );
    }
    let answer = raw(
        &socket,
        "POST /v1/rollback?genration=3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    .await;
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    let refusal: Refusal = serde_json::from_str(body).unwrap();
    assert!(refusal.message.contains("genration"), "{}", refusal.message);
    let both = raw(
        &socket,
        "GET /v1/diff?from=1&generation=2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(both.starts_with("HTTP/1.1 422"), "{both}");
}

#[tokio::test]
async fn the_longest_text_fits_however_it_is_written_and_a_longer_one_is_told_how_long_it_may_be() {
    let running = Running::start("long-texts");
    let client = running.client().await;
    // Every byte takes two in JSON.
    let mut text = "\"".repeat(Apply::LONGEST_TEXT);
    let checked = client.check(&Draft { text: text.clone() }).await.unwrap();
    assert_eq!(checked.diff.len(), Apply::LONGEST_TEXT);
    text.push('"');
    let error = client.check(&Draft { text }).await.unwrap_err();
    assert!(error.to_string().contains("at most 4194304"), "{error}");
}
