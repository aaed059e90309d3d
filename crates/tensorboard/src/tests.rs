//! Files read back record by record.

use super::*;
use crate::messages::{Histogram, Summary};

/// The events of a file whose checksums are right.
fn events(mut bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_at(8);
        let (sum, rest) = rest.split_at(4);
        assert_eq!(sum, checksum(length).to_le_bytes());
        let (event, rest) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
        let (sum, rest) = rest.split_at(4);
        assert_eq!(sum, checksum(event).to_le_bytes());
        events.push(Event::decode(event).unwrap());
        bytes = rest;
    }
    events
}

/// What a file holds to which one thing was written, after its version.
fn written(write: impl Fn(&mut EventFile<&mut Vec<u8>>) -> io::Result<()>) -> Vec<Event> {
    let mut bytes = Vec::new();
    let mut file = EventFile::start(&mut bytes).unwrap();
    write(&mut file).unwrap();
    file.finish().unwrap();
    let mut events = events(&bytes);
    assert_eq!(events.remove(0).what, Some(What::FileVersion("brain.Event:2".to_owned())));
    events
}

fn content(event: &Event) -> (&str, &Content) {
    let Some(What::Summary(Summary { values })) = &event.what else { panic!("no summary") };
    (&values[0].tag, values[0].content.as_ref().unwrap())
}

fn histogram(values: &[f64]) -> Histogram {
    let events = written(|file| file.histogram(3, "w", values));
    let (_, Content::Histogram(histogram)) = content(&events[0]) else { panic!("no histogram") };
    histogram.clone()
}

/// The file that TensorFlow writes begins with these bytes, but for the time.
#[test]
fn the_checksum_is_tensorflows() {
    assert_eq!(checksum(&24_u64.to_le_bytes()).to_le_bytes(), [0xa3, 0x7f, 0x4b, 0x22]);
}

#[test]
fn scalars_have_tag_and_step() {
    let events = written(|file| file.scalar(7, "loss/training", 0.25));
    assert_eq!((events[0].step, events[0].wall_time), (7, 7.0));
    assert_eq!(content(&events[0]), ("loss/training", &Content::Scalar(0.25)));
}

#[test]
fn text_is_a_tensor_of_one_string() {
    let events = written(|file| file.text(1, "confusion", "| a |"));
    let (_, Content::Tensor(tensor)) = content(&events[0]) else { panic!("no tensor") };
    assert_eq!((tensor.kind, &tensor.strings), (7, &vec![b"| a |".to_vec()]));
}

#[test]
fn every_value_is_in_one_bucket() {
    let found = histogram(&[0.0, 0.15, 1.45, 2.9999, f64::NAN]);
    assert_eq!((found.min, found.max, found.number, found.sum), (0.0, 2.9999, 4.0, 4.5999));
    let filled = found.limits.iter().zip(&found.counts).filter(|(_, count)| **count > 0.0);
    let filled: Vec<_> = filled.map(|(limit, count)| ((limit * 10.0).round(), *count)).collect();
    assert_eq!(filled, [(1.0, 1.0), (2.0, 1.0), (15.0, 1.0), (30.0, 1.0)]);
    assert!(found.limits.is_sorted() && found.limits.len() == found.counts.len());
}

#[test]
fn equal_values_and_none() {
    let equal = histogram(&[2.0; 5]);
    assert_eq!((equal.min, equal.max, equal.counts.iter().sum::<f64>()), (2.0, 2.0, 5.0));
    assert_eq!(written(|file| file.histogram(3, "w", &[f64::NAN])), []);
}

#[test]
fn pictures_are_png_with_a_square_for_every_share() {
    let image = Image::heat_map(&[vec![0.0, 1.0], vec![0.5, 0.0]]);
    let events = written(|file| file.image(1, "confusion", &image));
    let (_, Content::Image(picture)) = content(&events[0]) else { panic!("no picture") };
    let mut reader = png::Decoder::new(io::Cursor::new(&picture.png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), (96, 96));
    assert_eq!((picture.width, picture.height, picture.colorspace), (96, 96, 3));
    let middle = |row: usize, column: usize| {
        let at = 3 * (96 * (48 * row + 24) + 48 * column + 24);
        [pixels[at], pixels[at + 1], pixels[at + 2]]
    };
    assert_eq!(middle(0, 0), [255, 255, 255]);
    assert_eq!(middle(0, 1), [8, 48, 107]);
    assert_eq!(middle(1, 0), [132, 152, 181]);
}
