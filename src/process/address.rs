//! The addresses that a process listens on.

use std::net::SocketAddr;

use tokio::net::{TcpListener, lookup_host};

use crate::exit::Failure;

/// From where a listener may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// This machine only: `firn dev` asks nobody for a password.
    Loopback,
    /// Wherever the network lets through.
    Anywhere,
}

/// The address that a host and port mean, if all of what they mean may be listened on.
pub async fn resolve(
    setting: &str,
    (host, port): &(String, u16),
    reach: Reach,
) -> Result<SocketAddr, Failure> {
    let found: Vec<SocketAddr> = lookup_host((host.as_str(), *port))
        .await
        .map_err(|error| Failure::setting(setting, format!("{host} cannot be resolved: {error}")))?
        .collect();
    let open = found.iter().find(|address| !address.ip().is_loopback());
    if let (Reach::Loopback, Some(open)) = (reach, open) {
        return Err(Failure::setting(
            setting,
            format!(
                "{host} is {}, which other machines may reach; firn dev serves anyone who connects, so it listens \
                 on loopback addresses only, such as 127.0.0.1",
                open.ip()
            ),
        ));
    }
    found
        .first()
        .copied()
        .ok_or_else(|| Failure::setting(setting, format!("{host} has no address")))
}

/// Binds an address; the sentence of a refusal names it and its setting.
pub async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!(
            "{setting}: cannot listen on {address}: {error}; end the process that has it, or choose another with \
             --{setting} (port 0 picks a free one)"
        ))
    })
}
