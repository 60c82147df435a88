//! Addresses and connections: who asks.
//!
//! | module | what is in it |
//! |---|---|
//! | [`proxies`] | whom the proxies before this service speak for |
//! | `places` | how many connections there may be, and of one address |
//! | `steady` | a connection that ends when its other side stops reading |

pub(crate) mod places;
pub mod proxies;
pub(crate) mod steady;

use std::net::IpAddr;

/// What of an address counts as one client: of an IPv6 one the first 64 bits, which are one customer's.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}
