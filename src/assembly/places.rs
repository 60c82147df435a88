//! Where store and write-ahead log are, and opening them.

use std::path::PathBuf;
use std::sync::Arc;

use firn_log::store::{self, StoreError};
use firn_log::wal::{DiskLog, DiskSettings, ObjectLog, WriteAheadLog};
use firn_runtime::Env;
use object_store::ObjectStore;

use crate::config::kind::Wal;
use crate::config::{self, Settings};
use crate::exit::Failure;
use crate::process::data_dir::DataDir;

/// The addresses of the parts that keep records.
pub struct Places {
    store: String,
    wal: WalPlace,
}

enum WalPlace {
    /// In local files, which are kept as the hot tier up to some bytes.
    Disk { directory: PathBuf, hot_bytes: u64 },
    /// In the store, with a folder for the hot files.
    Object(PathBuf),
}

impl Places {
    /// What the settings name, and the data directory for the rest.
    pub fn of(settings: &Settings, data_dir: &DataDir) -> Self {
        let within = |name: &str| data_dir.path().join(name);
        let store = || match url::Url::from_directory_path(within("store")) {
            Ok(url) => url.to_string(),
            Err(()) => format!("file://{}", within("store").display()),
        };
        let disk = |directory| WalPlace::Disk {
            directory,
            hot_bytes: settings.log.hot_disk_bytes,
        };
        Self {
            store: settings.store.clone().unwrap_or_else(store),
            wal: match &settings.wal {
                Wal::Disk(None) => disk(within("wal")),
                Wal::Disk(Some(directory)) => disk(directory.into()),
                Wal::Object => WalPlace::Object(within("hot")),
            },
        }
    }

    /// Opens the store and sees to it that it answers and lets only one of two racing creates win.
    pub async fn open_store(&self, env: &Env) -> Result<Arc<dyn ObjectStore>, Failure> {
        let store = store::open(&self.store).map_err(|error| match error {
            StoreError::Address { .. }
            | StoreError::Scheme(_)
            | StoreError::Variable { .. }
            | StoreError::Configuration(_) => Failure::setting("store", error),
            StoreError::Directory { .. } => Failure::failed(format!("store: {error}")),
        })?;
        store::probe(&*store, env).await.map_err(|error| {
            Failure::failed(format!(
                "store: {} is refused at start: {error}",
                config::redact(&self.store)
            ))
        })?;
        Ok(store)
    }

    /// Opens the write-ahead log.
    pub fn open_wal(
        &self,
        env: &Env,
        store: &Arc<dyn ObjectStore>,
    ) -> Result<Arc<dyn WriteAheadLog>, Failure> {
        match &self.wal {
            WalPlace::Object(_) => Ok(Arc::new(ObjectLog::new(Arc::clone(store)))),
            WalPlace::Disk { directory, hot_bytes } => {
                let settings = DiskSettings {
                    hot_bytes: *hot_bytes,
                    ..DiskSettings::default()
                };
                let log = DiskLog::open(directory, settings, env)
                    .map_err(|error| Failure::failed(format!("wal: {error}")))?;
                Ok(Arc::new(log))
            }
        }
    }

    /// Where the hot files of an object log go; a disk log's own files are hot enough.
    pub fn hot_directory(&self) -> Option<PathBuf> {
        match &self.wal {
            WalPlace::Disk { .. } => None,
            WalPlace::Object(hot) => Some(hot.clone()),
        }
    }

    /// Names of the parts for the page, without secrets.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        let wal = match &self.wal {
            WalPlace::Disk { directory, .. } => format!("disk, {}", directory.display()),
            WalPlace::Object(_) => "objects in the store".into(),
        };
        vec![
            ("Object store", config::redact(&self.store)),
            ("Write-ahead log", wal),
        ]
    }
}
