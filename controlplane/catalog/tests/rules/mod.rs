//! What commands do, whatever the database.

mod acl_effects;
mod acls;
mod ca_pools;
mod configs;
mod following;
mod master_key;
mod networks;
mod quotas;
mod telling;
mod topics;
mod usage;

pub use acl_effects::*;
pub use acls::*;
pub use ca_pools::*;
pub use configs::*;
pub use following::*;
pub use master_key::*;
pub use networks::*;
pub use quotas::*;
pub use telling::*;
pub use topics::*;
pub use usage::*;

use firn_catalog::commands::{CommandError, CreateTopic};
use firn_catalog::topic_config::ConfigMap;
use sqlx::AnyConnection;
use sqlx::Connection;

use crate::cell::Sql;

/// The number that a query gives, asked of the database directly.
async fn number(sql: &Sql, query: &'static str) -> i64 {
    let mut connection = AnyConnection::connect(&sql.url).await.unwrap();
    let (number,): (i64,) = sqlx::query_as(query).fetch_one(&mut connection).await.unwrap();
    number
}

/// Runs a statement on the database directly.
async fn execute(sql: &Sql, statement: &'static str) {
    let mut connection = AnyConnection::connect(&sql.url).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
}

fn configs(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

async fn refused(sql: &Sql, command: CreateTopic) -> CommandError {
    sql.catalog.create_topic(&sql.actor, command).await.unwrap_err()
}
