//! Requests to addresses that a tenant gives: never into the network that this service runs in.
//!
//! A URL must be https. The addresses that its host resolves to are looked at one by one, and the connection goes to one of
//! those that passed, so that a second answer of the name server changes nothing. Redirects are not followed, proxies of the
//! environment not used, answers are bounded in time and size. In `firn dev` plain http to this machine is allowed too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use url::{Host, Url};

/// How long a request may take in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const LARGEST: usize = 1 << 20;

/// Why a request to a foreign address came to nothing. Says nothing about the network that this service runs in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutboundError {
    /// The URL may not be asked.
    #[error(
        "the URL must be https, with a host that is on the public internet, and without user, password or fragment"
    )]
    Forbidden,
    /// No answer.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Unreachable,
    /// An answer that is not what was asked for.
    #[error("the answer has status {0}")]
    Status(u16),
    /// Too large, or not the JSON that was expected.
    #[error("the answer is not the JSON that it must be")]
    Unreadable,
}

/// Asks foreign addresses.
pub(crate) struct Outbound {
    dev: bool,
    client: Mutex<Option<Client>>,
}

impl Outbound {
    /// In `dev`, plain http to this machine is allowed.
    pub(crate) fn new(dev: bool) -> Self {
        let client = Mutex::new(None);
        Self { dev, client }
    }

    /// Whether a URL may be asked, as far as can be told before its host is resolved.
    pub(crate) fn permits(&self, url: &Url) -> bool {
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let host = match url.host() {
            Some(Host::Domain(name)) => !name.is_empty(),
            Some(Host::Ipv4(address)) => self.may_reach(address.into()),
            Some(Host::Ipv6(address)) => self.may_reach(address.into()),
            None => false,
        };
        let scheme = url.scheme() == "https" || (self.dev && url.scheme() == "http" && is_local(url));
        plain && host && scheme
    }

    fn may_reach(&self, address: IpAddr) -> bool {
        is_public(address) || (self.dev && address.is_loopback())
    }

    /// The JSON at a URL.
    pub(crate) async fn get_json<T: DeserializeOwned>(&self, url: &Url) -> Result<T, OutboundError> {
        self.send(url, |client| client.get(url.clone())).await
    }

    /// The JSON that a form is answered with.
    pub(crate) async fn post_form<T: DeserializeOwned>(
        &self,
        url: &Url,
        form: &[(&str, &str)],
    ) -> Result<T, OutboundError> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        self.send(url, |client| {
            client
                .post(url.clone())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body)
        })
        .await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        url: &Url,
        request: impl FnOnce(&Client) -> RequestBuilder,
    ) -> Result<T, OutboundError> {
        if !self.permits(url) {
            return Err(OutboundError::Forbidden);
        }
        let client = self.client()?;
        let request = request(&client).header("accept", "application/json");
        let answer = request.send().await.map_err(|error| {
            tracing::info!(error = %error.without_url(), host = url.host_str(), "a foreign address did not answer");
            OutboundError::Unreachable
        })?;
        if !answer.status().is_success() {
            return Err(OutboundError::Status(answer.status().as_u16()));
        }
        let bytes = bounded(answer).await?;
        serde_json::from_slice(&bytes).map_err(|_| OutboundError::Unreadable)
    }

    /// The client, which is made at the first use.
    fn client(&self) -> Result<Client, OutboundError> {
        let mut client = self.client.lock();
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made = Client::builder()
            .timeout(PATIENCE)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(PublicOnly { dev: self.dev }))
            .user_agent("firn")
            .build();
        match made {
            Ok(made) => Ok(client.insert(made).clone()),
            Err(error) => {
                tracing::error!(%error, "no HTTP client can be made");
                Err(OutboundError::Unreachable)
            }
        }
    }
}

/// The body, if it is not too large.
async fn bounded(mut answer: Response) -> Result<Vec<u8>, OutboundError> {
    let mut bytes = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= LARGEST => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(OutboundError::Unreadable),
            Ok(None) => return Ok(bytes),
            Err(_) => return Err(OutboundError::Unreachable),
        }
    }
}

/// Whether the host can be nothing but this machine.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Resolves names, and leaves out what is not on the public internet.
struct PublicOnly {
    dev: bool,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let dev = self.dev;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed =
                |address: &SocketAddr| is_public(address.ip()) || (dev && address.ip().is_loopback());
            let addresses: Vec<_> = found.filter(allowed).collect();
            if addresses.is_empty() {
                return Err("the host has no public address".into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is on the public internet, as far as its number tells (IANA's special-purpose registries).
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 224;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only 2000::/3 is given out; in it, IETF protocols (Teredo among them), documentation twice, and 6to4.
    let global = (0x2000..0x4000).contains(&a);
    let special = (a == 0x2001 && (b < 0x200 || b == 0x0db8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_on_the_public_internet_is_told_apart() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "2606:4700::1111",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.9.9",
            "192.0.0.8",
            "192.168.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "::127.0.0.1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn urls_into_the_own_network_are_refused() {
        let production = Outbound::new(false);
        let dev = Outbound::new(true);
        let permits = |outbound: &Outbound, url: &str| outbound.permits(&url.parse().unwrap());
        assert!(permits(&production, "https://login.example.com/realm"));
        for url in [
            "http://login.example.com",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest",
            "https://user@login.example.com/",
            "https://login.example.com/#x",
            "ftp://login.example.com/",
            "file:///etc/passwd",
        ] {
            assert!(!permits(&production, url), "{url}");
        }
        assert!(permits(&dev, "http://127.0.0.1:8080/"));
        assert!(permits(&dev, "http://localhost:8080/"));
        assert!(!permits(&dev, "http://login.example.com/"));
        assert!(!permits(&dev, "https://10.0.0.1/"));
    }

    #[tokio::test]
    async fn a_name_that_leads_into_the_own_network_is_not_connected_to() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let production = Outbound::new(false);
        let url = "https://localhost:1/".parse().unwrap();
        let answer = production.get_json::<serde_json::Value>(&url).await;
        assert_eq!(answer, Err(OutboundError::Unreachable));
        let resolver = PublicOnly { dev: false };
        assert!(resolver.resolve("localhost".parse().unwrap()).await.is_err());
    }
}
