//! All parameters in one struct: the program's defaults with their sources, and the `gridplan.toml` form of both.
//!
//! Every figure has a unit in its name or its documentation. `unverified` figures are general knowledge: edit them.

mod siting;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{CodeScheme, GridClass, GridSize, LoadWeights, Tell, Text, WalkBand, WalkDirection};
use crate::network::{KerbResponse, SlopeResponse, StairsResponse, WalkProfile, WalkRules};
use crate::units::{Households, Metres, MetresPerSecond, Seconds};

pub use siting::{Aim, SitingParams, TierParams};

/// Why parameters cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParamsError {
    /// The text is no `gridplan.toml`.
    #[error("gridplan.toml: {0}; `gridplan plan --help` lists the keys and their defaults")]
    Syntax(String),
    /// A value out of its range.
    #[error("parameter `{key}` is {value}; {rule}")]
    OutOfRange {
        /// Name as in `gridplan.toml`.
        key: &'static str,
        /// Value given.
        value: String,
        /// What it must be.
        rule: Text,
    },
}

impl Tell for ParamsError {
    fn chinese(&self) -> String {
        match self {
            Self::Syntax(why) => {
                format!("gridplan.toml：{why}；各项及默认值见 `gridplan plan --help`")
            }
            Self::OutOfRange { key, value, rule } => format!("参数“{key}”为 {value}；{}", rule.zh),
        }
    }
}

/// Everything a planner may set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Every random choice follows from this number.
    pub seed: u64,
    /// Grids.
    pub grid: GridParams,
    /// Walking.
    pub walk: WalkParams,
    /// Circles, narrowest first.
    pub bands: Vec<BandParams>,
    /// Stations.
    pub siting: SitingParams,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            seed: 1,
            grid: GridParams::default(),
            walk: WalkParams::default(),
            // Circles are pairs of minutes and metres: 15 min with 800–1,000 m and 10 min with 500 m are in the
            // standard for residential areas (seen); 5 min with 300 m is unverified.
            bands: vec![
                BandParams { minutes: 5, metres: 300.0 },
                BandParams { minutes: 10, metres: 500.0 },
                BandParams { minutes: 15, metres: 1000.0 },
            ],
            siting: SitingParams::default(),
        }
    }
}

/// How grids are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GridParams {
    /// Wanted households of a grid. Yantai: about 300 (seen).
    pub target: u32,
    /// Allowed deviation as a fraction, limits included.
    pub tolerance: f64,
    /// Effort: `draft` for a first look, `full` for the plan that is handed over.
    pub effort: Effort,
    /// Households that one shop, small venue, … counts for in the size of a grid. Places count them towards a grid's
    /// work (seen); how much each weighs is the planner's, so the default is nothing.
    pub other_loads: LoadParams,
    /// Resettlement grids (安置型), if they differ.
    pub resettlement: Option<ClassParams>,
    /// Rural grids (农村型), if they differ.
    pub rural: Option<ClassParams>,
    /// How grids are coded: `stat12+3` (community code and three digits), `unitgrid-15` or `cjt349-20`.
    pub code_scheme: String,
    /// The six digits of the object class that `cjt349-20` puts in front, as the platform lists them. No default:
    /// the classes are the platform's.
    pub object_class: String,
    /// Exact number of grids per community code, for those that ask for one.
    pub exact: BTreeMap<String, u32>,
}

impl Default for GridParams {
    fn default() -> Self {
        Self {
            target: 300,
            tolerance: 0.10,
            effort: Effort::Full,
            other_loads: LoadParams::default(),
            resettlement: None,
            rural: None,
            code_scheme: CodeScheme::default().as_str().to_owned(),
            object_class: String::new(),
            exact: BTreeMap::new(),
        }
    }
}

/// Households that one of each counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoadParams {
    /// A shop (商铺).
    pub shops: f64,
    /// A small venue (九小场所).
    pub venues: f64,
    /// A social organization (社会组织).
    pub organizations: f64,
    /// One of whatever else is counted.
    pub other: f64,
}

