//! How people walk: speed by slope, stairs, kerbs and crossings, as data per person profile.

use crate::units::{Metres, MetresPerSecond, Seconds};

/// How slope changes the speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlopeResponse {
    /// Not at all.
    Ignored,
    /// Tobler's hiking function, scaled to the profile's speed on the flat:
    /// `flat_speed · exp(−3.5 (|slope + 0.05| − 0.05))`, fastest a little downhill, with direction.
    Tobler,
}

/// What stairs mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StairsResponse {
    /// Climbed at these speeds, measured along the map.
    Walked {
        /// Upwards.
        up: MetresPerSecond,
        /// Downwards.
        down: MetresPerSecond,
    },
    /// Not passable.
    Avoided,
}

/// What ways closed to wheelchairs mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KerbResponse {
    /// No obstacle.
    Passed,
    /// Not passable.
    Avoided,
}

/// A kind of walker. All figures are data; the presets say where theirs come from.
#[derive(Clone, Debug, PartialEq)]
pub struct WalkProfile {
    /// Name shown in reports.
    pub name: String,
    /// Speed on the flat, above zero.
    pub flat_speed: MetresPerSecond,
    /// Slope.
    pub slope: SlopeResponse,
    /// Stairs.
    pub stairs: StairsResponse,
    /// Ways closed to wheelchairs.
    pub kerbs: KerbResponse,
    /// Ways steeper than this fraction are not passable in either direction.
    pub steepest: Option<f64>,
    /// Wait at a whole crossing.
    pub crossing_wait: Seconds,
}

impl WalkProfile {
    /// Tobler's walker: 6 km/h at the best slope, 5.04 km/h on the flat (Tobler 1993). Stairs at 0.45 and
    /// 0.5 of the flat speed and 10 s at a crossing are our choice (unverified).
    #[must_use]
    pub fn adult() -> Self {
        // 6 km/h · exp(−3.5 · 0.05)
        Self::on_foot("adult", 1.399_095)
    }

    /// Older people by age: 1.27 m/s below 70, 1.19 m/s to 79, 0.94 m/s from 80 (published means, see
    /// docs/methods/coverage.md).
    #[must_use]
    pub fn older(age: u8) -> Self {
        let speed = match age {
            0..70 => 1.27,
            70..80 => 1.19,
            _ => 0.94,
        };
        Self::on_foot(&format!("age {age}"), speed)
    }

    /// Older people at mobility risk: 0.71 m/s, the slowest published mean.
    #[must_use]
    pub fn frail() -> Self {
        Self::on_foot("frail", 0.71)
    }

    /// A wheelchair: no stairs, no kerbs, at most 1 in 12 (8.3 %), 0.9 m/s (our choice, unverified).
    #[must_use]
    pub fn wheelchair() -> Self {
        Self {
            stairs: StairsResponse::Avoided,
            kerbs: KerbResponse::Avoided,
            steepest: Some(1.0 / 12.0),
            ..Self::on_foot("wheelchair", 0.9)
        }
    }

    /// A pushchair: no stairs, at most 1 in 6, 1.2 m/s (our choice, unverified).
    #[must_use]
    pub fn pushchair() -> Self {
        Self { stairs: StairsResponse::Avoided, steepest: Some(1.0 / 6.0), ..Self::on_foot("pushchair", 1.2) }
    }

    /// A constant speed without slope, stairs or waiting: time is distance over speed.
    #[must_use]
    pub fn steady(speed: MetresPerSecond) -> Self {
        Self {
            name: format!("steady {:.2} m/s", speed.value()),
            flat_speed: speed,
            slope: SlopeResponse::Ignored,
            stairs: StairsResponse::Walked { up: speed, down: speed },
            kerbs: KerbResponse::Passed,
            steepest: None,
            crossing_wait: Seconds::ZERO,
        }
    }

