//! What each broker knows for itself, asked of all of them at once.

use std::marker::PhantomData;

use firn_catalog::image::Image;
use firn_catalog::internal::{Connections, Load, Question};
use firn_catalog::quota::throttle::Throttles;
use futures::future::join_all;

use super::exchange::Asked;
use super::{Delegate, KafkaError, KafkaPool};

/// What the brokers tell.
pub(crate) struct Told<A> {
    /// The answers.
    pub(crate) answers: Vec<A>,
    /// The nodes that did not answer, for they are away or have told no address.
    pub(crate) silent: Vec<i32>,
    /// The nodes that answer, but not this question: they may be of another version.
    pub(crate) untold: Vec<i32>,
}

impl<A> Told<A> {
    /// The nodes of which nothing is told, whatever the reason.
    pub(crate) fn missing(&self) -> Vec<i32> {
        let mut missing = [self.silent.as_slice(), &self.untold].concat();
        missing.sort_unstable();
        missing
    }
}

/// Kafka's error of who is asked what it does not understand.
const INVALID_REQUEST: i16 = 42;

/// Whether a broker answers that does not answer the question.
fn does_not_understand(error: &KafkaError) -> bool {
    matches!(
        error,
        KafkaError::Refused(INVALID_REQUEST) | KafkaError::Nonsense(_)
    )
}

/// What answers a question.
pub(crate) trait Answer: serde::de::DeserializeOwned + Send {
    /// The question.
    const QUESTION: Question;
}

impl Answer for Throttles {
    const QUESTION: Question = Question::Throttles;
}

impl Answer for Connections {
    const QUESTION: Question = Question::Connections;
}

impl Answer for Load {
    const QUESTION: Question = Question::Load;
}

/// Asks all brokers at once. One that is away does not hide what the others know.
pub(crate) async fn ask_all<A: Answer>(pool: &KafkaPool, delegate: &Delegate, image: &Image) -> Told<A> {
    let asked = image.brokers().map(|broker| async move {
        let asked: Asked<A> = Asked(PhantomData);
        let answer = match &broker.internal {
            Some(address) => pool.exchange(address, delegate, &asked).await.map(Some),
            None => Ok(None),
        };
        (broker.node.0, answer)
    });
    let mut told = Told {
        answers: Vec::new(),
        silent: Vec::new(),
        untold: Vec::new(),
    };
    for (node, answer) in join_all(asked).await {
        match answer {
            Ok(Some(answer)) => told.answers.push(answer),
            Ok(None) => told.silent.push(node),
            Err(error) => {
                tracing::warn!(%error, question = ?A::QUESTION, "a broker does not answer a question");
                let nodes = match does_not_understand(&error) {
                    true => &mut told.untold,
                    false => &mut told.silent,
                };
                nodes.push(node);
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_of_another_version_is_not_taken_for_one_that_is_away() {
        for other_version in [
            KafkaError::Refused(INVALID_REQUEST),
            KafkaError::Nonsense("missing field `storage_full`".to_owned()),
        ] {
            assert!(does_not_understand(&other_version), "{other_version}");
        }
        let stopping = KafkaError::Refused(8);
        assert!(!does_not_understand(&stopping));
        let told: Told<()> = Told {
            answers: Vec::new(),
            silent: vec![3],
            untold: vec![1],
        };
        assert_eq!(told.missing(), [1, 3]);
    }
}
