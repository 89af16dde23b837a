//! What the compiler cannot know by itself.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    hide_our_sqlite_from_libgdal();
}

/// libgdal brings its own SQLite. Without this the linker lends it ours, built differently, and it crashes.
fn hide_our_sqlite_from_libgdal() {
    let is_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if is_linux && std::env::var_os("CARGO_FEATURE_GDAL").is_some() {
        println!("cargo::rustc-link-arg=-Wl,--exclude-libs,ALL");
    }
}
