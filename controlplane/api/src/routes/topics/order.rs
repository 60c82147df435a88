//! Orders of a list of topics. Each is total, since names are unique in a cluster and settle every tie, so a place in it can be
//! found again whatever has come or gone meanwhile.

use std::cmp::Ordering;
use std::sync::Arc;

use firn_catalog::image::ImageTopic;

use crate::rules::Problem;

/// What topics are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Key {
    #[default]
    Name,
    Partitions,
    CreatedAt,
    Size,
}

/// By what, and from which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) key: Key,
    pub(super) descending: bool,
}

/// A topic's place in an order: the number that it is sorted by, and its name. What is not known comes before everything that is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(pub(super) Option<i64>, pub(super) Arc<str>);

impl Place {
    /// As a cursor holds it.
    pub(super) fn text(&self) -> String {
        serde_json::json!([self.0, &*self.1]).to_string()
    }

    /// A place that [`Self::text`] wrote.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let read: Result<(Option<i64>, String), _> = serde_json::from_str(text);
        let (number, name) = read.map_err(|_| {
            tracing::error!("a signed cursor holds no place of topics");
            Problem::internal()
        })?;
        Ok(Self(number, name.into()))
    }
}

impl Order {
    /// Reads `name`, `-size` and the like.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let key = match name {
            "name" => Key::Name,
            "partitions" => Key::Partitions,
            "created_at" => Key::CreatedAt,
            "size" => Key::Size,
            _ => {
                let detail =
                    "sort must be name, partitions, created_at or size, with - before it for the reverse";
                return Err(Problem::bad_request(detail));
            }
        };
        Ok(Self { key, descending })
    }

    /// The place of a topic whose records take up `size` bytes.
    pub(super) fn place(self, topic: &ImageTopic, size: Option<i64>) -> Place {
        let number = match self.key {
            Key::Name => None,
            Key::Partitions => i64::try_from(topic.partitions.len()).ok(),
            Key::CreatedAt => Some(topic.created_at.0),
            Key::Size => size,
        };
        Place(number, Arc::clone(&topic.name))
    }

    /// How two places are to each other.
    pub(super) fn compare(self, one: &Place, other: &Place) -> Ordering {
        match self.descending {
            false => one.cmp(other),
            true => other.cmp(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(order: &str, mut places: Vec<Place>) -> Vec<String> {
        let order = Order::parse(order).unwrap();
        places.sort_by(|one, other| order.compare(one, other));
        places.into_iter().map(|place| place.1.to_string()).collect()
    }

    #[test]
    fn equal_numbers_are_in_the_order_of_names_and_unknown_ones_are_least() {
        let places = vec![
            Place(Some(1), "b".into()),
            Place(None, "c".into()),
            Place(Some(1), "a".into()),
            Place(Some(0), "d".into()),
        ];
        assert_eq!(sorted("size", places.clone()), ["c", "d", "a", "b"]);
        assert_eq!(sorted("-size", places), ["b", "a", "d", "c"]);
    }

    #[test]
    fn what_is_no_order_is_refused() {
        for text in ["", "-", "--name", "names", "name,size", "Name"] {
            assert!(Order::parse(text).is_err(), "{text}");
        }
    }
}
