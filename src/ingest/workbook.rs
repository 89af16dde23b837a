//! Excel and OpenDocument workbooks: every sheet that has a header and rows.

use calamine::{Data, Range, Reader, open_workbook_auto};

use super::encoding::TextEncoding;
use super::error::IngestError;
use super::source::SourceSpec;
use super::table::{Cell, Layer, TableColumn};
use crate::model::Text;

/// Rows at the top that may stand above the header: titles, notes.
const ROWS_ABOVE_HEADER: usize = 10;

/// Reads the sheet asked for, or all sheets that hold a table.
///
/// # Errors
/// When the file is no workbook or has no such sheet.
pub(super) fn read(spec: &SourceSpec) -> Result<Vec<Layer>, IngestError> {
    let file = spec.file_name();
    let unreadable = |error: calamine::Error| IngestError::Unreadable {
        file: file.clone(),
        reason: Text::same(error.to_string()),
    };
    let mut workbook = open_workbook_auto(&spec.path).map_err(unreadable)?;
    let sheets = workbook.sheet_names();
    let wanted = match &spec.layer {
        None => sheets,
        Some(layer) if sheets.contains(layer) => vec![layer.clone()],
        Some(layer) => {
            return Err(IngestError::NoSuchLayer { file, layer: layer.clone(), available: sheets });
        }
    };
    let mut layers = Vec::new();
    for sheet in wanted {
        let range = workbook.worksheet_range(&sheet).map_err(unreadable)?;
        layers.extend(table(&file, &sheet, &range));
    }
    if let [only] = layers.as_mut_slice() {
        // One sheet needs no name in messages.
        if spec.layer.is_none() {
            only.layer.clear();
        }
    }
    if layers.is_empty() {
        let role = spec.role.unwrap_or(super::Role::Buildings);
        let reason =
            Text::from(("没有一个工作表有表头和数据行", "no sheet has a header line with rows below"));
        return Err(IngestError::EmptyLayer { file, role, reason, filtered: None });
    }
    Ok(layers)
}

/// The table of a sheet: the header is the fullest of the first rows, titles above it are passed over.
fn table(file: &str, sheet: &str, range: &Range<Data>) -> Option<Layer> {
    let rows: Vec<&[Data]> = range.rows().collect();
    let filled = |row: &&[Data]| row.iter().filter(|cell| matches!(cell, Data::String(_))).count();
    let top = rows.len().min(ROWS_ABOVE_HEADER);
    let widest = rows[..top].iter().map(filled).max().filter(|&width| 2 <= width)?;
    // Only a title row is much emptier than the header, so the first row that is nearly as full is the header.
    let header = rows[..top].iter().position(|row| widest <= filled(row) + 1 && 2 <= filled(row))?;
    let mut columns: Vec<TableColumn> = rows[header]
        .iter()
        .enumerate()
        .map(|(index, cell)| {
            let name = cell_of(cell).to_text().unwrap_or_else(|| format!("column {}", index + 1));
            TableColumn { name, cells: Vec::new() }
        })
        .collect();
    let mut len = 0;
    for row in rows[header + 1..].iter().filter(|row| row.iter().any(|cell| !cell_of(cell).is_empty())) {
        for (index, column) in columns.iter_mut().enumerate() {
            column.cells.push(row.get(index).map_or(Cell::Empty, cell_of));
        }
        len += 1;
    }
    (0 < len).then(|| Layer {
        file: file.to_owned(),
        layer: sheet.to_owned(),
        columns,
        len,
        first: 2,
        encoding: TextEncoding::fixed("Unicode"),
        ..Layer::default()
    })
}

fn cell_of(data: &Data) -> Cell {
    match data {
        Data::Int(value) => Cell::Number(*value as f64),
        Data::Float(value) => Cell::Number(*value),
        Data::String(text) => Cell::text(text),
        Data::Bool(value) => Cell::text(if *value { "yes" } else { "no" }),
        Data::DateTimeIso(text) | Data::DurationIso(text) => Cell::text(text),
        Data::DateTime(value) => Cell::Number(value.as_f64()),
        _ => Cell::Empty,
    }
}
