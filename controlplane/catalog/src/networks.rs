//! From which networks somebody may come: lists of a cluster (Kafka) and of an organization (REST). An empty list is everywhere.

use std::net::IpAddr;

use ipnet::IpNet;

/// How many networks a list has at most.
pub const MAX_NETWORKS: usize = 100;
/// The longest text of a network, in bytes.
const MAX_TEXT: usize = 49;

/// A network of a list does not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidNetworks {
    /// Which one, from 0; `None`: the list as a whole.
    pub index: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

/// Reads a list: `ADDRESS` or `ADDRESS/BITS` each. The result is sorted, and has nothing twice.
pub fn parse<S: AsRef<str>>(texts: &[S]) -> Result<Vec<IpNet>, InvalidNetworks> {
    if texts.len() > MAX_NETWORKS {
        return Err(InvalidNetworks {
            index: None,
            reason: format!("there are more than {MAX_NETWORKS} networks"),
        });
    }
    let networks = texts.iter().enumerate().map(|(index, text)| {
        parse_one(text.as_ref()).map_err(|reason| InvalidNetworks {
            index: Some(index),
            reason,
        })
    });
    let mut networks = networks.collect::<Result<Vec<_>, _>>()?;
    networks.sort_unstable();
    networks.dedup();
    Ok(networks)
}

fn parse_one(text: &str) -> Result<IpNet, String> {
    let wrong = || "it is no network: ADDRESS or ADDRESS/BITS is expected, such as 192.0.2.0/24".to_owned();
    if text.len() > MAX_TEXT {
        return Err(wrong());
    }
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => text.parse::<IpAddr>().map_err(|_| wrong())?.into(),
    };
    if matches!(network, IpNet::V6(six) if six.addr().to_ipv4_mapped().is_some()) {
        return Err("it is an IPv4 network: write it as one".to_owned());
    }
    match network.trunc() {
        whole if whole == network => Ok(network),
        whole => Err(format!(
            "it names one address in a network: write {whole}, or the address alone"
        )),
    }
}

/// Whether somebody may come from an address.
pub fn allow(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.is_empty() || networks.iter().any(|network| network.contains(&address))
}

/// Stands for a list: two lists have different versions. Never negative.
pub fn version(networks: &[IpNet]) -> i64 {
    version_of(networks.iter().map(ToString::to_string))
}

/// Stands for a list of texts without commas.
pub(crate) fn version_of(texts: impl Iterator<Item = String>) -> i64 {
    // FNV-1a with 64 bits. Who makes two own lists collide fools nobody else.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in texts {
        for byte in text.bytes().chain([b',']) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    i64::try_from(hash >> 1).expect("63 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Vec<IpNet> {
        parse(texts).unwrap()
    }

    #[test]
    fn an_address_is_in_a_list_or_not_however_it_is_written() {
        let networks = list(&["192.0.2.0/24", "2001:db8::/32", "203.0.113.7"]);
        for (address, expected) in [
            ("192.0.2.0", true),
            ("192.0.2.255", true),
            ("::ffff:192.0.2.9", true),
            ("192.0.3.0", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("203.0.113.7", true),
            ("203.0.113.8", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(allow(&networks, address.parse().unwrap()), expected, "{address}");
            assert!(
                allow(&[], address.parse().unwrap()),
                "an empty list is everywhere"
            );
        }
        assert!(allow(&list(&["0.0.0.0/0"]), [8, 8, 8, 8].into()));
        assert!(!allow(&list(&["0.0.0.0/0"]), "2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn lists_are_sorted_and_have_nothing_twice() {
        let networks = list(&[
            "10.0.0.0/8",
            "2001:db8::/32",
            "1.2.3.4",
            "10.0.0.0/8",
            "1.2.3.4/32",
        ]);
        let texts: Vec<_> = networks.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["1.2.3.4/32", "10.0.0.0/8", "2001:db8::/32"]);
        assert_ne!(version(&networks), version(&networks[1..]));
        assert_ne!(version(&[]), version(&networks));
    }

    #[test]
    fn what_is_no_network_is_told_with_its_place() {
        for text in [
            "",
            "x",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "::ffff:10.0.0.0/104",
            "10.0.0.0/8 ",
            &"1".repeat(50),
        ] {
            let refused = parse(&["192.0.2.1", text]).unwrap_err();
            assert_eq!(refused.index, Some(1), "{text}");
        }
        let many = vec!["10.0.0.0/8"; MAX_NETWORKS + 1];
        assert_eq!(parse(&many).unwrap_err().index, None);
    }
}
