//! `cargo xtask doctor`: what is installed and what is missing, a line a fact, with what to do about it.

mod machine;
mod places;

use std::path::{Path, PathBuf};

use ambivox_settings::{Adapter, Arithmetic, Manifest, counted};
use anyhow::{Result, bail};
use serde::Serialize;

use crate::answer::print;
use crate::code::Code;
use crate::{builtin, called, facts, host};
use machine::System;
pub(crate) use places::Places;

/// What a fact means for this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is there, or as it should be.
    Ok,
    /// It is missing, and much goes without it.
    Missing,
    /// Something that is needed fails.
    Fault,
}

/// One fact.
#[derive(Debug, Serialize)]
struct Fact {
    name: String,
    state: State,
    text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Fact {
    fn ok(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state: State::Ok, text: text.into(), hint: None }
    }

    fn missing(name: &str, text: impl Into<String>, hint: &str) -> Self {
        Self { state: State::Missing, hint: Some(hint.to_owned()), ..Self::ok(name, text) }
    }

    fn fault(name: &str, text: impl Into<String>, hint: &str) -> Self {
        Self { state: State::Fault, hint: Some(hint.to_owned()), ..Self::ok(name, text) }
    }

    /// Its state and name, and what there is to tell.
    fn told(&self) -> (String, String) {
        let state = match self.state {
            State::Ok => "ok     ",
            State::Missing => "missing",
            State::Fault => "FAULT  ",
        };
        let hint = self.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        (format!("{state}  {}", self.name), format!("{}{hint}", called::said(&self.text)))
    }
}

/// Prints all facts.
///
/// # Errors
/// Results cannot be kept in the store.
pub(crate) fn run(places: &Places<'_>, threads: usize, json: bool) -> Result<()> {
    let facts = facts(places, threads)?;
    let document = serde_json::json!({ "schema": 1, "facts": facts });
    print(&if json { serde_json::to_string_pretty(&document)? } else { text(&facts) })?;
    if facts.iter().any(|fact| fact.name == Places::STORE && fact.state == State::Fault) {
        bail!(
            "{}: results cannot be kept there\n\
             hint: name another folder with --store or AMBIVOX_STORE",
            places.store.display()
        );
    }
    Ok(())
}

fn text(facts: &[Fact]) -> String {
    let told: Vec<_> = facts.iter().map(Fact::told).collect();
    facts::lines(told.iter().map(|(head, text)| (head.as_str(), text.as_str())))
}

fn facts(places: &Places<'_>, threads: usize) -> Result<Vec<Fact>> {
    let system = System::new(Path::new("/"));
    let mut facts = vec![program()?, processor(threads), system.memory()];
    facts.extend(places.facts());
    facts.extend([system.gpu(), slurm(std::env::var_os("PATH").as_deref())]);
    facts.extend(corpora(|name| std::env::var_os(name).map(PathBuf::from)));
    facts.extend(beside(&std::env::current_exe()?));
    Ok(facts)
}

fn program() -> Result<Fact> {
    let tools = Code::own()?.tools;
    let commit = tools.get("commit").map(|commit| {
        let (digits, dirty) = commit.split_at_checked(10).unwrap_or((commit, ""));
        let changed = if dirty.ends_with("-dirty") { ", changed" } else { "" };
        format!(" ({digits}{changed})")
    });
    let place = called::checkout().map_or_else(
        || "installed".to_owned(),
        |root| format!("for the checkout {}", root.display()),
    );
    let version = env!("CARGO_PKG_VERSION");
    Ok(Fact::ok("program", format!("ambivox {version}{}, {place}", commit.unwrap_or_default())))
}

fn processor(threads: usize) -> Fact {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let set = host::instruction_set();
    let text = format!("{set}, {} of {}", counted(threads, "thread"), counted(cores, "core"));
    match Arithmetic::asked() {
        Ok(Arithmetic::Native) => Fact::ok("processor", text),
        Ok(Arithmetic::Portable) => Fact::ok(
            "processor",
            format!("{text}; AMBIVOX_ISA=portable: the same bits on every processor, slower"),
        ),
        Err(error) => Fact::fault("processor", format!("{text}; {error}"), "unset AMBIVOX_ISA"),
    }
}

