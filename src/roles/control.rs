//! `firn control`: the control plane of a cell. It keeps nothing on its machine, so any number of them can run.

use std::sync::Arc;

use firn_api::mail::Mailer;
use firn_runtime::Env;

use crate::assembly::control_plane::{self, ControlPlane, ControlPlanePlan};
use crate::assembly::foundation::{Foundation, Shared};
use crate::config::{self, Settings};
use crate::exit::Failure;
use crate::process::address::Reach;
use crate::process::life::{Http, Role, Started};

/// Whether a proxy is before this process, as the public URL lets expect, whose clients cannot be told apart.
fn nobody_is_known(control: &config::Control) -> bool {
    let https = control
        .public_url
        .as_ref()
        .is_some_and(|url| url.to_ascii_lowercase().starts_with("https:"));
    https && control.trusted_proxies.is_empty()
}

/// A `firn control` that is about to start.
pub struct Control {
    shared: Shared,
    mail: Arc<dyn Mailer>,
    /// Where clients are told to connect.
    bootstrap: (String, u16),
}

impl Role for Control {
    const REACH: Reach = Reach::Anywhere;

    async fn prepare(settings: &Settings) -> Result<Self, Failure> {
        let shared = Shared::of(settings, "firn control")?;
        let Some(mail) = control_plane::mail_server(&settings.control)? else {
            return Err(Failure::setting(
                "smtp-url",
                "it is not set, and firn control must send mail to whoever signs up",
            ));
        };
        let Some((host, port)) = settings.advertise.clone() else {
            return Err(Failure::setting(
                "advertise",
                "it is not set, and firn control must tell clients where the brokers are",
            ));
        };
        Ok(Self {
            shared,
            mail,
            bootstrap: (host, port.unwrap_or(settings.kafka.1)),
        })
    }

    async fn start(self, settings: &Settings, env: &Env, http: &Http) -> Result<Started, Failure> {
        let foundation = Foundation::shared(&self.shared, env).await?;
        if nobody_is_known(&settings.control) {
            tracing::warn!(
                "public-url is https and trusted-proxies is not set: if a proxy terminates TLS, all clients seem to come from its \
                 address and share its limits, so that one of them can lock out the others; set trusted-proxies to its network"
            );
        }
        let plan = ControlPlanePlan {
            operations: http.operations.clone(),
            http: http.server.local_address(),
            bootstrap: self.bootstrap,
            certificate_authority: None,
            parts: Vec::new(),
            mail: self.mail,
            dev: false,
        };
        let control_plane = ControlPlane::start(plan, settings, &foundation)?;
        http.server.open(control_plane.api().router());
        Ok(Started {
            foundation,
            data_plane: None,
            control_plane: Some(control_plane),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::Sources;

    #[test]
    fn https_without_a_known_proxy_is_told() {
        let told = |pairs: &[(&'static str, &str)]| {
            let flags: BTreeMap<_, _> = pairs
                .iter()
                .map(|(name, value)| (*name, vec![(*value).to_owned()]))
                .collect();
            let sources = Sources::read(None, &BTreeMap::new(), &flags).unwrap();
            nobody_is_known(&Settings::resolve(&sources).unwrap().control)
        };
        let (https, proxies) = (
            ("public-url", "https://firn.example"),
            ("trusted-proxies", "10.0.0.0/8"),
        );
        assert!(told(&[https]));
        assert!(!told(&[https, proxies]));
        assert!(!told(&[("public-url", "http://firn.example")]) && !told(&[]));
    }
}
