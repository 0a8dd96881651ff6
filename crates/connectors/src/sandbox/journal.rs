//! A book on disk: one command per line, as JSON, each written through before it is answered.
//!
//! Reading the commands again, each at its own time, rebuilds the book.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::marker::PhantomData;
use std::path::Path;

use serde::{Deserialize, Serialize};
use simurgh_vocab::Timestamp;

use super::desk::Book;
use super::wire;

/// The open journal of a book.
pub(crate) struct Journal<B> {
    file: File,
    book: PhantomData<fn(B)>,
}

#[derive(Serialize, Deserialize)]
struct Line<C> {
    at: i64,
    command: C,
}

impl<B: Book> Journal<B> {
    /// Opens the journal, makes it if there is none, and rebuilds the book. A last line without
    /// its end was never answered, and is cut off.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, B)> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        if whole < text.len() {
            text.truncate(whole);
            file.set_len(u64::try_from(whole).map_err(io::Error::other)?)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::End(0))?;
        let book = replay(&text)?;
        let journal = Self {
            file,
            book: PhantomData,
        };
        Ok((journal, book))
    }

    /// Writes a command through to the disk.
    pub(crate) fn append(&mut self, command: &B::Command, at: Timestamp) -> io::Result<()> {
        let mut line = wire::write(&Line {
            at: at.as_micros(),
            command: B::written(command),
        });
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()
    }
}

fn replay<B: Book>(text: &[u8]) -> io::Result<B> {
    let mut book = B::default();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let bad = |reason: &str| {
            let message = format!("line {}: {reason}", index + 1);
            io::Error::new(io::ErrorKind::InvalidData, message)
        };
        let line: Line<B::Written> = wire::read(line).map_err(bad)?;
        let command = B::read(line.command).map_err(bad)?;
        book.apply(&command, Timestamp::from_micros(line.at))
            .map_err(|refusal| bad(&refusal.to_string()))?;
    }
    Ok(book)
}