/// Size of a class of grids.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassParams {
    /// Wanted households.
    pub target: u32,
    /// Allowed deviation as a fraction.
    pub tolerance: f64,
}

/// How much work to spend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Seconds for a million buildings.
    Draft,
    /// The best known.
    #[default]
    Full,
}

/// A circle: minutes and the metres that go with them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandParams {
    /// Minutes.
    pub minutes: u32,
    /// Metres.
    pub metres: f64,
}

/// How people walk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WalkParams {
    /// Who walks: `adult`, `age-60`, `age-70`, `age-80`, `frail`, `wheelchair`, `pushchair`, `steady` with
    /// `steady_speed`, or one of `profiles`.
    pub profile: String,
    /// Which way counts: `there` (from home to the station), `back`, or `worse`, the longer of the two.
    pub direction: String,
    /// Walkers set beside the plan's own: who reaches a station as an adult but not at eighty. Our choice.
    pub compare: Vec<String>,
    /// Metres per second of the profile `steady`.
    pub steady_speed: f64,
    /// Metres from a door to the street beyond which it counts as unattached. Our choice.
    pub max_access: f64,
    /// Metres by which another street may be farther than a nearest one that is isolated or closed to the walker. Our
    /// choice; raise it where the streets are badly joined.
    pub max_farther: f64,
    /// Walkers of the planner's own, by name; a preset's name replaces the preset.
    pub profiles: BTreeMap<String, ProfileParams>,
}

impl Default for WalkParams {
    fn default() -> Self {
        Self {
            profile: "adult".to_owned(),
            direction: WalkDirection::There.as_str().to_owned(),
            compare: vec!["age-80".to_owned(), "wheelchair".to_owned()],
            steady_speed: 1.2,
            max_access: 150.0,
            max_farther: 30.0,
            profiles: BTreeMap::new(),
        }
    }
}

/// A walker as data; what is left out is as for an adult.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileParams {
    /// Metres per second on the flat.
    pub speed: f64,
    /// Whether slopes change the speed (Tobler).
    #[serde(default = "yes")]
    pub slopes: bool,
    /// Speed up stairs in metres per second along the map; 0 if stairs are no way. Half as fast as on the flat
    /// or less is usual.
    pub stairs_up: Option<f64>,
    /// Speed down stairs, likewise.
    pub stairs_down: Option<f64>,
    /// Whether ways closed to wheelchairs can be passed.
    #[serde(default = "yes")]
    pub kerbs: bool,
    /// Steepest way that can be passed, as a fraction, e.g. 0.083.
    pub steepest: Option<f64>,
    /// Seconds at a crossing.
    #[serde(default = "crossing_wait")]
    pub crossing_wait: f64,
}

fn yes() -> bool {
    true
}

fn crossing_wait() -> f64 {
    10.0
}

impl Params {
    /// Reads a `gridplan.toml`; keys that are not given keep their defaults.
    ///
    /// # Errors
    /// [`ParamsError`] naming the line or the key.
    ///
    /// ```
    /// # use gridplan::params::Params;
    /// let params = Params::from_toml("seed = 7\n[grid]\ntarget = 250")?;
    /// assert_eq!((params.seed, params.grid.target, params.grid.tolerance), (7, 250, 0.10));
    /// # Ok::<(), gridplan::params::ParamsError>(())
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, ParamsError> {
        let params: Self = toml::from_str(text).map_err(|error| ParamsError::Syntax(error.to_string()))?;
        params.check()?;
        Ok(params)
    }

