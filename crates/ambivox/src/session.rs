//! One call of the program: places, threads, store, and the command that is asked for.

use std::path::{Path, PathBuf};

use ambivox_artifacts::Store;
use anyhow::Result;

use crate::answer::{Answer, print};
use crate::audit::audit;
use crate::bundle::bundle;
use crate::cli::{Cli, Command, Common, ExecutorKind, Gc, Jobs, Selection, Site};
use crate::code::Code;
use crate::commands::{Goal, Until, cross_validate, demonstrate, plan, prepare};
use crate::execute::Executor;
use crate::experiment::Experiment;
use crate::failure::Failure;
use crate::from_table::{self, Place};
use crate::gc::Kept;
use crate::progress::Progress;
use crate::repro::Repro;
use crate::resolve::Resolver;
use crate::slurm::{self, OnlyShown, Shown, Slurm};
use crate::spawn::Program;
use crate::tune::tune;
use crate::{bench_plan, builtin, called, doctor, gc, init, show, verify};

/// Does what the command line asks for.
pub(crate) fn run(cli: Cli) -> Result<()> {
    // A node may have the store alone, without the sources.
    if let Command::Work(own) = &cli.command {
        return slurm::worker::work(&own.order, own.task, threads(&cli.common));
    }
    let root = root()?;
    let store = store_folder(&cli.common, &root);
    match cli.command {
        Command::BenchPlan => bench_plan::run(),
        Command::Files(own) => builtin::write(&own.to),
        Command::Init(own) => init::run(&own, &root, cli.common.json),
        Command::Doctor => {
            let places = doctor::Places { store: &store, results: &results(&cli.common, &root) };
            doctor::run(&places, threads(&cli.common), cli.common.json)
        }
        Command::Tidy(_)
        | Command::Ci(_)
        | Command::Fuzz(_)
        | Command::Conform(_)
        | Command::Bench(_)
        | Command::Predict(_)
        | Command::Fetch(_) => Err(elsewhere_or_flags_first()),
        Command::Repro(own) => Repro {
            digests: &digests(&root, &store, own.bless)?,
            pipeline: &pipeline_file(&cli.common, builtin::DEMO, &root, &store)?,
            threads: threads(&cli.common),
            bless: own.bless,
            json: cli.common.json,
        }
        .run(),
        command => in_store(&cli.common, command, &root, &store),
    }
}

/// The checkout that the program was called for, else the folder that it was called in.
fn root() -> Result<PathBuf> {
    Ok(called::checkout().cloned().map_or_else(std::env::current_dir, Ok)?)
}

/// Where digests are on record: in the checkout, which alone takes new ones, or built in.
fn digests(root: &Path, store: &Path, bless: bool) -> Result<PathBuf> {
    const DIGESTS: &str = "pipelines/digests";
    match called::checkout() {
        Some(_) => Ok(root.join(DIGESTS)),
        None if bless => Err(Failure::usage("--bless puts digests on record in a checkout alone")),
        None => Ok(builtin::folder(store)?.join(DIGESTS)),
    }
}

fn in_store(common: &Common, command: Command, root: &Path, folder: &Path) -> Result<()> {
    check_text("--store", folder)?;
    let store = Store::open(folder)?;
    let done = match command {
        Command::Verify => verify::run(&store, common.json),
        Command::Show(own) => show::run(&store, &own.digest, common.json),
        Command::Gc(own) => clear_up(common, &own, root, &store),
        command => {
            let _hold = store.hold()?;
            match on_pipeline(common, command, root, &store) {
                Err(error) if error.is::<OnlyShown>() => Ok(()),
                done => done,
            }
        }
    };
    // What was learned about files is worth keeping after a failure too; a store that cannot be
    // written costs the time to learn it again.
    store.memo().save().ok();
    done
}

/// The pipeline that the command line names, else this one: of the checkout where the program was called
/// for one, else of the folder, else built in.
fn pipeline_file(common: &Common, default: &str, root: &Path, store: &Path) -> Result<PathBuf> {
    match (&common.pipeline, called::checkout()) {
        (Some(named), _) => builtin::find(named, store),
        (None, Some(_)) => Ok(root.join(default)),
        (None, None) => builtin::find(Path::new(default), store),
    }
}

