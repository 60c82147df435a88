//! The REST API, and what the control plane keeps in order in the background.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_api::mail::{InvalidMailSettings, Mailer, SmtpMailer};
use firn_api::{Api, ApiParts, ApiSettings, Facts, Operations, RateLimits};
use firn_catalog::Catalog;
use url::Url;

use super::background::Background;
use super::foundation::Foundation;
use super::tuning;
use crate::config::{Control, Settings};
use crate::exit::Failure;

/// How often it is looked for work that a process has left behind, or whose time has come.
const RECONCILE_INTERVAL: Duration = Duration::from_secs(5);

/// What is to be built, and for whom.
pub struct ControlPlanePlan {
    /// What every process serves.
    pub operations: Operations,
    /// Where HTTP is served.
    pub http: SocketAddr,
    /// The host and port at which Kafka clients that know no cluster's own name connect.
    pub bootstrap: (String, u16),
    /// The certificate of the authority that Kafka clients must trust, where it is this process's own.
    pub certificate_authority: Option<String>,
    /// What the page at `/` says of store and log.
    pub parts: Vec<(&'static str, String)>,
    /// How mail leaves.
    pub mail: Arc<dyn Mailer>,
    /// Whether this is `firn dev`.
    pub dev: bool,
}

/// A running control plane.
pub struct ControlPlane {
    api: Api,
    _background: Background,
}

impl ControlPlane {
    /// Starts what runs in the background. When it returns, the API can be served.
    pub fn start(
        plan: ControlPlanePlan,
        settings: &Settings,
        foundation: &Foundation,
    ) -> Result<Self, Failure> {
        let env = &foundation.env;
        let mut background = Background::default();
        background.run(env, reconcile(Arc::clone(&foundation.catalog)));
        // Strangers reach the page of a `firn control`, and where its database is, is none of their business.
        let mut parts = Vec::new();
        if plan.dev {
            parts.push(("Catalog", foundation.catalog_url.clone()));
            parts.extend(plan.parts);
        }
        let (kafka_host, kafka_port) = plan.bootstrap;
        let facts = Facts {
            version: env!("CARGO_PKG_VERSION"),
            bootstrap: bootstrap(&kafka_host, kafka_port),
            parts,
            anonymous: plan.dev,
        };
        let api = Api::new(ApiParts {
            operations: plan.operations,
            facts,
            env: env.clone(),
            catalog: Arc::clone(&foundation.catalog),
            images: Arc::clone(&foundation.images),
            secrets: foundation.secrets.clone(),
            mail: plan.mail,
            settings: ApiSettings {
                public_url: public_url(&settings.control, plan.http)?,
                kafka_host,
                kafka_port,
                cell_domain: settings.cell_domain.clone(),
                certificate_authority: plan.certificate_authority,
                undelete_window: settings.control.undelete_window,
                dev: plan.dev,
                reach: tuning::reach(settings, plan.dev),
                rate_limits: RateLimits {
                    per_principal: settings.control.requests_per_principal,
                    per_address: settings.control.requests_per_address,
                },
                prices: settings.control.prices,
                currency: settings.control.currency,
            },
        });
        Ok(Self {
            api,
            _background: background,
        })
    }

    /// What it serves.
    pub fn api(&self) -> Api {
        self.api.clone()
    }
}

/// Mail that leaves through the server that is set, if one is.
pub fn mail_server(control: &Control) -> Result<Option<Arc<dyn Mailer>>, Failure> {
    let Some(server) = &control.smtp_url else {
        return Ok(None);
    };
    let mailer = SmtpMailer::new(&server.0, &control.mail_from).map_err(|error| match error {
        InvalidMailSettings::Server => Failure::setting("smtp-url", error),
        InvalidMailSettings::From(_) => Failure::setting("mail-from", error),
    })?;
    Ok(Some(Arc::new(mailer)))
}

/// A host and a port as clients write them.
fn bootstrap(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// Where browsers reach the API.
fn public_url(control: &Control, http: SocketAddr) -> Result<Url, Failure> {
    let text = match &control.public_url {
        Some(url) => url.clone(),
        None => format!("http://{http}"),
    };
    Url::parse(&text).map_err(|error| Failure::setting("public-url", error))
}

/// Finishes what was left between the stores, and lets go what was deleted long enough ago. Any number of processes may do this.
async fn reconcile(catalog: Arc<Catalog>) {
    loop {
        if let Err(error) = catalog.reconcile_clusters().await {
            tracing::warn!(%error, "clusters cannot be reconciled now");
        }
        if let Err(error) = catalog.reconcile_credentials().await {
            tracing::warn!(%error, "credentials cannot be reconciled now");
        }
        tokio::time::sleep(RECONCILE_INTERVAL).await;
    }
}
