//! The rule pack: figures to compare a plan with, each with its source, clause and status.

use serde::Deserialize;

use crate::model::Lang;

/// The pack that ships with the program: `data/rules/default.toml`.
const DEFAULT: &str = include_str!("../../data/rules/default.toml");

/// A set of rules, read from a file that a planner may edit.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulePack {
    /// Name, printed in reports.
    pub name: String,
    /// Counts up with every change.
    pub edition: u32,
    /// The rules, in the order of the file.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
}

/// One figure, or a rule without a figure.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique name within the pack.
    pub id: String,
    /// What it is about.
    pub theme: Theme,
    /// Chinese text.
    pub zh: String,
    /// English text.
    pub en: String,
    /// Circle that it belongs to.
    #[serde(default)]
    pub minutes: Option<u32>,
    /// At least this much, in `unit`.
    #[serde(default)]
    pub low: Option<f64>,
    /// At most this much, in `unit`.
    #[serde(default)]
    pub high: Option<f64>,
    /// Unit of `low` and `high`.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// What it is compared with; `None` is listed only.
    #[serde(default)]
    pub measure: Option<Measure>,
    /// Where it stands.
    pub source: String,
    /// Clause or table in the source.
    pub clause: String,
    /// Whether the source was read.
    pub status: Status,
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Walking circles.
    Circle,
    /// Grids.
    Grid,
    /// Codes.
    Code,
    /// Floor area.
    Area,
    /// Staff.
    Staff,
    /// Maps.
    Map,
}

/// Unit of a rule's figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Metres.
    M,
    /// Square metres.
    M2,
    /// Square kilometres.
    Km2,
    /// Households.
    Households,
    /// Residents.
    Residents,
    /// Square metres per hundred households.
    #[serde(rename = "m2_per_100_households")]
    M2Per100Households,
    /// Kinds of service.
    Functions,
    /// Hundredths.
    Percent,
    /// Per ten thousand residents.
    #[serde(rename = "per_10000_residents")]
    Per10000Residents,
}

/// What a rule's figure is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Metres of the circle of the rule's minutes.
    BandMetres,
    /// Target size of ordinary urban grids.
    GridTarget,
    /// Floor area of all open stations per hundred households.
    ServiceSpace,
    /// Floor area of each community centre.
    CommunityCentreArea,
    /// Staff that the residents would call for.
    SocialWorkers,
    /// Area under plan.
    MapArea,
}

/// Whether a rule's source was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Read in a public text.
    Seen,
    /// General knowledge; printed with 未核实.
    Unverified,
}

/// Why a rule pack cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulePackError {
    /// Not the form of a rule pack.
    #[error("the rule pack is not readable: {0}; compare it with data/rules/default.toml")]
    Form(#[from] toml::de::Error),
    /// A rule contradicts itself or another one.
    #[error("rule `{id}` of the rule pack {why}; mend that rule in the file")]
    Rule {
        /// The rule.
        id: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl RulePack {
    /// Reads a rule pack.
    ///
    /// ```
    /// # use gridplan::report::RulePack;
    /// let pack = RulePack::default();
    /// assert!(pack.rule("circle-15").is_some_and(|rule| rule.high == Some(1000.0)));
    /// assert!(RulePack::parse("name = \"x\"").is_err());
    /// ```
    ///
    /// # Errors
    /// [`RulePackError`] for text that is no rule pack, an id used twice, or `low` above `high`.
    pub fn parse(text: &str) -> Result<Self, RulePackError> {
        let pack: Self = toml::from_str(text)?;
        for (index, rule) in pack.rules.iter().enumerate() {
            let broken = |why| Err(RulePackError::Rule { id: rule.id.clone(), why });
            if pack.rules[..index].iter().any(|earlier| earlier.id == rule.id) {
                return broken("stands there twice");
            }
            let figures = [rule.low, rule.high];
            if figures.iter().flatten().any(|figure| !figure.is_finite()) {
                return broken("has a figure that is no number");
            }
            if rule.low.zip(rule.high).is_some_and(|(low, high)| high < low) {
                return broken("has `low` above `high`");
            }
            if figures.iter().any(Option::is_some) && rule.unit.is_none() {
                return broken("has a figure without a unit");
            }
        }
        Ok(pack)
    }

    /// The rule of that id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// The metres that go with a circle.
    #[must_use]
    pub fn circle(&self, minutes: u32) -> Option<&Rule> {
        self.rules
            .iter()
            .find(|rule| rule.measure == Some(Measure::BandMetres) && rule.minutes == Some(minutes))
    }
}

impl Default for RulePack {
    /// The pack that ships with the program.
    fn default() -> Self {
        Self::parse(DEFAULT).expect("the shipped rule pack is read by a test")
    }
}

impl Rule {
    /// The text in a language.
    #[must_use]
    pub fn text(&self, lang: Lang) -> &str {
        lang.pick(&self.zh, &self.en)
    }

    /// Whether a figure keeps the rule; both limits count as kept. `None` for a rule without a figure.
    #[must_use]
    pub fn holds(&self, figure: f64) -> Option<bool> {
        (self.low.is_some() || self.high.is_some())
            .then(|| self.low.is_none_or(|low| low <= figure) && self.high.is_none_or(|high| figure <= high))
    }
}
