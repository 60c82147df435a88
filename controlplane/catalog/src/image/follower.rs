//! Follows the feed and publishes the image.
//!
//! It looks at once when this process has changed something, when PostgreSQL notifies, and otherwise every 200 ms. A failed
//! read leaves the last image in force: with the catalog down, brokers go on with what they know. An entry that cannot be read or
//! does not fit the image is passed over by loading the image anew.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Image;
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::feed::FeedEntry;
use crate::ids::FeedSequence;
use crate::metrics;
use crate::sql::{CHANNEL, Dialect, transaction};

/// How long a change of another process may go unseen where nothing notifies.
const POLL: Duration = Duration::from_millis(200);
/// How long to wait after a failed read, or before listening anew.
const PAUSE: Duration = Duration::from_secs(1);

/// A task that keeps the image up with the feed. It ends when this is dropped.
pub struct ImageFollower {
    image: watch::Receiver<Arc<Image>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for ImageFollower {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl ImageFollower {
    /// Loads the image and begins to follow the feed.
    pub async fn start(catalog: Arc<Catalog>) -> Result<Arc<Self>, CatalogError> {
        // From before the load on, so that no hint is missed.
        let hints = catalog.hints();
        let first = load(&catalog).await?;
        metrics::image_at(first.sequence());
        let (publish, image) = watch::channel(Arc::new(first));
        catalog.judge_by(image.clone());
        let tasks = &catalog.env().tasks;
        let mut handles = Vec::new();
        if catalog.store().dialect() == Dialect::Postgres {
            handles.push(tasks.spawn(Box::pin(listen(Arc::clone(&catalog)))));
        }
        handles.push(tasks.spawn(Box::pin(follow(Arc::clone(&catalog), hints, publish))));
        Ok(Arc::new(Self {
            image,
            tasks: handles,
        }))
    }

    /// The image as of now.
    pub fn image(&self) -> Arc<Image> {
        Arc::clone(&self.image.borrow())
    }

    /// Tells of every new image; changes in between may be passed over.
    pub fn changes(&self) -> watch::Receiver<Arc<Image>> {
        self.image.clone()
    }

    /// Waits until the image holds `sequence` and returns it. Bounded by the caller: with the catalog away it
    /// waits on. After the task's end, which is the runtime's, it returns the last image.
    pub async fn wait_for(&self, sequence: FeedSequence) -> Arc<Image> {
        let mut image = self.image.clone();
        match image.wait_for(|image| image.sequence() >= sequence).await {
            Ok(image) => Arc::clone(&image),
            Err(_) => self.image(),
        }
    }
}

async fn load(catalog: &Catalog) -> Result<Image, CatalogError> {
    let loaded: Result<Image, CatalogError> =
        transaction!(catalog.store(), snapshot, |tx| tx.load_image().await);
    let mut image = loaded?;
    image.allow_unnamed(catalog.allows_unnamed());
    Ok(image)
}

async fn follow(catalog: Arc<Catalog>, mut hints: watch::Receiver<u64>, publish: watch::Sender<Arc<Image>>) {
    loop {
        tokio::select! {
            biased;
            changed = hints.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(POLL) => {}
        }
        // Whatever has been hinted at up to here is in the rows that are read next.
        hints.mark_unchanged();
        if let Err(error) = catch_up(&catalog, &publish).await {
            metrics::follow_failed();
            tracing::warn!(%error, "cannot read the metadata feed; the last image stays in force");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Folds in all that the feed holds.
async fn catch_up(catalog: &Catalog, publish: &watch::Sender<Arc<Image>>) -> Result<(), CatalogError> {
    loop {
        let current = Arc::clone(&publish.borrow());
        let applied = current.sequence();
        let read: Result<_, CatalogError> =
            transaction!(catalog.store(), snapshot, |tx| tx.feed_after(applied).await);
        let (entries, head) = match read {
            Ok(read) => read,
            Err(error @ CatalogError::Corrupt(_)) => return load_past(catalog, publish, error).await,
            Err(error) => return Err(error),
        };
        if entries.is_empty() && head == applied {
            return Ok(());
        }
        let next = match folded(&current, &entries) {
            Some(Ok(next)) => next,
            Some(Err(error)) => return load_past(catalog, publish, error).await,
            None => {
                tracing::info!(%applied, %head, "the feed does not go on from this image; loading it anew");
                metrics::image_reloaded();
                load(catalog).await?
            }
        };
        let reached = next.sequence();
        announce(publish, next);
        if reached >= head {
            return Ok(());
        }
    }
}

fn announce(publish: &watch::Sender<Arc<Image>>, next: Image) {
    metrics::image_at(next.sequence());
    publish.send_replace(Arc::new(next));
}

/// Loads the image anew because of an entry that cannot be read or folded; the entry's error if the image is no further then.
async fn load_past(
    catalog: &Catalog,
    publish: &watch::Sender<Arc<Image>>,
    error: CatalogError,
) -> Result<(), CatalogError> {
    let applied = publish.borrow().sequence();
    tracing::error!(%error, %applied, "the metadata feed cannot be folded into the image; loading it anew");
    metrics::image_reloaded();
    let next = load(catalog).await?;
    let reached = next.sequence();
    announce(publish, next);
    if reached > applied { Ok(()) } else { Err(error) }
}

/// The image with the entries folded in; `None` if they do not follow on it: the feed was pruned past it.
fn folded(current: &Image, entries: &[FeedEntry]) -> Option<Result<Image, CatalogError>> {
    let first = entries.first()?;
    if first.sequence.0 != current.sequence().0 + 1 {
        return None;
    }
    let mut next = current.clone();
    for entry in entries {
        if let Err(error) = next.fold(entry) {
            return Some(Err(error));
        }
    }
    Some(Ok(next))
}

/// Turns PostgreSQL's notifications into hints. Without them the poll does it, later.
async fn listen(catalog: Arc<Catalog>) {
    loop {
        if let Err(error) = listen_once(&catalog).await {
            tracing::debug!(%error, "no notifications from the catalog; polling");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen_once(catalog: &Catalog) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect(catalog.url()).await?;
    listener.listen(CHANNEL).await?;
    loop {
        listener.recv().await?;
        catalog.hint();
    }
}
