//! What a token must say of its audience and its time.

use std::time::Duration;

use firn_runtime::Timestamp;
use serde_json::Value;

use super::jwt::Jwt;
use crate::authentication::credentials::Refused;

/// Refuses a token that is for others.
pub(super) fn audience(jwt: &Jwt<'_>, expected: &[String]) -> Result<(), Refused> {
    let fits = |one: &Value| one.as_str().is_some_and(|one| expected.iter().any(|e| e == one));
    let right = match jwt.claim("aud") {
        Some(Value::Array(several)) => several.iter().any(fits),
        Some(one) => fits(one),
        None => false,
    };
    match right {
        true => Ok(()),
        false => Err(Refused("the token is for another audience")),
    }
}

/// Until when a token holds, if it does now. Only while the clocks differ does it hold longer than it says.
pub(super) fn times(jwt: &Jwt<'_>, now: Timestamp, skew: Duration) -> Result<Timestamp, Refused> {
    let ends = moment(jwt, "exp")?.ok_or(Refused("the token never expires"))?;
    if ends.plus(skew) <= now {
        return Err(Refused("the token has expired"));
    }
    for name in ["nbf", "iat"] {
        if moment(jwt, name)?.is_some_and(|from| from > now.plus(skew)) {
            return Err(Refused("the token is from the future"));
        }
    }
    Ok(match ends > now {
        true => ends,
        false => ends.plus(skew),
    })
}

/// A claim in seconds since the Unix epoch, which may have a fraction (RFC 7519, 2).
fn moment(jwt: &Jwt<'_>, name: &str) -> Result<Option<Timestamp>, Refused> {
    let Some(value) = jwt.claim(name) else {
        return Ok(None);
    };
    let seconds = value.as_f64().filter(|seconds| (0.0..1e12).contains(seconds));
    match seconds {
        Some(seconds) => Ok(Some(Timestamp((seconds * 1_000.0) as i64))),
        None => Err(Refused("a time in the token is no time")),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const SKEW: Duration = Duration::from_secs(30);

    fn with<T>(claims: &Value, check: impl FnOnce(&Jwt<'_>) -> T) -> T {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(claims));
        check(&Jwt::read(&token).unwrap())
    }

    #[test]
    fn an_audience_is_one_of_those_that_are_expected() {
        let expected = ["kafka".to_owned(), "streams".to_owned()];
        for (claim, fits) in [
            (json!("kafka"), true),
            (json!(["other", "streams"]), true),
            (json!("Kafka"), false),
            (json!([]), false),
            (json!([["kafka"]]), false),
            (json!({"kafka": 1}), false),
            (json!(null), false),
        ] {
            let found = with(&json!({"aud": claim}), |jwt| audience(jwt, &expected).is_ok());
            assert_eq!(found, fits, "{claim}");
        }
        assert!(with(&json!({}), |jwt| audience(jwt, &expected)).is_err());
    }

    #[test]
    fn a_token_holds_from_when_to_when_it_says_but_for_the_clocks() {
        let ends = |claims: Value| with(&claims, |jwt| times(jwt, NOW, SKEW)).ok().map(|at| at.0);
        assert_eq!(ends(json!({"exp": 1_001})), Some(1_001_000));
        assert_eq!(ends(json!({"exp": 1_001.5})), Some(1_001_500));
        assert_eq!(ends(json!({"exp": 980})), Some(1_010_000));
        assert_eq!(ends(json!({"exp": 970})), None);
        assert_eq!(ends(json!({})), None);
        assert_eq!(ends(json!({"exp": "1001"})), None);
        assert_eq!(ends(json!({"exp": -1})), None);
        assert_eq!(ends(json!({"exp": 1e300})), None);
        assert_eq!(ends(json!({"exp": null})), None);
        for name in ["nbf", "iat"] {
            assert!(ends(json!({"exp": 2_000, name: 1_030})).is_some(), "{name}");
            assert!(ends(json!({"exp": 2_000, name: 1_031})).is_none(), "{name}");
            assert!(ends(json!({"exp": 2_000, name: "x"})).is_none(), "{name}");
        }
    }
}