/// Removes what none of the pipelines reaches. One whose corpus is not at hand keeps all it had.
fn clear_up(common: &Common, asked: &Gc, root: &Path, store: &Store) -> Result<()> {
    let plan_all = |kept: &mut Kept| {
        let mut files: Vec<PathBuf> = gc::pipelines(&root.join("pipelines"))?;
        if called::checkout().is_none() {
            files.extend(gc::pipelines(&builtin::folder(store.root())?.join("pipelines"))?);
        }
        files.extend(
            common.pipeline.as_ref().map(|named| builtin::find(named, store.root())).transpose()?,
        );
        for file in files {
            let (experiment, progress) = (Experiment::read(&file)?, Progress::new(common.quiet));
            let audited = experiment.for_audit().map_err(Failure::usage)?;
            kept.pipelines += 1;
            for experiment in [experiment].into_iter().chain(audited) {
                let mut executor = executor(common, store, &experiment, &progress)?;
                let plan = plan(&mut executor, &Selection::default());
                kept.add(store, &experiment.places(), plan.as_ref().ok())?;
            }
        }
        Ok(())
    };
    gc::collect(store, asked, common.json, plan_all)
}

fn executor<'a>(
    common: &Common,
    store: &'a Store,
    experiment: &'a Experiment,
    progress: &'a Progress,
) -> Result<Executor<'a>> {
    let resolver = Resolver::new(experiment, store, Code::own()?);
    Ok(Executor::new(resolver, progress, Program::Own, threads(common)))
}

/// Requests of stages and documents name files as text.
fn check_text(flag: &str, path: &Path) -> Result<()> {
    let path = std::path::absolute(path)?;
    if path.to_str().is_some() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{flag}: {} is not UTF-8; rename the folder, or name another",
        path.display()
    )))
}

/// What another program does is recognised by standing first, and its flags are its own.
fn elsewhere_or_flags_first() -> anyhow::Error {
    Failure::usage(match called::checkout() {
        Some(_) => "the flags of this command come after its name",
        None => "this command is for a checkout of the source, or its flags come after its name",
    })
}

fn on_pipeline(common: &Common, command: Command, root: &Path, store: &Store) -> Result<()> {
    let is_full = matches!(&command, Command::Demo(own) if own.full);
    let default = if is_full { builtin::FULL } else { builtin::DEMO };
    let results = results(common, root);
    check_text("--results", &results)?;
    if let Command::Bundle(own) = &command {
        check_text("the bundle's folder", &own.to)?;
    }
    let progress = Progress::new(common.quiet);
    let file = match &command {
        Command::Audit(own) if own.tables.table.is_some() => {
            let place = Place { results: &results, store, progress: &progress };
            from_table::pipeline(&own.tables, common.pipeline.is_some(), &place)?
        }
        _ => pipeline_file(common, default, root, store.root())?,
    };
    let mut experiment = Experiment::read(&file)?;
    if matches!(command, Command::Audit(_)) {
        experiment = experiment.for_audit().map_err(Failure::usage)?.unwrap_or(experiment);
    }
    let mut executor = executor(common, store, &experiment, &progress)?;
    executor.slurm =
        site(&command).map(|site| elsewhere(site, &experiment, common.json)).transpose()?.flatten();
    let jobs = |jobs: &Jobs| jobs.jobs.map_or(threads(common), std::num::NonZero::get);
    let answer = match command {
        Command::Synth(_) => prepare(&mut executor, Until::Synth)?,
        Command::Index(_) => prepare(&mut executor, Until::Index)?,
        Command::Extract(_) => prepare(&mut executor, Until::Extract)?,
        Command::Cv(t) => {
            executor.shuffle = t.shuffle;
            cross_validate(&mut executor, &t.selection, jobs(&t.jobs), &results, Goal::Rates)?
        }
        Command::Report(t) => {
            executor.shuffle = t.shuffle;
            cross_validate(&mut executor, &t.selection, jobs(&t.jobs), &results, Goal::Page)?
        }
        Command::Demo(own) => demonstrate(&mut executor, jobs(&own.jobs), &results)?,
        Command::Plan(own) => {
            let plan = plan(&mut executor, &own.selection)?;
            let text = plan.text(own.why);
            let json = serde_json::to_string_pretty(&plan)?;
            return print(if common.json { &json } else { &text });
        }
        Command::Tune(mut own) => {
            own.space = builtin::find(&own.space, store.root())?;
            let ranking = tune(&mut executor, &own, jobs(&own.jobs))?;
            progress.say(&ranking.stages.done());
            let text = ranking.text();
            let json = serde_json::to_string_pretty(&ranking)?;
            return print(if common.json { &json } else { &text });
        }
        Command::Audit(own) => audit(&mut executor, &own, jobs(&own.jobs), &results)?,
        Command::Bundle(own) => bundle(&mut executor, &own, jobs(&own.jobs))?,
        // These know no pipeline, or many.
        Command::Verify
        | Command::Show(_)
        | Command::Gc(_)
        | Command::Repro(_)
        | Command::Work(_)
        | Command::BenchPlan
        | Command::Files(_)
        | Command::Init(_)
        | Command::Doctor
        | Command::Tidy(_)
        | Command::Ci(_)
        | Command::Fuzz(_)
        | Command::Conform(_)
        | Command::Bench(_)
        | Command::Fetch(_)
        | Command::Predict(_) => return Ok(()),
    };
    tell(common, &progress, &answer)
}

