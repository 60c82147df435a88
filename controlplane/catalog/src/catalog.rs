//! An open catalog: both stores, and the hint that the feed has grown.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use firn_runtime::Env;
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::audit::sampling::Sampling;
use crate::commands::{AclAuthorizer, Authorizer};
use crate::image::Image;
use crate::sql::{OpenError, Store};

/// The catalog of one cell, with the account store beside it. Commands are in [`crate::commands`], the log's view is
/// [`crate::cell::LogCatalog`], the brokers' view is [`crate::image::ImageFollower`].
pub struct Catalog {
    store: Store,
    authorizer: Arc<dyn Authorizer>,
    /// The images that are followed here, by which the authorizer judges, or that were last.
    images: RwLock<Vec<watch::Receiver<Arc<Image>>>>,
    /// The operator's `allow.everyone.if.no.acl.found`.
    allows_unnamed: AtomicBool,
    /// Counts this process's own changes; followers in it look at once.
    hint: watch::Sender<u64>,
    /// Counts what brokers of this process have reported to serve; who waits for it looks at once.
    reports: watch::Sender<u64>,
    url: String,
    /// How many denials trails have had of late.
    sampling: Sampling,
    /// Itself, for what goes on after a call.
    shared: Weak<Self>,
}

/// What the authorizer judges by.
pub(crate) enum Judging {
    /// The image as of now.
    Image(Arc<Image>),
    /// No image has been followed here: roles are known, and bindings are nobody's matter.
    NotYet,
    /// The image is not followed any more: its last state says nothing of now.
    Lost,
}

fn is_followed(image: &watch::Receiver<Arc<Image>>) -> bool {
    image.has_changed().is_ok()
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
        Ok(Arc::new_cyclic(|shared| Self {
            store,
            authorizer,
            images: RwLock::default(),
            allows_unnamed: AtomicBool::new(false),
            hint: watch::Sender::new(0),
            reports: watch::Sender::new(0),
            url: url.to_owned(),
            sampling: Sampling::default(),
            shared: Weak::clone(shared),
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

    pub(crate) fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    /// This catalog; `None`: nobody holds it any more.
    pub(crate) fn shared(&self) -> Option<Arc<Self>> {
        self.shared.upgrade()
    }

    pub(crate) fn authorizer(&self) -> &dyn Authorizer {
        self.authorizer.as_ref()
    }

    /// From now on the authorizer judges by the image that is followed here.
    pub(crate) fn judge_by(&self, image: watch::Receiver<Arc<Image>>) {
        let mut images = self.images.write();
        images.retain(is_followed);
        images.push(image);
    }

    /// The image as of now.
    pub(crate) fn judging_image(&self) -> Judging {
        let images = self.images.read();
        let followed = images.iter().find(|image| is_followed(image));
        match followed {
            Some(image) => Judging::Image(Arc::clone(&image.borrow())),
            None if images.is_empty() => Judging::NotYet,
            None => Judging::Lost,
        }
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
