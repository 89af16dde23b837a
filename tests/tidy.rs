//! Rules of the house that the compiler does not know: ranks, and documents that tell the truth.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The ranks of ARCHITECTURE.md as code. A module imports only from lower ranks.
const RANKS: &[(&str, u8)] = &[
    ("units", 0),
    ("files", 1),
    ("geometry", 1),
    ("graph", 1),
    ("model", 2),
    ("network", 3),
    ("land", 3),
    ("compare", 4),
    ("coverage", 4),
    ("edit", 4),
    ("export", 4),
    ("ingest", 4),
    ("partition", 4),
    ("planfile", 4),
    ("report", 4),
    ("siting", 4),
    ("synth", 4),
    ("params", 5),
    ("pipeline", 6),
    ("server", 7),
    // The program starts the server.
    ("cli", 8),
    // Shared by tests only.
    ("testing", 7),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the source folder can be listed") {
        let path = entry.expect("an entry of the source folder").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The module that a source file belongs to: `src/land/cut.rs` and `src/land.rs` are `land`.
fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).expect("a file below src");
    let first = inside.components().next().expect("a file name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Names after `crate::` on a line of code, also inside `use crate::{a, b}`.
fn imports(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    for rest in line.split("crate::").skip(1) {
        let list = rest.strip_prefix('{').map(|list| list.split('}').next().unwrap_or(list));
        let word = |text: &str| -> String {
            text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        match list {
            Some(list) => names.extend(list.split(',').map(word)),
            None => names.push(word(rest)),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn a_module_imports_only_from_lower_ranks() {
    let ranks: BTreeMap<&str, u8> = RANKS.iter().copied().collect();
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    let mut broken = Vec::new();
    for path in files {
        let module = module_of(&path);
        let is_test = path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests");
        if module == "lib" || module == "main" || is_test {
            continue;
        }
        let Some(rank) = ranks.get(module.as_str()) else {
            broken
                .push(format!("{} has no rank; add it to ARCHITECTURE.md and tests/tidy.rs", path.display()));
            continue;
        };
        let text = fs::read_to_string(&path).expect("a source file is text");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(&text);
        for (number, line) in code.lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with("//") {
                continue;
            }
            for name in imports(line).iter().filter(|name| **name != module) {
                if ranks.get(name.as_str()).is_some_and(|other| rank <= other) {
                    broken.push(format!("{}:{}: {module} imports {name}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "imports against the ranks of ARCHITECTURE.md:\n{}", broken.join("\n"));
}

#[test]
fn every_module_stands_in_architecture_with_its_rank() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    let ranks: BTreeMap<&str, u8> = RANKS.iter().copied().collect();
    for module in files.iter().map(|path| module_of(path)).filter(|name| name != "lib" && name != "main") {
        let rank =
            ranks.get(module.as_str()).unwrap_or_else(|| panic!("{module} has no rank in tests/tidy.rs"));
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("| {rank} |")) && line.contains(&format!("`{module}`")));
        assert!(row.is_some(), "ARCHITECTURE.md has no row `| {rank} | … `{module}` …`");
    }
}

#[test]
fn every_path_in_architecture_exists() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let quoted = text.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|word| word.contains('/') && !word.contains([' ', '*', '…', '<', ':']));
    let missing: Vec<&str> =
        paths.filter(|path| !root().join(path.trim_start_matches("./")).exists()).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names paths that do not exist: {missing:?}");
}

#[test]
fn every_data_folder_says_where_it_comes_from() {
    for entry in fs::read_dir(root().join("data")).expect("the data folder") {
        let path = entry.expect("an entry of the data folder").path();
        assert!(!path.is_dir() || path.join("README.md").is_file(), "{} has no README.md", path.display());
    }
}

#[test]
fn every_dependency_says_why() {
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let mut is_dependency = false;
    let mut before = "";
    for line in text.lines() {
        if line.starts_with('[') {
            is_dependency = line.contains("dependencies");
        } else if is_dependency && line.contains('=') && !line.starts_with('#') {
            let is_pair = before.starts_with("serde = ") && line.starts_with("serde_json");
            assert!(before.starts_with('#') || is_pair, "`{line}` has no reason above it");
        }
        before = line;
    }
}
