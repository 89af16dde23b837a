//! OpenStreetMap extracts, PBF and XML: elements first, then the nouns of the model.

mod features;
mod pbf;
mod places;
mod rings;
mod sea;
mod tags;
mod xml;

use geo::Coord;

use super::draft::Draft;
use super::encoding::TextEncoding;
use super::error::IngestError;
use super::roles::Role;
use super::source::SourceSpec;
use crate::model::Text;

/// Tags of an element; only keys that [`tags::is_read`] are kept.
#[derive(Clone, Debug, Default)]
struct Tags(Vec<(Box<str>, Box<str>)>);

impl Tags {
    fn of<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self(
            pairs
                .filter(|(key, _)| tags::is_read(key))
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| **known == *key).map(|(_, value)| &**value)
    }

    /// Whether the value is one of these.
    fn is(&self, key: &str, values: &[&str]) -> bool {
        self.get(key).is_some_and(|value| values.contains(&value))
    }

    /// Whether there is a value other than `no`.
    fn yes(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value != "no")
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Clone, Debug)]
struct Node {
    id: i64,
    at: Coord<f64>,
    tags: Tags,
}

#[derive(Clone, Debug)]
struct Way {
    id: i64,
    nodes: Vec<i64>,
    tags: Tags,
}

impl Way {
    fn is_closed(&self) -> bool {
        4 <= self.nodes.len() && self.nodes.first() == self.nodes.last()
    }
}

#[derive(Clone, Debug)]
struct Relation {
    id: i64,
    /// Member ways with their roles.
    ways: Vec<(i64, Box<str>)>,
    tags: Tags,
}

/// The elements of an extract, sorted by id.
#[derive(Clone, Debug, Default)]
struct Elements {
    /// Positions in 10⁻⁷ degrees.
    positions: Vec<(i64, [i32; 2])>,
    /// Nodes with a tag that is read.
    nodes: Vec<Node>,
    ways: Vec<Way>,
    relations: Vec<Relation>,
}

impl Elements {
    /// Sorts by id; of an element met twice the first stays.
    fn sort(&mut self) {
        use rayon::prelude::*;
        self.positions.par_sort_unstable();
        self.positions.dedup_by_key(|node| node.0);
        self.nodes.sort_by_key(|node| node.id);
        self.nodes.dedup_by_key(|node| node.id);
        self.ways.par_sort_by_key(|way| way.id);
        self.ways.dedup_by_key(|way| way.id);
        self.relations.sort_by_key(|relation| relation.id);
        self.relations.dedup_by_key(|relation| relation.id);
    }

    fn position(&self, node: i64) -> Option<Coord<f64>> {
        let index = self.positions.binary_search_by_key(&node, |known| known.0).ok()?;
        let [lon, lat] = self.positions[index].1;
        Some(Coord { x: f64::from(lon) * 1e-7, y: f64::from(lat) * 1e-7 })
    }

    fn way(&self, id: i64) -> Option<&Way> {
        self.ways.binary_search_by_key(&id, |way| way.id).ok().map(|index| &self.ways[index])
    }

    /// Positions of a way's nodes; those outside the extract are left out.
    fn line(&self, nodes: &[i64]) -> Vec<Coord<f64>> {
        nodes.iter().filter_map(|&node| self.position(node)).collect()
    }
}

/// Reads a `.osm.pbf`.
///
/// # Errors
/// [`IngestError::Truncated`] for a file that ends too early, [`IngestError::Unreadable`] for other damage.
pub(super) fn read_pbf(spec: &SourceSpec) -> Result<Draft, IngestError> {
    draft(spec, pbf::read(spec)?)
}

/// Reads a `.osm`, also gzipped.
///
/// # Errors
/// As [`read_pbf`].
pub(super) fn read_xml(spec: &SourceSpec) -> Result<Draft, IngestError> {
    draft(spec, xml::read(spec)?)
}

fn draft(spec: &SourceSpec, mut elements: Elements) -> Result<Draft, IngestError> {
    if elements.ways.is_empty() && elements.nodes.is_empty() {
        return Err(if elements.positions.is_empty() {
            IngestError::EmptyLayer {
                file: spec.file_name(),
                role: Role::Osm,
                reason: Text::from(("没有节点也没有路径", "it has no nodes and no ways")),
                filtered: None,
            }
        } else {
            IngestError::Truncated {
                file: spec.file_name(),
                reason: Text::from((
                    format!("有 {} 个节点，却没有一条路径", elements.positions.len()),
                    format!("it has {} nodes but not one way", elements.positions.len()),
                )),
            }
        });
    }
    elements.sort();
    let mut draft = features::draft(spec.file_name(), &elements);
    draft.encoding = TextEncoding::fixed("UTF-8");
    draft.crs_how = Text::from(("格式规定", "fixed by the format"));
    match spec.role {
        None => {
            draft.role_guessed = Some(Text::from(("OpenStreetMap 数据", "it is an OpenStreetMap extract")))
        }
        Some(Role::Osm) => {}
        Some(role) => keep_only(&mut draft, role),
    }
    Ok(draft)
}

/// An extract given for one role gives only that.
fn keep_only(draft: &mut Draft, role: Role) {
    draft.role = role;
    if role != Role::Buildings {
        draft.atoms.clear();
    }
    if role != Role::Communities {
        draft.admins.clear();
    }
    if role != Role::Compounds {
        draft.compounds.clear();
    }
    if role != Role::Streets {
        draft.streets.clear();
    }
    if role != Role::Barriers {
        draft.barriers.clear();
    }
    if role != Role::Gates {
        draft.gates.clear();
    }
}
