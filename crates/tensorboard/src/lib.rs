//! Event files that the `tensorboard` package reads: scalars, histograms, images and text by step.
//!
//! A file is a sequence of records, each a protocol buffer between two checksums:
//!
//! ```text
//! length u64 │ masked CRC-32C of it u32 │ Event, `length` bytes │ masked CRC-32C of that u32
//! ```
//!
//! Numbers are little-endian. The forms are those of TensorFlow's `record_writer`, `event.proto` and
//! `summary.proto`, of which `messages` has the fields that are used here. There is no clock: the
//! time of an event is its step, in seconds, so that equal runs give equal bytes.

mod histogram;
mod image;
mod messages;

use std::io::{self, Write};

use prost::Message as _;

pub use image::Image;
use messages::{Event, What, value::Content};

/// What the first event says of the form of those that follow.
const VERSION: &str = "brain.Event:2";

/// An event file that is being written.
#[derive(Debug)]
pub struct EventFile<W> {
    out: W,
}

impl<W: Write> EventFile<W> {
    /// Starts a file; TensorBoard finds it if its name has `tfevents` in it. Errors: it cannot be
    /// written to, here and below.
    pub fn start(out: W) -> io::Result<Self> {
        let mut file = Self { out };
        file.record(&Event { wall_time: 0.0, step: 0, what: Some(What::version(VERSION)) })?;
        Ok(file)
    }

    /// A number at a step, which TensorBoard keeps as `f32`.
    pub fn scalar(&mut self, step: i64, tag: &str, value: f64) -> io::Result<()> {
        self.event(step, tag, Content::Scalar(value as f32))
    }

    /// The distribution of finite values at a step; nothing where there are none.
    pub fn histogram(&mut self, step: i64, tag: &str, values: &[f64]) -> io::Result<()> {
        match histogram::of(values) {
            Some(histogram) => self.event(step, tag, Content::Histogram(histogram)),
            None => Ok(()),
        }
    }

    /// A picture at a step.
    pub fn image(&mut self, step: i64, tag: &str, image: &Image) -> io::Result<()> {
        self.event(step, tag, Content::Image(image.message()?))
    }

    /// Text in Markdown at a step.
    pub fn text(&mut self, step: i64, tag: &str, markdown: &str) -> io::Result<()> {
        self.event(step, tag, Content::text(markdown))
    }

    /// Writes out what is still in memory.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn event(&mut self, step: i64, tag: &str, content: Content) -> io::Result<()> {
        let what = Some(What::value(tag, content));
        self.record(&Event { wall_time: step as f64, step, what })
    }

    fn record(&mut self, event: &Event) -> io::Result<()> {
        let bytes = event.encode_to_vec();
        let length = (bytes.len() as u64).to_le_bytes();
        self.out.write_all(&length)?;
        self.out.write_all(&checksum(&length).to_le_bytes())?;
        self.out.write_all(&bytes)?;
        self.out.write_all(&checksum(&bytes).to_le_bytes())
    }
}

/// CRC-32C, turned and moved, so that the checksum of data with checksums in it is a sound one.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests;
