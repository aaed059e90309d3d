//! A server of one file on this machine, which misbehaves as it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) path: String,
    /// First byte of the range asked for.
    pub(crate) from: Option<usize>,
    pub(crate) if_range: Option<String>,
}

/// Answers one connection after the other until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// `answer` is given the number of the connection and what it asks for; its bytes are sent, and
    /// the connection is closed.
    pub(crate) fn new(answer: impl Fn(usize, &Asked) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, ended) = (Arc::default(), Arc::default());
        let (log, end) = (Arc::clone(&asked), Arc::clone(&ended));
        let thread = std::thread::spawn(move || serve(&listener, &log, &end, &answer));
        Self { address, asked, ended, thread: Some(thread) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// What was asked for so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // The thread waits for a connection; this is its last.
        TcpStream::connect(self.address).ok();
        self.thread.take().map(JoinHandle::join);
    }
}

fn serve(
    listener: &TcpListener,
    log: &Mutex<Vec<Asked>>,
    ended: &AtomicBool,
    answer: &impl Fn(usize, &Asked) -> Vec<u8>,
) {
    for (number, stream) in listener.incoming().enumerate() {
        if ended.load(Ordering::Acquire) {
            return;
        }
        let mut stream = stream.unwrap();
        let asked = request(&stream);
        log.lock().unwrap().push(asked.clone());
        // Whoever asked may have heard enough.
        stream.write_all(&answer(number, &asked)).ok();
    }
}

fn request(stream: &TcpStream) -> Asked {
    let mut asked = Asked::default();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let lower = line.to_ascii_lowercase();
        if let Some(rest) = line.strip_prefix("GET /") {
            rest.split(' ').next().unwrap_or_default().clone_into(&mut asked.path);
        } else if let Some(range) = lower.strip_prefix("range: bytes=") {
            asked.from = range.trim_end_matches('-').parse().ok();
        } else if lower.starts_with("if-range: ") {
            asked.if_range = Some(line["if-range: ".len()..].to_owned());
        } else if line.is_empty() {
            break;
        }
    }
    asked
}

/// An answer of this status and these header lines.
pub(crate) fn answer(status: &str, headers: &[String], body: &[u8]) -> Vec<u8> {
    let lines = [&[format!("HTTP/1.1 {status}"), "Connection: close".to_owned()], headers].concat();
    [lines.join("\r\n").as_bytes(), b"\r\n\r\n", body].concat()
}

/// All of a file.
pub(crate) fn whole(tag: &str, body: &[u8]) -> Vec<u8> {
    let headers = [format!("Content-Length: {}", body.len()), format!("ETag: {tag}")];
    answer("200 OK", &headers, body)
}

/// A file from a byte on.
pub(crate) fn rest(tag: &str, body: &[u8], from: usize) -> Vec<u8> {
    let (last, total) = (body.len() - 1, body.len());
    let headers = [
        format!("Content-Length: {}", total - from),
        format!("Content-Range: bytes {from}-{last}/{total}"),
        format!("ETag: {tag}"),
    ];
    answer("206 Partial Content", &headers, &body[from..])
}

/// As a good server does: the rest where it is asked for, if the version is the same.
pub(crate) fn good(tag: &str, body: &[u8], asked: &Asked) -> Vec<u8> {
    match asked.from {
        Some(from) if asked.if_range.as_deref().is_none_or(|version| version == tag) => {
            rest(tag, body, from)
        }
        _ => whole(tag, body),
    }
}
