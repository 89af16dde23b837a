//! Sheets of the coverage analysis: other walkers, and access by floating catchments.

use rust_xlsxwriter::{Workbook, XlsxError};

use super::sheet::{Formats, Kind, Value, write_table};
use super::{Facts, columns};
use crate::model::Lang;
use crate::report::text;

/// Buildings that the plan's own walker reaches a station from and another does not.
pub(super) fn walkers(
    workbook: &mut Workbook,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<(), XlsxError> {
    use Kind::{Count, Decimal, Text};
    let profiles = &facts.plan.coverage.profiles;
    if profiles.is_empty() {
        return Ok(());
    }
    let heads = columns(
        lang,
        &[
            ("步行人群", "walker", Text),
            ("分钟", "minutes", Count),
            ("楼栋编号", "building", Text),
            ("名称", "name", Text),
            ("社区", "community", Text),
            ("网格编码", "grid", Text),
            ("户数", "households", Count),
            ("本方案步行（分钟）", "walk in this plan (min)", Decimal),
            ("该人群步行（分钟）", "walk of this walker (min)", Decimal),
        ],
    );
    let n_rows = profiles.iter().map(|profile| profile.lost.len()).sum();
    let rows = profiles.iter().flat_map(|profile| profile.lost.iter().map(move |loss| (profile, loss)));
    let rows = rows.map(|(profile, loss)| {
        let atom = &facts.scenario.atoms[loss.atom.index()];
        let own = facts.plan.coverage.atoms.get(loss.atom.index()).and_then(|reach| reach.nearest.ok());
        vec![
            Value::text(text::profile(&profile.profile, lang)),
            Value::count(loss.minutes),
            Value::text(atom.source.0.as_str()),
            Value::text(atom.name.as_deref().unwrap_or("")),
            Value::text(facts.community_name(atom.community)),
            Value::text(facts.grid_code(loss.atom)),
            Value::count(atom.households.0),
            Value::maybe(own.map(|(_, walk)| walk.minutes())),
            Value::maybe(loss.walk.map(|walk| walk.minutes())),
        ]
    });
    write_table(workbook, formats, lang.pick("不同人群", "walkers"), &heads, n_rows, rows)?;
    Ok(())
}

/// What stations have to serve against what they may.
pub(super) fn loads(
    workbook: &mut Workbook,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<(), XlsxError> {
    use Kind::{Count, Text};
    let Some(balance) = &facts.plan.coverage.balance else { return Ok(()) };
    let heads = columns(
        lang,
        &[
            ("编码", "code", Text),
            ("名称", "name", Text),
            ("容量（户）", "capacity (households)", Count),
            ("服务（户）", "households served", Count),
        ],
    );
    let rows = balance.loads.iter().map(|load| {
        let station = facts.plan.stations.get(load.station.index());
        vec![
            Value::text(station.map_or("", |station| station.code.as_str())),
            Value::text(station.map_or("", |station| station.name.as_str())),
            Value::maybe(load.capacity.map(|capacity| f64::from(capacity.0))),
            Value::count(load.served.0),
        ]
    });
    write_table(
        workbook,
        formats,
        lang.pick("站点负荷", "station loads"),
        &heads,
        balance.loads.len(),
        rows,
    )?;
    Ok(())
}
