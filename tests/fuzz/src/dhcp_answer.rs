use std::net::Ipv4Addr;
use std::time::{Duration, Instant, UNIX_EPOCH};

use uplink::dhcp::{Client, HardwareAddr, Identity, Lease, Now, Output};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 7];

/// A DHCP client that is asked, granted and denied in any order: whatever comes, it goes on, and never believes
/// in a lease that can not be.
pub fn dhcp_answer(data: &[u8]) {
    let start = Instant::now();
    let mut now = Now {
        instant: start,
        wall: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
    };
    let identity = Identity {
        hardware: HardwareAddr(MAC),
        hostname: Some("gate".to_owned()),
    };
    let mut client = Client::new(identity, 7, None, now);
    client.handle_timeout(now);
    // Each answer twice: to the discovery and to the request.
    for piece in data.split(|byte| *byte == 0xfe).take(8) {
        for kind in [2, 5] {
            let mut xid = None;
            while let Some(output) = client.poll_output() {
                match output {
                    Output::Send { bytes, .. } => xid = bytes.get(4..8).map(<[u8]>::to_vec),
                    Output::Bound(lease) => check(&lease),
                    Output::Lost(_) | Output::Refused(_) => {}
                }
            }
            client.handle_input(&addressed(piece, xid.as_deref(), kind), now);
        }
        client.handle_input(piece, now);
        let Some(at) = client.poll_timeout() else {
            continue;
        };
        let wait = at.saturating_duration_since(now.instant);
        now.instant += wait;
        now.wall += wait;
        client.handle_timeout(now);
    }
}

/// The piece as an answer to the last question: its head is right, its options are what they are.
fn addressed(piece: &[u8], xid: Option<&[u8]>, kind: u8) -> Vec<u8> {
    let mut answer = vec![0; 240];
    answer[..3].copy_from_slice(&[2, 1, 6]);
    if let Some(xid) = xid {
        answer[4..8].copy_from_slice(xid);
    }
    let (given, options) = piece.split_at(piece.len().min(4));
    answer[16..16 + given.len()].copy_from_slice(given);
    answer[28..34].copy_from_slice(&MAC);
    answer[236..].copy_from_slice(&[99, 130, 83, 99]);
    answer.extend([53, 1, kind]);
    answer.extend(options);
    answer.push(255);
    answer
}

fn check(lease: &Lease) {
    assert!(lease.is_sound());
    let address = lease.address.addr();
    assert!(!address.is_unspecified() && !address.is_loopback() && !address.is_multicast());
    assert!(lease.address.prefix_len() >= 8);
    assert_ne!(lease.server, Ipv4Addr::UNSPECIFIED);
    assert!(lease.routes.len() <= 64 && lease.name_servers.len() <= 8);
    if let Some(times) = lease.times {
        assert!(times.lasts >= 30 && times.renew >= 10);
        assert!(times.renew <= times.rebind && times.rebind <= times.lasts);
    }
}