fn slurm(path: Option<&std::ffi::OsStr>) -> Fact {
    let found = path.and_then(|path| {
        std::env::split_paths(path).map(|folder| folder.join("sbatch")).find(|file| file.is_file())
    });
    match found {
        Some(sbatch) => Fact::ok("Slurm", format!("{}, for --executor slurm", sbatch.display())),
        None => Fact::missing("Slurm", "no sbatch on the PATH", "--executor slurm needs it"),
    }
}

/// A fact for every variable that names the folder of a corpus whose manifest is in the program.
fn corpora(variable: impl Fn(&str) -> Option<PathBuf>) -> Vec<Fact> {
    let read = |(file, text)| Manifest::parse(Path::new(file), text).ok();
    let is_known = |manifest: &Manifest| !manifest.synthetic && manifest.adapter != Adapter::Csv;
    let mut known: Vec<Manifest> = builtin::manifests().filter_map(read).filter(is_known).collect();
    // Of manifests for one folder, the one of the shortest name stands for all.
    known.sort_by(|a, b| (&a.root_env, a.name.len()).cmp(&(&b.root_env, b.name.len())));
    known.dedup_by(|a, b| a.root_env == b.root_env);
    known.iter().map(|manifest| corpus(manifest, variable(&manifest.root_env))).collect()
}

fn corpus(manifest: &Manifest, root: Option<PathBuf>) -> Fact {
    let Manifest { name, root_env, .. } = manifest;
    let name = format!("corpus {name}");
    match root {
        Some(root) if root.is_dir() => Fact::ok(&name, format!("{root_env}={}", root.display())),
        Some(root) => {
            let text = format!("{root_env}={} is no folder", root.display());
            Fact::missing(&name, text, "correct it")
        }
        None => Fact::missing(&name, format!("{root_env} is not set"), "set it to its folder"),
    }
}

/// Programs that are built apart: the one that downloads; and the one that predicts, which is in this one too.
fn beside(program: &Path) -> [Fact; 2] {
    let place = |name: &str| {
        let file = program.with_file_name(name);
        file.is_file().then(|| file.display().to_string())
    };
    let in_checkout = called::checkout().is_some();
    let fetch = match place("ambivox-fetch") {
        Some(file) => Fact::ok("fetch", file),
        None if in_checkout => Fact::ok("fetch", "built when `cargo xtask fetch` is first called"),
        None => Fact::missing(
            "fetch",
            "no ambivox-fetch beside the program",
            "corpora are downloaded by hand, or by it: cargo install --path crates/fetch",
        ),
    };
    let predict = place("ambivox-predict");
    [fetch, Fact::ok("predict", predict.unwrap_or_else(|| "in this program".to_owned()))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_and_say_what_to_do() {
        let none = corpora(|_| None);
        assert!(none.len() > 4 && none.iter().all(|fact| fact.state == State::Missing));
        let told = text(&none);
        assert!(told.contains("corpus emodb") && !told.contains("csv-example"), "{told}");
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
        let there = corpora(|_| Some(PathBuf::from("/")));
        assert!(there.iter().all(|fact| fact.state == State::Ok));
        let lost = corpora(|_| Some(PathBuf::from("/none")));
        assert!(lost.iter().all(|fact| fact.text.ends_with("=/none is no folder")));
    }

    #[test]
    fn sbatch_is_looked_for_on_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = std::env::join_paths([Path::new("/none"), folder.path()]).unwrap();
        assert_eq!(slurm(Some(&path)).state, State::Missing);
        fs_err::write(folder.path().join("sbatch"), "").unwrap();
        assert_eq!(slurm(Some(&path)).state, State::Ok);
        assert_eq!(slurm(None).state, State::Missing);
    }

    #[test]
    fn programs_beside_this_one_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("ambivox");
        assert_eq!(beside(&program).map(|fact| fact.state), [State::Missing, State::Ok]);
        for name in ["ambivox-fetch", "ambivox-predict"] {
            fs_err::write(folder.path().join(name), "").unwrap();
        }
        assert!(beside(&program).iter().all(|fact| fact.text.contains("/ambivox-")));
    }
}
