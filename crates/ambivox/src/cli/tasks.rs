//! `--help` lists the commands by what people are about to do.

use std::fmt::Write as _;

use clap::Command;
use clap::builder::StyledStr;

use crate::facts::{WIDTH, wrapped};

/// What people are about to do, and the commands for it.
const TASKS: [(&str, &[&str]); 6] = [
    ("Start", &["demo", "init", "doctor"]),
    ("Prepare a corpus", &["fetch", "synth", "index", "extract"]),
    ("Train and evaluate", &["plan", "cv", "report", "tune"]),
    ("Inspect labels", &["audit"]),
    ("Use trained models", &["bundle", "predict"]),
    ("Look after results", &["verify", "show", "gc", "repro", "files"]),
];
/// What is left: commands for who works on the program itself.
const OTHERS: &str = "Develop Ambivox";

/// Widest name of a command, and what lies before and behind it.
const INDENT: usize = 12;

/// The command with its visible subcommands listed by task.
pub(super) fn grouped(command: Command) -> Command {
    let mut text = String::new();
    for (task, names) in TASKS {
        list(&mut text, task, &named(&command, |name| names.contains(&name)));
    }
    let known = |name: &str| TASKS.iter().any(|(_, names)| names.contains(&name)) || name == "help";
    list(&mut text, OTHERS, &named(&command, |name| !known(name)));
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{text}Options:\n{{options}}{{after-help}}"
    );
    command.help_template(StyledStr::from(template))
}

/// Names and first lines of help of the visible commands that are asked for.
fn named(command: &Command, asked: impl Fn(&str) -> bool) -> Vec<(&str, String)> {
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set() && asked(one.get_name()));
    let about = |one: &Command| one.get_about().map(ToString::to_string).unwrap_or_default();
    shown.map(|one| (one.get_name(), about(one))).collect()
}

fn list(text: &mut String, task: &str, commands: &[(&str, String)]) {
    if commands.is_empty() {
        return;
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{task}:");
    for (name, about) in commands {
        for (at, line) in wrapped(about, WIDTH - INDENT).into_iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            let _ = writeln!(text, "  {name:<width$}{line}", width = INDENT - 2);
        }
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_command_of_a_task_exists_and_is_listed_once() {
        let command = Cli::command();
        let names: Vec<&str> = TASKS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        for name in &names {
            assert!(command.find_subcommand(name).is_some(), "{name}");
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
        let help = grouped(command.clone()).render_help().to_string();
        for shown in command.get_subcommands().filter(|one| !one.is_hide_set()) {
            let row = format!("\n  {:<10}", shown.get_name());
            assert_eq!(help.matches(&row).count(), 1, "{}: {help}", shown.get_name());
        }
        let mut listed = help.lines().take_while(|line| !line.starts_with("Options"));
        assert!(listed.all(|line| line.chars().count() <= WIDTH), "{help}");
    }
}
