//! Idempotency keys: which request of a kind was the first, and what it was answered.

use std::time::Duration;

use firn_runtime::Timestamp;

use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::sql::{Tx, TxError, args, optional_text_at, text_at, transaction};

/// How long an answer is kept.
pub const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a claim without an answer holds. Longer than any request may take: its process has ended.
pub const CLAIM_HOLDS: Duration = Duration::from_secs(60);

/// What a request with an idempotency key is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is the first: it is to be done, and its answer stored under this claim.
    First(ClaimId),
    /// The first is still under way.
    InFlight,
    /// The key was used for another body.
    OtherBody,
    /// It has been done; this was the answer.
    Answered(String),
}

/// One claim of a key: who claimed it later does not store answers over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimId(String);

impl Catalog {
    /// Claims a key for a body, both as digests. One statement decides, so of many requests at once one is the first.
    pub async fn claim_key(&self, key: &str, body: &str) -> Result<Claim, CatalogError> {
        let claim = format!("{:032x}", self.env().random_u128());
        let now = self.env().now();
        let outcome: Result<Claim, CatalogError> = transaction!(self.store(), write, |tx| claimed(
            &mut tx,
            (key, body),
            &claim,
            now
        )
        .await);
        // One request in 64 takes out what is too old to be asked for.
        if self.env().random_u64().is_multiple_of(64) {
            self.forget_old_answers(now).await?;
        }
        outcome
    }

    /// Stores the first request's answer.
    pub async fn store_answer(&self, key: &str, claim: &ClaimId, answer: &str) -> Result<(), CatalogError> {
        let update = "UPDATE account_idempotency SET answer = $3 WHERE key = $1 AND claim = $2";
        self.change(update, args![key, claim.0.as_str(), answer]).await
    }

    /// Gives the key back: the request was not done.
    pub async fn release_key(&self, key: &str, claim: &ClaimId) -> Result<(), CatalogError> {
        let delete = "DELETE FROM account_idempotency WHERE key = $1 AND claim = $2 AND answer IS NULL";
        self.change(delete, args![key, claim.0.as_str()]).await
    }

    async fn forget_old_answers(&self, now: Timestamp) -> Result<(), CatalogError> {
        let delete = "DELETE FROM account_idempotency WHERE claimed_at < $1";
        self.change(delete, args![now.minus(ANSWERS_KEPT)]).await
    }

    async fn change(&self, statement: &str, values: Vec<crate::sql::Arg>) -> Result<(), CatalogError> {
        transaction!(self.store(), write, |tx| changed(&mut tx, statement, &values)
            .await)
    }
}

async fn changed(
    tx: &mut Tx,
    statement: &str,
    values: &[crate::sql::Arg],
) -> Result<(), TxError<CatalogError>> {
    tx.execute(statement, values.to_vec()).await?;
    Ok(())
}

async fn claimed(
    tx: &mut Tx,
    (key, body): (&str, &str),
    claim: &str,
    now: Timestamp,
) -> Result<Claim, TxError<CatalogError>> {
    let insert = "INSERT INTO account_idempotency (key, body, claim, claimed_at, answer) VALUES ($1, $2, $3, $4, NULL) \
         ON CONFLICT (key) DO UPDATE SET body = excluded.body, claim = excluded.claim, claimed_at = excluded.claimed_at, \
         answer = NULL WHERE account_idempotency.claimed_at < $5 \
         OR (account_idempotency.answer IS NULL AND account_idempotency.claimed_at < $6)";
    let values = args![
        key,
        body,
        claim,
        now,
        now.minus(ANSWERS_KEPT),
        now.minus(CLAIM_HOLDS)
    ];
    if tx.execute(insert, values).await? == 1 {
        return Ok(Claim::First(ClaimId(claim.to_owned())));
    }
    let select = "SELECT body, answer FROM account_idempotency WHERE key = $1";
    let Some(row) = tx.row(select, args![key]).await? else {
        // It was released in between: whoever asks again is the first.
        return Ok(Claim::InFlight);
    };
    if text_at(&row, 0)? != body {
        return Ok(Claim::OtherBody);
    }
    Ok(optional_text_at(&row, 1)?.map_or(Claim::InFlight, Claim::Answered))
}
