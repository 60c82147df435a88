//! What the HTTP side works with.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use firn_catalog::Catalog;
use firn_catalog::image::ImageFollower;
use firn_outbound::Reach;
use firn_runtime::Env;
use firn_secrets::Secrets;
use url::Url;

use crate::accounts::Accounts;
use crate::kafka::KafkaPool;
use crate::mail::Mailer;
use crate::prices::{Currency, Prices};
use crate::rules::admission::Lately;
use crate::rules::limits::{Limiter, RateLimits};
use crate::tokens::Tokens;
use crate::{Facts, Operations};

/// What the REST API is made of.
pub struct ApiParts {
    /// What every process serves.
    pub operations: Operations,
    /// What the page at `/` says.
    pub facts: Facts,
    /// Clock, randomness, tasks.
    pub env: Env,
    /// Both stores.
    pub catalog: Arc<Catalog>,
    /// What brokers see.
    pub images: Arc<ImageFollower>,
    /// Everything derived from the master key.
    pub secrets: Secrets,
    /// How mail leaves.
    pub mail: Arc<dyn Mailer>,
    /// What the operator has set.
    pub settings: ApiSettings,
}

/// Settings of the REST API.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Where browsers reach it; links in mails begin with it, and an `Origin` must be its.
    pub public_url: Url,
    /// The host that Kafka clients without a cluster's own name connect to.
    pub kafka_host: String,
    /// The port of every bootstrap address.
    pub kafka_port: u16,
    /// The domain under which each cluster's slug is a host name; `None`: clients use `kafka_host`.
    pub cell_domain: Option<String>,
    /// The certificate of the authority that Kafka clients must trust, in PEM, where it is this process's own.
    pub certificate_authority: Option<String>,
    /// For how long a deleted cluster can be undeleted.
    pub undelete_window: Duration,
    /// Whether this is `firn dev`: cookies work without TLS, and mail goes to a page.
    pub dev: bool,
    /// What may be asked beside the public internet where a tenant gives the URL.
    pub reach: Reach,
    /// How many requests a caller may send.
    pub rate_limits: RateLimits,
    /// What usage costs.
    pub prices: Prices,
    /// In what.
    pub currency: Currency,
}

/// The REST API's state: cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    parts: ApiParts,
    limiter: Limiter,
    lately: Lately,
    kafka: KafkaPool,
    accounts: Accounts,
    tokens: Tokens,
}

impl Api {
    /// Over these parts.
    pub fn new(parts: ApiParts) -> Self {
        let limiter = Limiter::new(parts.settings.rate_limits);
        let accounts = Accounts::new(&parts.env, Arc::clone(&parts.mail), parts.settings.reach.clone());
        let kafka = KafkaPool::new(parts.env.clone(), parts.secrets.clone());
        Self(Arc::new(Inner {
            parts,
            limiter,
            lately: Lately::default(),
            kafka,
            accounts,
            tokens: Tokens::default(),
        }))
    }

    pub(crate) fn kafka(&self) -> &KafkaPool {
        &self.0.kafka
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    pub(crate) fn lately(&self) -> &Lately {
        &self.0.lately
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }
}

impl Deref for Api {
    type Target = ApiParts;

    fn deref(&self) -> &ApiParts {
        &self.0.parts
    }
}

impl FromRef<Api> for Operations {
    fn from_ref(api: &Api) -> Self {
        api.operations.clone()
    }
}
