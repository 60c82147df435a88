//! Logins by a certificate that the client showed in its TLS handshake: complete before its first request.

use std::sync::Arc;

use firn_catalog::access::RoleSet;
use firn_catalog::commands::User;

use super::Denied;
use crate::authentication::certificates::{self, MECHANISM};
use crate::authentication::credentials::{Login, Refused, Shown};
use crate::metrics;
use crate::network::Closing;
use crate::serving::dispatch::KafkaConnection;

impl KafkaConnection {
    /// Makes a new connection the one of whom its certificate says, if it showed one. The handshake has verified it; it is looked at once
    /// more, as of now, for who it is, and then forgotten.
    pub(super) fn arrive_with_certificate(&mut self) {
        let chain = self.login.peer.chain.take();
        let (Some(chain), Some(slug)) = (chain, self.login.slug.clone()) else {
            return;
        };
        let Some((certificate, others)) = chain.split_first() else {
            return;
        };
        let image = self.serving.image();
        let now = self.serving.env.now();
        let admitted = certificates::admit(&image, &slug, (certificate, others), now);
        let outcome = admitted
            .map_err(|why| Denied::Refused(Refused(why.reason())))
            .and_then(|(cluster, client)| {
                let client = Arc::new(client);
                let login = Login {
                    user: Arc::new(User {
                        cluster,
                        name: Arc::clone(&client.name),
                        roles: RoleSet::NONE,
                    }),
                    expires_at: Some(client.not_after),
                    shown: Shown::Certificate(Arc::clone(&client)),
                };
                self.establish(login, None).map(|_| client)
            });
        let address = self.login.peer.address.ip();
        match outcome {
            Ok(client) => {
                metrics::authentication(MECHANISM, "succeeded");
                let (logins, denials) = (&self.serving.logins, &self.serving.denials);
                if let Some(identity) = &self.identity {
                    logins
                        .expiring
                        .came(self.connection, identity, &client, now, denials);
                }
            }
            Err(Denied::TooMany(_)) => {
                metrics::authentication(MECHANISM, "too many");
                self.login.peer.cut.cut(Closing::TooManyConnections);
            }
            Err(Denied::Refused(refused)) => {
                metrics::authentication(MECHANISM, "failed");
                let at = tokio::time::Instant::now();
                let failures = &self.serving.logins.failures;
                failures.log(at, self.connection, address, MECHANISM, refused);
                self.login.peer.cut.cut(Closing::Authentication);
            }
        }
    }
}
