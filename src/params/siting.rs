//! How stations are chosen: the tiers and what each is asked for.

use serde::{Deserialize, Serialize};

use super::ParamsError;
use crate::model::StationTier;

/// How stations are chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SitingParams {
    /// Tiers to plan, in any order; a tier that is not listed keeps its existing stations and gets no new ones.
    pub tiers: Vec<TierParams>,
    /// Where the register of premises is empty or short, buildings and street corners at least this far apart (m)
    /// become candidates. 0 turns that off.
    pub candidate_spacing: f64,
    /// Largest number of candidates made that way.
    pub candidate_limit: u32,
}

impl Default for SitingParams {
    fn default() -> Self {
        Self {
            tiers: vec![
                // One community centre each (1+N of Huantai, seen) within 15 minutes (Luoyuan, Longkou, seen).
                TierParams { one_per_community: true, ..TierParams::new(StationTier::Community, 15, 0.95) },
                // Neighbourhood stations within 5 minutes (Lianyun, seen); 90 % is our choice.
                TierParams::new(StationTier::Compound, 5, 0.90),
            ],
            candidate_spacing: 60.0,
            candidate_limit: 5000,
        }
    }
}

/// What a given number of stations is placed for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aim {
    /// Most households within the circle.
    #[default]
    Coverage,
    /// The shortest walks on average (p-median).
    Walks,
    /// The shortest longest walk (p-center).
    Farthest,
}

/// What one tier is asked for: a circle, a goal and conditions.
///
/// What a tier does not name has no condition. `"*"` in `may_close` and `may_move` means every standing station of
/// the tier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierParams {
    /// Tier: `city`, `regional`, `community`, `compound`, `corner`.
    pub tier: String,
    /// Circle in minutes.
    pub minutes: u32,
    /// Share of households to reach with the fewest stations, 0 to 1. Ignored when `stations` or `budget` is given.
    #[serde(default = "usual_goal")]
    pub goal: f64,
    /// Exactly this many stations, existing ones counted, for the best coverage or for another aim.
    pub stations: Option<u32>,
    /// What they are placed for; with anything but coverage `stations` must be given.
    #[serde(default)]
    pub aim: Aim,
    /// Yearly cost in yuan of the new stations, for the best coverage.
    pub budget: Option<u32>,
    /// Households that a station of unknown capacity may serve; `None` for no limit.
    pub capacity: Option<u32>,
    /// Each community has at least one of its own.
    #[serde(default)]
    pub one_per_community: bool,
    /// Stations of this tier also serve what lower tiers do.
    #[serde(default = "super::yes")]
    pub serves_lower: bool,
    /// Least floor area of a new station in m²; premises of unknown area pass, with a finding.
    pub least_area: Option<f64>,
    /// Share of the households that use this tier, above 0 and at most 1; capacities count only these.
    #[serde(default = "everyone")]
    pub demand_share: f64,
    /// Metres, as the crow flies, that a new station of the tier keeps from every other one of the tier.
    pub spacing: Option<f64>,
    /// A household counts only with a second station within the circle.
    #[serde(default)]
    pub backup: bool,
    /// At least so many stations of the tier in each community, or as many as it has places.
    #[serde(default)]
    pub least_per_community: u32,
    /// At most so many stations of the tier in each community.
    pub most_per_community: Option<u32>,
    /// Codes of standing stations that may close.
    #[serde(default)]
    pub may_close: Vec<String>,
    /// At most so many of them do; `None` for no limit.
    pub most_closed: Option<u32>,
    /// Codes of standing stations that may move to another place.
    #[serde(default)]
    pub may_move: Vec<String>,
    /// Metres, as the crow flies, that a station may move at most. Our choice.
    #[serde(default = "near_by")]
    pub move_within: f64,
}

fn usual_goal() -> f64 {
    0.90
}

fn everyone() -> f64 {
    1.0
}

fn near_by() -> f64 {
    500.0
}

impl TierParams {
    /// The fewest stations of a tier that reach `goal` of the households in `minutes`.
    #[must_use]
    pub fn new(tier: StationTier, minutes: u32, goal: f64) -> Self {
        Self {
            tier: tier.as_str().to_owned(),
            minutes,
            goal,
            stations: None,
            aim: Aim::Coverage,
            budget: None,
            capacity: None,
            one_per_community: false,
            serves_lower: true,
            least_area: None,
            demand_share: everyone(),
            spacing: None,
            backup: false,
            least_per_community: 0,
            most_per_community: None,
            may_close: Vec::new(),
            most_closed: None,
            may_move: Vec::new(),
            move_within: near_by(),
        }
    }

