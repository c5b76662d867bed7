//! Datagram sockets: opened by the supervisor, handed to the process that uses them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use crate::listen::{Device, ListenError, ListenKey, Transport, explain};

/// The port of DHCP clients.
const DHCP_CLIENT: u16 = 68;

/// What the socket of the DHCP client on `device` is known by.
pub fn dhcp_client_key(device: Device) -> ListenKey {
    ListenKey {
        service: "uplink".to_owned(),
        protocol: "dhcp".to_owned(),
        transport: Transport::Udp,
        addr: SocketAddr::from((Ipv4Addr::UNSPECIFIED, DHCP_CLIENT)),
        device: Some(device),
    }
}

/// Opens the socket of a DHCP client: UDP on 0.0.0.0:68 of the one interface of `key`, may broadcast, not blocking.
///
/// It sends and hears broadcasts on an interface that is up but has no address yet, if
/// - `net.ipv4.conf.all.rp_filter` and that of the interface are 0 (the kernel takes the larger): the source of an
///   answer has no route back as long as there is no address, so that the filter would drop it, in the loose mode (2) too;
/// - the firewall lets UDP to port 68 in from port 67: unlike a raw socket, this one stands behind it.
///
/// A question goes out from 0.0.0.0, or, while this interface has no address and another has one, from the address
/// of the other: the kernel chooses. Servers answer by broadcast either way, but one that filters by
/// source may not hear it. The socket hears nothing any more once its interface is deleted ([`Device::is_current`]).
///
/// # Errors
/// What the system refuses; the machine or its configuration is to blame. [`ListenError::InUse`]: another DHCP
/// client runs on that interface, or on all.
pub fn open_dhcp_client(key: &ListenKey) -> Result<UdpSocket, ListenError> {
    opened(key).map_err(|error| explain(key, error))
}

fn opened(key: &ListenKey) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(key.addr),
        Type::DGRAM.nonblocking().cloexec(),
        Some(Protocol::UDP),
    )?;
    // Before the port: sockets of different interfaces may have the same.
    if let Some(device) = &key.device {
        socket.bind_device(Some(device.name.as_bytes()))?;
    }
    socket.set_broadcast(true)?;
    socket.bind(&key.addr.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dhcp_socket_may_broadcast_and_is_alone_on_its_interface() {
        let mut key = dhcp_client_key(Device::named("lo"));
        assert_eq!(key.to_string(), "dhcp udp 0.0.0.0:68 on lo");
        // Any free port: 68 needs root, and may be taken on the machine of a developer.
        key.addr.set_port(0);
        let socket = open_dhcp_client(&key).unwrap();
        assert!(socket.broadcast().unwrap());
        key.addr = socket.local_addr().unwrap();
        let error = open_dhcp_client(&key).unwrap_err();
        assert!(matches!(error, ListenError::InUse(_)), "{error}");
        key.device = Some(Device::named("nosuchif0"));
        let error = open_dhcp_client(&key).unwrap_err();
        assert!(matches!(error, ListenError::NoDevice(_)), "{error}");
    }
}
