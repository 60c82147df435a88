//! Which usage is asked for.

use std::fmt::Display;

use firn_catalog::ids::{ClusterId, OrganizationId, ProjectId};
use firn_catalog::usage::{DAY, Granularity, Grouping, UsageKey, UsageQuery};
use firn_runtime::Timestamp;

use crate::rules::{Moment, Problem};

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv,
    /// CSV with FOCUS's columns.
    Focus,
}

const MINUTE_MS: i64 = 60_000;
/// The longest principal that is looked for.
const MAX_PRINCIPAL: usize = 300;
/// The most minutes between `from` and `to`, so that one question costs a bounded time.
const MOST_MINUTES: i64 = 7 * DAY;
const MOST_MINUTES_BY_HOUR: i64 = 93 * DAY;
const MOST_MINUTES_BY_DAY: i64 = 400 * DAY;

fn wrong(name: &str, reason: impl Display) -> Problem {
    Problem::bad_request(format!("{name} {reason}"))
}

/// Reads the query.
pub(super) fn read(
    text: &str,
    accept: &str,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<(UsageQuery, Format), Problem> {
    let mut query = UsageQuery {
        organization,
        project: None,
        cluster: None,
        principal: None,
        from: 0,
        to: 0,
        granularity: Granularity::Hour,
        grouping: Grouping::default(),
        after: None,
        limit: 0,
    };
    let (mut from, mut to, mut format) = (None, None, None);
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let value = &*value;
        match &*name {
            "from" => from = Some(moment("from", value)?),
            "to" => to = Some(moment("to", value)?),
            "granularity" => {
                query.granularity = match value {
                    "minute" => Granularity::Minute,
                    "hour" => Granularity::Hour,
                    "day" => Granularity::Day,
                    _ => return Err(wrong("granularity", "must be minute, hour or day")),
                };
            }
            "group_by" => query.grouping = grouping(value)?,
            "cluster" => {
                let id = ClusterId::from_public(value);
                query.cluster = Some(id.map_err(|_| wrong("cluster", "must be the id of a cluster"))?);
            }
            "project" => {
                let id = ProjectId::from_public(value);
                query.project = Some(id.map_err(|_| wrong("project", "must be the id of a project"))?);
            }
            "principal" if value.len() > MAX_PRINCIPAL || value.contains('\0') => {
                return Err(wrong("principal", "is nobody's name"));
            }
            "principal" => query.principal = Some(value.to_owned()),
            "format" => {
                format = Some(match value {
                    "json" => Format::Json,
                    "csv" => Format::Csv,
                    "focus" => Format::Focus,
                    _ => return Err(wrong("format", "must be json, csv or focus")),
                });
            }
            _ => {}
        }
    }
    span(&mut query, from, to, now)?;
    Ok((query, format.unwrap_or_else(|| accepted(accept))))
}

fn moment(name: &str, value: &str) -> Result<Timestamp, Problem> {
    let moment = Moment::parse(value).map(|moment| moment.0);
    let moment = moment.filter(|moment| moment.0 >= 0);
    moment.ok_or_else(|| wrong(name, "must be a moment such as 2030-01-31T12:00:00Z"))
}

fn grouping(value: &str) -> Result<Grouping, Problem> {
    let mut grouping = Grouping::default();
    for part in value.split(',') {
        let which = match part {
            "cluster" => &mut grouping.cluster,
            "principal" => &mut grouping.principal,
            _ => {
                return Err(wrong(
                    "group_by",
                    "must be cluster, principal or both with a comma",
                ));
            }
        };
        if std::mem::replace(which, true) {
            return Err(wrong("group_by", "names the same twice"));
        }
    }
    Ok(grouping)
}

