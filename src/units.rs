//! Quantities that know their unit. Every constructor checks, so nobody checks again.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

/// A number that is no quantity: negative, infinite or not a number.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{value} is not a quantity in {unit}; it must be finite and not negative")]
pub struct BadQuantity {
    /// Unit the number was meant in.
    pub unit: &'static str,
    /// The number given.
    pub value: f64,
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0.0);

            /// Checks that `value` is finite and not negative.
            ///
            /// # Errors
            /// [`BadQuantity`] otherwise.
            pub fn new(value: f64) -> Result<Self, BadQuantity> {
                if value.is_finite() && 0.0 <= value {
                    Ok(Self(value))
                } else {
                    Err(BadQuantity { unit: $unit, value })
                }
            }

            /// A constant, checked when the program is compiled.
            ///
            /// # Panics
            /// If `value` is negative, infinite or not a number.
            #[must_use]
            pub const fn constant(value: f64) -> Self {
                assert!(value.is_finite() && 0.0 <= value, "a constant quantity is finite and not negative");
                Self(value)
            }

            #[doc = concat!("The plain number, in ", $unit, ".")]
            #[must_use]
            pub const fn value(self) -> f64 {
                self.0
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, Add::add)
            }
        }

        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor.max(0.0))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if let Some(digits) = f.precision() {
                    write!(f, "{:.*} {}", digits, self.0, $unit)
                } else {
                    write!(f, "{:.0} {}", self.0, $unit)
                }
            }
        }
    };
}

quantity!(
    /// A length on the metric plane, in metres. Finite, not negative.
    Metres,
    "m"
);
quantity!(
    /// An area on the metric plane, in square metres. Finite, not negative.
    SquareMetres,
    "m²"
);
quantity!(
    /// A duration in seconds. Finite, not negative.
    Seconds,
    "s"
);
quantity!(
    /// A speed in metres per second. Finite, not negative.
    MetresPerSecond,
    "m/s"
);

impl Seconds {
    /// Whole minutes as a duration.
    ///
    /// ```
    /// # use gridplan::units::Seconds;
    /// assert_eq!(Seconds::from_minutes(15).value(), 900.0);
    /// ```
    #[must_use]
    pub const fn from_minutes(minutes: u32) -> Self {
        Self(minutes as f64 * 60.0)
    }

    /// The duration in minutes.
    #[must_use]
    pub const fn minutes(self) -> f64 {
        self.0 / 60.0
    }
}

impl Div<MetresPerSecond> for Metres {
    type Output = Seconds;
    fn div(self, speed: MetresPerSecond) -> Seconds {
        Seconds(self.0 / speed.0)
    }
}

macro_rules! count {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self(0), Add::add)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

count!(
    /// A number of households (户).
    Households
);
count!(
    /// A number of residents (人).
    Residents
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_finite_and_not_negative() {
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Metres::new(bad).is_err(), "{bad} was taken for a length");
        }
        assert_eq!(Metres::new(0.0), Ok(Metres::ZERO));
    }

    #[test]
    fn distance_over_speed_is_time() {
        assert_eq!(Metres::constant(90.0) / MetresPerSecond::constant(1.5), Seconds::constant(60.0));
    }
}