    /// Checks every range.
    fn check(&self) -> Result<(), ParamsError> {
        let positive = |value: f64| value.is_finite() && 0.0 < value;
        let shown = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let rules: [(bool, &'static str, String, (&str, &str)); 9] = [
            (
                StationTier::parse(&self.tier).is_some(),
                "siting.tiers.tier",
                self.tier.clone(),
                (
                    "请用 city、regional、community、compound 或 corner",
                    "use city, regional, community, compound or corner",
                ),
            ),
            (
                (0.0..=1.0).contains(&self.goal),
                "siting.tiers.goal",
                self.goal.to_string(),
                ("应为 0 到 1 之间的户数比例", "it is a share of households from 0 to 1"),
            ),
            (
                self.aim == Aim::Coverage || (self.stations.is_some() && !self.one_per_community),
                "siting.tiers.aim",
                format!("{:?}", self.aim).to_lowercase(),
                (
                    "须同时给出 stations（站点数），且不与 one_per_community 并用",
                    "it needs `stations`, the number of them, and goes without `one_per_community`",
                ),
            ),
            (
                self.minutes > 0,
                "siting.tiers.minutes",
                self.minutes.to_string(),
                ("至少为 1 分钟", "it must be at least 1 minute"),
            ),
            (
                0.0 < self.demand_share && self.demand_share <= 1.0,
                "siting.tiers.demand_share",
                self.demand_share.to_string(),
                ("应大于 0 且不超过 1", "it is above 0 and at most 1"),
            ),
            (
                self.least_area.is_none_or(positive),
                "siting.tiers.least_area",
                shown(self.least_area),
                ("应大于 0 平方米", "it must be above 0 m²"),
            ),
            (
                self.spacing.is_none_or(positive),
                "siting.tiers.spacing",
                shown(self.spacing),
                ("应大于 0 米", "it must be above 0 metres"),
            ),
            (
                positive(self.move_within),
                "siting.tiers.move_within",
                self.move_within.to_string(),
                ("应大于 0 米", "it must be above 0 metres"),
            ),
            (
                self.most_per_community.is_none_or(|most| self.least_per_community <= most),
                "siting.tiers.most_per_community",
                self.most_per_community.map_or_else(String::new, |most| most.to_string()),
                ("不应小于 least_per_community", "it must not be below least_per_community"),
            ),
        ];
        match rules.into_iter().find(|rule| !rule.0) {
            Some((_, key, value, rule)) => Err(ParamsError::OutOfRange { key, value, rule: rule.into() }),
            None => Ok(()),
        }
    }
}

impl SitingParams {
    /// Checks every range.
    pub(super) fn check(&self) -> Result<(), ParamsError> {
        self.tiers.iter().try_for_each(TierParams::check)?;
        if !(self.candidate_spacing.is_finite() && 0.0 <= self.candidate_spacing) {
            return Err(ParamsError::OutOfRange {
                key: "siting.candidate_spacing",
                value: self.candidate_spacing.to_string(),
                rule: ("应为零米或以上", "it must be zero or more metres").into(),
            });
        }
        let mut tiers: Vec<&str> = self.tiers.iter().map(|tier| tier.tier.as_str()).collect();
        tiers.sort_unstable();
        match tiers.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ParamsError::OutOfRange {
                key: "siting.tiers",
                value: pair[0].to_owned(),
                rule: ("每个层级只列一次", "list each tier once").into(),
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::params::Params;

    #[test]
    fn conditions_of_a_tier_survive_the_file() {
        let text = "[[siting.tiers]]\ntier = 'compound'\nminutes = 5\nspacing = 200.0\nbackup = true\n\
                    may_close = ['*']\nmost_closed = 2\nleast_per_community = 1\nmost_per_community = 3\n";
        let params = Params::from_toml(text).expect("valid");
        let [tier] = &params.siting.tiers[..] else { panic!("one tier") };
        assert_eq!((tier.goal, tier.spacing, tier.backup), (0.90, Some(200.0), true));
        assert_eq!(Params::from_toml(&params.to_toml()), Ok(params));
    }

    #[test]
    fn a_wrong_condition_is_named_by_its_key() {
        for (line, key) in [
            ("tier = 'village'", "siting.tiers.tier"),
            ("goal = 1.2", "siting.tiers.goal"),
            ("demand_share = 0.0", "siting.tiers.demand_share"),
            ("spacing = -3.0", "siting.tiers.spacing"),
            ("least_area = 0.0", "siting.tiers.least_area"),
            ("aim = 'walks'", "siting.tiers.aim"),
            ("aim = 'farthest'\nstations = 2\none_per_community = true", "siting.tiers.aim"),
            ("least_per_community = 2\nmost_per_community = 1", "siting.tiers.most_per_community"),
            ("move_within = 0.0", "siting.tiers.move_within"),
        ] {
            let tier = if line.starts_with("tier") { "" } else { "tier = 'corner'\n" };
            let text = format!("[[siting.tiers]]\nminutes = 5\n{tier}{line}\n");
            let message = Params::from_toml(&text).expect_err(&text).to_string();
            assert!(message.contains(key), "{text} gave {message}");
        }
        let twice = "[[siting.tiers]]\ntier = 'corner'\nminutes = 5\n".repeat(2);
        assert!(Params::from_toml(&twice).expect_err("twice").to_string().contains("list each tier once"));
    }
}
