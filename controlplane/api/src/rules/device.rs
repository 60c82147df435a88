//! A browser in which somebody has logged in before, as a cookie shows it.
//!
//! Strangers can empty the buckets of an account and of an address (see [`super::login_throttle`]). A device has one of its own, so that
//! they lock nobody out who has logged in there within a year, wherever it is and however often the service has started anew. The
//! cookie is signed, is for one email address, and shows nothing else: with it a password is needed all the same.

use axum::http::{HeaderMap, HeaderValue};

use super::session::{named_cookie, set_cookie};
use crate::state::Api;

/// The cookie.
const COOKIE: &str = "__Host-firn_device";
/// How long it is good.
const LIFE_S: u64 = 365 * 24 * 60 * 60;
/// The longest one that is looked at.
const LONGEST: usize = 500;
/// The purposes of its signature and of the digest of the address in it.
const PURPOSE: &str = "device";
const EMAIL: &str = "device-email";

/// A device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Device(pub(super) u128);

impl Device {
    /// One that nobody has logged in on yet.
    pub(crate) fn new(api: &Api) -> Self {
        Self(api.env.random_u128())
    }

    /// The device that a request shows as one on which this address has logged in.
    pub(crate) fn shown(api: &Api, headers: &HeaderMap, email: &str) -> Option<Self> {
        let text = named_cookie(headers, COOKIE).filter(|text| text.len() <= LONGEST)?;
        let payload = api.secrets.unsign(PURPOSE, text)?;
        let (id, rest) = payload.split_first_chunk()?;
        let (expires_at, whose) = rest.split_first_chunk()?;
        let live = api.env.now().0 < i64::from_be_bytes(*expires_at);
        let digest = api.secrets.digest(EMAIL, email.as_bytes());
        (live && whose == digest.as_bytes()).then(|| Self(u128::from_be_bytes(*id)))
    }

    /// The Set-Cookie header that makes it one on which this address has logged in.
    pub(crate) fn cookie(self, api: &Api, email: &str) -> HeaderValue {
        let expires_at = api.env.now().plus(std::time::Duration::from_secs(LIFE_S));
        let mut payload = self.0.to_be_bytes().to_vec();
        payload.extend(expires_at.0.to_be_bytes());
        payload.extend(api.secrets.digest(EMAIL, email.as_bytes()).bytes());
        set_cookie(COOKIE, &api.secrets.sign(PURPOSE, &payload), LIFE_S)
    }
}
