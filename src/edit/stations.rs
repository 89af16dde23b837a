//! Edits of stations and of the register of premises.

use std::collections::HashSet;

use geo::{Contains, Coord, Point};

use super::Problem;
use super::change::{NewPremise, NewStation};
use super::desk::Desk;
use super::step::{PremiseRow, StationRow, Step};
use crate::model::{CommunityId, Scenario, StationStatus};
use crate::units::SquareMetres;

/// What the tiers came to was said of the stations as they were chosen.
pub(super) fn forget_siting(desk: &mut Desk<'_>) -> Result<(), Problem> {
    if desk.plan.tiers.is_empty() {
        return Ok(());
    }
    desk.take(&Step::Tiers { tiers: Vec::new() })
}

/// Adds a station at a place or in premises of the register.
pub(super) fn add(desk: &mut Desk<'_>, new: &NewStation) -> Result<String, Problem> {
    let premise = match new.premise.as_deref() {
        None => None,
        Some(id) => {
            let found = desk.scenario.premises.iter().find(|premise| premise.source.0 == id);
            Some(found.ok_or_else(|| Problem::NoSuchPremise { id: id.to_owned() })?.clone())
        }
    };
    let at = match (&premise, new.at, new.lonlat) {
        (Some(premise), None, None) => premise.at,
        _ => place(desk.scenario, new.at, new.lonlat)?,
    };
    if new.status == StationStatus::Closed {
        return Err(Problem::BadValue {
            key: "status",
            value: "closed".to_owned(),
            rule: ("新站点只能是 chosen 或 existing", "a new station is chosen or existing").into(),
        });
    }
    let community = home(desk.scenario, at);
    let prefix = community.map(|id| desk.scenario.communities[id.index()].code.as_str());
    let code = match &new.code {
        Some(code) if code.trim().is_empty() => {
            return Err(Problem::Empty(("`code` 为空；请删去该键", "`code` is empty; leave it out").into()));
        }
        Some(code) => code.clone(),
        None => next_code(desk, &new.tier.number_prefix(prefix)),
    };
    let usual_name = || {
        let place = community.map_or("", |id| desk.scenario.communities[id.index()].name.as_str());
        format!("{place}{}", new.tier.chinese())
    };
    let premise_name = premise.as_ref().and_then(|premise| premise.name.clone());
    let name = new.name.clone().or(premise_name).unwrap_or_else(usual_name);
    let row = StationRow {
        code: code.clone(),
        name: name.clone(),
        tier: new.tier,
        status: new.status,
        at: [at.x, at.y],
        community: community.map(|id| desk.scenario.communities[id.index()].code.clone()),
        area_m2: area(new.area_m2)?.or(premise.as_ref().and_then(|p| p.area).map(SquareMetres::value)),
        capacity: new.capacity.or(premise.as_ref().and_then(|p| p.capacity).map(|n| n.0)),
        premise: new.premise.clone(),
        // Who adds a station says why in one language.
        reason: crate::model::Text::same(new.reason.clone()),
    };
    desk.take(&Step::PutStation { row: desk.plan.stations.len(), station: row })?;
    forget_siting(desk)?;
    Ok(format!("新增站点 {code} {name} (add station {code})"))
}

/// The next number of a community and tier that no station has.
fn next_code(desk: &Desk<'_>, prefix: &str) -> String {
    let used: HashSet<&str> = desk.plan.stations.iter().map(|station| station.code.as_str()).collect();
    let codes = (1..).map(|number| format!("{prefix}{number:02}"));
    codes.into_iter().find(|code| !used.contains(code.as_str())).unwrap_or_default()
}

/// A place given on the plane or as longitude and latitude.
fn place(scenario: &Scenario, at: Option<[f64; 2]>, lonlat: Option<[f64; 2]>) -> Result<Coord<f64>, Problem> {
    let bad = |key, [x, y]: [f64; 2], rule: (&str, &str)| Problem::BadValue {
        key,
        value: format!("[{x}, {y}]"),
        rule: rule.into(),
    };
    match (at, lonlat) {
        (Some(given @ [x, y]), None) => {
            if !x.is_finite() || !y.is_finite() || 1e8 < x.abs() || 1e8 < y.abs() {
                let rule = (
                    "请给出规划平面上的东、北坐标（米）",
                    "give easting and northing on the plan's plane in metres",
                );
                return Err(bad("at", given, rule));
            }
            Ok(Coord { x, y })
        }
        (None, Some(given @ [x, y])) => {
            let rule = (
                "请先经度、后纬度，单位为度（WGS 84）",
                "give longitude, then latitude, in degrees (WGS 84)",
            );
            scenario.plane.to_plane(Coord { x, y }).map_err(|_| bad("lonlat", given, rule))
        }
        (Some(given), Some(_)) => {
            Err(bad("at", given, ("`at` 与 `lonlat` 只能给一个", "give either `at` or `lonlat`")))
        }
        (None, None) => Err(Problem::Empty(
            (
                "没有位置；请给出 `at`（米）或 `lonlat`（度）",
                "there is no place; give `at` (metres) or `lonlat` (degrees)",
            )
                .into(),
        )),
    }
}

