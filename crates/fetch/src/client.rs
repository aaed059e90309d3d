//! Transfers over HTTP that are taken up again where they broke off.

use std::path::Path;
use std::time::Duration;

use ambivox_settings::{Checksum, Download};
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use reqwest::{RequestBuilder, Response, StatusCode};
use tokio::runtime::Runtime;

use crate::part::Part;
use crate::{Event, FetchError, Watch};

/// A transfer that brought less than this counts as one that brought nothing.
const GAIN: u64 = 1 << 16;
/// Longest time until a connection stands, and between two pieces of a transfer.
const STALLED: Duration = Duration::from_secs(30);
/// Longest time between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often to try, and how long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Attempts in a row that bring nothing, after which a transfer is given up.
    pub attempts: u32,
    /// Time before the second of them; it doubles from one to the next.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 6, pause: Duration::from_secs(1) }
    }
}

/// Downloads files.
pub struct Client {
    http: reqwest::Client,
    runtime: Runtime,
    patience: Patience,
}

/// How an attempt ended that did not bring the whole file.
enum Trouble {
    /// Another attempt may do better.
    Passing(String),
    /// It would end the same.
    Lasting(FetchError),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Lasting(error.into())
    }
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        Self::Passing(reason(&error.without_url()))
    }
}

/// The error with its causes, less the address, which is told anyway.
fn reason(error: &reqwest::Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}

impl Client {
    /// A client of the system's certificates.
    pub fn new(patience: Patience) -> Result<Self, FetchError> {
        let client = |error: &dyn std::error::Error| FetchError::Client(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let http = reqwest::Client::builder()
            .user_agent(concat!("ambivox-fetch/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(STALLED)
            .read_timeout(STALLED)
            .build();
        Ok(Self {
            http: http.map_err(|error| FetchError::Client(reason(&error)))?,
            runtime: runtime.map_err(|error| client(&error))?,
            patience,
        })
    }

    /// Downloads a file to `to`, going on with what is there of it. Once this returns, the file is whole
    /// and of the digest on record. What has come of it stays for the next call where the connection is lost for good, or the
    /// server announces something of another length instead; nothing stays where more comes than
    /// there should, or the digest is wrong.
    pub fn download(&self, file: &Download, to: &Path, watch: Watch<'_>) -> Result<(), FetchError> {
        self.runtime.block_on(self.persist(file, to, watch))
    }

    async fn persist(
        &self,
        file: &Download,
        to: &Path,
        watch: Watch<'_>,
    ) -> Result<(), FetchError> {
        let expected =
            file.checksum().ok_or_else(|| FetchError::Unchecked { url: file.url.clone() })?;
        let mut part = Part::open(to, expected)?;
        watch(Event::Download { url: &file.url, held: part.length(), bytes: file.bytes });
        let mut failures = 0;
        loop {
            let before = part.length();
            let reason = match self.attempt(file, expected, &mut part, watch).await {
                Ok(()) => return Ok(part.keep()?),
                Err(Trouble::Passing(reason)) => reason,
                Err(Trouble::Lasting(error)) => {
                    let left = file.bytes.saturating_sub(part.length());
                    if matches!(error, FetchError::Digest { .. }) {
                        part.discard()?;
                    }
                    return Err(error.needing(left));
                }
            };
            failures = if part.length() >= before + GAIN { 1 } else { failures + 1 };
            if failures >= self.patience.attempts {
                return Err(FetchError::Interrupted { url: file.url.clone(), reason });
            }
            watch(Event::Again { url: &file.url, held: part.length(), reason: &reason });
            part.resumed = part.length() > 0;
            tokio::time::sleep(self.pause(failures)).await;
        }
    }

    fn pause(&self, failures: u32) -> Duration {
        let doubled = self.patience.pause.saturating_mul(1 << (failures - 1).min(16));
        doubled.min(LONGEST_PAUSE)
    }

    /// One connection's worth, and the check of the digest at the end.
    async fn attempt(
        &self,
        file: &Download,
        expected: Checksum<'_>,
        part: &mut Part,
        watch: Watch<'_>,
    ) -> Result<(), Trouble> {
        if part.length() < file.bytes {
            let answer = self.request(file, part).send().await?;
            begin(&answer, file, part)?;
            receive(answer, file, part, watch).await?;
        }
        let found = part.digest();
        if part.length() == file.bytes && found.eq_ignore_ascii_case(expected.hex()) {
            return Ok(());
        }
        if part.resumed {
            part.restart(None)?;
            return Err(Trouble::Passing("its parts do not fit together".to_owned()));
        }
        Err(Trouble::Lasting(FetchError::Digest {
            url: file.url.clone(),
            kind: expected.name(),
            found,
            expected: expected.hex().to_owned(),
        }))
    }

    fn request(&self, file: &Download, part: &Part) -> RequestBuilder {
        let request = self.http.get(&file.url);
        if part.length() == 0 {
            return request;
        }
        let request = request.header(RANGE, format!("bytes={}-", part.length()));
        match part.version() {
            Some(version) => request.header(IF_RANGE, version),
            None => request,
        }
    }
}

/// Prepares the part for what the server is about to send: the rest, or everything once more.
fn begin(answer: &Response, file: &Download, part: &mut Part) -> Result<(), Trouble> {
    let version = version(answer.headers());
    match answer.status() {
        StatusCode::PARTIAL_CONTENT => {
            let is_rest = content_range(answer.headers()) == Some((part.length(), file.bytes));
            let is_same = part.version().is_none() || part.version() == version;
            if is_rest && is_same {
                return Ok(());
            }
            part.restart(None)?;
            Err(Trouble::Passing("the server's file has changed".to_owned()))
        }
        StatusCode::OK => {
            check_length(answer, file)?;
            Ok(part.restart(version)?)
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            part.restart(None)?;
            Err(Trouble::Passing("the server's file is shorter now".to_owned()))
        }
        status if is_passing(status) => Err(Trouble::Passing(format!("the server says {status}"))),
        status => {
            let (url, status) = (file.url.clone(), status.to_string());
            Err(Trouble::Lasting(FetchError::Status { url, status }))
        }
    }
}

fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status)
}

fn check_length(answer: &Response, file: &Download) -> Result<(), Trouble> {
    match answer.content_length() {
        Some(found) if found != file.bytes => Err(length(file, found.to_string())),
        _ => Ok(()),
    }
}

fn length(file: &Download, found: String) -> Trouble {
    Trouble::Lasting(FetchError::Length { url: file.url.clone(), found, expected: file.bytes })
}

/// Writes what comes, up to the file's length.
async fn receive(
    mut answer: Response,
    file: &Download,
    part: &mut Part,
    watch: Watch<'_>,
) -> Result<(), Trouble> {
    while let Some(piece) = answer.chunk().await? {
        if part.length() + piece.len() as u64 > file.bytes {
            part.restart(None)?;
            return Err(length(file, format!("more than {}", file.bytes)));
        }
        part.add(&piece)?;
        watch(Event::Received(piece.len() as u64));
    }
    let come = part.length();
    if come == file.bytes {
        return Ok(());
    }
    Err(Trouble::Passing(format!("the transfer ended after {come} of {} bytes", file.bytes)))
}

/// The server's name for the file's version, if by it two versions differ in every byte that does.
fn version(headers: &HeaderMap) -> Option<&str> {
    let tag = headers.get(ETAG)?.to_str().ok()?;
    (!tag.starts_with("W/")).then_some(tag)
}

/// First byte and total length of `bytes FIRST-LAST/TOTAL`.
fn content_range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, total) = range.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.parse().ok()?, total.parse().ok()?))
}
