//! Predictions while raw sound comes in on standard input.

use std::io::{ErrorKind, Read, Write};

use crate::{Ensemble, Live, Window};
use ambivox_settings::printable;

use super::cli::{Cli, Form};
use super::output::{Said, csv_head, csv_row, most_probable};
use super::{Error, Unusable};

/// Prints a line for every hop until the sound ends or nobody reads any more.
pub(crate) fn run(cli: &Cli, ensemble: &Ensemble) -> Result<(), Error> {
    let printer = Printer { form: cli.form(), attention: cli.attention, ensemble };
    let live = Live::new(ensemble, cli.window, cli.hop)?;
    let mut out = std::io::stdout().lock();
    match listen(std::io::stdin().lock(), live, &printer, &mut out) {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        done => done,
    }
}

fn is_broken_pipe(error: &Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

fn listen(
    mut sound: impl Read,
    mut live: Live<'_>,
    printer: &Printer<'_>,
    out: &mut impl Write,
) -> Result<(), Error> {
    printer.head(out)?;
    let mut said = 0;
    // A tenth of a second at a time, so that nothing waits for the end of a hop of its own.
    let mut bytes = vec![0; live.samples_per_hop().clamp(1, 1600) * 2];
    let mut held = 0;
    loop {
        let read = match sound.read(&mut bytes[held..]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            break;
        }
        held += read;
        let (whole, _) = bytes[..held].as_chunks::<2>();
        let samples: Vec<f32> =
            whole.iter().map(|&s| f32::from(i16::from_le_bytes(s)) / 32768.0).collect();
        said += printer.lines(&live.push(&samples)?, out)?;
        // Half a sample waits for its other half.
        bytes.copy_within(held - held % 2..held, 0);
        held %= 2;
    }
    if held == 1 {
        let problem = "the sound ends within a sample; expected 16 bit for each";
        return Err(Unusable(problem.to_owned()).into());
    }
    said += printer.lines(&live.finish()?, out)?;
    if said == 0 {
        let frame_s = printer.ensemble.frame_s();
        let problem = format!("no sound came in, or less than one frame of {frame_s:.3} s");
        return Err(Unusable(problem).into());
    }
    Ok(())
}

/// Writes windows as they are said.
struct Printer<'a> {
    form: Form,
    attention: bool,
    ensemble: &'a Ensemble,
}

impl Printer<'_> {
    fn head(&self, out: &mut impl Write) -> Result<(), Error> {
        if self.form == Form::Csv {
            write_csv(&csv_head(self.ensemble.classes()), out)?;
        }
        Ok(())
    }

    /// Returns how many lines these are.
    fn lines(&self, windows: &[Window], out: &mut impl Write) -> Result<usize, Error> {
        let classes = self.ensemble.classes();
        for window in windows {
            match self.form {
                Form::Table => writeln!(out, "{}", printable(&line(classes, window)))?,
                Form::Csv => write_csv(&csv_row("-", classes, window), out)?,
                Form::Json => {
                    let said = Said::new(classes, window, self.attention);
                    writeln!(out, "{}", serde_json::to_string(&said)?)?;
                }
            }
            // Whoever reads acts on it now.
            out.flush()?;
        }
        Ok(windows.len())
    }
}

fn line(classes: &[String], window: &Window) -> String {
    let top = most_probable(&window.probabilities);
    let all = classes.iter().zip(&window.probabilities);
    let all: Vec<String> = all.map(|(class, p)| format!("{class} {:.0}", 100.0 * p)).collect();
    let (start, end) = (window.start_s, window.end_s);
    format!("{start:8.1} to {end:8.1} s  {:<10} {}", classes[top], all.join("  "))
}

fn write_csv(row: &[String], out: &mut impl Write) -> Result<(), Error> {
    let mut csv = csv::Writer::from_writer(&mut *out);
    csv.write_record(row)?;
    Ok(csv.flush()?)
}
