//! Whole files or nothing: whoever stops the program at whatever moment finds the old file or the new one.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}; check that the folder exists, may be written to and has room")]
pub struct WriteError {
    /// File.
    pub path: PathBuf,
    /// What the system says.
    #[source]
    pub source: std::io::Error,
}

/// Writes a file beside its place and renames it when complete.
///
/// # Errors
/// [`WriteError`]; the old file, if any, is then untouched.
///
/// ```
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// let path = folder.path().join("report.html");
/// gridplan::files::replace(&path, b"<html></html>")?;
/// assert_eq!(std::fs::read(&path).expect("just written"), b"<html></html>");
/// # Ok::<(), gridplan::files::WriteError>(())
/// ```
pub fn replace(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    let as_error = |source| WriteError { path: path.to_owned(), source };
    let mut file = temporary(path).map_err(as_error)?;
    file.write_all(content).map_err(as_error)?;
    keep(file, path).map_err(as_error)
}

/// How the names of this program's unfinished files and folders begin.
#[must_use]
pub fn unfinished() -> String {
    format!(".gridplan-{}-", std::process::id())
}

/// Removes what this program has not finished in a folder: for a program that is ended by force.
pub fn sweep(folder: &Path) {
    let start = unfinished();
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start)) {
            // It is gone, or it is somebody else's by now: nothing better can be done while the program ends.
            let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        }
    }
}

/// A temporary file beside `path`.
pub(crate) fn temporary(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let suffix =
        path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    tempfile::Builder::new().prefix(&unfinished()).suffix(&suffix).tempfile_in(folder)
}

/// Gives a complete temporary file its name. Colleagues may read it, as any file that a program writes.
pub(crate) fn keep(file: tempfile::NamedTempFile, path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
