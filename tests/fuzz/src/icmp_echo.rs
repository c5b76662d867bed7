use proto::icmp::{Version, behind_ipv4_header, reply};

/// An echo reply is recognised in nothing but whole ones, and carries what stands behind its header.
pub fn icmp_echo(data: &[u8]) {
    for version in [Version::V4, Version::V6] {
        if let Some(found) = reply(version, data) {
            assert_eq!(found.data, &data[8..]);
        }
    }
    if let Some(rest) = behind_ipv4_header(data) {
        assert!(data.ends_with(rest) && rest.len() + 20 <= data.len());
    }
}
