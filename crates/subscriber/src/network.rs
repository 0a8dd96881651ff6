//! Where a request came from, coarse enough to be one household, office or cell.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The /24 of an IPv4 address or the /64 of an IPv6 address: what limits are counted for, since
/// one party can change address within it at will.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(IpAddr);

/// The text names no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a network: an address with /24 or /64 is expected")]
pub struct ParseNetworkError;

impl Network {
    /// The network of an address. An IPv4 address inside IPv6 counts as IPv4 (RFC 4291 §2.5.5.2).
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                Self(IpAddr::V4(Ipv4Addr::new(a, b, c, 0)))
            }
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Self(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = if self.0.is_ipv4() { 24 } else { 64 };
        write!(f, "{}/{length}", self.0)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network(hidden)")
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    /// Reads what `Display` wrote.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, _) = text.split_once('/').ok_or(ParseNetworkError)?;
        let network = Self::of(address.parse().map_err(|_| ParseNetworkError)?);
        if network.to_string() == text {
            Ok(network)
        } else {
            Err(ParseNetworkError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        let cases = [
            ("203.0.113.9", "203.0.113.0/24"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("::1", "::/64"),
        ];
        for (address, expected) in cases {
            let network = Network::of(address.parse().unwrap());
            assert_eq!(network.to_string(), expected);
            assert_eq!(expected.parse(), Ok(network));
        }
        for text in ["", "203.0.113.9/24", "203.0.113.0/16", "::/24"] {
            assert_eq!(text.parse::<Network>(), Err(ParseNetworkError), "{text}");
        }
    }
}
