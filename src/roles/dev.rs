//! `firn dev`: both planes in one process, on this machine, for whoever connects.

use std::net::SocketAddr;
use std::sync::Arc;

use firn_api::mail::Mailbox;
use firn_runtime::Env;

use crate::assembly::control_plane::{self, ControlPlanePlan};
use crate::assembly::data_plane::{DataPlanePlan, Listeners};
use crate::assembly::{ControlPlane, DataPlane, Foundation};
use crate::certificates::{CertificateFiles, DevAuthority};
use crate::config::Settings;
use crate::exit::Failure;
use crate::process::address::{self, Reach};
use crate::process::data_dir::DataDir;
use crate::process::life::{Http, Role, Started};

/// A `firn dev` that is about to start.
pub struct Dev {
    data_dir: DataDir,
    listeners: Listeners,
}

/// Partitions of the topic in which a new cell keeps groups: on one machine a few do.
const COORDINATORS: i32 = 16;

impl Role for Dev {
    const REACH: Reach = Reach::Loopback;

    async fn prepare(settings: &Settings) -> Result<Self, Failure> {
        let kafka = address::resolve("kafka", &settings.kafka, Self::REACH).await?;
        let internal = match &settings.internal {
            Some(internal) => address::resolve("internal", internal, Self::REACH).await?,
            None => SocketAddr::new(kafka.ip(), 0),
        };
        let data_dir = DataDir::open(&settings.data_dir)?;
        // The broker binds at the end of the start; whoever has a port should be named before anything is opened.
        drop(address::bind("kafka", kafka).await?);
        drop(address::bind("internal", internal).await?);
        Ok(Self {
            data_dir,
            listeners: Listeners {
                kafka,
                internal,
                coordinators: COORDINATORS,
            },
        })
    }

    async fn start(self, settings: &Settings, env: &Env, http: &Http) -> Result<Started, Failure> {
        let foundation = Foundation::in_data_dir(settings, &self.data_dir, env).await?;
        let (files, authority) = match &settings.tls {
            Some(files) => (files.clone(), None),
            None => {
                let domain = settings.cell_domain.as_deref();
                let authority = DevAuthority::open(self.data_dir.path(), domain, env.now())?;
                (authority.files(), Some(authority))
            }
        };
        let certificates = CertificateFiles::open(&files)?;
        let dev = foundation.catalog.ensure_dev().await.map_err(|error| {
            Failure::failed(format!("catalog: the dev cluster cannot be set up: {error}"))
        })?;
        let plan = DataPlanePlan {
            data_dir: self.data_dir,
            listeners: self.listeners,
            certificates: Some(certificates),
            anonymous: Some(dev.cluster),
        };
        let mut data_plane = DataPlane::start(plan, settings, &foundation).await?;
        let mail = match control_plane::mail_server(&settings.control)? {
            Some(server) => server,
            None => Arc::new(Mailbox::new(env.clone())),
        };
        let certificate_authority = authority.as_ref().map(DevAuthority::pem).transpose()?;
        let plan = ControlPlanePlan {
            operations: http.operations.clone(),
            http: http.server.local_address(),
            bootstrap: data_plane.advertised(),
            certificate_authority,
            parts: data_plane.description().to_vec(),
            mail,
            dev: true,
        };
        let control_plane = ControlPlane::start(plan, settings, &foundation)?;
        if let Some(authority) = authority {
            data_plane.run_beside(env, authority.keep_fresh(env.clone()));
        }
        http.server.open(control_plane.api().router());
        Ok(Started {
            foundation,
            data_plane: Some(data_plane),
            control_plane: Some(control_plane),
        })
    }
}
