//! Which values a key accepts.

use std::collections::BTreeSet;

use super::{ConfigError, ConfigKey, ConfigKind, ConfigMap, ValidValues};

/// The longest value of a config, in bytes: longer ones do not fit into answers of versions before the flexible ones.
pub const MAX_VALUE_BYTES: usize = 32_767;

/// The elements of a list value.
pub(super) fn list_elements(value: &str) -> Vec<&str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|element| !element.is_empty())
        .collect()
}

impl ConfigKey {
    /// Checks that `value` does for this key.
    pub fn validate(&self, value: &str) -> Result<(), ConfigError> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(ConfigError::Invalid {
                key: self.name.to_owned(),
                reason: format!("it exceeds the maximum value size of {MAX_VALUE_BYTES} bytes"),
            });
        }
        self.refusal(value.trim()).map_or(Ok(()), |reason| {
            Err(ConfigError::Invalid {
                key: self.name.to_owned(),
                reason: format!("{reason}, not '{value}'"),
            })
        })
    }

    /// What the value would have to be, if it is not.
    fn refusal(&self, value: &str) -> Option<String> {
        match self.kind {
            ConfigKind::Boolean => {
                let accepted = value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
                (!accepted).then(|| "it must be true or false".to_owned())
            }
            ConfigKind::Int => match value.parse::<i32>() {
                Ok(number) => self.number_refusal(i64::from(number)),
                Err(_) => Some("it must be a 32-bit whole number".to_owned()),
            },
            ConfigKind::Long => match value.parse::<i64>() {
                Ok(number) => self.number_refusal(number),
                Err(_) => Some("it must be a 64-bit whole number".to_owned()),
            },
            ConfigKind::Double => match value.parse::<f64>() {
                Ok(number) if self.valid != ValidValues::Fraction || (0.0..=1.0).contains(&number) => None,
                Ok(_) | Err(_) => Some("it must be a number from 0 to 1".to_owned()),
            },
            ConfigKind::String => self.element_refusal(value),
            ConfigKind::List => self.list_refusal(value),
        }
    }

    fn number_refusal(&self, number: i64) -> Option<String> {
        match self.valid {
            ValidValues::AtLeast(min) => (number < min).then(|| format!("it must be at least {min}")),
            ValidValues::Between(min, max) => {
                (!(min..=max).contains(&number)).then(|| format!("it must be from {min} to {max}"))
            }
            ValidValues::ExactlyOrBetween(exactly, min, max) => {
                let accepted = number == exactly || (min..=max).contains(&number);
                (!accepted).then(|| format!("it must be {exactly}, or from {min} to {max}"))
            }
            ValidValues::Any
            | ValidValues::Fraction
            | ValidValues::OneOf(_)
            | ValidValues::ThrottledReplicas => None,
        }
    }

    fn list_refusal(&self, value: &str) -> Option<String> {
        let elements = list_elements(value);
        let mut seen = BTreeSet::new();
        for element in &elements {
            if !seen.insert(element) {
                return Some(format!("it names '{element}' twice"));
            }
            if let Some(reason) = self.element_refusal(element) {
                return Some(reason);
            }
        }
        let star = matches!(self.valid, ValidValues::ThrottledReplicas) && elements.contains(&"*");
        (star && elements.len() > 1).then(|| "it must be '*' or pairs partition:broker".to_owned())
    }

    fn element_refusal(&self, element: &str) -> Option<String> {
        match self.valid {
            ValidValues::OneOf(accepted) => {
                (!accepted.contains(&element)).then(|| format!("it must be one of {}", accepted.join(", ")))
            }
            ValidValues::ThrottledReplicas => {
                let number = |text: &str| text.parse::<u32>().is_ok();
                let pair = element
                    .split_once(':')
                    .is_some_and(|(left, right)| number(left) && number(right));
                (!pair && element != "*").then(|| "it must be '*' or pairs partition:broker".to_owned())
            }
            ValidValues::Any
            | ValidValues::AtLeast(_)
            | ValidValues::Between(..)
            | ValidValues::ExactlyOrBetween(..)
            | ValidValues::Fraction => None,
        }
    }
}

/// A record may not be due for compaction before it may be compacted.
pub(super) fn compaction_lags_fit(overrides: &ConfigMap) -> Result<(), ConfigError> {
    let lag = |name: &str| {
        let default = ConfigKey::of_topic(name).and_then(|key| key.default);
        let text = overrides.get(name).map(String::as_str).or(default);
        text.and_then(|text| text.trim().parse::<i64>().ok())
    };
    match (lag("min.compaction.lag.ms"), lag("max.compaction.lag.ms")) {
        (Some(min), Some(max)) if min > max => Err(ConfigError::Invalid {
            key: "min.compaction.lag.ms".to_owned(),
            reason: format!("it must not exceed max.compaction.lag.ms, which is {max}, not '{min}'"),
        }),
        _ => Ok(()),
    }
}
