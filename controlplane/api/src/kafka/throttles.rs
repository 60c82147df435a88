//! Who is throttled: asked of every broker, since each makes its own clients wait.

use firn_catalog::image::Image;
use firn_catalog::quota::throttle::{Question, Throttles};
use futures::future::join_all;

use super::{Delegate, KafkaPool};

/// What the brokers tell.
pub(crate) struct Told {
    /// The answers.
    pub(crate) answers: Vec<Throttles>,
    /// The nodes that did not answer, for they are away or have told no address.
    pub(crate) silent: Vec<i32>,
}

/// Asks all brokers at once. One that is away does not hide what the others know.
pub(crate) async fn throttles(pool: &KafkaPool, delegate: &Delegate, image: &Image) -> Told {
    let asked = image.brokers().map(|broker| async move {
        let answer = match &broker.internal {
            Some(address) => pool
                .exchange(address, delegate, &Question::Throttles)
                .await
                .map(Some),
            None => Ok(None),
        };
        (broker.node.0, answer)
    });
    let mut told = Told {
        answers: Vec::new(),
        silent: Vec::new(),
    };
    for (node, answer) in join_all(asked).await {
        match answer {
            Ok(Some(answer)) => told.answers.push(answer),
            Ok(None) => told.silent.push(node),
            Err(error) => {
                tracing::warn!(%error, "a broker does not tell whom it throttles");
                told.silent.push(node);
            }
        }
    }
    told
}