    fn on_foot(name: &str, speed: f64) -> Self {
        let flat_speed = MetresPerSecond::constant(speed);
        Self {
            name: name.to_owned(),
            flat_speed,
            slope: SlopeResponse::Tobler,
            stairs: StairsResponse::Walked { up: flat_speed * 0.45, down: flat_speed * 0.5 },
            kerbs: KerbResponse::Passed,
            steepest: None,
            crossing_wait: Seconds::constant(10.0),
        }
    }

    /// Seconds per metre on a slope (rise over run, uphill positive); `None` where it is too steep.
    ///
    /// ```
    /// # use gridplan::network::WalkProfile;
    /// let adult = WalkProfile::adult();
    /// let km_per_hour = |slope| 3.6 / adult.pace(slope).expect("an adult walks any slope");
    /// assert!((km_per_hour(0.0) - 5.04_f64).abs() < 0.005);
    /// assert!((km_per_hour(-0.05) - 6.0_f64).abs() < 0.005);
    /// assert!(km_per_hour(0.10) < km_per_hour(-0.10));
    /// ```
    #[must_use]
    pub fn pace(&self, slope: f64) -> Option<f64> {
        if self.steepest.is_some_and(|steepest| steepest < slope.abs()) {
            return None;
        }
        let slowed = match self.slope {
            SlopeResponse::Ignored => 1.0,
            // Beyond 45 degrees the terrain model is wrong, not the street.
            SlopeResponse::Tobler => (3.5 * ((slope.clamp(-1.0, 1.0) + 0.05).abs() - 0.05)).exp(),
        };
        Some(slowed / self.flat_speed.value())
    }

    /// The fastest this walker can be, in metres per second: no walk is shorter than the straight distance
    /// at this speed.
    #[must_use]
    pub fn top_speed(&self) -> f64 {
        let on_slopes = match self.slope {
            SlopeResponse::Ignored => 1.0,
            SlopeResponse::Tobler => (3.5_f64 * 0.05).exp(),
        };
        let on_stairs = match self.stairs {
            StairsResponse::Avoided => 0.0,
            StairsResponse::Walked { up, down } => up.value().max(down.value()),
        };
        (self.flat_speed.value() * on_slopes).max(on_stairs)
    }

    /// Seconds per metre of stairs, `None` where stairs are no way. Without a known direction
    /// (`rise` = 0) both ways count as upwards.
    #[must_use]
    pub fn stairs_pace(&self, rise: f64) -> Option<f64> {
        match self.stairs {
            StairsResponse::Avoided => None,
            StairsResponse::Walked { down, .. } if rise < 0.0 => Some(1.0 / down.value()),
            StairsResponse::Walked { up, .. } => Some(1.0 / up.value()),
        }
    }
}

/// What the walk network takes from the plan's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct WalkRules {
    /// Who walks.
    pub profile: WalkProfile,
    /// A door farther from every street than this is not attached.
    pub max_access: Metres,
    /// Where the nearest street in sight is a fragment of the network or closed to this walker, another street
    /// serves the door if it is farther by at most this.
    pub max_farther: Metres,
    /// The way inside a walled compound, from a door to a gate, is at most this long.
    pub max_inside: Metres,
    /// A straight leg may pass a barrier within this distance of an open gate.
    pub gate_gap: Metres,
    /// Slopes are taken over at least this length, so that short edges do not follow the raster's noise.
    pub slope_base: Metres,
}

impl WalkRules {
    /// Rules for a profile: 150 m of access at most, past a fragment or a closed street 30 m more than to it, 500 m
    /// inside a compound, 4 m of gate, slopes over 30 m (one cell of the usual terrain model). Our choice, to be
    /// judged by the findings they cause.
    #[must_use]
    pub fn new(profile: WalkProfile) -> Self {
        Self {
            profile,
            max_access: Metres::constant(150.0),
            max_farther: Metres::constant(30.0),
            max_inside: Metres::constant(500.0),
            gate_gap: Metres::constant(4.0),
            slope_base: Metres::constant(30.0),
        }
    }
}
