//! Lists: a bounded page, and an opaque cursor to the next one.
//!
//! A cursor is signed, and bound to the path, the filters and the caller that it was given for; with any other it is refused. It says
//! after what the next page begins, so that rows that come or go meanwhile neither repeat nor hide others.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use firn_catalog::ids::InvalidId;
use firn_secrets::Secrets;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Admitted;
use super::{Code, Problem};
use crate::state::Api;

const PURPOSE: &str = "cursor";
const DEFAULT_SIZE: i64 = 50;
/// The most items of a page, unless a list says otherwise.
const MAX_SIZE: i64 = 200;
/// The longest cursor that is looked at.
const MAX_CURSOR: usize = 8_000;

/// Which page of a list is wanted, of at most `MOST` items.
#[derive(Clone)]
pub(crate) struct Paging<const MOST: i64 = MAX_SIZE> {
    /// How many items it has at most: 1 to `MOST`.
    pub(crate) size: i64,
    /// After which position it begins, as the list's own text.
    pub(crate) after: Option<String>,
    /// The list that it belongs to.
    list: String,
    secrets: Secrets,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T> {
    /// What is on this page.
    pub(crate) items: Vec<T>,
    /// Where the next page begins: pass it as `cursor`. None on the last one.
    pub(crate) next_cursor: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    /// A digest of the list.
    l: String,
    /// The position.
    p: String,
}

impl<const MOST: i64> Paging<MOST> {
    /// How many rows to read: one more than a page has, to know whether there is a next one.
    pub(crate) fn rows(&self) -> i64 {
        self.size + 1
    }

    /// The position as a public id.
    pub(crate) fn after_id<T>(
        &self,
        read: impl Fn(&str) -> Result<T, InvalidId>,
    ) -> Result<Option<T>, Problem> {
        let after = self.after.as_deref().map(read).transpose();
        after.map_err(|_| foreign())
    }

    /// The page out of [`Self::rows`] rows; `position` gives a row's place in the list, `show` what the page shows of it.
    pub(crate) fn page<R, T>(
        &self,
        mut rows: Vec<R>,
        position: impl Fn(&R) -> String,
        show: impl Fn(R) -> T,
    ) -> Listing<T> {
        let size = usize::try_from(self.size).expect("checked to be 1 to MOST");
        let more = rows.len() > size;
        rows.truncate(size);
        let last = rows.last().filter(|_| more);
        let next_cursor = last.map(|row| self.cursor(position(row)));
        Listing {
            items: rows.into_iter().map(show).collect(),
            next_cursor,
        }
    }

    /// The cursor of a page that begins after this position.
    pub(crate) fn cursor(&self, position: String) -> String {
        let cursor = Cursor {
            l: digest(&self.secrets, &self.list),
            p: position,
        };
        let text = serde_json::to_vec(&cursor).expect("two texts");
        self.secrets.sign(PURPOSE, &text)
    }
}

fn digest(secrets: &Secrets, list: &str) -> String {
    let mut digest = secrets.digest(PURPOSE, list.as_bytes());
    digest.truncate(32);
    digest
}

fn foreign() -> Problem {
    Problem::new(
        Code::InvalidCursor,
        "the cursor was not given by this list with these filters",
    )
}

fn read(api: &Api, cursor: &str, list: &str) -> Result<String, Problem> {
    if cursor.len() > MAX_CURSOR {
        return Err(foreign());
    }
    let payload = api.secrets.unsign(PURPOSE, cursor).ok_or_else(foreign)?;
    let cursor: Cursor = serde_json::from_slice(&payload).map_err(|_| foreign())?;
    match cursor.l == digest(&api.secrets, list) {
        true => Ok(cursor.p),
        false => Err(foreign()),
    }
}

impl<const MOST: i64> FromRequestParts<Api> for Paging<MOST> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let (mut size, mut cursor, mut filters) = (DEFAULT_SIZE, None, Vec::new());
        let query = parts.uri.query().unwrap_or_default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "page_size" => {
                    let asked = value.parse().ok().filter(|size| (1..=MOST).contains(size));
                    size = asked
                        .ok_or_else(|| Problem::bad_request(format!("page_size must be from 1 to {MOST}")))?;
                }
                "cursor" => cursor = Some(value.into_owned()),
                // How long a page is waited for says nothing of what is on it.
                "wait" => {}
                _ => filters.push((name.into_owned(), value.into_owned())),
            }
        }
        filters.sort();
        let caller = match parts.extensions.get::<Admitted>() {
            Some(Admitted::Somebody(caller)) => caller.principal().to_string(),
            Some(Admitted::Refused(_) | Admitted::Nobody) | None => String::new(),
        };
        let list = serde_json::to_string(&(parts.uri.path(), filters, caller)).expect("texts");
        let after = cursor.map(|cursor| read(api, &cursor, &list)).transpose()?;
        Ok(Self {
            size,
            after,
            list,
            secrets: api.secrets.clone(),
        })
    }
}
