//! OSM PBF: blobs in order, decoded in parallel.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use geo::Coord;
use osmpbf::{Blob, BlobDecode, BlobReader, Element, ErrorKind, RelMemberType};
use rayon::prelude::*;

use super::super::error::IngestError;
use super::super::source::SourceSpec;
use super::{Elements, Node, Relation, Tags, Way};
use crate::model::Text;

/// Blobs decoded at a time: enough for all threads, little memory.
const BATCH: usize = 64;

pub(super) fn read(spec: &SourceSpec) -> Result<Elements, IngestError> {
    check_frames(spec)?;
    let file = open(spec)?;
    let mut blobs = BlobReader::new(BufReader::new(file));
    let mut elements = Elements::default();
    loop {
        let batch: Vec<Blob> =
            blobs.by_ref().take(BATCH).collect::<Result<_, _>>().map_err(|error| told(spec, &error))?;
        if batch.is_empty() {
            break;
        }
        let parts: Vec<Elements> =
            batch.par_iter().map(decode).collect::<Result<_, _>>().map_err(|error| told(spec, &error))?;
        for mut part in parts {
            elements.positions.append(&mut part.positions);
            elements.nodes.append(&mut part.nodes);
            elements.ways.append(&mut part.ways);
            elements.relations.append(&mut part.relations);
        }
    }
    Ok(elements)
}

fn open(spec: &SourceSpec) -> Result<File, IngestError> {
    File::open(&spec.path).map_err(|error| IngestError::Unreadable {
        file: spec.file_name(),
        reason: Text::same(error.to_string()),
    })
}

/// Walks over the frames (length, header, blob) without decoding them: a file that ends within one is cut short.
fn check_frames(spec: &SourceSpec) -> Result<(), IngestError> {
    let unreadable = |error: std::io::Error| IngestError::Unreadable {
        file: spec.file_name(),
        reason: Text::same(error.to_string()),
    };
    let mut file = BufReader::new(open(spec)?);
    let size = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    let mut offset = 0_u64;
    let cut = |offset: u64| IngestError::Truncated {
        file: spec.file_name(),
        reason: Text::from((
            format!("第 {offset} 字节处（共 {size} 字节）的数据块不完整"),
            format!("the block at byte {offset} of {size} is incomplete"),
        )),
    };
    while offset < size {
        let mut length = [0_u8; 4];
        file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
        if file.read_exact(&mut length).is_err() {
            return Err(cut(offset));
        }
        let header_length = u64::from(u32::from_be_bytes(length));
        if 64 * 1024 < header_length {
            return Err(IngestError::UnknownFormat { file: spec.file_name(), reason: no_block(offset) });
        }
        let mut header = vec![0_u8; header_length as usize];
        if file.read_exact(&mut header).is_err() {
            return Err(cut(offset));
        }
        let Some(data_length) = data_size(&header) else {
            return Err(IngestError::UnknownFormat { file: spec.file_name(), reason: no_block(offset) });
        };
        let next = offset + 4 + header_length + data_length;
        if size < next {
            return Err(cut(offset));
        }
        offset = next;
    }
    Ok(())
}

fn no_block(offset: u64) -> Text {
    Text::from((
        format!("第 {offset} 字节处不是 OSM PBF 数据块"),
        format!("byte {offset} begins no OSM PBF block"),
    ))
}

/// Field 3 (`datasize`) of a protobuf `BlobHeader`.
fn data_size(header: &[u8]) -> Option<u64> {
    let mut rest = header;
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        match (key >> 3, key & 7) {
            (3, 0) => return varint(&mut rest),
            (_, 0) => {
                varint(&mut rest)?;
            }
            (_, 2) => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                rest = rest.get(length..)?;
            }
            _ => return None,
        }
    }
    None
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn decode(blob: &Blob) -> Result<Elements, osmpbf::Error> {
    let mut part = Elements::default();
    if let BlobDecode::OsmData(block) = blob.decode()? {
        block.for_each_element(|element| take(&mut part, element));
    }
    Ok(part)
}

fn take(part: &mut Elements, element: Element<'_>) {
    match element {
        Element::Node(node) => {
            add_node(part, node.id(), [node.decimicro_lon(), node.decimicro_lat()], Tags::of(node.tags()));
        }
        Element::DenseNode(node) => {
            add_node(part, node.id(), [node.decimicro_lon(), node.decimicro_lat()], Tags::of(node.tags()));
        }
        Element::Way(way) => {
            part.ways.push(Way { id: way.id(), nodes: way.refs().collect(), tags: Tags::of(way.tags()) });
        }
        Element::Relation(relation) => {
            let tags = Tags::of(relation.tags());
            if !tags.is("type", &["multipolygon", "boundary"]) {
                return;
            }
            let ways = relation
                .members()
                .filter(|member| member.member_type == RelMemberType::Way)
                .map(|member| (member.member_id, member.role().unwrap_or_default().into()))
                .collect();
            part.relations.push(Relation { id: relation.id(), ways, tags });
        }
    }
}

fn add_node(part: &mut Elements, id: i64, position: [i32; 2], tags: Tags) {
    part.positions.push((id, position));
    if !tags.is_empty() {
        let at = Coord { x: f64::from(position[0]) * 1e-7, y: f64::from(position[1]) * 1e-7 };
        part.nodes.push(Node { id, at, tags });
    }
}

fn told(spec: &SourceSpec, error: &osmpbf::Error) -> IngestError {
    let file = spec.file_name();
    match error.kind() {
        ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => IngestError::Truncated {
            file,
            reason: Text::from(("文件在数据块中间结束", "it ends within a block")),
        },
        _ => IngestError::Unreadable {
            file,
            reason: Text::from((format!("数据块已损坏（{error}）"), format!("a block is damaged ({error})"))),
        },
    }
}
