//! CSV in any encoding and with any usual delimiter.

use super::encoding;
use super::error::IngestError;
use super::source::SourceSpec;
use super::table::{Cell, Layer, TableColumn};
use super::{ImportRequest, Role};
use crate::model::Text;

/// Reads a table whose first line names the columns.
///
/// # Errors
/// When the file cannot be read, decoded, or is empty.
pub(super) fn read(spec: &SourceSpec, request: &ImportRequest) -> Result<Layer, IngestError> {
    let file = spec.file_name();
    let bytes = std::fs::read(&spec.path).map_err(|error| IngestError::Unreadable {
        file: file.clone(),
        reason: Text::same(error.to_string()),
    })?;
    let declared = spec.encoding.as_deref().or(request.encoding.as_deref());
    let (text, encoding) = encoding::decode(&file, bytes, declared)?;
    let text = text.trim_start_matches('\u{FEFF}');
    let first = text.lines().next().unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(first))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| IngestError::Unreadable {
        file: file.clone(),
        reason: Text::same(error.to_string()),
    };
    let headers = reader.headers().map_err(unreadable)?.clone();
    let mut columns: Vec<TableColumn> =
        headers.iter().map(|name| TableColumn { name: name.trim().to_owned(), cells: Vec::new() }).collect();
    let mut record = csv::StringRecord::new();
    let mut len = 0;
    while reader.read_record(&mut record).map_err(unreadable)? {
        if record.iter().all(str::is_empty) {
            continue;
        }
        for (index, column) in columns.iter_mut().enumerate() {
            column.cells.push(record.get(index).map_or(Cell::Empty, Cell::text));
        }
        len += 1;
    }
    if len == 0 {
        let role = spec.role.unwrap_or(Role::Buildings);
        let reason = Text::from(("表头之下没有数据行", "there is no line below the header"));
        return Err(IngestError::EmptyLayer { file, role, reason, filtered: None });
    }
    Ok(Layer { file, columns, len, first: 2, encoding, ..Layer::default() })
}

/// The delimiter that the header line has most of, outside quotes.
fn delimiter(header: &str) -> u8 {
    let count = |delimiter: u8| {
        let mut quoted = false;
        let outside = header.bytes().filter(|&byte| {
            quoted ^= byte == b'"';
            !quoted && byte == delimiter
        });
        outside.count()
    };
    // The first of equals wins.
    let mut best = (b',', count(b','));
    for candidate in [b';', b'\t', b'|'] {
        let n = count(candidate);
        if best.1 < n {
            best = (candidate, n);
        }
    }
    best.0
}