    /// The same as a `gridplan.toml`, every key written out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("parameters are numbers and words")
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`ParamsError::OutOfRange`] naming the key.
    pub fn check(&self) -> Result<(), ParamsError> {
        let bad = |key, value: String, rule: (&str, &str)| {
            Err(ParamsError::OutOfRange { key, value, rule: rule.into() })
        };
        let classes = [self.grid.resettlement, self.grid.rural].into_iter().flatten();
        let own = ClassParams { target: self.grid.target, tolerance: self.grid.tolerance };
        for class in classes.chain([own]) {
            if class.target == 0 {
                return bad(
                    "grid.target",
                    class.target.to_string(),
                    ("至少为 1 户", "it must be at least 1 household"),
                );
            }
            if !(0.0..1.0).contains(&class.tolerance) {
                return bad(
                    "grid.tolerance",
                    class.tolerance.to_string(),
                    (
                        "应为 0 到 1（不含）之间的小数，例如 0.10",
                        "it is a fraction from 0 to below 1, e.g. 0.10",
                    ),
                );
            }
        }
        let weights = self.grid.other_loads;
        for (key, weight) in [
            ("grid.other_loads.shops", weights.shops),
            ("grid.other_loads.venues", weights.venues),
            ("grid.other_loads.organizations", weights.organizations),
            ("grid.other_loads.other", weights.other),
        ] {
            if !(0.0..=1000.0).contains(&weight) {
                let rule = ("应为 0 至 1000 户", "it is from 0 to 1,000 households");
                return bad(key, weight.to_string(), rule);
            }
        }
        if self.bands.is_empty() || self.bands.windows(2).any(|pair| pair[1].minutes <= pair[0].minutes) {
            return bad(
                "bands",
                format!("{:?}", self.bands),
                ("至少给出一个服务圈，由小到大", "give at least one circle, narrowest first"),
            );
        }
        if let Some(band) =
            self.bands.iter().find(|band| band.minutes == 0 || !(0.0 < band.metres && band.metres <= 1e5))
        {
            return bad(
                "bands",
                format!("{band:?}"),
                (
                    "分钟至少为 1，米数大于 0 且不超过 100000",
                    "minutes are at least 1, metres above 0 and at most 100000",
                ),
            );
        }
        self.siting.check()?;
        self.code_scheme()?;
        self.walk_direction()?;
        self.compared_walkers().map(|_| ())
    }

    /// How grids are coded.
    ///
    /// # Errors
    /// [`ParamsError::OutOfRange`] for an unknown scheme, or an object class that is not six digits where one is needed.
    pub fn code_scheme(&self) -> Result<CodeScheme, ParamsError> {
        let object_class = &self.grid.object_class;
        match self.grid.code_scheme.as_str() {
            "stat12+3" => Ok(CodeScheme::Stat12Plus3),
            "unitgrid-15" => Ok(CodeScheme::UnitGrid15),
            "cjt349-20"
                if object_class.len() == 6 && object_class.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                Ok(CodeScheme::Cjt349 { object_class: object_class.clone() })
            }
            "cjt349-20" => Err(ParamsError::OutOfRange {
                key: "grid.object_class",
                value: format!("`{object_class}`"),
                rule: Text::from((
                    "cjt349-20 需要 6 位数字的对象类别，请按平台的规定给出（--object-class）",
                    "cjt349-20 needs the six digits of the object class as your platform lists them (--object-class)",
                )),
            }),
            other => Err(ParamsError::OutOfRange {
                key: "grid.code_scheme",
                value: other.to_owned(),
                rule: Text::from((
                    format!("请用 {}", CodeScheme::NAMES.join("、")),
                    format!("use {}", CodeScheme::NAMES.join(", ")),
                )),
            }),
        }
    }

    /// Size rule of a class; `None` for exclusive grids, which have no target.
    #[must_use]
    pub fn grid_size(&self, class: GridClass) -> Option<GridSize> {
        let own = ClassParams { target: self.grid.target, tolerance: self.grid.tolerance };
        let class = match class {
            GridClass::Urban => own,
            GridClass::Resettlement => self.grid.resettlement.unwrap_or(own),
            GridClass::Rural => self.grid.rural.unwrap_or(own),
            GridClass::Exclusive => return None,
        };
        Some(GridSize::around(Households(class.target), class.tolerance))
    }

    /// What counts towards the size of a grid beside households.
    #[must_use]
    pub const fn load_weights(&self) -> LoadWeights {
        let LoadParams { shops, venues, organizations, other } = self.grid.other_loads;
        LoadWeights { shops, venues, organizations, other }
    }

    /// Circles of the rules, narrowest first.
    #[must_use]
    pub fn walk_bands(&self) -> Vec<WalkBand> {
        let bands = self.bands.iter();
        bands
            .map(|band| WalkBand {
                minutes: band.minutes,
                metres: Metres::new(band.metres).unwrap_or(Metres::ZERO),
            })
            .collect()
    }

    /// How people walk.
    ///
    /// # Errors
    /// [`ParamsError::OutOfRange`] for an unknown profile or a speed that is none.
    pub fn walk_rules(&self) -> Result<WalkRules, ParamsError> {
        let profile = self.walk_profile("walk.profile", &self.walk.profile)?;
        let metres = |name, value: f64| {
            let allowed = ("应为零米或以上", "it must be zero or more metres");
            Metres::new(value).map_err(|_| out_of_range(name, value.to_string(), allowed))
        };
        Ok(WalkRules {
            max_access: metres("walk.max_access", self.walk.max_access)?,
            max_farther: metres("walk.max_farther", self.walk.max_farther)?,
            ..WalkRules::new(profile)
        })
    }

    /// Which way of a walk counts.
    ///
    /// # Errors
    /// [`ParamsError::OutOfRange`] for another word than `there`, `back` and `worse`.
    pub fn walk_direction(&self) -> Result<WalkDirection, ParamsError> {
        let word = &self.walk.direction;
        let rule = ("请用 there、back 或 worse", "use there, back or worse");
        WalkDirection::parse(word).ok_or_else(|| out_of_range("walk.direction", word.clone(), rule))
    }

    /// The walkers set beside the plan's own, in the order given; the plan's own is left out.
    ///
    /// # Errors
    /// [`ParamsError::OutOfRange`] for an unknown profile.
    pub fn compared_walkers(&self) -> Result<Vec<WalkRules>, ParamsError> {
        let own = self.walk_rules()?;
        let others = self.walk.compare.iter().filter(|name| **name != self.walk.profile);
        others
            .map(|name| Ok(WalkRules { profile: self.walk_profile("walk.compare", name)?, ..own.clone() }))
            .collect()
    }

    fn walk_profile(&self, key: &'static str, name: &str) -> Result<WalkProfile, ParamsError> {
        if let Some(own) = self.walk.profiles.get(name) {
            return own.profile(name);
        }
        Ok(match name {
            "adult" => WalkProfile::adult(),
            "age-60" => WalkProfile::older(60),
            "age-70" => WalkProfile::older(70),
            "age-80" => WalkProfile::older(80),
            "frail" => WalkProfile::frail(),
            "wheelchair" => WalkProfile::wheelchair(),
            "pushchair" => WalkProfile::pushchair(),
            "steady" => WalkProfile::steady(walking_speed("walk.steady_speed", self.walk.steady_speed)?),
            other => {
                let rule = (
                    "请用 adult、age-60、age-70、age-80、frail、wheelchair、pushchair、steady，或 [walk.profiles] 中自定的",
                    "use adult, age-60, age-70, age-80, frail, wheelchair, pushchair, steady or one of your own in [walk.profiles]",
                );
                return Err(out_of_range(key, other.to_owned(), rule));
            }
        })
    }
}

