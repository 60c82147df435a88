//! A thread that tasks may block.

use std::io;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread with a small runtime of its own, with timers and without I/O. Its tasks may block it: they hold up nobody but each
/// other. It ends when this is dropped, and its tasks with it, each at its next await.
#[derive(Debug)]
pub struct OwnThread {
    handle: Handle,
    _until_dropped: oneshot::Sender<()>,
}

impl OwnThread {
    /// Starts a thread of this name.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the ban sends everyone to"
    )]
    pub fn start(name: &str) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let handle = runtime.handle().clone();
        let (until_dropped, dropped) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || drop(runtime.block_on(dropped)))?;
        Ok(Self {
            handle,
            _until_dropped: until_dropped,
        })
    }

    /// Where its tasks are started.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test is about that thread")]
    fn tasks_run_there_and_end_with_it() {
        let thread = OwnThread::start("own").unwrap();
        let (tell, told) = channel();
        thread.handle().spawn(async move {
            tell.send(std::thread::current().name().map(str::to_owned))
                .unwrap();
            std::future::pending::<()>().await;
            drop(tell);
        });
        assert_eq!(told.recv().unwrap().as_deref(), Some("own"));
        drop(thread);
        let ended = told.recv_timeout(Duration::from_secs(60));
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "the task is gone");
    }
}