/// The community whose outline holds a place.
fn home(scenario: &Scenario, at: Coord<f64>) -> Option<CommunityId> {
    let holds = |outline: &geo::MultiPolygon<f64>| outline.contains(&Point(at));
    let found = scenario.communities.iter().position(|community| holds(&community.outline));
    found.map(CommunityId::from_index)
}

fn area(area: Option<f64>) -> Result<Option<f64>, Problem> {
    match area {
        Some(value) if SquareMetres::new(value).is_err() => Err(Problem::BadValue {
            key: "area_m2",
            value: value.to_string(),
            rule: ("面积为零或正的平方米数", "an area is zero or more square metres").into(),
        }),
        area => Ok(area),
    }
}

/// Moves a station's door.
pub(super) fn shift(
    desk: &mut Desk<'_>,
    code: &str,
    at: Option<[f64; 2]>,
    lonlat: Option<[f64; 2]>,
) -> Result<String, Problem> {
    let at = place(desk.scenario, at, lonlat)?;
    let mut row = StationRow::of(&desk.plan.stations[desk.station(code)?], desk.scenario);
    if row.at == [at.x, at.y] {
        return Err(Problem::Unchanged(
            (format!("站点 {code} 已在该处"), format!("station {code} stands there already")).into(),
        ));
    }
    row.at = [at.x, at.y];
    // It no longer opens in the premises that it was chosen for.
    row.premise = None;
    row.community = home(desk.scenario, at).map(|id| desk.scenario.communities[id.index()].code.clone());
    desk.take(&Step::SetStation(row))?;
    forget_siting(desk)?;
    Ok(format!("移动站点 {code} → {:.1}, {:.1} (move station {code})", at.x, at.y))
}

/// Closes a station that stands; drops one that the plan had chosen.
pub(super) fn close(desk: &mut Desk<'_>, code: &str) -> Result<String, Problem> {
    let station = &desk.plan.stations[desk.station(code)?];
    let mut row = StationRow::of(station, desk.scenario);
    match station.status {
        StationStatus::Closed => {
            return Err(Problem::Unchanged(
                (format!("站点 {code} 已关闭"), format!("station {code} is closed already")).into(),
            ));
        }
        StationStatus::Existing => {
            row.status = StationStatus::Closed;
            desk.take(&Step::SetStation(row))?;
        }
        StationStatus::Chosen => desk.take(&Step::DropStation { station: code.to_owned() })?,
    }
    forget_siting(desk)?;
    Ok(format!("关闭站点 {code} (close station {code})"))
}

/// Opens a closed station again.
pub(super) fn reopen(desk: &mut Desk<'_>, code: &str) -> Result<String, Problem> {
    let station = &desk.plan.stations[desk.station(code)?];
    if station.status != StationStatus::Closed {
        return Err(Problem::Unchanged(
            (format!("站点 {code} 已开放"), format!("station {code} is open already")).into(),
        ));
    }
    let mut row = StationRow::of(station, desk.scenario);
    row.status = StationStatus::Existing;
    desk.take(&Step::SetStation(row))?;
    forget_siting(desk)?;
    Ok(format!("重开站点 {code} (reopen station {code})"))
}

/// Adds a row to the register of premises, in the order of its ids.
pub(super) fn register(desk: &mut Desk<'_>, new: &NewPremise) -> Result<String, Problem> {
    if new.id.trim().is_empty() {
        return Err(Problem::Empty(
            ("`id` 为空；请给备选用房编号", "`id` is empty; give the premises an identifier").into(),
        ));
    }
    let at = place(desk.scenario, new.at, new.lonlat)?;
    let row = PremiseRow {
        id: new.id.clone(),
        name: new.name.clone(),
        at: [at.x, at.y],
        community: home(desk.scenario, at).map(|id| desk.scenario.communities[id.index()].code.clone()),
        area_m2: area(new.area_m2)?,
        tenure: new.tenure.clone(),
        floor: new.floor,
        own_entrance: new.own_entrance,
        cost_yuan: new.cost_yuan,
        capacity: new.capacity,
    };
    let place = desk.scenario.premises.partition_point(|premise| premise.source.0 < new.id);
    desk.take(&Step::PutPremise { row: place, premise: row })?;
    Ok(format!("登记用房 {0} (add premises {0})", new.id))
}
