//! What is kept of long work: a journal beside the report, or a shard.
//!
//! | file | holds | lives |
//! |---|---|---|
//! | `<scenario>.<key>.journal` | the replications that are done, whole | until the report is written |
//! | `<scenario>.shard-2-of-8` | those of one share | until it is put together with the others by `merge` |
//!
//! The key in a journal's name stands for all that the replications depend on and for the program, so that the same command finds what
//! it left, and no other one does.

use super::store::{Refusal, Store};
use super::{Ending, terminal};
use crate::experiment::stored::heading::{Heading, MOST_SHARDS, Shard};
use crate::experiment::stored::{Keeper, Kept, Place};
use crate::report::text;
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What is kept while it runs.
#[derive(Args, Debug)]
pub struct KeepingArguments {
    /// Do one of N equal shares of the work and write it to a file, which `merge` puts together with the others
    #[arg(long, value_name = "I/N", value_parser = shard, conflicts_with = "no_journal")]
    pub shard: Option<Shard>,
    /// Keep nothing while it runs; else what is finished by Ctrl-C or a kill is taken up by the same command
    #[arg(long)]
    pub no_journal: bool,
}

/// Reads `2/8`.
fn shard(text: &str) -> Result<Shard, String> {
    let wrong =
        || format!("a shard is written 2/8: the second of eight equal shares (at most {MOST_SHARDS})");
    let (number, of) = text.split_once('/').ok_or_else(wrong)?;
    let shard = Shard { number: number.parse().map_err(|_| wrong())?, of: of.parse().map_err(|_| wrong())? };
    let is_one = (1..=shard.of).contains(&shard.number) && shard.of <= MOST_SHARDS;
    is_one.then_some(shard).ok_or_else(wrong)
}

/// Refuses what is said of the report where only a shard is done: it is for `merge` to say.
///
/// # Errors
///
/// [`Ending::Unusable`] if any of these options was given; it was said which.
pub fn refuse_with_shard(options: &[(&str, bool)]) -> Result<(), Ending> {
    let given: Vec<&str> = options.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect();
    if given.is_empty() {
        return Ok(());
    }
    let (given, are) = (given.join(", "), if given.len() == 1 { "is" } else { "are" });
    terminal::complain(&format!(
        "error: a shard has no report of its own, so that {given} {are} of no use with --shard; give {} to `eventflow \
         merge`, which puts the shards together\n",
        if are == "is" { "it" } else { "them" }
    ));
    Err(Ending::Unusable)
}

/// Where finished replications go: into a file, or nowhere.
pub enum Keeping {
    Nowhere,
    In(Box<Store>),
}

impl Keeping {
    /// Opens the journal of an experiment in a folder, and says so if there is something in it already. One that
    /// cannot be kept does not keep the work from being done.
    pub fn journal(arguments: &KeepingArguments, folder: &Path, name: &str, heading: &Heading) -> Self {
        if arguments.no_journal {
            return Self::Nowhere;
        }
        let path = folder.join(format!("{name}.{}.journal", key(heading)));
        match Store::resume(&path, heading) {
            Ok(store) => Self::In(Box::new(told(store))),
            Err(refusal @ (Refusal::Busy | Refusal::Unreadable(_))) => {
                let path = text::visible(&path.display().to_string());
                terminal::complain(&format!("warning: {path} {refusal}: nothing is kept while this runs\n"));
                Self::Nowhere
            }
            // Whatever it is, it has this name and is of no use.
            Err(_) => Self::In(Box::new(Store::fresh(&path, heading))),
        }
    }

    /// Replications that were there when it was opened.
    pub fn found(&self) -> usize {
        match self {
            Keeping::Nowhere => 0,
            Keeping::In(store) => store.found(),
        }
    }

    /// Takes the journal away: its experiment is over.
    pub fn over(self) {
        if let Keeping::In(store) = self {
            store.remove();
        }
    }

    /// Says how to go on with what was interrupted, or why that is not possible.
    pub fn interrupted(self) {
        let Keeping::In(store) = self else { return };
        match store.trouble() {
            Some(trouble) => terminal::complain(&format!("warning: nothing more was kept: {trouble}\n")),
            None if store.places().is_empty() => {}
            None => {
                let path = text::visible(&store.path().display().to_string());
                let kept = store.places().len();
                terminal::complain(&format!(
                    "{kept} replications are kept in {path}: the same command goes on from there\n"
                ));
            }
        }
    }
}

impl Keeper for Keeping {
    fn kept(&self, place: Place) -> Option<Kept> {
        match self {
            Keeping::Nowhere => None,
            Keeping::In(store) => store.kept(place),
        }
    }

    fn keep(&self, place: Place, kept: &Kept) {
        if let Keeping::In(store) = self {
            store.keep(place, kept);
        }
    }
}

/// Opens the file of a shard, to be done or to be gone on with. One of another experiment is replaced, as a report is.
///
/// # Errors
///
/// [`Ending::Unusable`] if it cannot be written; it was said why.
pub fn shard_file(folder: &Path, name: &str, heading: &Heading, shard: Shard) -> Result<Store, Ending> {
    let path: PathBuf = folder.join(format!("{name}.shard-{}-of-{}", shard.number, shard.of));
    match Store::resume(&path, heading) {
        // A heading tells how many replications there are in all: with another number it is another shard.
        Ok(store) if store.heading() == heading => Ok(told(store)),
        Ok(_) | Err(Refusal::Foreign(_) | Refusal::NoStore | Refusal::Version(_)) => {
            Ok(Store::fresh(&path, heading))
        }
        Err(refusal) => {
            terminal::complain(&format!("error: {} {refusal}\n", text::visible(&path.display().to_string())));
            Err(Ending::Unusable)
        }
    }
}

fn told(store: Store) -> Store {
    if store.found() > 0 {
        let path = text::visible(&store.path().display().to_string());
        terminal::complain(&format!("going on from {} replications in {path}\n", store.found()));
    }
    store
}

/// What the name of a journal tells of its experiment.
fn key(heading: &Heading) -> String {
    let plain = Heading { replications: 0, ..heading.clone() };
    let told = format!("{plain:?} by {:?}", program());
    blake3::hash(told.as_bytes()).to_hex()[..8].to_owned()
}

/// Length and time of the program's file: one that was built anew may simulate otherwise under the same version.
fn program() -> Option<(u64, u128)> {
    let file = std::env::current_exe().ok()?.metadata().ok()?;
    let since = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((file.len(), since.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_one_of_several() {
        assert_eq!(shard("2/8"), Ok(Shard { number: 2, of: 8 }));
        assert_eq!(shard("1/1"), Ok(Shard { number: 1, of: 1 }));
        for wrong in ["", "2", "0/8", "9/8", "1/0", "a/b", "-1/2", "1/2/3", "1/4294967296", "1/100001"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }

    /// Each thing belongs to one shard, and no shard has two more than another.
    #[test]
    fn things_are_dealt_out_in_turn() {
        for of in 1..7 {
            let shards: Vec<Shard> = (1..=of).map(|number| Shard { number, of }).collect();
            let sizes: Vec<usize> =
                shards.iter().map(|shard| (0..20).filter(|thing| shard.has(*thing)).count()).collect();
            assert_eq!(sizes.iter().sum::<usize>(), 20);
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            assert!((0..20).all(|thing| shards.iter().filter(|shard| shard.has(thing)).count() == 1));
        }
    }
}
