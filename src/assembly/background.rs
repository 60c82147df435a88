//! Tasks that end with their owner.

use firn_runtime::Env;
use tokio::task::JoinHandle;

/// Tasks that run until this is dropped.
#[derive(Default)]
pub struct Background(Vec<JoinHandle<()>>);

impl Background {
    /// Starts one more.
    pub fn run(&mut self, env: &Env, task: impl Future<Output = ()> + Send + 'static) {
        self.0.push(env.tasks.spawn(Box::pin(task)));
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}
