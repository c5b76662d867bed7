//! Drives a client on a socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket as StdSocket};
use std::time::{Duration, Instant, SystemTime};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use serde::{Deserialize, Serialize};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, sleep_until};

use super::SERVER_PORT;
use super::client::{Client, Identity, Loss, Now, Output, Receiver};
use super::lease::{Lease, Refusal};
use super::message::MAX_DATAGRAM;

/// How long nothing is read after reading has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What a port has from DHCP now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Asks for an address on a socket of port 68 (`net::datagram`), keeps it, and reports what the port has.
///
/// It ends when it is told to release, or when nobody is left to tell it anything; then the lease stays what it
/// is, as when the future is dropped, and can be given to the next run as `previous`.
/// `reports` always holds what the port has, and changes only with it; whoever sets addresses follows it. A lease may
/// follow another with a different address without a moment of none in between.
///
/// # Errors
/// When the interface of the socket is gone, so that another socket is needed, or when the system has no random
/// numbers or no room for another socket. Everything else that fails stands in [`Standing::fault`]
/// and is tried again in its time.
pub async fn run(
    socket: StdSocket,
    identity: Identity,
    previous: Option<Lease>,
    mut orders: mpsc::Receiver<Order>,
    reports: watch::Sender<Standing>,
) -> io::Result<()> {
    must_not_block(&socket)?;
    let socket = UdpSocket::from_std(socket)?;
    let mut client = Client::new(identity, getrandom::u64()?, previous, Now::read());
    // One byte more, so that what is too long is seen to be.
    let mut buffer = [0; MAX_DATAGRAM + 1];
    loop {
        while let Some(output) = client.poll_output() {
            carry_out(output, &socket, &reports).await?;
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
                    report_fault(&reports, Some(error.to_string()));
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
    reports: &watch::Sender<Standing>,
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
            report_fault(reports, fault);
        }
        Output::Bound(lease) => reports.send_modify(|now| {
            *now = Standing {
                lease: Some(lease),
                ..Standing::default()
            };
        }),
        Output::Lost(loss) => reports.send_modify(|now| {
            now.lease = None;
            now.loss = Some(loss);
        }),
        Output::Refused(refusal) => reports.send_modify(|now| now.refusal = Some(refusal)),
    }
    Ok(())
}

/// By fcntl(2): the ioctl(2) of the standard library is closed to the process that runs this.
fn must_not_block(socket: &StdSocket) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(socket, FcntlArg::F_GETFL)?);
    fcntl(socket, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// The same again is no report.
fn report_fault(reports: &watch::Sender<Standing>, fault: Option<String>) {
    reports.send_if_modified(|now| {
        let differs = now.fault != fault;
        now.fault = fault;
        differs
    });
}

#[cfg(test)]
mod tests {
    use super::super::HardwareAddr;
    use super::*;

    #[tokio::test]
    async fn what_can_not_be_sent_is_reported_and_the_end_of_orders_ends_it() {
        // It must not broadcast, so that nothing leaves this machine.
        let socket = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let identity = Identity {
            hardware: HardwareAddr([2, 0, 0, 0, 0, 7]),
            hostname: None,
        };
        let (orders, receiver) = mpsc::channel(1);
        let (sender, mut reports) = watch::channel(Standing::default());
        let client = tokio::spawn(run(socket, identity, None, receiver, sender));
        let found = reports.wait_for(|now| now.fault.is_some()).await.unwrap();
        let fault = found.fault.clone().unwrap_or_default();
        assert!(fault.starts_with("to 255.255.255.255: "), "{fault}");
        drop(found);
        drop(orders);
        client.await.unwrap().unwrap();
    }
}
