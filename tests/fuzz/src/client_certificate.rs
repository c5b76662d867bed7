use std::time::{Duration, SystemTime};

use certs::{Ca, Clients, Outdated, PemFile, Usage, matches_name};
use rustls_pki_types::CertificateDer;
use std::sync::LazyLock;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// An authority with a client, made once.
static KNOWN: LazyLock<(String, Vec<u8>)> = LazyLock::new(|| {
    let now = now();
    let ca = Ca::create("ca", now).expect("a name");
    let client = ca.issue(&["alice"], Usage::Identity, now).expect("a name");
    let chain = client.chain().expect("just made");
    (ca.root_pem().to_owned(), chain[0].to_vec())
});

fn now() -> SystemTime {
    NOW + Duration::from_hours(24 * 20_600)
}

/// Authorities, lists of revoked certificates and certificates of clients: what is read is judged without a
/// panic, and what nobody trusted has signed is never believed.
pub fn client_certificate(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else {
        return;
    };
    let (root, leaf) = &*KNOWN;
    let pem = |pem| PemFile { name: "file", pem };
    match kind % 4 {
        // A certificate that somebody shows, and what leads to it.
        0 => {
            let clients = Clients::new(&[pem(root)], &[], Outdated::Refuse).expect("an authority");
            let shown = CertificateDer::from(data);
            let judged = clients.verify(&shown, std::slice::from_ref(&shown), now());
            match judged {
                Ok(_) => assert_eq!(data, leaf, "nobody has signed it"),
                Err(refused) => drop(refused.to_string()),
            }
            let own = CertificateDer::from(leaf.as_slice());
            assert!(clients.verify(&own, &[shown], now()).is_ok());
        }
        // A list of revoked ones, in DER.
        1 => {
            let armoured = armour("X509 CRL", data);
            let lists = [pem(&armoured)];
            if let Ok(clients) = Clients::new(&[pem(root)], &lists, Outdated::Accept) {
                let own = CertificateDer::from(leaf.as_slice());
                let _ = clients.verify(&own, &[], now());
                let _ = clients.problems(now());
            }
        }
        // An authority, in DER.
        2 => {
            let armoured = armour("CERTIFICATE", data);
            if let Ok(clients) = Clients::new(&[pem(&armoured)], &[], Outdated::Refuse) {
                let own = CertificateDer::from(leaf.as_slice());
                let _ = clients.verify(&own, &[], now());
                assert!(!clients.authority_names().is_empty());
            }
        }
        // Files as they are.
        _ => {
            if let Ok(text) = std::str::from_utf8(data) {
                let _ = Clients::new(&[pem(text)], &[pem(text)], Outdated::Refuse);
                let (rule, name) = text.split_once(' ').unwrap_or((text, text));
                let _ = matches_name(rule, name);
            }
        }
    }
}

/// The bytes as PEM (RFC 7468).
fn armour(label: &str, der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\n");
    for (index, three) in der.chunks(3).enumerate() {
        let mut bits = 0_u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(three.get(at).copied().unwrap_or_default());
        }
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            let shown = at <= three.len();
            text.push(if shown { char::from(digit) } else { '=' });
        }
        if index % 16 == 15 {
            text.push('\n');
        }
    }
    text + "\n-----END " + label + "-----\n"
}
