//! Moments as RFC 3339 in UTC with milliseconds, and back.

use std::fmt;

use firn_runtime::Timestamp;

/// A moment, as people and programs outside read and write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

const DAY_MS: i64 = 86_400_000;
/// 0000-03-01 is this many days before the Unix epoch.
const EPOCH_DAYS: i64 = 719_468;

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, ms) = (self.0.0.div_euclid(DAY_MS), self.0.0.rem_euclid(DAY_MS));
        // Years begin in March, so that the leap day is the last; 146,097 days are 400 years.
        let shifted = days + EPOCH_DAYS;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let (seconds, ms) = (ms / 1_000, ms % 1_000);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"
        )
    }
}

impl Moment {
    /// Reads RFC 3339 with any offset and fraction.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| -> Option<i64> {
            let digits = text.get(range)?;
            digits
                .bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| digits.parse().ok())?
        };
        let sign = |at: usize, signs: &str| text.get(at..=at).filter(|sign| signs.contains(*sign));
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        for (at, signs) in [(4, "-"), (7, "-"), (10, "Tt "), (13, ":"), (16, ":")] {
            sign(at, signs)?;
        }
        let last_day = match month {
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(1..=last_day).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let rest = &text[19..];
        let fraction = rest
            .strip_prefix('.')
            .map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        let (ms, zone) = match rest.strip_prefix('.') {
            Some(digits) if fraction > 0 => {
                let padded: String = digits[..fraction].chars().chain("00".chars()).take(3).collect();
                (padded.parse::<i64>().ok()?, &digits[fraction..])
            }
            Some(_) => return None,
            None => (0, rest),
        };
        let offset = parse_offset(zone)?;
        let march = (month + 9) % 12;
        let (year, day) = (year - i64::from(month <= 2), day - 1);
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * march + 2) / 5 + day - EPOCH_DAYS;
        let minutes = (days * 24 + hour) * 60 + minute - offset;
        Some(Self(Timestamp((minutes * 60 + second) * 1_000 + ms)))
    }
}

/// Minutes east of UTC.
fn parse_offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match zone.as_bytes().first()? {
        b'+' => (1, zone.get(1..)?),
        b'-' => (-1, zone.get(1..)?),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<i64>().ok())?
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_and_read_back() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (1_795_881_693_007, "2026-11-28T16:01:33.007Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Moment(Timestamp(ms)).to_string(), text);
            assert_eq!(Moment::parse(text), Some(Moment(Timestamp(ms))), "{text}");
        }
    }

    #[test]
    fn other_zones_and_fractions_are_read_and_nonsense_is_not() {
        let at = |text| Moment::parse(text).map(|moment| moment.0.0);
        assert_eq!(at("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(at("1969-12-31t19:00:00.5-05:00"), Some(500));
        assert_eq!(at("1970-01-01T00:00:00.123456789Z"), Some(123));
        for bad in [
            "",
            "1970",
            "1970-01-01",
            "1970-01-01T00:00:00",
            "1970-02-29T00:00:00Z",
            "1970-13-01T00:00:00Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00+1:00",
            "1970-01-01T00:00:00é",
            "+970-01-01T00:00:00Z",
            "1970-01-01T00:00:00+24:00",
            "19700-1-01T00:00:00Z",
        ] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }
}
