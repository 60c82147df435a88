//! GSSAPI: tickets for this broker's service, shown by the clients of one cluster.
//!
//! | module | what is in it |
//! |---|---|
//! | [`names`] | from a principal to a short name, by Kafka's rules |
//!
//! The keytab belongs to the listener, so its tickets are for the one cluster that the settings name; where a connection's server
//! name says another, a ticket is as good as a wrong password. Accepting one reads the keytab and writes the replay cache, on
//! another thread and only a few at a time; the connection waits for it and asks for nothing else meanwhile. Not many wait, and none for
//! long: then they are refused.
//!
//! The settings name the cluster by its id or its slug. Somebody else's cluster can have the slug once this one is deleted, so the
//! slug counts for the cluster that had it when it was first looked for.

mod names;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use firn_catalog::access::RoleSet;
use firn_catalog::commands::User;
use firn_catalog::credential::validate_username;
use firn_catalog::entities::{Cluster, ClusterState};
use firn_catalog::ids::ClusterId;
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
/// How many wait for that, with those that are looked at.
const MOST_WAITING: usize = AT_A_TIME + 64;
/// How long one waits for what comes of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest token. One of a ticket with hundreds of groups has less.
const MAX_TOKEN: usize = 16 * 1024;
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
    /// The id or the slug of the cluster whose clients show tickets.
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
    cluster: Served,
    tasks: Arc<dyn Tasks>,
    turns: Turns,
}

/// The cluster whose clients show tickets.
struct Served {
    name: String,
    /// Set once it has been found.
    id: OnceLock<ClusterId>,
}

impl Served {
    fn new(name: &str) -> Self {
        let id = ClusterId::from_public(name);
        Self {
            name: name.to_owned(),
            id: id.map_or_else(|_| OnceLock::new(), OnceLock::from),
        }
    }

    fn find<'i>(&self, image: &'i Image) -> Option<&'i Arc<Cluster>> {
        if let Some(id) = self.id.get() {
            return image.cluster(*id);
        }
        let cluster = image.cluster_by_slug(&self.name)?;
        (*self.id.get_or_init(|| cluster.id) == cluster.id).then_some(cluster)
    }
}

/// Who may be looked at, and who may wait for it.
#[derive(Clone)]
struct Turns {
    waiting: Arc<Semaphore>,
    looking: Arc<Semaphore>,
}

impl Turns {
    fn new() -> Self {
        Self {
            waiting: Arc::new(Semaphore::new(MOST_WAITING)),
            looking: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// What comes of a call on another thread; `None`: too many wait, or it takes too long. One that takes too long keeps its turn
    /// until it is over.
    async fn call<T: Send + 'static>(
        &self,
        tasks: &dyn Tasks,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let place = self.waiting.try_acquire().ok()?;
        let called = async {
            // The semaphore is never closed.
            let turn = Arc::clone(&self.looking).acquire_owned().await.ok()?;
            let call = move || {
                let led_to = call();
                drop(turn);
                led_to
            };
            Some(blocking(tasks, call).await)
        };
        let called = tokio::time::timeout(PATIENCE, called).await;
        drop(place);
        called.ok().flatten()
    }
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
            cluster: Served::new(&settings.cluster),
            tasks,
            turns: Turns::new(),
        })
    }

    /// Begins the login of one client.
    pub(crate) fn begin(&self) -> Tickets {
        Tickets(State::Resting(self.acceptor.begin()))
    }

    /// Takes a token.
    pub(crate) fn token(&self, tickets: Tickets, token: &Bytes) -> Result<Progress, Refused> {
        match tickets.0 {
            State::Resting(_) if token.len() > MAX_TOKEN => Err(Refused("the token is too long")),
            State::Resting(negotiation) => Ok(self.look(negotiation, token.clone())),
            State::Looking(looked) => {
                let looked = looked.lock().take();
                let (negotiation, led_to) =
                    looked.ok_or(Refused("too many tickets are looked at, or it takes too long"))?;
                Ok(match led_to.map_err(|refused| Refused(refused.0))? {
                    Negotiated::Next(answer) => Progress::Next(Tickets(State::Resting(negotiation)), answer),
                    Negotiated::Done(ticket) => Progress::Known(ticket),
                })
            }
        }
    }

    fn look(&self, mut negotiation: Negotiation, token: Bytes) -> Progress {
        let looked = Arc::new(Mutex::new(None));
        let (tasks, turns) = (Arc::clone(&self.tasks), self.turns.clone());
        let result = Arc::clone(&looked);
        let looking = Box::pin(async move {
            let call = move || {
                let led_to = negotiation.step(&token);
                (negotiation, led_to)
            };
            // Without it the token is refused.
            let led_to = turns.call(&*tasks, call).await;
            *result.lock() = led_to;
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
        let cluster = self.cluster.find(known.image);
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
            cluster: self.cluster.find(image).map(|cluster| cluster.id),
            name: TICKET.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
