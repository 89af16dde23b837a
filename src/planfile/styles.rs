//! Colours and labels that QGIS takes from the plan file by itself.

/// A default style of one layer.
pub(super) struct Style {
    /// Layer.
    pub table: &'static str,
    /// Name shown in QGIS.
    pub name: &'static str,
    /// The style as QGIS writes it.
    pub qml: String,
}

/// All styles.
pub(super) fn styles() -> Vec<Style> {
    Vec::new()
}
