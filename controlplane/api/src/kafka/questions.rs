//! What each broker knows for itself, asked of all of them at once.

use std::marker::PhantomData;

use firn_catalog::image::Image;
use firn_catalog::internal::{Connections, Load, Question};
use firn_catalog::quota::throttle::Throttles;
use futures::future::join_all;

use super::exchange::Asked;
use super::{Delegate, KafkaPool};

/// What the brokers tell.
pub(crate) struct Told<A> {
    /// The answers.
    pub(crate) answers: Vec<A>,
    /// The nodes that did not answer, for they are away or have told no address.
    pub(crate) silent: Vec<i32>,
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
    };
    for (node, answer) in join_all(asked).await {
        match answer {
            Ok(Some(answer)) => told.answers.push(answer),
            Ok(None) => told.silent.push(node),
            Err(error) => {
                tracing::warn!(%error, question = ?A::QUESTION, "a broker does not answer a question");
                told.silent.push(node);
            }
        }
    }
    told
}
