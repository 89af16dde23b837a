//! Tables of the coverage analysis: other walkers, shares of what stations offer, evenness. Files written before
//! these tables existed are read without them.

use std::collections::HashMap;

use rusqlite::types::Value;

use super::read::{Reader, Record};
use super::write::{Writer, maybe, text};
use super::{PlanFileError, schema};
use crate::model::{
    AtomId, Coverage, Evenness, Plan, ProfileCoverage, ProfileLoss, Scenario, ServiceBalance, StationId,
    StationLoad, SupplyUnit,
};
use crate::units::{Households, Seconds};

type Result<T> = std::result::Result<T, PlanFileError>;

impl Writer<'_> {
    /// Other walkers, and how service is shared out.
    pub(super) fn analysis(&self, plan: &Plan) -> rusqlite::Result<()> {
        let coverage = &plan.coverage;
        let profiles = coverage.profiles.iter().flat_map(|profile| {
            let bands = coverage.bands.iter().enumerate();
            bands.map(|(index, band)| {
                vec![
                    text(&profile.profile),
                    band.minutes.into(),
                    profile.households_reached[index].0.into(),
                    profile.households_lost[index].0.into(),
                ]
            })
        });
        self.table(&schema::PROFILES, profiles)?;
        let losses = coverage.profiles.iter().flat_map(|profile| {
            profile.lost.iter().map(|loss| {
                vec![
                    text(&profile.profile),
                    loss.minutes.into(),
                    text(&self.scenario.atoms[loss.atom.index()].source.0),
                    maybe(loss.walk.map(Seconds::value)),
                ]
            })
        });
        self.table(&schema::PROFILE_LOSSES, losses)?;
        let balance = coverage.balance.as_ref();
        let access = balance.into_iter().flat_map(|balance| {
            let counted = self.scenario.atoms.iter().enumerate().filter(|(_, atom)| 0 < atom.households.0);
            counted.map(|(index, atom)| {
                vec![
                    text(&atom.source.0),
                    balance.access[index].into(),
                    balance.access_enhanced[index].into(),
                    balance.without_room[index].into(),
                ]
            })
        });
        self.table(&schema::ACCESS, access)?;
        let loads = balance.into_iter().flat_map(|balance| &balance.loads).map(|load| {
            vec![
                text(&plan.stations[load.station.index()].code),
                maybe(load.capacity.map(|capacity| capacity.0)),
                load.served.0.into(),
            ]
        });
        self.table(&schema::STATION_LOADS, loads)?;
        let words = balance.into_iter().flat_map(words_of);
        self.table(&schema::EVENNESS, words.map(|(key, value)| vec![text(key), Value::Text(value)]))
    }
}

fn words_of(balance: &ServiceBalance) -> Vec<(&'static str, String)> {
    let evenness = &balance.evenness;
    let mut words = vec![
        ("supply_unit", balance.unit.as_str().to_owned()),
        ("gini_walk", evenness.gini_walk.to_string()),
        ("gini_access", evenness.gini_access.to_string()),
        ("mean_access", evenness.mean_access.to_string()),
        ("worst_decile_access", evenness.worst_decile_access.to_string()),
    ];
    let walks = [("mean_walk_s", evenness.mean_walk), ("worst_decile_walk_s", evenness.worst_decile_walk)];
    words.extend(walks.into_iter().filter_map(|(key, walk)| Some((key, walk?.value().to_string()))));
    words
}

