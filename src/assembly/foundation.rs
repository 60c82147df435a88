//! What both planes stand on: the catalog, its image, and what secrets are checked with.

use std::path::PathBuf;
use std::sync::Arc;

use firn_catalog::image::ImageFollower;
use firn_catalog::topic_config::{BrokerDefaults, ConfigMap, KafkaSettings};
use firn_catalog::{Catalog, OpenError};
use firn_runtime::Env;
use firn_secrets::Secrets;

use super::master_key;
use crate::config::{self, Settings};
use crate::exit::Failure;
use crate::process::data_dir::DataDir;

/// The foundation of one process.
#[derive(Clone)]
pub struct Foundation {
    /// Clock, randomness, tasks.
    pub env: Env,
    /// Both stores of the catalog.
    pub catalog: Arc<Catalog>,
    /// What the catalog's feed has told so far.
    pub images: Arc<ImageFollower>,
    /// Everything derived from the master key.
    pub secrets: Secrets,
    /// Where the catalog is, without secrets.
    pub catalog_url: String,
}

impl Foundation {
    /// That of `firn dev`: what is not set is in the data directory.
    pub async fn in_data_dir(settings: &Settings, data_dir: &DataDir, env: &Env) -> Result<Self, Failure> {
        let within = |name: &str| data_dir.path().join(name);
        let secrets = match &settings.master_key {
            Some(path) => master_key::read(path)?,
            None => master_key::read_or_make(&within("master.key"), env)?,
        };
        let url = match &settings.catalog {
            Some(url) => url.clone(),
            None => format!("sqlite://{}", within("catalog.db").display()),
        };
        Self::open(url, secrets, &settings.kafka_config, env).await
    }

    /// That of a role that shares it with other processes: everything must be set.
    pub async fn shared(settings: &Shared, env: &Env) -> Result<Self, Failure> {
        let secrets = master_key::read(&settings.master_key)?;
        Self::open(settings.catalog.clone(), secrets, &settings.kafka, env).await
    }

    async fn open(url: String, secrets: Secrets, kafka: &KafkaSettings, env: &Env) -> Result<Self, Failure> {
        let catalog = Catalog::open(&url, env.clone())
            .await
            .map_err(|error| match error {
                OpenError::UnknownUrl { .. } => Failure::setting("catalog", error),
                OpenError::Unreachable { .. }
                | OpenError::NotWritable { .. }
                | OpenError::NotSqlite { .. }
                | OpenError::Unusable { .. } => Failure::failed(format!("catalog: {error}")),
            })?;
        let mark = secrets.digest("master-key", b"mark");
        let first = catalog
            .master_key_mark(&mark)
            .await
            .map_err(|error| Failure::failed(format!("catalog: {error}")))?;
        if first != mark {
            return Err(Failure::setting(
                "master-key",
                format!(
                    "it is not the key that the secrets in {} belong to: start with that one",
                    config::redact(&url)
                ),
            ));
        }
        let defaults = BrokerDefaults {
            cluster: &ConfigMap::new(),
            settings: kafka,
        };
        catalog.allow_everyone_if_no_acl_found(defaults.flag("allow.everyone.if.no.acl.found"));
        let images = ImageFollower::start(Arc::clone(&catalog))
            .await
            .map_err(|error| Failure::failed(format!("catalog: its image cannot be read: {error}")))?;
        Ok(Self {
            env: env.clone(),
            catalog,
            images,
            secrets,
            catalog_url: config::redact(&url),
        })
    }
}

/// What the processes of a cell share, which none of them can make up by itself.
#[derive(Debug, Clone)]
pub struct Shared {
    catalog: String,
    master_key: PathBuf,
    kafka: KafkaSettings,
}

impl Shared {
    /// What the settings say; the first that is missing is named.
    pub fn of(settings: &Settings, role: &str) -> Result<Self, Failure> {
        let missing = |setting: &str, what: &str| {
            Failure::setting(setting, format!("it is not set, and {role} needs {what}"))
        };
        Ok(Self {
            catalog: settings
                .catalog
                .clone()
                .ok_or_else(|| missing("catalog", "the database that the whole cell shares"))?,
            master_key: settings
                .master_key
                .clone()
                .ok_or_else(|| missing("master-key", "the file with the key that the whole cell shares"))?,
            kafka: settings.kafka_config.clone(),
        })
    }
}
