//! A broker: a log, a listener and what lies between.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use firn_catalog::Catalog;
use firn_catalog::cell::CatalogError;
use firn_catalog::commands::CommandError;
use firn_catalog::entities::Address;
use firn_catalog::ids::{ClusterId, FeedSequence, NodeId};
use firn_catalog::image::ImageFollower;
use firn_catalog::topic_config::{BrokerDefaults, ConfigMap, KafkaSettings};
use firn_log::engine::{AssignError, Log};
use firn_runtime::Env;
use firn_secrets::Secrets;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::audit_topics::AuditTopics;
use crate::authentication::certificates::{ClientCertificates, expiry};
use crate::authentication::credentials::Keys;
use crate::authentication::kerberos::{Kerberos, KerberosSettings};
use crate::authentication::tokens::Tokens;
use crate::authentication::watch as authentication;
use crate::clients::Clients;
use crate::denials::Denials;
use crate::groups::Groups;
use crate::internal::exchange;
use crate::lag;
use crate::metering::Metering;
use crate::network::Limits;
use crate::network::listener::{Connections, Door, Opened, Peer, listen};
use crate::network::tls::{Certificates, Tls};
use crate::quotas::Ledger;
use crate::reconcile::Reconciler;
use crate::reporting::{self, InForce};
use crate::sampling::Sampled;
use crate::seams::{AclAuthorizer, Authorizer, Meter, Quotas};
use crate::serving::dispatch::KafkaConnection;
use crate::serving::fair_share::FairShares;
use crate::serving::login::Logins;
use crate::serving::response_room::ResponseRoom;
use crate::serving::sessions::FetchSessions;
use crate::serving::shared::Serving;
use crate::serving::storage_limits;
use crate::settings::BrokerSettings;

/// How many requests may be validated at a time whose validation takes long.
const HEAVY_VALIDATIONS: usize = 4;

/// The three seams that every request passes; see [`crate::seams`].
#[derive(Clone)]
pub struct Seams {
    /// Who may do what.
    pub authorizer: Arc<dyn Authorizer>,
    /// How long clients wait; `None`: as the quotas and limits in the catalog say.
    pub quotas: Option<Arc<dyn Quotas>>,
    /// Who used how much; `None`: the broker keeps account in the catalog.
    pub meter: Option<Arc<dyn Meter>>,
}

impl Default for Seams {
    /// Roles decide, and the dev principal may do everything; quotas and limits as the catalog says; the catalog has the account.
    fn default() -> Self {
        Self {
            authorizer: Arc::new(AclAuthorizer),
            quotas: None,
            meter: None,
        }
    }
}

/// What a broker is made of.
pub struct BrokerParts {
    /// Clock, randomness, tasks.
    pub env: Env,
    /// Addresses, limits, Kafka settings.
    pub settings: BrokerSettings,
    /// The log, open.
    pub log: Arc<Log>,
    /// Where commands go.
    pub catalog: Arc<Catalog>,
    /// Where answers come from.
    pub images: Arc<ImageFollower>,
    /// The broker's number.
    pub node: NodeId,
    /// The cluster of connections from loopback that do not authenticate; `None`: such connections get no answer.
    pub anonymous: Option<ClusterId>,
    /// Authorization, quotas, metering.
    pub seams: Seams,
    /// What credentials are kept under.
    pub secrets: Secrets,
    /// What TLS clients are shown; `None`: TLS is not served.
    pub certificates: Option<Arc<dyn Certificates>>,
}

