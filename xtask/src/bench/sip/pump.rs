//! Bytes through a connection of H.323, behind the registration that it begins with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::targets::Wire;

/// What is repeated in both directions.
const BLOCK: usize = 64 << 10;
/// A registration, as the tests of the recogniser have it.
const REGISTRATION: &str = include_str!("../../../../tests/data/h323/rrq-facility-body.hex");

/// The registration, in bytes.
fn registration() -> Result<Vec<u8>> {
    let lines = REGISTRATION.lines().filter(|line| !line.starts_with('#'));
    let digits: String = lines.collect();
    data_encoding::HEXLOWER_PERMISSIVE
        .decode(digits.as_bytes())
        .context("a capture in hexadecimal")
}

/// Bytes that do not repeat within a block in any simple way.
fn block() -> Vec<u8> {
    let mut state: u32 = 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(BLOCK).collect()
}

/// The client: registers, then sends and takes blocks for ever, and counts the bytes that came.
pub(super) async fn client(mut wire: Wire, done: Arc<AtomicU64>) -> Result<()> {
    wire.write_all(&registration()?).await?;
    both_ways(wire, done).await
}

/// The target: takes the registration, then does the same.
pub(super) async fn echo_blocks(mut wire: Wire) -> Result<()> {
    let expected = registration()?;
    let mut told = vec![0; expected.len()];
    wire.read_exact(&mut told).await?;
    ensure!(told == expected, "another registration");
    both_ways(wire, Arc::clone(&ARRIVED)).await
}

/// Bytes that have arrived at targets.
pub(super) static ARRIVED: std::sync::LazyLock<Arc<AtomicU64>> =
    std::sync::LazyLock::new(Arc::default);

async fn both_ways(wire: Wire, done: Arc<AtomicU64>) -> Result<()> {
    let (reader, writer) = tokio::io::split(wire);
    tokio::try_join!(send(writer), take(reader, done))?;
    Ok(())
}

async fn send(mut writer: impl AsyncWrite + Unpin) -> Result<()> {
    let block = block();
    loop {
        writer.write_all(&block).await?;
        // Others have their turn.
        tokio::task::yield_now().await;
    }
}

/// Compares every byte.
async fn take(mut reader: impl AsyncRead + Unpin, done: Arc<AtomicU64>) -> Result<()> {
    let expected = block().repeat(3);
    let mut bytes = vec![0; 2 * BLOCK];
    let mut at = 0;
    loop {
        let count = reader.read(&mut bytes).await?;
        if count == 0 {
            bail!("the connection was ended");
        }
        ensure!(
            bytes[..count] == expected[at..at + count],
            "other bytes than were sent"
        );
        at = (at + count) % BLOCK;
        done.fetch_add(count as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registration_names_the_host_of_the_configuration() {
        let bytes = registration().unwrap();
        let first = proto::h323::recognise(&bytes).unwrap().unwrap();
        assert_eq!(first.gatekeeper.unwrap().host(), "dvl-ckl2.net");
        assert_eq!(first.len, bytes.len());
    }
}
