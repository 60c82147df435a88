//! Catalogs that do not open.

#![expect(clippy::disallowed_methods, reason = "what is opened is a file or a socket")]
#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod cell;
mod postgres;

use std::path::Path;

use firn_catalog::cell::CatalogError;
use firn_catalog::{Catalog, OpenError};
use firn_runtime::Env;
use sqlx::AnyConnection;
use sqlx::Connection;
use tempfile::TempDir;

use cell::Cell;

async fn refusal(url: &str) -> OpenError {
    match Catalog::open(url, Env::system()).await {
        Ok(_) => panic!("{url} opened"),
        Err(error) => error,
    }
}

/// How many scripts a store has, which is its version.
fn scripts(store: &str) -> i64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../migrations")
        .join(store);
    let scripts = std::fs::read_dir(folder).unwrap().count();
    i64::try_from(scripts).unwrap()
}

async fn a_newer_version_is_refused(cell: &Cell) {
    for store in ["cell", "account"] {
        let supported = scripts(store);
        let table = format!("{store}_format");
        let mut connection = AnyConnection::connect(&cell.sql().url).await.unwrap();
        let set = |version| sqlx::AssertSqlSafe(format!("UPDATE {table} SET version = {version}"));
        sqlx::query(set(99)).execute(&mut connection).await.unwrap();
        let error = refusal(&cell.sql().url).await;
        let newer = CatalogError::NewerFormat { found: 99, supported };
        assert!(
            matches!(&error, OpenError::Unusable { cause, .. } if *cause == newer),
            "{error}"
        );
        sqlx::query(set(supported))
            .execute(&mut connection)
            .await
            .unwrap();
    }
    Catalog::open(&cell.sql().url, Env::system()).await.unwrap();
}

#[tokio::test]
async fn a_newer_version_is_refused_on_sqlite() {
    a_newer_version_is_refused(&Cell::sqlite().await).await;
}

#[tokio::test]
async fn a_newer_version_is_refused_on_postgres() {
    a_newer_version_is_refused(&Cell::postgres().await).await;
}

#[tokio::test]
async fn several_processes_may_make_the_tables_at_once() {
    let database = postgres::Database::new().await;
    let open = || Catalog::open(&database.url, Env::system());
    for opened in futures::future::join_all((0..4).map(|_| open())).await {
        opened.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_reached_or_is_no_catalog_is_named() {
    let error = refusal("mysql://me:secret@host/db").await;
    assert!(matches!(error, OpenError::UnknownUrl { .. }));
    assert!(!error.to_string().contains("secret"));
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = refusal(&format!("postgres://me:secret@127.0.0.1:{free}/db")).await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("Connection refused"), "{error}");
    assert!(!error.to_string().contains("secret"));
    let error = refusal("sqlite:///no/such/folder/catalog.db").await;
    assert!(
        error.to_string().contains("there is no folder /no/such/folder"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_without_the_database_says_so() {
    let database = postgres::Database::new().await;
    let error = refusal(&format!("{}_of_nobody", database.url)).await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
    assert!(
        error.to_string().contains("_of_nobody\" does not exist"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("catalog.db");
    std::fs::write(
        &path,
        "this is a text, and a long one, that SQLite did not write".repeat(100),
    )
    .unwrap();
    let error = refusal(&format!("sqlite://{}", path.display())).await;
    assert!(matches!(error, OpenError::NotSqlite { .. }), "{error}");
    let told = format!("{} is not a SQLite database", path.display());
    assert!(error.to_string().ends_with(&told), "{error}");
    assert_eq!(std::fs::read(&path).unwrap()[..4], *b"this", "it is left alone");
}

#[tokio::test]
async fn what_takes_no_writes_is_named() {
    let folder = TempDir::new().unwrap();
    let error = refusal(&format!("sqlite://{}", folder.path().display())).await;
    assert!(
        matches!(error, OpenError::NotWritable { .. }),
        "a folder is no file: {error}"
    );
    let database = postgres::Database::new().await;
    let read_only = format!("{}?options=-c%20default_transaction_read_only%3Don", database.url);
    let error = refusal(&read_only).await;
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error}");
}
