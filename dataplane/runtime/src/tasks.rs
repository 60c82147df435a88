//! Background tasks and blocking calls.

use futures::future::BoxFuture;
use tokio::task::JoinHandle;

/// Where tasks run.
pub trait Tasks: Send + Sync + 'static {
    /// Starts a task. Dropping the handle leaves it running; `abort` ends it at its next await.
    fn spawn(&self, future: BoxFuture<'static, ()>) -> JoinHandle<()>;

    /// Whether [`blocking`] may use another thread. The simulation runs everything on one.
    fn has_threads(&self) -> bool;
}

/// The current tokio runtime, with its pool of threads for blocking calls.
#[derive(Debug, Clone, Copy)]
pub struct TokioTasks;

impl Tasks for TokioTasks {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the ban sends everyone to"
    )]
    fn spawn(&self, future: BoxFuture<'static, ()>) -> JoinHandle<()> {
        tokio::spawn(future)
    }

    fn has_threads(&self) -> bool {
        true
    }
}

/// The current tokio runtime, and no other thread: for the simulation.
#[derive(Debug, Clone, Copy)]
pub struct InlineTasks;

impl Tasks for InlineTasks {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the ban sends everyone to"
    )]
    fn spawn(&self, future: BoxFuture<'static, ()>) -> JoinHandle<()> {
        tokio::spawn(future)
    }

    fn has_threads(&self) -> bool {
        false
    }
}

/// Runs a call that may block (file I/O) without holding up other tasks; inline where there are no threads.
/// A panic in `call` goes on in the caller.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the seam that the ban sends everyone to"
)]
pub async fn blocking<T: Send + 'static>(tasks: &dyn Tasks, call: impl FnOnce() -> T + Send + 'static) -> T {
    if !tasks.has_threads() {
        return call();
    }
    match tokio::task::spawn_blocking(call).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going away and takes this task with it.
            Err(_) => futures::future::pending().await,
        },
    }
}