fn out_of_range(key: &'static str, value: String, rule: (&str, &str)) -> ParamsError {
    ParamsError::OutOfRange { key, value, rule: rule.into() }
}

fn walking_speed(key: &'static str, value: f64) -> Result<MetresPerSecond, ParamsError> {
    let speed = MetresPerSecond::new(value).ok().filter(|speed| (0.1..=5.0).contains(&speed.value()));
    let rule = ("步行速度应在 0.1 到 5 m/s 之间", "a walking speed lies between 0.1 and 5 m/s");
    speed.ok_or_else(|| out_of_range(key, value.to_string(), rule))
}

impl ProfileParams {
    fn profile(&self, name: &str) -> Result<WalkProfile, ParamsError> {
        let flat_speed = walking_speed("walk.profiles.speed", self.speed)?;
        let on_stairs = |key, own: Option<f64>, share: f64| match own {
            None => Ok(Some(flat_speed * share)),
            Some(0.0) => Ok(None),
            Some(speed) => walking_speed(key, speed).map(Some),
        };
        // Shares of an adult.
        let up = on_stairs("walk.profiles.stairs_up", self.stairs_up, 0.45)?;
        let down = on_stairs("walk.profiles.stairs_down", self.stairs_down, 0.5)?;
        let stairs = match (up, down) {
            (Some(up), Some(down)) => StairsResponse::Walked { up, down },
            _ => StairsResponse::Avoided,
        };
        if let Some(steepest) = self.steepest.filter(|steepest| !(0.0..=1.0).contains(steepest)) {
            let rule = (
                "应为 0 到 1 之间的小数，例如 1:12 为 0.083",
                "it is a fraction from 0 to 1, e.g. 0.083 for 1 in 12",
            );
            return Err(out_of_range("walk.profiles.steepest", steepest.to_string(), rule));
        }
        let crossing_wait = Seconds::new(self.crossing_wait).map_err(|_| {
            let rule = ("应为零秒或以上", "it must be zero or more seconds");
            out_of_range("walk.profiles.crossing_wait", self.crossing_wait.to_string(), rule)
        })?;
        Ok(WalkProfile {
            name: name.to_owned(),
            flat_speed,
            slope: if self.slopes { SlopeResponse::Tobler } else { SlopeResponse::Ignored },
            stairs,
            kerbs: if self.kerbs { KerbResponse::Passed } else { KerbResponse::Avoided },
            steepest: self.steepest,
            crossing_wait,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walker_of_ones_own_is_data() {
        let text = "[walk]\nprofile = 'postman'\ndirection = 'worse'\ncompare = ['postman', 'age-80']\n\
                    [walk.profiles.postman]\nspeed = 1.5\nstairs_up = 0.0\nsteepest = 0.2\n";
        let params = Params::from_toml(text).expect("valid");
        let own = params.walk_rules().expect("known").profile;
        assert_eq!((own.name.as_str(), own.stairs), ("postman", StairsResponse::Avoided));
        assert_eq!((own.pace(0.21), own.crossing_wait.value()), (None, 10.0));
        let others: Vec<String> =
            params.compared_walkers().expect("known").into_iter().map(|rules| rules.profile.name).collect();
        assert_eq!(others, ["age 80"], "the plan's own walker is not compared with itself");
        assert_eq!(params.walk_direction(), Ok(WalkDirection::Worse));
        assert_eq!(Params::from_toml(&params.to_toml()), Ok(params));
        for (text, key) in [
            ("[walk]\ndirection = 'up'", "walk.direction"),
            ("[walk]\ncompare = ['bird']", "walk.compare"),
            ("[walk]\nprofile = 'x'\n[walk.profiles.x]\nspeed = 9.0", "walk.profiles.speed"),
        ] {
            assert!(Params::from_toml(text).expect_err(text).to_string().contains(key), "{text}");
        }
    }

    #[test]
    fn defaults_survive_the_file() {
        let params = Params::default();
        assert_eq!(Params::from_toml(&params.to_toml()), Ok(params));
    }

    #[test]
    fn a_wrong_value_is_named_by_its_key() {
        for (text, key) in [
            ("[grid]\ntarget = 0", "grid.target"),
            ("[grid.other_loads]\nvenues = -1.0", "grid.other_loads.venues"),
            ("[grid]\ntolerance = 1.5", "grid.tolerance"),
            ("bands = []", "bands"),
            ("[walk]\nprofile = 'bird'", "walk.profile"),
            ("[grid]\ntargett = 300", "targett"),
        ] {
            let message = Params::from_toml(text).expect_err(text).to_string();
            assert!(message.contains(key), "{text} gave {message}");
        }
    }
}
