//! The form of a file of stored replications: a line that says what it is, then entries that are only ever added.
//!
//! ```text
//! eventflow replications\n
//! length (u32) │ check (16 bytes) │ heading, as JSON
//! length (u32) │ check (16 bytes) │ replication
//! length (u32) │ check (16 bytes) │ replication
//! ...
//! ```
//!
//! Law. Numbers are little-endian. The check is the beginning of the BLAKE3 digest of the entry. What stands after the first entry that is
//! cut off or does not match its check is no part of the file: a process that is killed while it writes loses that
//! entry and no other.

use super::heading::Heading;
use std::io::{self, Read};

/// How every file of stored replications begins.
pub const BEGINNING: &[u8] = b"eventflow replications\n";

const CHECK_BYTES: usize = 16;
/// Of the length and the check.
const PREFIX_BYTES: usize = 4 + CHECK_BYTES;
/// Longest entry: far more than any replication takes.
const MOST_BYTES: u32 = 1 << 30;

/// The bytes that a file of these replications begins with.
pub fn beginning(heading: &Heading) -> Vec<u8> {
    let heading = serde_json::to_vec(heading).expect("a heading is plain data");
    [BEGINNING, &entry(&heading)].concat()
}

/// An entry as it stands in a file.
pub fn entry(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a replication takes less than 4 GiB");
    [&length.to_le_bytes(), &check(content)[..], content].concat()
}

/// Reads a file entry by entry.
pub struct Entries<R> {
    input: R,
    /// Where the next entry begins, and the file as far as it is sound ends.
    position: u64,
}

impl<R: Read> Entries<R> {
    /// `None`: this is no file of stored replications.
    ///
    /// # Errors
    ///
    /// That the input cannot be read.
    pub fn new(mut input: R) -> io::Result<Option<Self>> {
        let mut beginning = [0; BEGINNING.len()];
        let read = read_up_to(&mut input, &mut beginning)?;
        let position = read as u64;
        Ok((beginning[..read] == *BEGINNING).then_some(Self { input, position }))
    }

    /// The content of the next entry, after which [`Self::position`] is its end. `None`: no sound one follows.
    ///
    /// # Errors
    ///
    /// That the input cannot be read.
    pub fn next_entry(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut prefix = [0; PREFIX_BYTES];
        if read_up_to(&mut self.input, &mut prefix)? < PREFIX_BYTES {
            return Ok(None);
        }
        let (length, expected) = prefix.split_at(4);
        let length = u32::from_le_bytes(length.try_into().expect("four bytes"));
        if length > MOST_BYTES {
            return Ok(None);
        }
        let mut content = Vec::new();
        self.input.by_ref().take(u64::from(length)).read_to_end(&mut content)?;
        if content.len() < length as usize || check(&content) != expected {
            return Ok(None);
        }
        self.position += (PREFIX_BYTES + content.len()) as u64;
        Ok(Some(content))
    }

    pub fn position(&self) -> u64 {
        self.position
    }
}

fn check(content: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = blake3::hash(content);
    std::array::from_fn(|i| digest.as_bytes()[i])
}

fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = Vec::with_capacity(buffer.len());
    input.take(buffer.len() as u64).read_to_end(&mut read)?;
    buffer[..read.len()].copy_from_slice(&read);
    Ok(read.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(bytes: &[u8]) -> (Vec<Vec<u8>>, u64) {
        let mut entries = Entries::new(bytes).unwrap().unwrap();
        let mut contents = Vec::new();
        while let Some(content) = entries.next_entry().unwrap() {
            contents.push(content);
        }
        (contents, entries.position())
    }

    /// Wherever a file is cut off, and whichever bit of it is flipped, what stood before is read and nothing else.
    #[test]
    fn what_is_sound_is_read_up_to_the_first_damage() {
        let parts = [&b"first"[..], b"", b"a third one"];
        let mut file = BEGINNING.to_vec();
        let mut ends = vec![file.len()];
        for part in parts {
            file.extend(entry(part));
            ends.push(file.len());
        }
        assert_eq!(contents(&file), (parts.map(<[u8]>::to_vec).to_vec(), file.len() as u64));
        for at in BEGINNING.len()..file.len() {
            let sound = ends.iter().filter(|end| **end <= at).count() - 1;
            let expected = (parts[..sound].iter().map(|part| part.to_vec()).collect(), ends[sound] as u64);
            assert_eq!(contents(&file[..at]), expected, "cut at {at}");
            let mut damaged = file.clone();
            damaged[at] ^= 4;
            assert_eq!(contents(&damaged), expected, "damaged at {at}");
        }
        assert!(Entries::new(&b"eventflow"[..]).unwrap().is_none());
        assert!(Entries::new(&b"%PDF-1.7 and much more that it says"[..]).unwrap().is_none());
    }
}