/// Why a broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on: in use, or not of this machine.
    #[error("cannot listen on {address}: {cause}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system says.
        cause: std::io::Error,
    },
    /// Anonymous access is for loopback only.
    #[error("{address} is not a loopback address: anonymous access is served on loopback only")]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// No tickets can be accepted, as it was asked for.
    #[error("kerberos: {0}")]
    Kerberos(String),
    /// The catalog did not take the broker's address.
    #[error("the broker's address could not be stored: {0}")]
    Advertise(#[from] CatalogError),
    /// The catalog did not make the topic in which groups are kept.
    #[error("the topic for consumer groups could not be made: {0}")]
    Coordinator(#[from] CommandError),
    /// The partitions that this broker leads could not be opened.
    #[error(transparent)]
    Assign(#[from] AssignError),
}

impl StartError {
    /// Whether a successor has taken over from this process in the meantime, which must end.
    pub fn is_fenced(&self) -> bool {
        match self {
            Self::Advertise(error) | Self::Coordinator(CommandError::Catalog(error)) => error.is_fenced(),
            Self::Coordinator(_) => false,
            Self::Assign(error) => error.source.is_fenced(),
            Self::Bind { .. } | Self::NotLoopback { .. } | Self::Kerberos(_) => false,
        }
    }
}

/// A broker that serves.
pub struct Broker {
    local: SocketAddr,
    internal: Option<SocketAddr>,
    advertised: Address,
    connections: Arc<Connections<KafkaConnection>>,
    groups: Arc<Groups>,
    metering: Option<Arc<Metering>>,
    denials: Arc<Denials>,
    tasks: Vec<JoinHandle<()>>,
}

/// How many fetch sessions are kept.
fn session_slots(kafka: &KafkaSettings) -> usize {
    let defaults = BrokerDefaults {
        cluster: &ConfigMap::new(),
        settings: kafka,
    };
    let slots = defaults.number("max.incremental.fetch.session.cache.slots");
    slots.and_then(|slots| usize::try_from(slots).ok()).unwrap_or(0)
}

/// Who keeps account: whoever is given, or the broker itself.
fn meter(
    given: Option<Arc<dyn Meter>>,
    env: &Env,
    log: &Arc<Log>,
    catalog: &Arc<Catalog>,
    images: &Arc<ImageFollower>,
) -> (Arc<dyn Meter>, Option<Arc<Metering>>) {
    if let Some(meter) = given {
        return (meter, None);
    }
    let metering = Metering::new(
        env.clone(),
        Arc::clone(log),
        Arc::clone(catalog),
        Arc::clone(images),
    );
    (Arc::clone(&metering) as Arc<dyn Meter>, Some(metering))
}

/// What accepts tickets, if the settings say so.
fn kerberos(settings: Option<&KerberosSettings>, env: &Env) -> Result<Option<Kerberos>, StartError> {
    let opened = settings.map(|settings| Kerberos::open(settings, Arc::clone(&env.tasks)));
    opened.transpose().map_err(StartError::Kerberos)
}

/// Who decides how long clients wait: whoever is given, or the broker's ledger; and that ledger.
fn quotas(
    given: Option<Arc<dyn Quotas>>,
    env: &Env,
    log: &Log,
    images: &Arc<ImageFollower>,
) -> (Arc<dyn Quotas>, Arc<Ledger>) {
    let ledger = Arc::new(Ledger::new(env.clone(), Arc::clone(images), log.incarnation()));
    let quotas = given.unwrap_or_else(|| Arc::clone(&ledger) as Arc<dyn Quotas>);
    (quotas, ledger)
}

/// Listens where it is said to; where anonymous connections are served, on loopback only.
async fn bind(address: SocketAddr, anonymous: bool) -> Result<(TcpListener, SocketAddr), StartError> {
    if anonymous && !address.ip().is_loopback() {
        return Err(StartError::NotLoopback { address });
    }
    let failed = |cause| StartError::Bind { address, cause };
    let socket = TcpListener::bind(address).await.map_err(failed)?;
    let local = socket.local_addr().map_err(failed)?;
    Ok((socket, local))
}

/// The sockets that a broker listens on.
struct Sockets {
    clients: TcpListener,
    local: SocketAddr,
    internal: Option<(TcpListener, SocketAddr)>,
}

impl Sockets {
    async fn bind(settings: &BrokerSettings, anonymous: bool) -> Result<Self, StartError> {
        let (clients, local) = bind(settings.bind, anonymous).await?;
        let internal = match settings.internal {
            Some(address) => Some(bind(address, false).await?),
            None => None,
        };
        Ok(Self {
            clients,
            local,
            internal,
        })
    }

    /// Where the internal one is.
    fn internal_at(&self) -> Option<SocketAddr> {
        self.internal.as_ref().map(|(_, local)| *local)
    }

    /// Accepts on all of them until the shutdown.
    async fn listen(self, connections: Arc<Connections<KafkaConnection>>) {
        let clients = listen(self.clients, Door::Clients, Arc::clone(&connections));
        let internal = async {
            if let Some((socket, _)) = self.internal {
                listen(socket, Door::Internal, connections).await;
            }
        };
        tokio::join!(clients, internal);
    }
}

/// Serves connections by what they share.
fn connections(
    serving: Arc<Serving>,
    limits: Limits,
    certificates: Option<Arc<dyn Certificates>>,
) -> Arc<Connections<KafkaConnection>> {
    // One that may be silent for as long as it likes once it is known to be plaintext.
    let first_byte = match serving.anonymous {
        Some(_) => limits.idle,
        None => limits.authentication,
    };
    let clients = Arc::new(ClientCertificates {
        images: Arc::clone(&serving.images),
        cell_domain: serving.logins.cell_domain.clone(),
        denials: Arc::clone(&serving.denials),
        logged: Sampled::default(),
    });
    Arc::new(Connections {
        env: serving.env.clone(),
        tls: certificates.map(|certificates| Tls::new(certificates, limits.handshake, Some(clients))),
        first_byte,
        unasked: serving.anonymous.is_some(),
        shutdown: serving.shutdown.clone(),
        protocol: Box::new(move |peer: Peer| KafkaConnection::new(Arc::clone(&serving), peer)),
        limits,
        tracker: TaskTracker::new(),
        abort: CancellationToken::new(),
        opened: Opened::default(),
    })
}

/// What goes on beside the connections.
fn background(
    serving: &Arc<Serving>,
    reconciler: Reconciler,
    compared: watch::Sender<FeedSequence>,
) -> Vec<JoinHandle<()>> {
    let Serving {
        log, images, catalog, ..
    } = &**serving;
    let registry = &serving.logins.registry;
    let limits = Arc::clone(&serving.storage_limits);
    let followed = Arc::clone(&serving.groups).follow(reconciler.done());
    let reported = reporting::report(Arc::clone(catalog), log.incarnation(), serving.in_force.clone());
    let watched = storage_limits::watch(limits, Arc::clone(images), Arc::clone(log));
    let ended = authentication::watch(Arc::clone(registry), Arc::clone(images), compared);
    let audited = AuditTopics {
        env: serving.env.clone(),
        log: Arc::clone(log),
        catalog: Arc::clone(catalog),
        images: Arc::clone(images),
        troubled: BTreeSet::new(),
    };
    let denied = Arc::clone(&serving.denials).run();
    let sampled = Arc::clone(&serving.clients).sample(Arc::clone(images));
    let used = authentication::tell_uses(Arc::clone(registry), Arc::clone(catalog));
    let shared = exchange::run(Arc::clone(serving));
    let behind = lag::run(Arc::clone(serving));
    vec![
        log.spawn_vital("the coordinator of groups", followed),
        log.spawn_vital("the sharing of limits", shared),
        log.spawn_vital("the history of lag", behind),
        log.spawn_vital("the reconciler", reconciler.run()),
        log.spawn_vital("the reporter", reported),
        log.spawn_vital("the watch over storage", watched),
        log.spawn_vital("the watch over live connections", ended),
        log.spawn_vital("the note of used credentials", used),
        log.spawn_vital("the note of denials", denied),
        log.spawn_vital("the audit topics", audited.run()),
        log.spawn_vital("the samples of load", sampled),
    ]
}

/// Opens the partitions that the image says this incarnation leads, and tells the broker's address.
async fn lead(
    parts: &BrokerParts,
    advertised: &Address,
    internal: Option<SocketAddr>,
) -> Result<Reconciler, StartError> {
    let BrokerParts {
        settings,
        log,
        catalog,
        images,
        ..
    } = parts;
    if let Some(sequence) = catalog.ensure_coordinator(settings.coordinators).await? {
        images.wait_for(sequence).await;
    }
    let mut reconciler = Reconciler::new(Arc::clone(log), Arc::clone(images), settings.kafka.clone());
    reconciler.round().await?;
    let reached = internal.map(|internal| settings.internal_advertised(internal));
    catalog
        .advertise(log.incarnation(), advertised.clone(), reached)
        .await?;
    Ok(reconciler)
}

/// What the connections share; and the account, if the broker keeps it.
fn serving(
    parts: BrokerParts,
    advertised: Address,
    in_force: InForce,
) -> Result<(Arc<Serving>, Option<Arc<Metering>>), StartError> {
    let BrokerParts {
        env,
        settings,
        log,
        catalog,
        images,
        seams,
        ..
    } = parts;
    let shutdown = CancellationToken::new();
    let (meter, metering) = meter(seams.meter, &env, &log, &catalog, &images);
    let (quotas, ledger) = quotas(seams.quotas, &env, &log, &images);
    let proofs = (
        Keys::new(parts.secrets, &*env.random),
        Tokens::new(env.clone(), Arc::clone(&catalog), &settings.tokens),
        kerberos(settings.kerberos.as_ref(), &env)?,
    );
    let serving = Serving {
        in_force,
        authorizer: seams.authorizer,
        quotas,
        ledger,
        meter,
        clients: Clients::new(&env, log.incarnation().0 >> 96, parts.node),
        denials: Denials::new(&env, &catalog),
        groups: Groups::new(&env, &log, &images, &settings, shutdown.clone()),
        sessions: FetchSessions::new(env.clone(), session_slots(&settings.kafka)),
        node: parts.node,
        advertised,
        logins: Logins::new(proofs, settings.cell_domain, &settings.limits, &settings.kafka),
        kafka: settings.kafka,
        anonymous: parts.anonymous,
        shutdown,
        heavy_validation: Arc::new(Semaphore::new(HEAVY_VALIDATIONS)),
        fair_shares: FairShares::new(),
        storage_limits: Arc::default(),
        response_room: ResponseRoom::new(settings.limits.response_bytes),
        creating: Mutex::new(BTreeSet::new()),
        env,
        log,
        catalog,
        images,
    };
    Ok((Arc::new(serving), metering))
}

impl Broker {
    /// Starts: binds, opens the partitions that the image says this incarnation leads, tells its address, serves.
    pub async fn start(mut parts: BrokerParts) -> Result<Self, StartError> {
        let sockets = Sockets::bind(&parts.settings, parts.anonymous.is_some()).await?;
        let (local, internal) = (sockets.local, sockets.internal_at());
        let advertised = parts.settings.advertised(local);
        let reconciler = lead(&parts, &advertised, internal).await?;

        let compared = watch::Sender::new(FeedSequence(-1));
        let in_force = InForce::of(reconciler.done(), &compared);
        let certificates = parts.certificates.take();
        let limits = parts.settings.limits.clone();
        let (serving, metering) = serving(parts, advertised.clone(), in_force)?;
        let Serving { env, log, .. } = &*serving;

        let mut tasks = background(&serving, reconciler, compared);
        let watched = expiry::watch(env.clone(), Arc::clone(&serving.images), certificates.clone());
        tasks.push(log.spawn_vital("the watch over certificates", watched));
        let connections = connections(Arc::clone(&serving), limits, certificates);
        let listening = sockets.listen(Arc::clone(&connections));
        tasks.push(log.spawn_vital("the Kafka listener", listening));
        let metered = metering.as_ref().map(|metering| metering.clone().run());
        tasks.extend(metered.map(|run| env.tasks.spawn(Box::pin(run))));
        info!(%local, "the Kafka listener serves");
        Ok(Self {
            local,
            internal,
            advertised,
            connections,
            groups: Arc::clone(&serving.groups),
            metering,
            denials: Arc::clone(&serving.denials),
            tasks,
        })
    }

    /// Where the listener is.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// Where the listener for the control plane is.
    pub fn internal_address(&self) -> Option<SocketAddr> {
        self.internal
    }

    /// What clients are told to connect to.
    pub fn advertised(&self) -> &Address {
        &self.advertised
    }

    /// Serves a connection that somebody else accepted, as if the listener had accepted it from this client.
    pub fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, client: SocketAddr) {
        self.connections.serve(stream, client);
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.connections.tracker.len()
    }

    /// Stops accepting, lets requests that are in flight be answered, and closes all connections. The log goes on:
    /// shut it down afterwards. What was metered is written last.
    pub async fn shutdown(self) {
        let Connections {
            limits,
            shutdown,
            tracker,
            abort,
            ..
        } = &*self.connections;
        shutdown.cancel();
        tracker.close();
        if tokio::time::timeout(limits.grace, tracker.wait()).await.is_err() {
            warn!(connections = tracker.len(), "connections are cut off");
            abort.cancel();
            tracker.wait().await;
        }
        for task in self.tasks {
            task.abort();
        }
        self.groups.stop();
        if let Some(metering) = self.metering {
            metering.finish().await;
        }
        self.denials.finish().await;
    }
}
