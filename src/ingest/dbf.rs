//! The raw text of a shapefile's table, for finding out its encoding before GDAL reads it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;

use super::encoding::by_label;

/// Bytes of the table looked at.
const SAMPLE: u64 = 4 << 20;

/// The file beside a shapefile with another ending, in whatever case.
fn beside(shapefile: &str, ending: &str) -> Option<PathBuf> {
    let path = Path::new(shapefile);
    [ending.to_owned(), ending.to_uppercase()]
        .into_iter()
        .map(|ending| path.with_extension(ending))
        .find(|path| path.is_file())
}

/// The encoding that a `.cpg` states; `None` if there is none or it says nothing known.
pub(super) fn code_page(shapefile: &str) -> Option<&'static Encoding> {
    let text = std::fs::read_to_string(beside(shapefile, "cpg")?).ok()?;
    let label = text.trim();
    (!label.is_empty()).then(|| by_label(label).ok()).flatten()
}

/// Field names and text values of the first records, a line each; empty if there is no readable table.
///
/// Layout: dBASE III: 32-byte header, 32 bytes a field, then fixed-length records with a deletion mark.
pub(super) fn text_sample(shapefile: &str) -> Vec<u8> {
    read_sample(shapefile).unwrap_or_default()
}

fn read_sample(shapefile: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(beside(shapefile, "dbf")?).ok()?.take(SAMPLE).read_to_end(&mut bytes).ok()?;
    let number = |at: usize| Some(usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let (header, record) = (number(8)?, number(10)?);
    let mut fields = Vec::new();
    let mut offset = 1;
    let mut sample = Vec::new();
    for field in bytes.get(32..header)?.chunks_exact(32) {
        if field[0] == 0x0D {
            break;
        }
        let length = usize::from(field[16]);
        let name: &[u8] = field[..11].split(|&byte| byte == 0).next().unwrap_or_default();
        sample.extend_from_slice(name);
        sample.push(b'\n');
        if field[11] == b'C' {
            fields.push(offset..offset + length);
        }
        offset += length;
    }
    for row in bytes.get(header..)?.chunks_exact(record.max(1)) {
        for text in fields.iter().filter_map(|field| row.get(field.clone())) {
            let text = text.trim_ascii();
            if !text.is_empty() {
                sample.extend_from_slice(text);
                sample.push(b'\n');
            }
        }
    }
    Some(sample)
}
