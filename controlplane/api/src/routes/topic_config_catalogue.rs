//! Which configs a topic can have: every key that Kafka knows, with what it takes. The same for every cluster.

use axum::response::Response;
use firn_catalog::topic_config::{ConfigKey, ConfigKind, Standing, TOPIC_KEYS, ValidValues};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::ok;
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list_topic_config_keys))
}

/// What a topic can be configured with.
#[derive(Serialize, ToSchema)]
struct TopicConfigCatalogue {
    /// Every key, in the order of their names.
    items: Vec<TopicConfigKey>,
}

/// A key of a topic's configuration.
#[derive(Serialize, ToSchema)]
struct TopicConfigKey {
    /// Its name.
    name: &'static str,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    kind: Kind,
    /// Its value if nobody sets it: not the topic, not the cluster's owner, not the operator.
    default: Option<&'static str>,
    /// What it does.
    documentation: &'static str,
    /// The words that it takes, or of which its list is made; null: others too.
    values: Option<&'static [&'static str]>,
    /// The smallest number that it takes.
    minimum: Option<i64>,
    /// The largest number that it takes; null: the largest of its type.
    maximum: Option<i64>,
    /// A number outside of these bounds that it takes too, with a meaning of its own.
    special: Option<i64>,
    /// What its number counts.
    unit: Option<Unit>,
    /// Whether the service acts on it. If not, it is kept and shown for clients that ask for it.
    enforced: bool,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TopicConfigKeyType)]
enum Kind {
    Boolean,
    String,
    Int,
    Long,
    Double,
    List,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TopicConfigUnit)]
enum Unit {
    /// Milliseconds.
    Ms,
    Bytes,
    Records,
    /// Of a whole.
    Fraction,
}

impl TopicConfigKey {
    fn of(key: &'static ConfigKey) -> Self {
        let (minimum, maximum, special) = match key.valid {
            ValidValues::AtLeast(minimum) => (Some(minimum), None, None),
            ValidValues::Between(minimum, maximum) => (Some(minimum), Some(maximum), None),
            ValidValues::ExactlyOrBetween(special, minimum, maximum) => {
                (Some(minimum), Some(maximum), Some(special))
            }
            ValidValues::Fraction => (Some(0), Some(1), None),
            ValidValues::Any | ValidValues::OneOf(_) | ValidValues::ThrottledReplicas => (None, None, None),
        };
        Self {
            name: key.name,
            kind: match key.kind {
                ConfigKind::Boolean => Kind::Boolean,
                ConfigKind::String => Kind::String,
                ConfigKind::Int => Kind::Int,
                ConfigKind::Long => Kind::Long,
                ConfigKind::Double => Kind::Double,
                ConfigKind::List => Kind::List,
            },
            default: key.default,
            documentation: key.documentation,
            values: match key.valid {
                ValidValues::OneOf(words) => Some(words),
                _ => None,
            },
            minimum,
            maximum,
            special,
            unit: unit(key),
            enforced: key.standing == Standing::Enforced,
        }
    }
}

/// What a number counts, which its name tells: retention.ms, message.timestamp.after.max.ms, max.message.bytes.
fn unit(key: &ConfigKey) -> Option<Unit> {
    match key.kind {
        ConfigKind::Int | ConfigKind::Long => key.name.rsplit('.').find_map(|word| match word {
            "ms" => Some(Unit::Ms),
            "bytes" => Some(Unit::Bytes),
            "messages" => Some(Unit::Records),
            _ => None,
        }),
        ConfigKind::Double => Some(Unit::Fraction),
        ConfigKind::Boolean | ConfigKind::String | ConfigKind::List => None,
    }
}

/// List what topics can be configured with
///
/// Every key, with its default, its bounds and what it does.
#[utoipa::path(get, path = "/v1/topic-configs", tag = "topics", security(()), responses((status = 200, body = TopicConfigCatalogue)))]
async fn list_topic_config_keys() -> Response {
    ok(TopicConfigCatalogue {
        items: TOPIC_KEYS.iter().map(TopicConfigKey::of).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_refused_exactly_where_the_catalogue_says_so() {
        for key in TOPIC_KEYS {
            let told = TopicConfigKey::of(key);
            let accepts = |number: i64| key.validate(&number.to_string()).is_ok();
            for (bound, beyond) in [(told.minimum, -1), (told.maximum, 1)] {
                let Some(bound) = bound else { continue };
                assert!(accepts(bound), "{}: {bound}", key.name);
                let outside = bound + beyond;
                assert_eq!(
                    accepts(outside),
                    told.special == Some(outside),
                    "{}: {outside}",
                    key.name
                );
            }
            for word in told.values.into_iter().flatten() {
                assert!(key.validate(word).is_ok(), "{}: {word}", key.name);
            }
            if let Some(default) = told.default {
                assert!(key.validate(default).is_ok(), "{}", key.name);
            }
        }
    }

    #[test]
    fn what_a_number_counts_is_told() {
        let of = |name| unit(ConfigKey::of_topic(name).unwrap());
        assert_eq!(of("retention.ms"), Some(Unit::Ms));
        assert_eq!(of("message.timestamp.after.max.ms"), Some(Unit::Ms));
        assert_eq!(of("max.message.bytes"), Some(Unit::Bytes));
        assert_eq!(of("flush.messages"), Some(Unit::Records));
        assert_eq!(of("min.insync.replicas"), None);
        assert_eq!(of("compression.type"), None);
    }
}
