//! Several levels of stations.
