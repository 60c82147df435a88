//! What usage costs.
//!
//! Money is whole numbers of 10⁻¹² of the currency's unit ([`Money`]), and usage is counted in whole bytes, byte-minutes and
//! partition-minutes, so that nothing but the last digit of each meter's cost is ever rounded.

use std::fmt;
use std::str::FromStr;

/// Digits after the point.
const DIGITS: usize = 12;
const ONE: i128 = 1_000_000_000_000;
const GIB: i128 = 1 << 30;
const MINUTES_PER_HOUR: i128 = 60;
/// The highest price of a unit.
const HIGHEST: i128 = 1_000_000 * ONE;

/// An amount of money, or of anything else that has twelve digits after the point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(i128);

impl Money {
    /// `amount · self / divisor`, rounded to the nearest.
    fn times(self, amount: i128, divisor: i128) -> Self {
        let product = amount.saturating_mul(self.0);
        Self(product.saturating_add(divisor / 2).div_euclid(divisor))
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        Self(parts.fold(0, |sum, part| sum.saturating_add(part.0)))
    }
}

impl fmt::Display for Money {
    /// As a decimal without zeros at its end: `12.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (
            self.0.unsigned_abs() / ONE.unsigned_abs(),
            self.0.unsigned_abs() % ONE.unsigned_abs(),
        );
        let rest = format!("{rest:0DIGITS$}");
        match rest.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            rest => write!(f, "{sign}{whole}.{rest}"),
        }
    }
}

impl FromStr for Money {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || format!("\"{text}\" is no price such as 0.05, of at most {DIGITS} digits after the point");
        let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(rest) || rest.len() > DIGITS {
            return Err(expected());
        }
        let number: i128 = format!("{whole}{rest:0<DIGITS$}")
            .parse()
            .map_err(|_| expected())?;
        match number <= HIGHEST {
            true => Ok(Self(number)),
            false => Err(format!("\"{text}\" is more than {} for one unit", Self(HIGHEST))),
        }
    }
}

/// What is metered and has a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meter {
    /// Records that clients sent.
    ProducedBytes,
    /// Records that clients received.
    FetchedBytes,
    /// Records that are kept.
    StorageByteHours,
    /// Partitions that are there.
    PartitionHours,
}

impl Meter {
    /// Every meter.
    pub const ALL: [Self; 4] = [
        Self::ProducedBytes,
        Self::FetchedBytes,
        Self::StorageByteHours,
        Self::PartitionHours,
    ];

    /// Its name in usage and in the setting.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProducedBytes => "produced_bytes",
            Self::FetchedBytes => "fetched_bytes",
            Self::StorageByteHours => "storage_byte_hours",
            Self::PartitionHours => "partition_hours",
        }
    }

    /// Of what it has its price.
    pub fn unit(self) -> &'static str {
        match self {
            Self::ProducedBytes | Self::FetchedBytes => "GiB",
            Self::StorageByteHours => "GiB-hour",
            Self::PartitionHours => "partition-hour",
        }
    }

    /// How many of what is counted make a unit.
    fn divisor(self) -> i128 {
        match self {
            Self::ProducedBytes | Self::FetchedBytes => GIB,
            Self::StorageByteHours => GIB * MINUTES_PER_HOUR,
            Self::PartitionHours => MINUTES_PER_HOUR,
        }
    }
}

/// What was used, as it is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Bytes.
    pub produced_bytes: i64,
    /// Bytes.
    pub fetched_bytes: i64,
    /// Bytes, times minutes.
    pub storage_byte_minutes: i128,
    /// Partitions, times minutes.
    pub partition_minutes: i64,
}

impl Used {
    fn of(&self, meter: Meter) -> i128 {
        match meter {
            Meter::ProducedBytes => self.produced_bytes.into(),
            Meter::FetchedBytes => self.fetched_bytes.into(),
            Meter::StorageByteHours => self.storage_byte_minutes,
            Meter::PartitionHours => self.partition_minutes.into(),
        }
    }

    /// Whether nothing was used of a meter.
    pub fn is_nothing_of(&self, meter: Meter) -> bool {
        self.of(meter) == 0
    }

    /// How many units of a meter that is.
    pub fn units(&self, meter: Meter) -> Money {
        Money(ONE).times(self.of(meter), meter.divisor())
    }
}

/// What a unit of each meter costs: read from `METER=PRICE,…`. What is not named costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prices([Money; Meter::ALL.len()]);

