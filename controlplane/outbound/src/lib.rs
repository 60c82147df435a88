//! Requests to addresses that a tenant gives: never into the network that this service runs in.
//!
//! A URL must be https. The addresses that its host resolves to are looked at one by one, and the connection goes to one of
//! those that passed, so that a second answer of the name server changes nothing. Redirects are not followed, proxies of the
//! environment not used, answers are bounded in time and size. [`Reach`] says what of the own network may be asked all the same.
//!
//! | module | what is in it |
//! |---|---|
//! | `address` | which addresses are on the public internet |
//! | `provider` | an identity provider's keys: metadata, key set |
//! | `keys` | what a key may verify |

mod address;
mod keys;
mod provider;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use url::{Host, Url};

pub use address::is_public;
pub use keys::{KeySet, NoKey, algorithm};
pub use provider::KeysError;

/// How long a request may take in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const LARGEST: usize = 256 * 1024;

/// Why a request to a foreign address came to nothing. Says nothing about the network that this service runs in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
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

/// What may be asked beside the public internet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// This machine, and that without TLS: `firn dev` and tests.
    pub loopback: bool,
    /// Networks of the operator's own, by https like everything else.
    pub networks: Vec<IpNet>,
}

impl Reach {
    /// Beside the public internet what is in these networks, which are separated by commas.
    pub fn of_networks(text: &str) -> Result<Self, String> {
        let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
        let network = |text: &str| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            let network = address.or_else(|_| text.parse::<IpNet>());
            network.map_err(|_| format!("\"{text}\" is no network such as 10.1.0.0/16"))
        };
        Ok(Self {
            loopback: false,
            networks: texts.map(network).collect::<Result<_, _>>()?,
        })
    }

    fn may_reach(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address)
            || (self.loopback && address.is_loopback())
            || self.networks.iter().any(|network| network.contains(&address))
    }
}

/// Asks foreign addresses.
pub struct Outbound {
    reach: Arc<Reach>,
    client: Mutex<Option<Client>>,
}

impl Outbound {
    /// Asks the public internet, and what is in reach beside it.
    pub fn new(reach: Reach) -> Self {
        Self {
            reach: Arc::new(reach),
            client: Mutex::new(None),
        }
    }

    /// Whether a URL may be asked, as far as can be told before its host is resolved.
    pub fn permits(&self, url: &Url) -> bool {
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let host = match url.host() {
            Some(Host::Domain(name)) => !name.is_empty(),
            Some(Host::Ipv4(address)) => self.reach.may_reach(address.into()),
            Some(Host::Ipv6(address)) => self.reach.may_reach(address.into()),
            None => false,
        };
        let scheme = url.scheme() == "https"
            || (self.reach.loopback && url.scheme() == "http" && is_this_machine(url));
        plain && host && scheme
    }

    /// The JSON at a URL.
    pub async fn get_json<T: DeserializeOwned>(&self, url: &Url) -> Result<T, OutboundError> {
        self.send(url, |client| client.get(url.clone())).await
    }

    /// The JSON that a form is answered with.
    pub async fn post_form<T: DeserializeOwned>(
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
            .dns_resolver(Arc::new(InReach(Arc::clone(&self.reach))))
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
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Resolves names, and leaves out what is not in reach.
struct InReach(Arc<Reach>);

impl Resolve for InReach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = |address: &SocketAddr| reach.may_reach(address.ip());
            let addresses: Vec<_> = found.filter(allowed).collect();
            if addresses.is_empty() {
                return Err("the host has no address in reach".into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dev() -> Outbound {
        Outbound::new(Reach {
            loopback: true,
            networks: Vec::new(),
        })
    }

    fn permits(outbound: &Outbound, url: &str) -> bool {
        outbound.permits(&url.parse().unwrap())
    }

    #[test]
    fn urls_into_the_own_network_are_refused() {
        let production = Outbound::new(Reach::default());
        let dev = dev();
        assert!(permits(&production, "https://login.example.com/realm"));
        for url in [
            "http://login.example.com",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::10.0.0.1]/",
            "https://[2002:a00:1::1]/",
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

    #[test]
    fn networks_of_the_operator_are_in_reach_by_https_and_others_are_not() {
        assert!(Reach::of_networks("proxy").is_err());
        assert_eq!(Reach::of_networks(" "), Ok(Reach::default()));
        let inside = Outbound::new(Reach::of_networks("10.1.0.0/16, fd01::1").unwrap());
        assert!(permits(&inside, "https://10.1.2.3/"));
        assert!(permits(&inside, "https://[::ffff:10.1.2.3]/"));
        for url in ["http://10.1.2.3/", "https://10.2.0.1/", "https://127.0.0.1/"] {
            assert!(!permits(&inside, url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_into_the_own_network_is_not_connected_to() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let production = Outbound::new(Reach::default());
        let url = "https://localhost:1/".parse().unwrap();
        let answer = production.get_json::<serde_json::Value>(&url).await;
        assert_eq!(answer, Err(OutboundError::Unreachable));
        let resolver = InReach(Arc::default());
        assert!(resolver.resolve("localhost".parse().unwrap()).await.is_err());
    }

    /// Answers every connection with these bytes, again and again until the other side goes.
    #[allow(
        clippy::disallowed_methods,
        reason = "this crate is below the one whose tasks others use"
    )]
    async fn endless(head: &'static str, body: &'static [u8]) -> Url {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::task::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4_096]).await;
                if stream.write_all(head.as_bytes()).await.is_ok() {
                    while !body.is_empty() && stream.write_all(body).await.is_ok() {}
                }
            }
        });
        url.parse().unwrap()
    }

    #[tokio::test]
    async fn answers_without_end_and_redirects_come_to_nothing() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ask = async |url: Url| dev().get_json::<serde_json::Value>(&url).await;
        let large = endless("HTTP/1.1 200 OK\r\n\r\n", &[b' '; 65_536]).await;
        assert_eq!(ask(large).await, Err(OutboundError::Unreadable));
        let moved = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(
            ask(endless(moved, b"").await).await,
            Err(OutboundError::Status(302))
        );
    }
}
