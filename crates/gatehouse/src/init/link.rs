//! Network interfaces: up, and another name. Two messages of rtnetlink; addresses are the router's business.

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use std::os::fd::AsRawFd as _;

const RTM_NEWLINK: u16 = 16;
const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST_ACK: u16 = 1 | 4;
const IFF_UP: u32 = 1;
const IFLA_IFNAME: u16 = 3;
/// Bytes of a header of netlink, and of what is said of an interface before its attributes.
const HEADER: usize = 16;

/// Takes an interface up.
///
/// # Errors
/// There is none of that name, or the kernel says why not.
pub(super) fn up(name: &str) -> nix::Result<()> {
    ask(&change(index(name)?, IFF_UP, IFF_UP, None))
}

/// Gives an interface another name; it must be down.
///
/// # Errors
/// There is none of that name, or the kernel says why not.
pub(super) fn rename(name: &str, new: &str) -> nix::Result<()> {
    ask(&change(index(name)?, 0, 0, Some(new)))
}

fn index(name: &str) -> nix::Result<u32> {
    nix::net::if_::if_nametoindex(name)
}

fn change(index: u32, flags: u32, mask: u32, name: Option<&str>) -> Vec<u8> {
    let mut body = vec![0; 4];
    for number in [index, flags, mask] {
        body.extend(number.to_ne_bytes());
    }
    if let Some(name) = name {
        let length = u16::try_from(4 + name.len() + 1).unwrap_or(u16::MAX);
        body.extend(length.to_ne_bytes());
        body.extend(IFLA_IFNAME.to_ne_bytes());
        body.extend(name.bytes());
        body.push(0);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(NLM_F_REQUEST_ACK.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}

fn ask(message: &[u8]) -> nix::Result<()> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )?;
    let kernel = NetlinkAddr::new(0, 0);
    sendto(socket.as_raw_fd(), message, &kernel, MsgFlags::empty())?;
    let mut answer = [0; 1024];
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    result(&answer[..length])
}

/// What the kernel's answer says: an error whose number is 0 means that it was done.
fn result(answer: &[u8]) -> nix::Result<()> {
    let kind = answer.get(4..6).ok_or(Errno::EBADMSG)?;
    let code = answer.get(HEADER..HEADER + 4).ok_or(Errno::EBADMSG)?;
    let code: [u8; 4] = code.try_into().map_err(|_| Errno::EBADMSG)?;
    match (
        u16::from_ne_bytes([kind[0], kind[1]]),
        i32::from_ne_bytes(code),
    ) {
        (NLMSG_ERROR, 0) => Ok(()),
        (NLMSG_ERROR, code) => Err(Errno::from_raw(code.saturating_neg())),
        _ => Err(Errno::EBADMSG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_how_long_it_and_its_attribute_are() {
        let message = change(7, 0, 0, Some("eth0"));
        assert_eq!(message.len(), 44);
        assert_eq!(message[..4], 44_u32.to_ne_bytes());
        assert_eq!(message[20..24], 7_u32.to_ne_bytes());
        assert_eq!(message[32..34], 9_u16.to_ne_bytes());
        assert_eq!(&message[36..41], b"eth0\0");
    }

    #[test]
    fn the_loopback_interface_of_this_machine_may_be_asked_for() {
        // Not root: refused by the kernel, in an answer that is understood.
        let result = ask(&change(0, 0, 0, None));
        assert!(
            matches!(result, Err(Errno::EPERM | Errno::EINVAL | Errno::ENODEV)),
            "{result:?}"
        );
    }

    #[test]
    fn answers_that_are_cut_off_are_errors() {
        for length in 0..HEADER + 4 {
            assert!(result(&vec![2; length]).is_err(), "{length}");
        }
    }
}
