//! `cargo xtask bundle`: a method's networks in a folder of their own, for `cargo xtask predict`
//! here or anywhere else.

use std::path::{Path, PathBuf};

use ambivox_artifacts::{file_name, write_atomically};
use ambivox_frontends::ENCODER_FILES;
use ambivox_settings::{Bundle, BundledEncoder, BundledNetwork, counted, role};
use anyhow::{Context as _, Result};
use fs_err as fs;

use crate::answer::Answer;
use crate::cli;
use crate::commands::prepared;
use crate::execute::Executor;
use crate::experiment::Experiment;
use crate::failure::Failure;
use crate::graph::{Graph, Run};
use crate::method::PlannedMethod;

/// Trains what is missing of the selected runs, and copies their networks into a new folder.
pub(crate) fn bundle(
    executor: &mut Executor<'_>,
    own: &cli::Bundle,
    jobs: usize,
) -> Result<Answer> {
    let experiment = executor.resolver.experiment;
    check(experiment, own)?;
    let (runs, _) = prepared(executor, &own.selection, jobs)?;
    let (count, most) = (runs.len(), Bundle::MOST_NETWORKS);
    if count > most {
        return Err(Failure::usage(format!("{count} networks; a bundle has up to {most}")));
    }
    let slots: Vec<String> = runs.iter().map(Run::slot).collect();
    let graph = Graph::of(experiment, &runs).upto(slots.iter().map(String::as_str));
    executor.bring_up(&graph, jobs)?;
    let folder = write(executor, &runs, &own.to)?;
    let networks = counted(runs.len(), "network");
    let to = own.to.display();
    let text = format!("{networks} for `cargo xtask predict --model {to} FILE`");
    let outputs = [("bundle".to_owned(), folder)].into();
    Ok(Answer { text, outputs, tally: executor.tally, warnings: Vec::new() })
}

/// What can be known before any training.
fn check(experiment: &Experiment, own: &cli::Bundle) -> Result<()> {
    let methods = &experiment.methods;
    if own.selection.methods.len() != 1 && methods.len() != 1 {
        let ids: Vec<&str> = methods.iter().map(|method| method.name().id()).collect();
        return Err(Failure::usage(format!(
            "a bundle has the networks of one method; name it with --method: {}",
            ids.join(", ")
        )));
    }
    if experiment.pipeline.label_noise.is_some() {
        return Err(Failure::usage(format!(
            "the pipeline {} trains on labels that were exchanged on purpose; bundle one that does not",
            experiment.pipeline.name
        )));
    }
    let named = &own.selection.methods;
    let asked = |method: &PlannedMethod| named.iter().any(|id| id == method.name().id());
    let wanted = methods.iter().filter(|method| named.is_empty() || asked(method));
    let mut sizes = wanted.flat_map(|method| &method.sizes);
    if let Some((key, size)) = sizes.find(|(_, size)| *size > Bundle::WIDEST) {
        let widest = Bundle::WIDEST;
        return Err(Failure::usage(format!("{key} = {size}: a bundle has up to {widest} units")));
    }
    let is_free = match fs::read_dir(&own.to) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => !own.to.exists(),
    };
    if is_free {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} is there already; name a new folder, or remove it",
        own.to.display()
    )))
}

/// The description comes last: without it, a folder is no bundle.
fn write(executor: &Executor<'_>, runs: &[Run], to: &Path) -> Result<PathBuf> {
    fs::create_dir_all(to)?;
    let networks = runs.iter().map(|run| add(executor, run, to));
    let networks = networks.collect::<Result<Vec<_>>>()?;
    let mut bundle = describe(executor.resolver.experiment, runs, networks)?;
    bundle.encoder = encoder(executor)?;
    let text = serde_json::to_string_pretty(&bundle)? + "\n";
    write_atomically(&to.join(Bundle::FILE), text.as_bytes())?;
    Ok(fs::canonicalize(to)?)
}

fn add(executor: &Executor<'_>, run: &Run, folder: &Path) -> Result<BundledNetwork> {
    let from = executor.resolver.output(&run.slot(), role::CHECKPOINT)?;
    let file = format!("{}-{}-{}.safetensors", run.method.name(), run.seed, file_name(&run.fold));
    fs::copy(&from, folder.join(&file))?;
    let digest = executor.resolver.store.memo().file(&from)?.digest.to_string();
    Ok(BundledNetwork { file, digest, seed: run.seed, fold: run.fold.clone() })
}

fn describe(
    experiment: &Experiment,
    runs: &[Run],
    networks: Vec<BundledNetwork>,
) -> Result<Bundle> {
    let first = runs.first().context("no run was selected")?;
    Ok(Bundle {
        schema: Bundle::SCHEMA,
        pipeline: experiment.pipeline.name.clone(),
        corpus: experiment.manifest.title.clone(),
        synthetic: experiment.manifest.synthetic,
        method: first.method.name().to_string(),
        networks,
        encoder: None,
    })
}

/// The encoder that the networks need, by the digests of its files.
fn encoder(executor: &Executor<'_>) -> Result<Option<BundledEncoder>> {
    let experiment = executor.resolver.experiment;
    if !experiment.frontend.encodes {
        return Ok(None);
    }
    let folder = experiment.table_file()?;
    let digest = |name: &str| {
        let digest = executor.resolver.store.memo().file(&folder.join(name))?.digest;
        Ok((name.to_owned(), digest.to_string()))
    };
    let files = ENCODER_FILES.into_iter().filter(|name| folder.join(name).exists());
    let files = files.map(digest).collect::<Result<_>>()?;
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(Some(BundledEncoder { name: name.unwrap_or_default(), files }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Selection;
    use crate::experiment::tests::Toy;

    fn refused(toy: &Toy, methods: &[&str], to: &str) -> Option<String> {
        let methods = methods.iter().map(|&method| method.to_owned()).collect();
        let selection = Selection { methods, ..Selection::default() };
        let own = cli::Bundle {
            selection,
            jobs: cli::Jobs { jobs: None, site: cli::Site::default() },
            to: toy.path(to),
        };
        check(&toy.read().unwrap(), &own).err().map(|error| error.to_string())
    }

    #[test]
    fn one_method_and_a_new_folder_are_asked_for() {
        let toy = Toy::new();
        assert_eq!(refused(&toy, &["lw"], "new"), None);
        let text = refused(&toy, &[], "new").unwrap();
        assert!(text.ends_with("--method: baseline, lw"), "{text}");
        assert!(refused(&toy, &["lw", "baseline"], "new").is_some());
        toy.write("old/file", "x");
        assert!(refused(&toy, &["lw"], "old").unwrap().contains("there already"));
        assert!(refused(&toy, &["lw"], "old/file").unwrap().contains("there already"));
        let experiment = toy.read().unwrap();
        let [(_, linear), _] = experiment.methods[0].sizes[..] else { panic!("two layers") };
        toy.edit(&format!("linear = {linear}"), "linear = 4097");
        assert!(refused(&toy, &["lw"], "new").unwrap().contains("up to 4096 units"));
    }
}
