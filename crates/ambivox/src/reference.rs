//! `docs/cli.md` says what clap says: the test renders the page, compares, and renews it on request.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use fs_err as fs;

use crate::cli::{Cli, in_checkout};

const RENEW: &str = "AMBIVOX_BLESS=1 cargo test -p ambivox reference";

const HEAD: &str = "# Commands

What `cargo xtask --help` and `cargo xtask COMMAND --help` say, rendered from the same definitions; a test holds this page to them.
The options of the first section may stand with every command but `fetch`, `predict`, `conform` and `bench`, which have their own, and are not repeated below.
Exit codes: 0 done, 1 failed, 2 used wrongly, 3 input data at fault.
";

/// Where the tests of programs that commands are handed on to keep what clap says.
const RECORDED: [(&str, &str); 5] = [
    ("ci", "xtask/src/snapshots/xtask__cli__tests__ci.snap"),
    ("fuzz", "xtask/src/snapshots/xtask__cli__tests__fuzz.snap"),
    ("tidy", "xtask/src/snapshots/xtask__cli__tests__tidy.snap"),
    ("fetch", "crates/fetch/src/snapshots/ambivox_fetch__cli__tests__help_says_what_there_is.snap"),
    (
        "predict",
        "crates/predict/src/command/snapshots/ambivox_predict__command__cli__tests__help_says_what_there_is.snap",
    ),
];
/// Commands whose flags depend on what is measured, and are listed by their own help alone.
const MEASURING: [&str; 2] = ["conform", "bench"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    let whole = in_checkout().render_long_help().to_string();
    let mut parts = vec![format!("{HEAD}\n## cargo xtask\n{}", block(&whole))];
    parts.extend(shown(&Cli::command()).map(section));
    parts.concat()
}

fn shown(cli: &Command) -> impl Iterator<Item = &Command> {
    cli.get_subcommands().filter(|command| !command.is_hide_set())
}

fn section(command: &Command) -> String {
    let title = format!("cargo xtask {}", command.get_name());
    format!("\n## {title}\n{}", help(command, &title))
}

fn help(command: &Command, title: &str) -> String {
    let name = command.get_name();
    if let Some((_, file)) = RECORDED.iter().find(|(recorded, _)| *recorded == name) {
        return block(&recorded(&root().join(file)));
    }
    if MEASURING.contains(&name) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        return format!("\n{about}: `{title} --help` lists its flags.\n");
    }
    // Not yet joined with its parent, a command has its own options alone.
    block(&command.clone().bin_name(title.to_owned()).render_long_help().to_string())
}

/// What a snapshot holds below its header.
fn recorded(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.splitn(3, "---\n").nth(2).unwrap().to_owned()
}

fn block(help: &str) -> String {
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    format!("\n```text\n{}\n```\n", lines.join("\n"))
}

#[test]
fn the_page_says_what_clap_says() {
    let path = root().join("docs/cli.md");
    if std::env::var_os("AMBIVOX_BLESS").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page(), "docs/cli.md is not what the commands say; renew it by `{RENEW}`");
}

#[test]
fn the_page_has_every_command() {
    let page = page();
    for command in shown(&Cli::command()) {
        assert!(page.contains(&format!("\n## cargo xtask {}\n", command.get_name())));
    }
}
