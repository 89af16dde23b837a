//! Community grids, service stations and walking circles.
