//! Where the bytes of a recording come from, and whether they could be read.
//!
//! What the operating system says when a read fails must not be taken for a fault of the content,
//! and the demuxers pass some of it on as "no known format" or as the end of the file. So errors are
//! noted where they come in, below the demuxers.

use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use symphonia::core::io::MediaSource;

use crate::Problem;

/// Opens a file. What is no regular file, such as a pipe, is read to its end first, since formats
/// are checked by looking at the end.
pub(crate) fn open(path: &Path) -> Result<Box<dyn MediaSource>, Problem> {
    #[expect(clippy::disallowed_methods, reason = "every AudioError names the file")]
    let mut file = std::fs::File::open(path).map_err(Problem::Unreadable)?;
    let metadata = file.metadata().map_err(Problem::Unreadable)?;
    // A folder opens like a file and only fails when read.
    if metadata.is_dir() {
        return Err(Problem::Unreadable(ErrorKind::IsADirectory.into()));
    }
    if metadata.is_file() {
        return Ok(Box::new(file));
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(Problem::Unreadable)?;
    Ok(Box::new(Cursor::new(content)))
}

/// What `work` makes of the bytes of `source`; but [`Problem::Unreadable`], whatever it made of them,
/// if one of its reads failed.
pub(crate) fn watched<'s, T>(
    source: Box<dyn MediaSource + 's>,
    work: impl FnOnce(Watched<'s>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let fault = Arc::default();
    let result = work(Watched { source, fault: Arc::clone(&fault) });
    let fault = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
    fault.map_or(result, |error| Err(Problem::Unreadable(error)))
}

/// A source whose first failed read is noted.
pub(crate) struct Watched<'s> {
    source: Box<dyn MediaSource + 's>,
    fault: Arc<Mutex<Option<io::Error>>>,
}

impl Watched<'_> {
    /// Notes an error, and hands on another of the same kind.
    fn note(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        kind.into()
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.source.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read.map_err(|error| self.note(error)),
            }
        }
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to).map_err(|error| match error.kind() {
            // A place before the file's beginning, as a broken header can ask for.
            ErrorKind::InvalidInput => error,
            _ => self.note(error),
        })
    }
}

impl MediaSource for Watched<'_> {
    fn is_seekable(&self) -> bool {
        self.source.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        self.source.byte_len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cut, recorded};

    /// A disk that fails, or a server that goes away, from one byte on.
    struct Failing {
        content: Cursor<Vec<u8>>,
        from: u64,
    }

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let left = self.from.saturating_sub(self.content.position());
            if left == 0 {
                // EIO of Linux.
                return Err(io::Error::from_raw_os_error(5));
            }
            let most = buffer.len().min(usize::try_from(left).unwrap());
            self.content.read(&mut buffer[..most])
        }
    }

    impl Seek for Failing {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.content.seek(to)
        }
    }

    impl MediaSource for Failing {
        fn is_seekable(&self) -> bool {
            true
        }

        fn byte_len(&self) -> Option<u64> {
            Some(self.content.get_ref().len() as u64)
        }
    }

    #[test]
    fn a_read_that_fails_is_no_fault_of_the_content() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests-data");
        for entry in fs_err::read_dir(fixtures).unwrap() {
            let content = fs_err::read(entry.unwrap().path()).unwrap();
            for from in [0, 1, 20, content.len() / 2] {
                let from = from as u64;
                let source = Failing { content: Cursor::new(content.clone()), from };
                let problem = recorded(Box::new(source), &[Cut::default()]).unwrap_err();
                let Problem::Unreadable(error) = &problem else { panic!("{from}: {problem}") };
                assert_eq!(error.raw_os_error(), Some(5));
                let text = problem.to_string();
                assert!(text.contains("Input/output error"), "{text}");
            }
        }
    }
}
