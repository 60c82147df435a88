//! GSSAPI: tickets for this broker's service, shown by the clients of one cluster.
//!
//! | module | what is in it |
//! |---|---|
//! | [`names`] | from a principal to a short name, by Kafka's rules |
//!
//! The keytab belongs to the listener, so its tickets are for the one cluster that the settings name; where a connection's server
//! name says another, a ticket is as good as a wrong password. Accepting one reads the keytab and writes the replay cache, on
//! another thread and only a few at a time; the connection waits for it and asks for nothing else meanwhile.

mod names;

use std::path::PathBuf;
use std::sync::Arc;

use firn_catalog::access::RoleSet;
use firn_catalog::commands::User;
use firn_catalog::credential::validate_username;
use firn_catalog::entities::ClusterState;
use firn_catalog::image::Image;
use firn_kerberos::{Acceptor, Negotiation, Step as Negotiated, Ticket};
use firn_runtime::{Tasks, blocking};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use self::names::Rules;
use super::credentials::{Known, Login, Refused, Shown};
use super::server_name::Named;
use crate::denials::Claim;

/// How many tickets are looked at at a time.
const AT_A_TIME: usize = 4;
/// What stands for the name in a ticket that nobody has opened.
const TICKET: &str = "(a ticket)";

/// By what tickets are accepted.
#[derive(Clone, Debug)]
pub struct KerberosSettings {
    /// The file with the keys of the service.
    pub keytab: PathBuf,
    /// The service's name, before the slash.
    pub service: String,
    /// The realm whose principals the rule `DEFAULT` is about.
    pub realm: String,
    /// The slug of the cluster whose clients show tickets.
    pub cluster: String,
    /// Kafka's `sasl.kerberos.principal.to.local.rules`.
    pub rules: String,
    /// The file in which it is noted which tickets came.
    pub replays: PathBuf,
}

/// Accepts tickets.
pub(crate) struct Kerberos {
    acceptor: Arc<Acceptor>,
    rules: Rules,
    cluster: String,
    tasks: Arc<dyn Tasks>,
    turns: Arc<Semaphore>,
}

/// Where one client's tickets are.
pub(crate) struct Tickets(State);

enum State {
    /// The next token is to come.
    Resting(Negotiation),
    /// It is looked at elsewhere; here is what came of it, once something did.
    Looking(Arc<Mutex<Option<Looked>>>),
}

type Looked = (Negotiation, Result<Negotiated, firn_kerberos::Refused>);

/// What a token led to.
pub(crate) enum Progress {
    /// It is looked at; then the same token is to be given again.
    Later(Tickets, BoxFuture<'static, ()>),
    /// This is to be sent.
    Next(Tickets, Vec<u8>),
    /// The client is known.
    Known(Ticket),
}

impl Kerberos {
    /// Opens keytab and rules; what is wrong with them.
    pub(crate) fn open(settings: &KerberosSettings, tasks: Arc<dyn Tasks>) -> Result<Self, String> {
        if settings.cluster.is_empty() {
            return Err("it is not said which cluster's clients show tickets".to_owned());
        }
        let acceptor = Acceptor::open(&settings.keytab, &settings.service, &settings.replays);
        Ok(Self {
            rules: Rules::parse(&settings.rules, &settings.realm)?,
            acceptor: acceptor.map_err(|error| error.to_string())?,
            cluster: settings.cluster.clone(),
            tasks,
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
        })
    }

    /// Begins the login of one client.
    pub(crate) fn begin(&self) -> Tickets {
        Tickets(State::Resting(self.acceptor.begin()))
    }

    /// Takes a token.
    pub(crate) fn token(&self, tickets: Tickets, token: &[u8]) -> Result<Progress, Refused> {
        match tickets.0 {
            State::Resting(negotiation) => Ok(self.look(negotiation, token.to_vec())),
            State::Looking(looked) => {
                let looked = looked.lock().take();
                let (negotiation, led_to) = looked.ok_or(Refused("the token was not looked at"))?;
                Ok(match led_to.map_err(|refused| Refused(refused.0))? {
                    Negotiated::Next(answer) => Progress::Next(Tickets(State::Resting(negotiation)), answer),
                    Negotiated::Done(ticket) => Progress::Known(ticket),
                })
            }
        }
    }

    fn look(&self, mut negotiation: Negotiation, token: Vec<u8>) -> Progress {
        let looked = Arc::new(Mutex::new(None));
        let (tasks, turns) = (Arc::clone(&self.tasks), Arc::clone(&self.turns));
        let result = Arc::clone(&looked);
        let looking = Box::pin(async move {
            // The semaphore is never closed; without a turn nothing is looked at, and the token is refused.
            if let Ok(turn) = turns.acquire_owned().await {
                let call = move || {
                    let led_to = negotiation.step(&token);
                    drop(turn);
                    (negotiation, led_to)
                };
                *result.lock() = Some(blocking(&*tasks, call).await);
            }
        });
        Progress::Later(Tickets(State::Looking(looked)), looking)
    }

    /// Lets in whoever has this ticket, if it is somebody here and now.
    pub(crate) fn login(&self, ticket: &Ticket, known: &Known<'_>) -> Result<Login, Refused> {
        let name = self.rules.short_name(&ticket.principal);
        let name = name.ok_or(Refused("no rule gives the principal a name"))?;
        validate_username(&name).map_err(|_| Refused("the principal's name cannot be a user's"))?;
        if ![ticket.principal.as_str(), name.as_str(), ""].contains(&ticket.authzid.as_str()) {
            return Err(Refused("the authorization identity is somebody else"));
        }
        let cluster = known.image.cluster_by_slug(&self.cluster);
        let cluster = cluster.ok_or(Refused("the cluster whose clients show tickets is not there"))?;
        match Named::of(known.slug, known.image) {
            Named::No => {}
            Named::Cluster(named) if named.id == cluster.id => {}
            Named::Cluster(_) | Named::Nobody => {
                return Err(Refused(
                    "the server name is not that of the cluster whose clients show tickets",
                ));
            }
        }
        if cluster.state != ClusterState::Active {
            return Err(Refused("the cluster is not active"));
        }
        Ok(Login {
            user: Arc::new(User {
                cluster: cluster.id,
                name: name.into(),
                roles: RoleSet::NONE,
            }),
            shown: Shown::Ticket,
            expires_at: Some(known.now.plus(ticket.lifetime)),
        })
    }

    /// What a client claims that shows a ticket.
    pub(crate) fn claim(&self, image: &Image) -> Claim {
        Claim {
            cluster: image.cluster_by_slug(&self.cluster).map(|cluster| cluster.id),
            name: TICKET.to_owned(),
        }
    }
}
