//! What is on the wire, who is believed, who may be reached: against the samples of the RFCs and an independent codec.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod codec;
mod credentials;
mod frames;
mod peer;
mod samples;
mod turn;
mod world;

/// The name, the credentials and the bytes of each sample.
fn samples() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    include_str!("../../../../tests/data/stun/samples.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let [name, credentials, hex] =
                <[&str; 3]>::try_from(line.split('\t').collect::<Vec<_>>()).unwrap();
            let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
            (name, credentials, bytes)
        })
        .collect()
}