/// From the beginning of the first period to the end of the last.
fn span(
    query: &mut UsageQuery,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Problem> {
    let period = query.granularity.minutes();
    let end = to.unwrap_or(now).0;
    let begin = from.map_or(end - DAY * MINUTE_MS, |from| from.0);
    if begin >= end {
        return Err(wrong("from", "must be before to"));
    }
    query.from = begin.div_euclid(period * MINUTE_MS) * period;
    query.to = (end - 1).div_euclid(period * MINUTE_MS).saturating_add(1) * period;
    let most = match query.granularity {
        Granularity::Minute => MOST_MINUTES,
        Granularity::Hour => MOST_MINUTES_BY_HOUR,
        Granularity::Day => MOST_MINUTES_BY_DAY,
    };
    if query.to - query.from > most + period {
        let days = most / DAY;
        return Err(wrong(
            "from",
            format!("must be at most {days} days before to at this granularity"),
        ));
    }
    Ok(())
}

/// CSV if it is named and JSON is not.
fn accepted(accept: &str) -> Format {
    let names = |wanted: &str| {
        let mut types = accept
            .split(',')
            .map(|part| part.split(';').next().unwrap_or_default().trim());
        types.any(|kind| kind.eq_ignore_ascii_case(wanted))
    };
    match names("text/csv") && !names("application/json") {
        true => Format::Csv,
        false => Format::Json,
    }
}

/// A sum's place in the list.
pub(super) fn position(key: &UsageKey) -> String {
    let cluster = key.cluster.map(|id| id.public());
    serde_json::json!([key.minute, cluster, key.principal]).to_string()
}

/// A place that [`position`] wrote.
pub(super) fn place(text: &str) -> Result<UsageKey, Problem> {
    let unread = |_| {
        tracing::error!("a signed cursor holds no place of usage");
        Problem::internal()
    };
    let (minute, cluster, principal): (i64, Option<String>, Option<String>) =
        serde_json::from_str(text).map_err(unread)?;
    let cluster = cluster.map(|id| ClusterId::from_public(&id)).transpose();
    Ok(UsageKey {
        minute,
        cluster: cluster.map_err(|_| Problem::internal())?,
        principal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_881_693_007);

    fn asked(text: &str) -> Result<(UsageQuery, Format), Problem> {
        read(text, "", OrganizationId(1), NOW)
    }

    #[test]
    fn without_more_it_is_the_last_day_hour_by_hour_in_whole_hours() {
        let (query, format) = asked("").unwrap();
        assert_eq!(
            (query.granularity, query.grouping, format),
            (Granularity::Hour, Grouping::default(), Format::Json)
        );
        assert_eq!(query.to - query.from, 25 * 60);
        assert!(query.from % 60 == 0 && query.to * MINUTE_MS > NOW.0);
    }

    #[test]
    fn whole_periods_are_told() {
        let text =
            "from=2026-11-28T10:30:00Z&to=2026-11-28T12:00:00Z&granularity=hour&group_by=principal,cluster";
        let (query, _) = asked(text).unwrap();
        assert_eq!(
            (query.to - query.from, query.from % 60),
            (120, 0),
            "12:00 itself is not asked for"
        );
        assert!(query.grouping.cluster && query.grouping.principal);
        let (query, _) = asked(&text.replace("=hour", "=day")).unwrap();
        assert_eq!((query.to - query.from, query.from % DAY), (DAY, 0));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "from=yesterday",
            "from=0001-01-01T00:00:00Z",
            "from=2026-11-28T10:00:00Z&to=2026-11-28T10:00:00Z",
            "from=2020-01-01T00:00:00Z",
            "granularity=year",
            "group_by=topic",
            "group_by=cluster,cluster",
            "group_by=",
            "cluster=x",
            "project=clu_x",
            "format=xml",
            "principal=%00",
        ] {
            assert!(asked(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn csv_is_given_to_whom_asks_for_it() {
        let format = |text, accept| read(text, accept, OrganizationId(1), NOW).unwrap().1;
        assert_eq!(format("", "text/csv"), Format::Csv);
        assert_eq!(format("", "text/csv;q=0.5, application/json"), Format::Json);
        assert_eq!(format("", "*/*"), Format::Json);
        assert_eq!(format("format=csv", "application/json"), Format::Csv);
        assert_eq!(format("format=focus", ""), Format::Focus);
    }

    #[test]
    fn a_place_is_read_back() {
        let key = UsageKey {
            minute: 5,
            cluster: Some(ClusterId(7)),
            principal: Some("User:\"é\"".to_owned()),
        };
        assert_eq!(place(&position(&key)).unwrap(), key);
        assert!(place("x").is_err());
    }
}