impl Reader<'_> {
    /// Fills a coverage's other walkers and its balance.
    pub(super) fn analysis(
        &self,
        scenario: &Scenario,
        stations: &HashMap<String, StationId>,
        coverage: &mut Coverage,
    ) -> Result<()> {
        if !self.has(&schema::EVENNESS)? {
            return Ok(());
        }
        let atoms: HashMap<String, AtomId> = scenario
            .atoms
            .iter()
            .enumerate()
            .map(|(index, atom)| (atom.source.0.clone(), AtomId::from_index(index)))
            .collect();
        coverage.profiles = self.profiles(&atoms)?;
        coverage.balance = self.balance(&atoms, stations)?;
        Ok(())
    }

    fn profiles(&self, atoms: &HashMap<String, AtomId>) -> Result<Vec<ProfileCoverage>> {
        let mut profiles: Vec<ProfileCoverage> = Vec::new();
        let rows = self.rows(&schema::PROFILES, |record| {
            let count = |column| record.count(column).map(Households);
            Ok((record.text("profile")?, count("households_reached")?, count("households_lost")?))
        })?;
        for (name, reached, lost) in rows {
            let known = profiles.iter().position(|profile| profile.profile == name);
            let index = known.unwrap_or(profiles.len());
            if known.is_none() {
                profiles.push(ProfileCoverage {
                    profile: name,
                    households_reached: Vec::new(),
                    households_lost: Vec::new(),
                    lost: Vec::new(),
                });
            }
            profiles[index].households_reached.push(reached);
            profiles[index].households_lost.push(lost);
        }
        let losses = self.rows(&schema::PROFILE_LOSSES, |record| {
            let atom = record.link("building", atoms)?;
            let loss = ProfileLoss {
                atom: atom.ok_or_else(|| record.bad("column `building` is empty".to_owned()))?,
                minutes: record.get("minutes")?,
                walk: record.quantity("walk_s", Seconds::new)?,
            };
            Ok((record.text("profile")?, loss))
        })?;
        for (name, loss) in losses {
            if let Some(profile) = profiles.iter_mut().find(|profile| profile.profile == name) {
                profile.lost.push(loss);
            }
        }
        Ok(profiles)
    }

    fn balance(
        &self,
        atoms: &HashMap<String, AtomId>,
        stations: &HashMap<String, StationId>,
    ) -> Result<Option<ServiceBalance>> {
        let pairs =
            self.rows(&schema::EVENNESS, |record| Ok((record.text("key")?, record.text("value")?)))?;
        let words: HashMap<String, String> = pairs.into_iter().collect();
        let Some(unit) = words.get("supply_unit").and_then(|word| SupplyUnit::parse(word)) else {
            return Ok(None);
        };
        let number = |key: &str| words.get(key).and_then(|word| word.parse::<f64>().ok());
        let seconds = |key: &str| number(key).and_then(|value| Seconds::new(value).ok());
        let mut balance = ServiceBalance {
            unit,
            access: vec![0.0; atoms.len()],
            access_enhanced: vec![0.0; atoms.len()],
            without_room: vec![0; atoms.len()],
            loads: self.rows(&schema::STATION_LOADS, |record| read_load(record, stations))?,
            evenness: Evenness {
                gini_walk: number("gini_walk").unwrap_or_default(),
                gini_access: number("gini_access").unwrap_or_default(),
                mean_walk: seconds("mean_walk_s"),
                worst_decile_walk: seconds("worst_decile_walk_s"),
                mean_access: number("mean_access").unwrap_or_default(),
                worst_decile_access: number("worst_decile_access").unwrap_or_default(),
            },
        };
        let rows = self.rows(&schema::ACCESS, |record| {
            let values =
                (record.get("access")?, record.get("access_enhanced")?, record.count("without_room")?);
            Ok((record.link("building", atoms)?, values))
        })?;
        for (atom, (access, enhanced, without_room)) in rows {
            if let Some(atom) = atom {
                balance.access[atom.index()] = access;
                balance.access_enhanced[atom.index()] = enhanced;
                balance.without_room[atom.index()] = without_room;
            }
        }
        Ok(Some(balance))
    }
}

fn read_load(record: &Record<'_>, stations: &HashMap<String, StationId>) -> Result<StationLoad> {
    let station = record.link("station", stations)?;
    Ok(StationLoad {
        station: station.ok_or_else(|| record.bad("column `station` is empty".to_owned()))?,
        capacity: record.maybe("capacity")?.map(Households),
        served: Households(record.count("served")?),
    })
}
