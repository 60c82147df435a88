//! A database that stops answering. A binary of its own, since it freezes the server that tests share.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod cell;
mod postgres;

use std::time::Duration;

use firn_catalog::cell::CatalogError;

use cell::{Cell, NOW};

#[tokio::test]
async fn a_frozen_server_is_unavailable_and_serves_again_when_it_thaws() {
    let cell = Cell::postgres().await;
    let broker = cell.open(1).await;
    cell.database().freeze();
    let frozen = tokio::time::timeout(Duration::from_secs(20), cell.catalog().heartbeat(broker, NOW)).await;
    cell.database().thaw();
    assert!(
        matches!(frozen, Ok(Err(CatalogError::Unavailable(_)))),
        "{frozen:?}"
    );
    cell.catalog().heartbeat(broker, NOW).await.unwrap();
}
