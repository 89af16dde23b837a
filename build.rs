//! What the compiler cannot know by itself: the linker's manners, and, with the feature `web`, the map page, which npm
//! bundles from `web/` when it is missing or older than its sources.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::time::SystemTime;

/// What the page is made from, beside the folder `web/src`.
const INPUTS: [&str; 5] = ["package.json", "package-lock.json", ".npmrc", "build.mjs", "tsconfig.json"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    hide_our_sqlite_from_libgdal();
    if std::env::var_os("CARGO_FEATURE_WEB").is_some() {
        bundle_the_map_page();
    }
}

/// libgdal brings its own SQLite. Without this the linker lends it ours, built differently, and it crashes.
fn hide_our_sqlite_from_libgdal() {
    let is_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if is_linux && std::env::var_os("CARGO_FEATURE_GDAL").is_some() {
        println!("cargo::rustc-link-arg=-Wl,--exclude-libs,ALL");
    }
}

fn bundle_the_map_page() {
    let web = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("web");
    let page = web.join("dist/page.html");
    for input in INPUTS.iter().copied().chain(["src", "dist/page.html"]) {
        println!("cargo::rerun-if-changed={}", web.join(input).display());
    }
    let inputs = INPUTS.iter().copied().chain(["src"]);
    let newest_input = inputs.filter_map(|name| newest(&web.join(name))).max();
    if page.is_file() && newest_input <= modified(&page) {
        return;
    }
    if modified(&web.join("node_modules/.package-lock.json")) < modified(&web.join("package-lock.json")) {
        // Whoever has the tools for tests and type checks keeps them.
        let has_tools = web.join("node_modules/typescript").is_dir();
        npm(&web, if has_tools { &["ci"] } else { &["ci", "--omit=dev"] });
    }
    npm(&web, &["run", "build"]);
    if !page.is_file() {
        fail(&format!("`npm run build` ended well but left no {}", page.display()));
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|facts| facts.modified()).ok()
}

/// The newest change at a path: of the file, or of anything in the folder.
fn newest(path: &Path) -> Option<SystemTime> {
    let inside = path.read_dir().into_iter().flatten().flatten().map(|entry| newest(&entry.path()));
    inside.fold(modified(path), Option::max)
}

fn npm(web: &Path, arguments: &[&str]) {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = match Command::new(program).args(arguments).current_dir(web).output() {
        Ok(output) => output,
        Err(why) => fail(&format!(
            "the map page needs npm, which does not start ({why}); install the packages `nodejs` and `npm` \
             (Debian, Ubuntu: apt-get install nodejs npm), or build without the page: \
             cargo build --no-default-features --features cli,gdal,highs"
        )),
    };
    if !output.status.success() {
        fail(&format!(
            "`npm {}` failed in {}; it needs Node.js 18 or later and, the first time, a package registry\n{}\n{}",
            arguments.join(" "),
            web.display(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        ));
    }
}

fn fail(message: &str) -> ! {
    for line in message.lines().filter(|line| !line.trim().is_empty()) {
        println!("cargo::error={line}");
    }
    exit(1)
}
