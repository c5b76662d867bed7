//! Bans by hand.

use std::net::IpAddr;

use control::{ClientError, NewBan, RefusalKind};

use super::Running;

fn ban(seconds: u32, reason: &str) -> NewBan {
    NewBan {
        client: IpAddr::from([203, 0, 113, 9]),
        seconds,
        reason: reason.to_owned(),
    }
}

#[tokio::test]
async fn a_ban_by_hand_has_its_bounds() {
    let running = Running::start("bans");
    let client = running.client().await;
    let longest = "é".repeat(200);
    for (seconds, reason) in [(60, "x"), (30 * 86_400, longest.as_str())] {
        let banned = client.ban(&ban(seconds, reason)).await.unwrap();
        assert!(banned.by_hand && banned.client == "203.0.113.9");
        assert_eq!(banned.until.0 - banned.since.0, u64::from(seconds) * 1000);
    }
    let longer = "é".repeat(201);
    for (seconds, reason) in [
        (59, "x"),
        (30 * 86_400 + 1, "x"),
        (60, ""),
        (60, longer.as_str()),
    ] {
        let Err(ClientError::Refused(refusal)) = client.ban(&ban(seconds, reason)).await else {
            panic!("{seconds} {reason}: not refused");
        };
        assert_eq!(refusal.kind, RefusalKind::Invalid);
        assert!(
            refusal.message.contains("60") || refusal.message.contains("200"),
            "{refusal}"
        );
    }
}
