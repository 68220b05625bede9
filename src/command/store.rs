//! Files of stored replications on disk: a journal, which a run goes on from, and shards, which are put together.
//!
//! Only ever added to, entry by entry, as replications are done. A process that is killed leaves a file that is whole
//! up to its last entry, and the next one with the same experiment goes on behind it. While it is written nobody else
//! can: the file is locked.
//!
//! What is held in memory is where each replication stands; it is read when its turn comes.

use crate::experiment::stored::file::{Entries, beginning, entry};
use crate::experiment::stored::heading::Heading;
use crate::experiment::stored::{Keeper, Kept, Place, decode, encode, place_of};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A file of stored replications, open.
pub struct Store {
    path: PathBuf,
    heading: Heading,
    /// There before it was opened.
    found: usize,
    inner: Mutex<Inner>,
}

struct Inner {
    /// `None`: there is nothing to keep yet.
    file: Option<File>,
    end: u64,
    /// Where the content of each entry stands, and how long it is.
    places: BTreeMap<Place, (u64, u64)>,
    /// The folder, if it was not there before.
    made: Option<PathBuf>,
    /// The first thing that went wrong with writing; nothing was written after it.
    trouble: Option<io::Error>,
}

/// Why a file of stored replications cannot be used.
#[derive(Debug)]
pub enum Refusal {
    Unreadable(io::Error),
    /// It is something else, or its heading is damaged.
    NoStore,
    /// Written by another version.
    Version(String),
    /// Another process writes to it.
    Busy,
    /// It is there, and of another experiment.
    Foreign(Box<Heading>),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Unreadable(error) => write!(f, "cannot be read: {error}"),
            Refusal::NoStore => f.write_str("is no file of stored replications, or its beginning is damaged"),
            Refusal::Version(version) => {
                write!(f, "was written by eventflow {version}, and this is {}", env!("CARGO_PKG_VERSION"))
            }
            Refusal::Busy => f.write_str("is being written by another process"),
            Refusal::Foreign(_) => f.write_str("holds another experiment"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Store {
    /// Opens a file to read it.
    ///
    /// # Errors
    ///
    /// Of [`Refusal`], all but `Busy` and `Foreign`.
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let file = File::open(path).map_err(Refusal::Unreadable)?;
        Self::index(path, file)
    }

    /// Opens a file to go on with it, or begins one with its first replication. What a killed process has not
    /// finished writing is cut off.
    ///
    /// # Errors
    ///
    /// See [`Refusal`]. A file of another experiment is left as it is.
    pub fn resume(path: &Path, heading: &Heading) -> Result<Self, Refusal> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::fresh(path, heading)),
            Err(error) => return Err(Refusal::Unreadable(error)),
        };
        lock(&file)?;
        let store = Self::index(path, file)?;
        if !store.heading.shares_replications(heading) || store.heading.shard != heading.shard {
            return Err(Refusal::Foreign(Box::new(store.heading)));
        }
        let inner = store.inner.into_inner().expect("nobody panicked");
        let file = inner.file.as_ref().expect("it was opened");
        file.set_len(inner.end).map_err(Refusal::Unreadable)?;
        // Its own count of replications does not matter, and stays.
        Ok(Self { path: store.path, heading: store.heading, found: store.found, inner: Mutex::new(inner) })
    }

    /// A file that is begun with its first replication; one that stands there is replaced.
    pub fn fresh(path: &Path, heading: &Heading) -> Self {
        let inner = Inner { file: None, end: 0, places: BTreeMap::new(), made: None, trouble: None };
        Self { path: path.to_owned(), heading: heading.clone(), found: 0, inner: Mutex::new(inner) }
    }

    fn index(path: &Path, file: File) -> Result<Self, Refusal> {
        let reader = BufReader::new(&file);
        let mut entries = Entries::new(reader).map_err(Refusal::Unreadable)?.ok_or(Refusal::NoStore)?;
        let heading = entries.next_entry().map_err(Refusal::Unreadable)?.ok_or(Refusal::NoStore)?;
        let heading: Heading = serde_json::from_slice(&heading).map_err(|_| Refusal::NoStore)?;
        if !heading.is_readable() {
            return Err(Refusal::Version(heading.eventflow));
        }
        if !heading.is_possible() {
            return Err(Refusal::NoStore);
        }
        let mut places = BTreeMap::new();
        let mut end = entries.position();
        while let Some(content) = entries.next_entry().map_err(Refusal::Unreadable)? {
            let length = content.len() as u64;
            end = entries.position();
            // The same replication gives the same entry: the last one stands for all.
            if let Some(place) = place_of(&content) {
                places.insert(place, (end - length, length));
            }
        }
        let found = places.len();
        let inner = Inner { file: Some(file), end, places, made: None, trouble: None };
        Ok(Self { path: path.to_owned(), heading, found, inner: Mutex::new(inner) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn heading(&self) -> &Heading {
        &self.heading
    }

    /// Replications that were there when it was opened.
    pub fn found(&self) -> usize {
        self.found
    }

    /// Replications that are there.
    pub fn places(&self) -> Vec<Place> {
        self.lock().places.keys().copied().collect()
    }

    /// Bytes after the last sound entry: what a killed process left, or damage.
    pub fn unsound_bytes(&self) -> u64 {
        let inner = self.lock();
        let length = inner.file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |of| of.len());
        length.saturating_sub(inner.end)
    }

    /// That all that was to be kept is on disk, even if there was nothing.
    ///
    /// # Errors
    ///
    /// The first that went wrong with writing.
    pub fn finish(self) -> io::Result<()> {
        let mut inner = self.inner.into_inner().expect("nobody panicked");
        if let Some(trouble) = inner.trouble {
            return Err(trouble);
        }
        inner.begin(&self.path, &self.heading)?.sync_all()
    }

    /// Takes the file away, with all that is in it, and the folder that was made for it if nothing else is there.
    pub fn remove(self) {
        let Ok(Inner { file: Some(_), made, .. }) = self.inner.into_inner() else { return };
        // If it cannot be removed, the next run finds it and goes on from it, to the same result.
        drop(fs::remove_file(&self.path));
        if let Some(made) = made {
            drop(fs::remove_dir(made));
        }
    }

    /// What went wrong with writing, once: nothing is kept from then on.
    pub fn trouble(&self) -> Option<String> {
        self.lock().trouble.as_ref().map(ToString::to_string)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody panics who holds it")
    }
}

impl Keeper for Store {
    fn kept(&self, place: Place) -> Option<Kept> {
        let bytes = {
            let mut inner = self.lock();
            let (from, length) = *inner.places.get(&place)?;
            let mut bytes = Vec::new();
            let mut file = inner.file.as_mut()?;
            file.seek(SeekFrom::Start(from)).ok()?;
            (&mut file).take(length).read_to_end(&mut bytes).ok()?;
            bytes
        };
        decode(&bytes).filter(|(of, _)| *of == place).map(|(_, kept)| kept)
    }

    fn keep(&self, place: Place, kept: &Kept) {
        let content = encode(place, kept);
        let mut inner = self.lock();
        if inner.trouble.is_none()
            && let Err(error) = inner.add(&self.path, &self.heading, place, &content)
        {
            inner.trouble = Some(error);
        }
    }
}

impl Inner {
    fn add(&mut self, path: &Path, heading: &Heading, place: Place, content: &[u8]) -> io::Result<()> {
        self.begin(path, heading)?;
        let (end, entry) = (self.end, entry(content));
        let file = self.file.as_mut().expect("it was begun");
        file.seek(SeekFrom::Start(end))?;
        if let Err(error) = file.write_all(&entry) {
            // Half an entry would hide those behind it.
            drop(file.set_len(end));
            return Err(error);
        }
        let length = content.len() as u64;
        self.end = end + entry.len() as u64;
        self.places.insert(place, (self.end - length, length));
        Ok(())
    }

    /// The file, made and begun if it is not there yet.
    fn begin(&mut self, path: &Path, heading: &Heading) -> io::Result<&mut File> {
        if self.file.is_none() {
            if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
                fs::create_dir_all(folder)?;
                self.made = Some(folder.to_owned());
            }
            let mut file =
                OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            lock(&file).map_err(|refusal| io::Error::other(refusal.to_string()))?;
            file.set_len(0)?;
            let beginning = beginning(heading);
            file.write_all(&beginning)?;
            self.end = beginning.len() as u64;
            self.file = Some(file);
        }
        Ok(self.file.as_mut().expect("it was just opened"))
    }
}

/// Holds a file until it is closed; a process that dies lets go of it.
fn lock(file: &File) -> Result<(), Refusal> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Refusal::Busy),
        // A file system that cannot lock: two runs at once are the user's affair.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(error)) => Err(Refusal::Unreadable(error)),
    }
}