/// Where the stages of a command run.
fn site(command: &Command) -> Option<&Site> {
    match command {
        Command::Synth(site) | Command::Index(site) | Command::Extract(site) => Some(site),
        Command::Cv(own) | Command::Report(own) => Some(&own.jobs.site),
        Command::Audit(own) => Some(&own.jobs.site),
        Command::Demo(own) => Some(&own.jobs.site),
        Command::Tune(own) => Some(&own.jobs.site),
        Command::Bundle(own) => Some(&own.jobs.site),
        _ => None,
    }
}

/// What runs the stages, if not this machine.
fn elsewhere(site: &Site, experiment: &Experiment, json: bool) -> Result<Option<Slurm>> {
    let Site { executor, executor_file, dry_run } = site;
    if *executor == ExecutorKind::Slurm {
        let settings = slurm::settings(executor_file.as_deref(), &experiment.executor)?;
        let shown = if json { Shown::Json } else { Shown::Text };
        return Ok(Some(Slurm::new(settings, dry_run.then_some(shown))));
    }
    if *dry_run || executor_file.is_some() {
        return Err(Failure::usage(
            "--dry-run and --executor-file go with --executor slurm; `cargo xtask plan` says what \
             would run",
        ));
    }
    Ok(None)
}

fn tell(common: &Common, progress: &Progress, answer: &Answer) -> Result<()> {
    progress.say(&answer.tally.done());
    if common.json { print(&format!("{:#}", answer.json())) } else { print(&answer.lines()) }
}

fn threads(common: &Common) -> usize {
    let cores = || std::thread::available_parallelism().ok();
    common.threads.or_else(cores).map_or(1, std::num::NonZero::get)
}

fn results(common: &Common, root: &Path) -> PathBuf {
    common.results.clone().unwrap_or_else(|| root.join("results"))
}

fn store_folder(common: &Common, root: &Path) -> PathBuf {
    let named = std::env::var_os("AMBIVOX_STORE").filter(|value| !value.is_empty());
    let own = common.store.clone().or_else(|| named.map(PathBuf::from));
    own.unwrap_or_else(|| root.join(".ambivox/store"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::failure::exit_code;

    #[test]
    fn flags_before_a_command_of_another_program_are_refused() {
        let cli = Cli::try_parse_from(["xtask", "--json", "bench", "lld"]).unwrap();
        let error = run(cli).unwrap_err();
        assert_eq!(exit_code(&error), 2);
        assert!(error.to_string().contains("checkout"), "{error}");
    }

    #[test]
    fn paths_that_are_no_text_are_wrong_use() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/tmp/r\xe9sultats"));
        let error = check_text("--results", path).unwrap_err();
        assert_eq!(exit_code(&error), 2);
        assert!(error.to_string().contains("--results: /tmp/r"), "{error}");
        assert!(check_text("--results", Path::new("résultats")).is_ok());
    }
}
