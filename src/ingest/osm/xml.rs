//! OSM XML, plain or gzipped.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;
use geo::Coord;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::error::IngestError;
use super::super::source::SourceSpec;
use super::{Elements, Node, Relation, Tags, Way, tags};
use crate::model::Text;

/// The element being read.
#[derive(Default)]
struct Open {
    kind: Kind,
    id: i64,
    position: Option<[i32; 2]>,
    nodes: Vec<i64>,
    ways: Vec<(i64, Box<str>)>,
    tags: Vec<(Box<str>, Box<str>)>,
    deleted: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Nothing,
    Node,
    Way,
    Relation,
}

pub(super) fn read(spec: &SourceSpec) -> Result<Elements, IngestError> {
    let unreadable = |error: std::io::Error| IngestError::Unreadable {
        file: spec.file_name(),
        reason: Text::same(error.to_string()),
    };
    let file = File::open(&spec.path).map_err(unreadable)?;
    let source: Box<dyn Read> = if spec.path.to_lowercase().ends_with(".gz") {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    parse(spec, BufReader::with_capacity(1 << 18, source))
}

fn parse(spec: &SourceSpec, source: impl BufRead) -> Result<Elements, IngestError> {
    let mut reader = Reader::from_reader(source);
    let mut buffer = Vec::new();
    let mut elements = Elements::default();
    let mut open = Open::default();
    let (mut saw_root, mut saw_end) = (false, false);
    loop {
        buffer.clear();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| broken(spec, &error.to_string(), saw_root))?;
        match event {
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == "osm" => {
                saw_root |= !tag.is_empty()
            }
            Event::Start(tag) => start(&mut open, &tag),
            Event::Empty(tag) => {
                start(&mut open, &tag);
                if is_element(tag.name().as_ref()) {
                    finish(&mut elements, std::mem::take(&mut open));
                }
            }
            Event::End(tag) if is_element(tag.name().as_ref()) => {
                finish(&mut elements, std::mem::take(&mut open));
            }
            Event::End(tag) if tag.name().as_ref() == "osm" => saw_end = true,
            Event::Eof => break,
            _ => {}
        }
    }
    match (saw_root, saw_end) {
        (true, true) => Ok(elements),
        (true, false) => Err(IngestError::Truncated {
            file: spec.file_name(),
            reason: Text::from(("缺少结尾的 </osm>", "the closing </osm> is missing")),
        }),
        (false, _) => Err(IngestError::UnknownFormat {
            file: spec.file_name(),
            reason: Text::from(("其中没有 <osm> 元素", "there is no <osm> element in it")),
        }),
    }
}

fn broken(spec: &SourceSpec, error: &str, saw_root: bool) -> IngestError {
    let file = spec.file_name();
    if saw_root {
        IngestError::Truncated {
            file,
            reason: Text::from((
                format!("XML 中断或已损坏（{error}）"),
                format!("the XML breaks off or is damaged ({error})"),
            )),
        }
    } else {
        IngestError::UnknownFormat {
            file,
            reason: Text::from((format!("不是 XML（{error}）"), format!("it is no XML ({error})"))),
        }
    }
}

fn is_element(name: &str) -> bool {
    matches!(name, "node" | "way" | "relation")
}

fn start(open: &mut Open, tag: &BytesStart<'_>) {
    match tag.name().as_ref() {
        "node" => {
            *open = Open { kind: Kind::Node, ..Open::default() };
            element_head(open, tag);
        }
        "way" => {
            *open = Open { kind: Kind::Way, ..Open::default() };
            element_head(open, tag);
        }
        "relation" => {
            *open = Open { kind: Kind::Relation, ..Open::default() };
            element_head(open, tag);
        }
        "nd" => open.nodes.extend(attribute(tag, "ref").and_then(|text| text.parse::<i64>().ok())),
        "member" if attribute(tag, "type").as_deref() == Some("way") => {
            if let Some(id) = attribute(tag, "ref").and_then(|text| text.parse().ok()) {
                open.ways.push((id, attribute(tag, "role").unwrap_or_default().into()));
            }
        }
        "tag" => {
            if let (Some(key), Some(value)) = (attribute(tag, "k"), attribute(tag, "v"))
                && tags::is_read(&key)
            {
                open.tags.push((key.into(), value.into()));
            }
        }
        _ => {}
    }
}

fn element_head(open: &mut Open, tag: &BytesStart<'_>) {
    let number = |key: &str| attribute(tag, key).and_then(|text| text.parse::<f64>().ok());
    open.id = attribute(tag, "id").and_then(|text| text.parse().ok()).unwrap_or(0);
    open.deleted = attribute(tag, "visible").as_deref() == Some("false")
        || attribute(tag, "action").as_deref() == Some("delete");
    if let (Some(lon), Some(lat)) = (number("lon"), number("lat"))
        && lon.abs() <= 180.0
        && lat.abs() <= 90.0
    {
        open.position = Some([(lon * 1e7).round() as i32, (lat * 1e7).round() as i32]);
    }
}

fn attribute(tag: &BytesStart<'_>, key: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(key).ok()??;
    attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
}

fn finish(elements: &mut Elements, open: Open) {
    if open.deleted {
        return;
    }
    let tags = Tags(open.tags);
    match open.kind {
        Kind::Node => {
            if let Some(position) = open.position {
                elements.positions.push((open.id, position));
                if !tags.is_empty() {
                    let at = Coord { x: f64::from(position[0]) * 1e-7, y: f64::from(position[1]) * 1e-7 };
                    elements.nodes.push(Node { id: open.id, at, tags });
                }
            }
        }
        Kind::Way => elements.ways.push(Way { id: open.id, nodes: open.nodes, tags }),
        Kind::Relation if tags.is("type", &["multipolygon", "boundary"]) => {
            elements.relations.push(Relation { id: open.id, ways: open.ways, tags });
        }
        Kind::Relation | Kind::Nothing => {}
    }
}
