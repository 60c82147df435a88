//! An open catalog: both stores, and the hint that the feed has grown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use firn_runtime::Env;
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::commands::{AclAuthorizer, Authorizer};
use crate::image::Image;
use crate::sql::{OpenError, Store};

/// The catalog of one cell, with the account store beside it. Commands are in [`crate::commands`], the log's view is
/// [`crate::cell::LogCatalog`], the brokers' view is [`crate::image::ImageFollower`].
pub struct Catalog {
    store: Store,
    authorizer: Arc<dyn Authorizer>,
    /// The image by which the authorizer judges, once one is followed.
    image: RwLock<Option<watch::Receiver<Arc<Image>>>>,
    /// The operator's `allow.everyone.if.no.acl.found`.
    allows_unnamed: AtomicBool,
    /// Counts this process's own changes; followers in it look at once.
    hint: watch::Sender<u64>,
    /// Counts what brokers of this process have reported to serve; who waits for it looks at once.
    reports: watch::Sender<u64>,
    url: String,
}

impl Catalog {
    /// Opens the catalog at `url` (`postgres://…`, or `sqlite://PATH`, which is created if it is not there) and brings its
    /// tables to this version.
    pub async fn open(url: &str, env: Env) -> Result<Arc<Self>, OpenError> {
        Self::open_for(url, env, Arc::new(AclAuthorizer)).await
    }

    /// Opens it with another judge of who may do what.
    pub(crate) async fn open_for(
        url: &str,
        env: Env,
        authorizer: Arc<dyn Authorizer>,
    ) -> Result<Arc<Self>, OpenError> {
        let store = Store::open(url, env).await?;
        Ok(Arc::new(Self {
            store,
            authorizer,
            image: RwLock::new(None),
            allows_unnamed: AtomicBool::new(false),
            hint: watch::Sender::new(0),
            reports: watch::Sender::new(0),
            url: url.to_owned(),
        }))
    }

    /// Closes the connections, after the transactions under way.
    pub async fn close(&self) {
        self.store.close().await;
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn env(&self) -> &Env {
        self.store.env()
    }

    pub(crate) fn authorizer(&self) -> &dyn Authorizer {
        self.authorizer.as_ref()
    }

    /// From now on the authorizer judges by the image that is followed here.
    pub(crate) fn judge_by(&self, image: watch::Receiver<Arc<Image>>) {
        *self.image.write() = Some(image);
    }

    /// The image as of now; `None` if none is followed.
    pub(crate) fn judging_image(&self) -> Option<Arc<Image>> {
        let followed = self.image.read();
        // The last image of a follower that has ended says nothing of now.
        let image = followed.as_ref().filter(|image| image.has_changed().is_ok());
        image.map(|image| Arc::clone(&image.borrow()))
    }

    /// Sets whether everybody in a cluster may do everything to what none of its ACLs names (`allow.everyone.if.no.acl.found`), for
    /// images that are loaded after this.
    pub fn allow_everyone_if_no_acl_found(&self, allow: bool) {
        self.allows_unnamed.store(allow, Ordering::Relaxed);
    }

    pub(crate) fn allows_unnamed(&self) -> bool {
        self.allows_unnamed.load(Ordering::Relaxed)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Wakes the followers of this process if something was committed.
    pub(crate) fn hint_after<T, E>(&self, outcome: Result<T, E>) -> Result<T, E> {
        if outcome.is_ok() {
            self.hint.send_modify(|changes| *changes += 1);
        }
        outcome
    }

    pub(crate) fn reports(&self) -> &watch::Sender<u64> {
        &self.reports
    }

    /// Changes whenever this process has told the feed something.
    pub(crate) fn hints(&self) -> watch::Receiver<u64> {
        self.hint.subscribe()
    }

    /// Says that another process has told the feed something.
    pub(crate) fn hint(&self) {
        self.hint.send_modify(|changes| *changes += 1);
    }
}
