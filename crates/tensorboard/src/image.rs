//! Small pictures, as PNG.

use std::io;

use crate::messages::Picture;

/// Length of a cell's sides, with the line that parts it from the next.
const CELL: usize = 48;
/// What 0 and 1 look like: white and a dark blue, told apart by everyone and in print.
const SHADES: [[f64; 3]; 2] = [[255.0, 255.0, 255.0], [8.0, 48.0, 107.0]];
const LINE: [u8; 3] = [160, 160, 160];

/// A picture of red, green and blue bytes, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Image {
    /// A matrix of shares between 0 and 1, each a square that is the darker the greater it is, with
    /// lines between. Rows are as long as the first; what they lack counts as 0.
    pub fn heat_map(rows: &[Vec<f64>]) -> Self {
        let (height, width) = (rows.len(), rows.first().map_or(0, Vec::len));
        let share = |row: usize, column: usize| rows[row].get(column).copied().unwrap_or(0.0);
        let pixel = |y: usize, x: usize| {
            if y.is_multiple_of(CELL) || x.is_multiple_of(CELL) {
                LINE
            } else {
                shade(share(y / CELL, x / CELL))
            }
        };
        let (height, width) = (height * CELL, width * CELL);
        let row = |y| (0..width).flat_map(move |x| pixel(y, x));
        let pixels = (0..height).flat_map(row);
        Self { width, height, pixels: pixels.collect() }
    }

    pub(crate) fn message(&self) -> io::Result<Picture> {
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header()?.write_image_data(&self.pixels)?;
        Ok(Picture { height: self.height as i32, width: self.width as i32, colorspace: 3, png })
    }
}

fn shade(share: f64) -> [u8; 3] {
    let share = share.clamp(0.0, 1.0);
    let mix = |channel: usize| SHADES[0][channel] * (1.0 - share) + SHADES[1][channel] * share;
    [0, 1, 2].map(|channel| mix(channel).round() as u8)
}
