//! Drives a client on a socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant, SystemTime};

use nix::errno::Errno;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, sleep_until};

use super::SERVER_PORT;
use super::client::{Client, Loss, Now, Output, Receiver};
use super::lease::{Lease, Refusal};
use super::message::MAX_DATAGRAM;

/// How long nothing is read after reading has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What a port has from DHCP now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The lease in use.
    pub lease: Option<Lease>,
    /// Why there is none any more, until there is another.
    pub loss: Option<Loss>,
    /// Why the last answer was not taken, until one is.
    pub refusal: Option<Refusal>,
    /// Why the last question could not be sent, until one could.
    pub fault: Option<String>,
}

/// What a running client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The link came up again: is this still the same network?
    Verify,
    /// Another host has the address of the lease.
    AddressInUse,
    /// Give the lease back, and end. The address must still be set.
    Release,
}

impl Now {
    /// The present moment.
    pub fn read() -> Self {
        Self {
            instant: Instant::now(),
            wall: SystemTime::now(),
        }
    }
}

/// Runs `client` on a socket of port 68 until it is told to release, or nobody is left to tell it anything.
///
/// `standing` always holds what the port has; whoever sets addresses follows it. The future may be dropped: the
/// lease stays what it is, and can be remembered.
///
/// # Errors
/// When the interface of the socket is gone, so that another socket is needed. Everything else that
/// fails stands in [`Standing::fault`] and is tried again in its time.
pub async fn run(
    mut client: Client,
    socket: UdpSocket,
    mut orders: mpsc::Receiver<Order>,
    standing: watch::Sender<Standing>,
) -> io::Result<()> {
    // One byte more, so that what is too long is seen to be.
    let mut buffer = [0; MAX_DATAGRAM + 1];
    loop {
        while let Some(output) = client.poll_output() {
            carry_out(output, &socket, &standing).await?;
        }
        if client.is_stopped() {
            return Ok(());
        }
        // The client always waits for something until it is stopped.
        let wake = client
            .poll_timeout()
            .unwrap_or_else(|| Instant::now() + Duration::from_hours(1));
        tokio::select! {
            received = socket.recv_from(&mut buffer) => match received {
                Ok((length, _)) => client.handle_input(&buffer[..length], Now::read()),
                Err(error) => {
                    standing.send_modify(|now| now.fault = Some(error.to_string()));
                    sleep(PAUSE).await;
                }
            },
            () = sleep_until(wake.into()) => client.handle_timeout(Now::read()),
            order = orders.recv() => match order {
                Some(Order::Verify) => client.verify(Now::read()),
                Some(Order::AddressInUse) => client.address_in_use(Now::read()),
                Some(Order::Release) => client.release(Now::read()),
                None => return Ok(()),
            },
        }
    }
}

async fn carry_out(
    output: Output,
    socket: &UdpSocket,
    standing: &watch::Sender<Standing>,
) -> io::Result<()> {
    match output {
        Output::Send { to, bytes } => {
            let to = match to {
                Receiver::Broadcast => Ipv4Addr::BROADCAST,
                Receiver::Server(server) => server,
            };
            let sent = socket
                .send_to(&bytes, SocketAddrV4::new(to, SERVER_PORT))
                .await;
            if let Err(error) = &sent
                && error.raw_os_error() == Some(Errno::ENODEV as i32)
            {
                return Err(sent.expect_err("it is an error"));
            }
            let fault = sent.err().map(|error| format!("to {to}: {error}"));
            standing.send_if_modified(|now| {
                let differs = now.fault != fault;
                now.fault = fault;
                differs
            });
        }
        Output::Bound(lease) => standing.send_modify(|now| {
            *now = Standing {
                lease: Some(lease),
                ..Standing::default()
            };
        }),
        Output::Lost(loss) => standing.send_modify(|now| {
            now.lease = None;
            now.loss = Some(loss);
        }),
        Output::Refused(refusal) => standing.send_modify(|now| now.refusal = Some(refusal)),
    }
    Ok(())
}