impl Prices {
    /// The price of a unit.
    pub fn of(&self, meter: Meter) -> Money {
        self.0[meter as usize]
    }

    /// What was used of one meter costs this.
    pub fn cost_of(&self, meter: Meter, used: &Used) -> Money {
        self.of(meter).times(used.of(meter), meter.divisor())
    }

    /// What was used costs this: the sum over the meters.
    pub fn cost(&self, used: &Used) -> Money {
        let costs = Meter::ALL.into_iter().map(|meter| self.cost_of(meter, used));
        costs.sum()
    }
}

impl FromStr for Prices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut prices: [Option<Money>; Meter::ALL.len()] = Default::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, price) = pair
                .split_once('=')
                .ok_or_else(|| format!("\"{pair}\" is not METER=PRICE"))?;
            let meter = Meter::ALL.into_iter().find(|meter| meter.name() == name.trim());
            let meter = meter.ok_or_else(|| {
                let known = Meter::ALL.map(Meter::name).join(", ");
                format!("\"{}\" is none of the meters {known}", name.trim())
            })?;
            if prices[meter as usize].replace(price.trim().parse()?).is_some() {
                return Err(format!("{} has two prices", meter.name()));
            }
        }
        Ok(Self(prices.map(Option::unwrap_or_default)))
    }
}

/// A currency's code: three letters (ISO 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency([u8; 3]);

impl FromStr for Currency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            Ok(_) | Err(_) => {
                Err("a currency's code of three capital letters is expected, such as USD".to_owned())
            }
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(text: &str) -> Prices {
        text.parse().unwrap()
    }

    #[test]
    fn a_cost_has_no_error_of_binary_fractions() {
        let prices =
            prices("produced_bytes=0.1,fetched_bytes=0.2,storage_byte_hours=0.00005,partition_hours=0.0005");
        let used = Used {
            produced_bytes: 1 << 30,
            fetched_bytes: 1 << 30,
            ..Used::default()
        };
        assert_eq!(prices.cost(&used).to_string(), "0.3");
        let month = Used {
            storage_byte_minutes: (1 << 40) * 60 * 720,
            partition_minutes: 60 * 720,
            ..Used::default()
        };
        assert_eq!(
            prices.cost(&month).to_string(),
            "37.224",
            "1,024 GiB and a partition for 720 hours"
        );
        assert_eq!(month.units(Meter::StorageByteHours).to_string(), "737280");
    }

    #[test]
    fn costs_of_parts_add_up_to_the_cost_of_all() {
        let prices = prices("produced_bytes=0.03");
        let used = |produced_bytes| Used {
            produced_bytes,
            ..Used::default()
        };
        let parts: Money = (0..1024).map(|_| prices.cost(&used(1 << 20))).sum();
        assert_eq!(parts, prices.cost(&used(1 << 30)));
        assert_eq!(
            prices.cost(&used(1)).to_string(),
            "0.000000000028",
            "to the last digit"
        );
        assert_eq!(prices.cost(&used(0)).to_string(), "0");
    }

    #[test]
    fn the_largest_amounts_do_not_wrap() {
        let prices = prices("produced_bytes=1000000,storage_byte_hours=1000000");
        let used = Used {
            produced_bytes: i64::MAX,
            storage_byte_minutes: i128::MAX,
            ..Used::default()
        };
        assert!(prices.cost(&used) > prices.cost_of(Meter::ProducedBytes, &used));
    }

    #[test]
    fn a_price_is_read_back_from_what_is_shown() {
        for text in ["0", "0.05", "12.5", "1000000", "0.000000000001"] {
            assert_eq!(text.parse::<Money>().unwrap().to_string(), text);
        }
        assert_eq!("1.50".parse::<Money>().unwrap().to_string(), "1.5");
    }

    #[test]
    fn nonsense_is_no_price() {
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "1e3",
            "1,5",
            "1000000.1",
            "0.0000000000001",
            "99999999999999999999999999999999999999999",
        ] {
            assert!(bad.parse::<Money>().is_err(), "{bad}");
        }
        for bad in [
            "produced_bytes",
            "produced=1",
            "produced_bytes=x",
            "produced_bytes=1,produced_bytes=2",
        ] {
            assert!(bad.parse::<Prices>().is_err(), "{bad}");
        }
        assert_eq!("".parse(), Ok(Prices::default()));
        for bad in ["", "US", "usd", "USDT", "€"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
        assert_eq!("EUR".parse::<Currency>().unwrap().to_string(), "EUR");
    }
}
