//! Files are written whole or not at all.
//!
//! Each file is written under another name in the folder where it will stand, synced, and renamed into
//! place. Several files are one undertaking: all are written and synced before the first is renamed,
//! and if a rename fails, those before it are taken back. What is left to chance is a crash of the
//! machine between two renames.

use crate::experiment::results::data::Data;
use crate::report::data::{csv, parquet};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile, TempPath};

/// A file to be written.
pub struct Output<'a> {
    pub path: &'a Path,
    pub content: &'a [u8],
}

/// The data frames of an experiment, before they are written.
pub struct Frames {
    paths: [PathBuf; 2],
    contents: [Vec<u8>; 2],
}

impl Frames {
    /// Both formats, in a folder, under a name.
    pub fn new(data: &Data, folder: &Path, name: &str) -> Self {
        let paths = ["csv", "parquet"].map(|extension| folder.join(format!("{name}.{extension}")));
        Self { paths, contents: [csv(data).into_bytes(), parquet(data)] }
    }

    pub fn outputs(&self) -> impl Iterator<Item = Output<'_>> {
        self.paths.iter().zip(&self.contents).map(|(path, content)| Output { path, content })
    }
}

/// Why nothing was written, and which file it was about.
#[derive(Debug)]
pub struct WriteError {
    pub path: PathBuf,
    pub source: io::Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write {}: {}", self.path.display(), self.source)
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Writes all of `outputs`, or none; files that stood there before are replaced, and come back if the
/// undertaking fails. Folders that are missing are made, and stay.
///
/// # Errors
///
/// The first file that cannot be written, for want of a folder, a right or room.
pub fn write_whole(outputs: &[Output]) -> Result<(), WriteError> {
    let mut staged = Vec::new();
    for output in outputs {
        staged.push(stage(output).map_err(|source| failed(output.path, source))?);
    }
    let mut replaced: Vec<Replaced> = Vec::new();
    for (output, file) in outputs.iter().zip(staged) {
        match replace(output.path, file) {
            Ok(done) => replaced.push(done),
            Err(source) => {
                take_back(replaced);
                return Err(failed(output.path, source));
            }
        }
    }
    for output in outputs {
        sync_folder(output.path).map_err(|source| failed(output.path, source))?;
    }
    Ok(())
}

/// A file in its place, with the one that stood there before.
struct Replaced {
    path: PathBuf,
    before: Option<TempPath>,
}

/// Writes and syncs a file beside its place.
fn stage(output: &Output) -> io::Result<NamedTempFile> {
    if output.path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "there is a folder of this name"));
    }
    let folder = folder(output.path);
    fs::create_dir_all(folder)?;
    let mut file = beside(output.path).tempfile_in(folder)?;
    file.write_all(output.content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Renames `file` into its place and keeps what stood there.
fn replace(path: &Path, file: NamedTempFile) -> io::Result<Replaced> {
    let before = if path.exists() { Some(copy_of(path)?) } else { None };
    file.persist(path).map_err(|error| error.error)?;
    Ok(Replaced { path: path.to_owned(), before })
}

/// The same content under another name in the same folder, gone when dropped.
fn copy_of(path: &Path) -> io::Result<TempPath> {
    let copy = beside(path).tempfile_in(folder(path))?.into_temp_path();
    // Not a hard link: not every file system has them, and reports are small.
    fs::copy(path, &copy)?;
    Ok(copy)
}

/// Puts things back as they were, as far as that is possible: this runs when something already went
/// wrong, and has nobody to tell of a second failure.
fn take_back(replaced: Vec<Replaced>) {
    for Replaced { path, before } in replaced.into_iter().rev() {
        match before {
            Some(before) => drop(before.persist(&path)),
            None => drop(fs::remove_file(&path)),
        }
    }
}

/// Makes temporary files that are named after `path` and have the rights of an ordinary file.
fn beside(path: &Path) -> Builder<'_, 'static> {
    let mut builder = Builder::new();
    builder.prefix(path.file_name().unwrap_or(OsStr::new("report"))).suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Narrowed by the user's mask, as for any file that a program makes.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a rename last through a crash of the machine, where folders can be synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder(path))?.sync_all() } else { Ok(()) }
}

fn failed(path: &Path, source: io::Error) -> WriteError {
    WriteError { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_stand_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let (page, json) = (folder.path().join("new/a.html"), folder.path().join("new/a.json"));
        for content in [&b"first"[..], b"second"] {
            write_whole(&[Output { path: &page, content }, Output { path: &json, content }]).unwrap();
            assert_eq!(fs::read(&page).unwrap(), content);
            assert_eq!(fs::read(&json).unwrap(), content);
        }
        assert_eq!(names(&folder.path().join("new")), ["a.html", "a.json"]);
    }

    #[test]
    fn a_place_that_is_taken_by_a_folder_leaves_all_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (page, json) = (folder.path().join("a.html"), folder.path().join("a.json"));
        fs::write(&page, "before").unwrap();
        fs::create_dir(&json).unwrap();
        let content = b"after";
        let outcome = write_whole(&[Output { path: &page, content }, Output { path: &json, content }]);
        assert_eq!(outcome.unwrap_err().path, json);
        assert_eq!(fs::read(&page).unwrap(), b"before");
        assert_eq!(names(folder.path()), ["a.html", "a.json"]);
    }

    #[test]
    fn what_was_replaced_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "before").unwrap();
        let mut replaced = Vec::new();
        for path in [&old, &new] {
            let file = stage(&Output { path, content: b"after" }).unwrap();
            replaced.push(replace(path, file).unwrap());
        }
        assert_eq!(fs::read(&new).unwrap(), b"after");
        take_back(replaced);
        assert_eq!(fs::read(&old).unwrap(), b"before");
        assert_eq!(names(folder.path()), ["old"]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let path = file.join("a.html");
        let error = write_whole(&[Output { path: &path, content: b"" }]).unwrap_err();
        assert!(error.to_string().starts_with("cannot write "), "{error}");
    }
}
