//! The proxies before this service, and the client that they speak for.
//!
//! A proxy appends to `X-Forwarded-For` whom it was asked by, so what stands to the right of the first address that is no proxy's was
//! written by proxies, and everything to the left of it by anybody. Of a peer that is no proxy the header says nothing.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The networks whose word on a client's address is taken. None by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[Network]>);

/// An address and how many of its first bits count, both of its own family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

/// All 128 bits of an address; those of IPv4 stand at the front.
fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => address.into(),
    }
}

impl Network {
    fn parse(text: &str) -> Result<Self, String> {
        let expected =
            || format!("\"{text}\" is no network: ADDRESS or ADDRESS/BITS is expected, such as 10.0.0.0/8");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| expected())?;
        if address != address.to_canonical() {
            return Err(format!("\"{text}\" is an IPv4 network: write it as one"));
        }
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits
                .parse()
                .ok()
                .filter(|bits| *bits <= most)
                .ok_or_else(expected)?,
            None => most,
        };
        if bits == 0 {
            return Err(format!(
                "\"{text}\" holds everybody, and whoever is trusted can claim any address"
            ));
        }
        if bits_of(address).checked_shl(bits).unwrap_or(0) != 0 {
            return Err(format!(
                "\"{text}\" has bits of its address set past the first {bits}"
            ));
        }
        Ok(Self { address, bits })
    }

    fn holds(&self, address: IpAddr) -> bool {
        let differing = bits_of(self.address) ^ bits_of(address);
        self.address.is_ipv4() == address.is_ipv4() && differing.leading_zeros() >= self.bits
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Reads networks separated by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let networks = text
            .split(',')
            .map(str::trim)
            .filter(|network| !network.is_empty());
        let networks: Result<Vec<_>, _> = networks.map(Network::parse).collect();
        Ok(Self(networks?.into()))
    }
}

impl TrustedProxies {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this address is a proxy's. IPv4 in IPv6 counts as IPv4.
    pub(crate) fn hold(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.holds(address))
    }

    /// Who asks, by what the proxies say: the last address in `X-Forwarded-For` that is no proxy's. Where the header ends before, or
    /// stops making sense, it is the farthest proxy that is known.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR).into_iter();
        let lines: Vec<_> = lines.map(|line| line.to_str().unwrap_or_default()).collect();
        let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
        while self.hold(client) {
            match hops.next().and_then(hop) {
                Some(address) => client = address,
                None => break,
            }
        }
        client
    }
}

/// An entry of `X-Forwarded-For`; some proxies write the port, too.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().map(|address: SocketAddr| address.ip()).ok();
    let address = text.parse().ok().or_else(with_port)?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &str, peer: &str, lines: &[&str]) -> String {
        let proxies: TrustedProxies = proxies.parse().unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_peer_speaks_for_others() {
        assert_eq!(client("", "10.0.0.1", &["203.0.113.7"]), "10.0.0.1");
        assert_eq!(client("10.0.0.0/24", "10.0.1.1", &["203.0.113.7"]), "10.0.1.1");
        assert_eq!(client("10.0.0.0/24", "10.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(
            client("10.0.0.0/24", "::ffff:10.0.0.1", &["203.0.113.7"]),
            "203.0.113.7"
        );
        assert_eq!(client("fd00::/8", "fd12::1", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn what_a_client_writes_itself_is_left_of_what_proxies_write_and_does_not_count() {
        let proxies = "10.0.0.0/8, 192.0.2.1";
        for forged in ["1.1.1.1", "10.9.9.9", "127.0.0.1", "rubbish"] {
            let line = format!("{forged}, 203.0.113.7");
            assert_eq!(client(proxies, "10.0.0.1", &[&line]), "203.0.113.7");
            assert_eq!(
                client(proxies, "10.0.0.1", &[forged, "203.0.113.7, 192.0.2.1"]),
                "203.0.113.7"
            );
        }
    }

    #[test]
    fn a_header_that_makes_no_sense_leaves_the_proxy() {
        for lines in [&["rubbish"][..], &[""], &["1.1.1.1, "], &["1.1.1.1,unknown"], &[]] {
            assert_eq!(client("10.0.0.0/8", "10.0.0.1", lines), "10.0.0.1", "{lines:?}");
        }
        assert_eq!(
            client("10.0.0.0/8", "10.0.0.1", &["10.0.0.3, 10.0.0.2"]),
            "10.0.0.3"
        );
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["1.1.1.1:443"]), "1.1.1.1");
        assert_eq!(
            client("10.0.0.0/8", "10.0.0.1", &["[2001:db8::1]:443"]),
            "2001:db8::1"
        );
    }

    #[test]
    fn networks_are_exact() {
        for right in [
            "",
            "10.0.0.0/8",
            "10.0.0.1",
            "fd00::/8, 10.0.0.0/9,",
            "::1/128",
            "128.0.0.0/1",
        ] {
            assert!(right.parse::<TrustedProxies>().is_ok(), "{right}");
        }
        for wrong in [
            "0.0.0.0/0",
            "::/0",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "fd00::/129",
            "fd00::1/64",
            "10.0.0.0/-1",
            "10.0.0.0/",
            "proxy.example",
            "::ffff:10.0.0.0/104",
            "10.0.0.0/8;fd00::/8",
        ] {
            assert!(wrong.parse::<TrustedProxies>().is_err(), "{wrong}");
        }
    }
}
