//! The three catalogs under one face, for tests.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::Arc;

use firn_catalog::Catalog;
use firn_catalog::cell::{LogCatalog, MemoryCatalog, PartitionRow, WalLocation};
use firn_catalog::commands::{Actor, CreateTopic, DeleteTopic, Principal, TopicRef};
use firn_catalog::ids::{ClusterId, IncarnationId, NodeId, ObjectId, PartitionId, TopicId};
use firn_runtime::{Env, Timestamp};
use tempfile::TempDir;

use crate::postgres::Database;

/// Runs each rule of a module on SQLite and on PostgreSQL, as tests of its name in `sqlite` and `postgres`.
#[allow(unused_macros, reason = "each test binary uses its part")]
macro_rules! on_both {
    ($rules:ident: $($rule:ident,)*) => {
        on_both!(@on sqlite $rules: $($rule,)*);
        on_both!(@on postgres $rules: $($rule,)*);
    };
    (@on $backend:ident $rules:ident: $($rule:ident,)*) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $rule() {
                    let cell = crate::cell::Cell::$backend().await;
                    crate::$rules::$rule(&cell).await;
                }
            )*
        }
    };
}

pub const NOW: Timestamp = Timestamp(1_000_000);

/// A catalog, and what keeps its database alive.
pub struct Cell {
    kind: Kind,
    _guard: Guard,
}

enum Kind {
    Memory(MemoryCatalog),
    Sql(Sql),
}

pub struct Sql {
    pub catalog: Arc<Catalog>,
    pub cluster: ClusterId,
    pub actor: Actor,
    pub url: String,
}

pub enum Guard {
    Nothing,
    Folder(TempDir),
    Database(Database),
}

impl Sql {
    pub async fn open(url: String) -> Self {
        let catalog = Catalog::open(&url, Env::system()).await.unwrap();
        let cluster = catalog.ensure_dev().await.unwrap().cluster;
        let actor = Actor::process(Principal::Dev { cluster }, "test");
        Self {
            catalog,
            cluster,
            actor,
            url,
        }
    }

    /// A request for a topic without configs.
    pub fn new_topic(&self, name: &str, partitions: i32) -> CreateTopic {
        let configs = Default::default();
        CreateTopic {
            cluster: self.cluster,
            name: name.to_owned(),
            partitions,
            configs,
            validate_only: false,
        }
    }
}

impl Cell {
    pub async fn memory() -> Self {
        Self {
            kind: Kind::Memory(MemoryCatalog::new()),
            _guard: Guard::Nothing,
        }
    }

    pub async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}", folder.path().join("catalog.db").display());
        Self {
            kind: Kind::Sql(Sql::open(url).await),
            _guard: Guard::Folder(folder),
        }
    }

    pub async fn postgres() -> Self {
        let database = Database::new().await;
        let sql = Sql::open(database.url.clone()).await;
        Self {
            kind: Kind::Sql(sql),
            _guard: Guard::Database(database),
        }
    }

    pub fn catalog(&self) -> &dyn LogCatalog {
        match &self.kind {
            Kind::Memory(catalog) => catalog,
            Kind::Sql(sql) => sql.catalog.as_ref(),
        }
    }

    /// The SQL catalog's own face.
    pub fn sql(&self) -> &Sql {
        match &self.kind {
            Kind::Memory(_) => panic!("not a SQL catalog"),
            Kind::Sql(sql) => sql,
        }
    }

    pub fn database(&self) -> &Database {
        match &self._guard {
            Guard::Database(database) => database,
            Guard::Nothing | Guard::Folder(_) => panic!("not on PostgreSQL"),
        }
    }

    /// Opens an incarnation with that number as its id.
    pub async fn open(&self, id: u128) -> IncarnationId {
        let id = IncarnationId(id);
        self.catalog()
            .open_incarnation(id, NodeId(0), WalLocation::Object, NOW)
            .await
            .unwrap();
        id
    }

    /// Adds a topic owned by `owner`, which must be the only open incarnation.
    pub async fn topic(&self, name: &str, partitions: i32, owner: IncarnationId) -> TopicId {
        match &self.kind {
            Kind::Memory(catalog) => {
                let topic = TopicId(name.bytes().fold(1, |hash, byte| hash * 131 + u128::from(byte)));
                catalog.add_topic(topic, partitions, owner);
                topic
            }
            Kind::Sql(sql) => {
                let command = sql.new_topic(name, partitions);
                sql.catalog
                    .create_topic(&sql.actor, command)
                    .await
                    .unwrap()
                    .value
                    .id
            }
        }
    }

    pub async fn remove_topic(&self, topic: TopicId) {
        match &self.kind {
            Kind::Memory(catalog) => catalog.remove_topic(topic),
            Kind::Sql(sql) => {
                let command = DeleteTopic {
                    cluster: sql.cluster,
                    topic: TopicRef::Id(topic),
                };
                sql.catalog.delete_topic(&sql.actor, command).await.unwrap();
            }
        }
    }

    /// The row of a partition that `owner` owns.
    pub async fn row(&self, owner: IncarnationId, partition: PartitionId) -> PartitionRow {
        let rows = self.catalog().partitions_owned(owner).await.unwrap();
        rows.into_iter().find(|row| row.id == partition).unwrap()
    }
}

pub fn object(id: u128) -> ObjectId {
    ObjectId(id)
}
