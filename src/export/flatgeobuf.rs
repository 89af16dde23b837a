//! FlatGeobuf through GDAL, one file a layer, with a spatial index, on the metric plane. The format cannot hold
//! things without a place: findings about a whole layer are in the other formats only.

use std::path::Path;

use gdal::DriverManager;
use gdal::errors::GdalError;
use gdal::spatial_ref::{AxisMappingStrategy, SpatialRef};
use gdal::vector::{Defn, Feature, FieldDefn, Geometry, LayerOptions, OGRFieldType, OGRwkbGeometryType};
use wkb::writer::{WriteOptions, write_geometry};

use super::layers::{Kind, Layer, Value};
use crate::geometry::Plane;

/// Writes a layer as `name.fgb`. Columns carry the names of the plan file, in UTF-8.
pub(super) fn write(folder: &Path, layer: &Layer, plane: &Plane) -> Result<(), GdalError> {
    let path = folder.join(format!("{}.fgb", layer.name));
    let mut dataset = DriverManager::get_driver_by_name("FlatGeobuf")?.create_vector_only(&path)?;
    let mut srs = SpatialRef::from_epsg(plane.epsg())?;
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    let out = dataset.create_layer(LayerOptions {
        name: layer.name,
        srs: Some(&srs),
        ty: OGRwkbGeometryType::wkbUnknown,
        options: None,
    })?;
    for field in &layer.fields {
        let kind = match field.kind {
            Kind::Text => OGRFieldType::OFTString,
            // GDAL's booleans are integers of a subtype that its bindings do not reach.
            Kind::Bool => OGRFieldType::OFTInteger,
            Kind::Int => OGRFieldType::OFTInteger64,
            Kind::Real => OGRFieldType::OFTReal,
        };
        FieldDefn::new(&field.name, kind)?.add_to_layer(&out)?;
    }
    let defn = Defn::from_layer(&out);
    for row in &layer.rows {
        let Some(geometry) = &row.geometry else { continue };
        let mut feature = Feature::new(&defn)?;
        for (column, value) in row.values.iter().enumerate() {
            match value {
                Value::Null => {}
                Value::Text(text) => feature.set_field_string(column, &text.replace('\0', ""))?,
                Value::Int(number) => feature.set_field_integer64(column, *number)?,
                Value::Real(number) => feature.set_field_double(column, *number)?,
                Value::Bool(yes) => feature.set_field_integer(column, i32::from(*yes))?,
            }
        }
        let mut bytes = Vec::new();
        write_geometry(&mut bytes, geometry, &WriteOptions::default())
            .expect("writing into memory does not fail");
        feature.set_geometry(Geometry::from_wkb(&bytes)?)?;
        feature.create(&out)?;
    }
    dataset.close()
}
