//! The command `predict`: emotions of sound files, or of sound as it comes.

mod cli;
mod inputs;
mod listen;
mod output;

use std::ffi::OsString;
use std::io::{Write as _, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Instant;

use ambivox_audio::Problem;
use ambivox_models::compute_by;
use ambivox_settings::{Arithmetic, UnknownArithmetic, exit, printable};
use rayon::prelude::*;

use crate::encoder::VARIABLE;
use crate::{Encoders, Ensemble, PredictError};
use cli::{Cli, Form};
use inputs::Input;
use output::{Answer, Report};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The sound that was to be read is at fault.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unusable(String);

/// What people call the program whose command this is.
static CALLED: OnceLock<&str> = OnceLock::new();
/// What texts call it.
const IN_CHECKOUT: &str = "cargo xtask";

/// Does what these arguments ask for, the first of which is passed over; `called` is what people call the
/// program: `cargo xtask`, or `ambivox`.
pub fn main(called: &'static str, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    CALLED.set(called).ok();
    let cli = cli::parse(arguments);
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// What is not known here to be the user's or the data's fault is neither's.
fn exit_code(error: &Error) -> u8 {
    if let Some(error) = error.downcast_ref::<PredictError>() {
        return error.exit_code();
    }
    match error.downcast_ref::<Problem>() {
        Some(problem @ Problem::Unreadable(_)) if !problem.is_missing() => exit::FAILED,
        Some(_) => exit::DATA,
        None if error.is::<UnknownArithmetic>() => exit::USAGE,
        None if error.is::<Unusable>() => exit::DATA,
        None => exit::FAILED,
    }
}

fn run(cli: &Cli) -> Result<u8, Error> {
    let threads = cli.threads.map_or(0, std::num::NonZero::get);
    // The global pool, since the matrix products use that one.
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    compute_by(Arithmetic::asked()?);
    let cache = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
    let encoders = Encoders { named: cli.encoder.as_deref(), cache: cache.as_ref().map(Path::new) };
    let ensemble = Ensemble::load(&cli.model, encoders)?;
    if ensemble.bundle().synthetic {
        say("warning: these networks were trained on a synthetic corpus and know no real speech");
    }
    if cli.attention && !ensemble.attends() {
        say(&format!(
            "error: networks of {} read functionals and attend to no moment; leave --attention out",
            ensemble.bundle().method
        ));
        return Ok(exit::USAGE);
    }
    if cli.stream {
        listen::run(cli, &ensemble)?;
        return Ok(exit::DONE);
    }
    let started = Instant::now();
    let answers = analyse(cli, &ensemble, found(cli)?);
    let report = Report { ensemble: &ensemble, answers, seconds: started.elapsed().as_secs_f64() };
    let text = match cli.form() {
        Form::Table if !report.has_any() => String::new(),
        Form::Table => printable(&report.table()).into_owned(),
        Form::Json => report.json(cli.attention)?,
        Form::Csv => report.csv()?,
    };
    print(&text)?;
    report.warnings().for_each(|warning| say(&warning));
    report.complaints().iter().for_each(|complaint| say(complaint));
    if report.has_any() {
        say(&report.speed());
    }
    Ok(report.exit_code())
}

/// The audio files that the command line names; warns of what cannot be followed.
fn found(cli: &Cli) -> Result<Vec<Input>, Error> {
    let mut passed_over = 0;
    let found = inputs::inputs(&cli.sounds, &mut |what| {
        say(&format!("warning: {what}; passed over"));
        passed_over += 1;
    });
    if passed_over > 0 {
        say(&format!("warning: links and folders that cannot be followed: {passed_over}"));
    }
    found
}

/// Every sound in order, with what is said of it or what is wrong with it.
fn analyse(cli: &Cli, ensemble: &Ensemble, inputs: Vec<Input>) -> Vec<Answer> {
    let one = |input: Input| {
        let said = input.audio().and_then(|audio| {
            let warnings = audio.warnings.iter().map(ToString::to_string).collect();
            Ok((ensemble.analyse(&audio.samples, cli.window)?, warnings))
        });
        let code = said.as_ref().map_or_else(exit_code, |_| exit::DONE);
        let (said, warnings) = said.map_or_else(
            |error| (Err(error.to_string()), Vec::new()),
            |(analysis, warnings)| (Ok(analysis), warnings),
        );
        Answer { name: input.name(), said, warnings, code }
    };
    inputs.into_par_iter().map(one).collect()
}

/// Prints to standard output. A reader that has read enough is no error.
fn print(text: &str) -> std::io::Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Says on standard error what is no result.
fn say(text: &str) {
    // Nothing is left to do where standard error is closed.
    writeln!(stderr(), "{}", printable(&by_name(text))).ok();
}

/// A text with the name by which the program was called.
fn by_name(text: &str) -> String {
    text.replace(IN_CHECKOUT, CALLED.get().unwrap_or(&IN_CHECKOUT))
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn what_the_machine_refuses_is_no_fault_of_the_data() {
        let unreadable = |kind: ErrorKind| exit_code(&Problem::Unreadable(kind.into()).into());
        assert_eq!(unreadable(ErrorKind::PermissionDenied), exit::FAILED);
        assert_eq!(unreadable(ErrorKind::NotFound), exit::DATA);
        assert_eq!(exit_code(&Problem::NotAudio.into()), exit::DATA);
    }
}
