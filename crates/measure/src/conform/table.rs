//! A comparison as a table of 80 columns and as JSON.

use ambivox_lld::ColumnAgreement;
use serde_json::{Value, json};

use super::Findings;

/// So many names of files are shown; JSON has all.
const NAMES_SHOWN: usize = 8;

/// So many names of columns stand in the verdict, which is one line.
const COLUMNS_SHOWN: usize = 2;

/// The table, what was left out, and the verdict on the last line.
pub(crate) fn text(findings: &Findings) -> String {
    let heads = ["max error", "allowed", "median", "within", "identical"];
    let mut text = format!("{:<26}", findings.set);
    text.extend(heads.map(|head| format!(" {head:>9}")));
    findings.columns.iter().for_each(|column| text += &line(column));
    text.push('\n');
    let short = findings.columns.iter().filter(|column| !column.holds());
    text.extend(short.map(|column| {
        let file = &findings.compared[column.worst.recording];
        format!("\n{}: worst in {file}, frame {}", column.name, column.worst.frame)
    }));
    text += &names("\nin the reference, but not given", &findings.not_given);
    text += &names("\ngiven, but not in the reference", &findings.not_in_reference);
    text + "\nvoiced or not: " + &voicing(findings) + "\n" + &verdict(findings)
}

fn line(column: &ColumnAgreement) -> String {
    let share = |count| percent(count, column.frames);
    format!(
        "\n{:<26} {:>9} {:>9} {:>9} {:>9} {:>9}",
        column.name,
        short(column.worst.error),
        if column.worst.error > 0.0 { short(column.worst.allowed) } else { "-".to_owned() },
        short(column.median_error),
        share(column.within),
        share(column.identical),
    )
}

fn short(error: f32) -> String {
    if error == 0.0 { "0".to_owned() } else { format!("{error:.1e}") }
}

/// Rounded down, so that 100 % means all.
fn percent(count: usize, all: usize) -> String {
    let thousandths = (100_000.0 * count as f64 / all.max(1) as f64).floor();
    format!("{:.3}%", thousandths / 1000.0)
}

fn names(title: &str, names: &[String]) -> String {
    let shown = names.iter().take(NAMES_SHOWN).map(|name| format!("\n  {name}"));
    let hidden = names.len().saturating_sub(NAMES_SHOWN);
    let rest = (hidden > 0).then(|| format!("\n  and {hidden} more; --json names all"));
    match names.len() {
        0 => String::new(),
        n => format!("{title} ({n}):") + &shown.chain(rest).collect::<String>(),
    }
}

fn voicing(findings: &Findings) -> String {
    match findings.voicing_differs {
        0 => format!("the same in all {} frames", findings.frames()),
        n => format!("differs in {n} of {} frames", findings.frames()),
    }
}

fn verdict(findings: &Findings) -> String {
    let (files, frames) = (findings.compared.len(), findings.frames());
    let all = findings.columns.len();
    let short = findings.falls_short();
    if short.is_empty() {
        return format!("conforms: {all} columns, {frames} frames of {files} files");
    }
    let named = short.iter().take(COLUMNS_SHOWN).copied().collect::<Vec<_>>().join(", ");
    let more = if short.len() > COLUMNS_SHOWN { ", …" } else { "" };
    format!("falls short: {} of {all} columns: {named}{more}", short.len())
}

/// The same as one document.
pub(crate) fn json(findings: &Findings) -> String {
    let column = |column: &ColumnAgreement| -> Value {
        json!({
            "name": column.name,
            "frames": column.frames,
            "within": column.within,
            "identical": column.identical,
            "max_error": column.worst.error,
            "allowed": column.worst.allowed,
            "median_error": column.median_error,
            "worst": {
                "file": findings.compared[column.worst.recording],
                "frame": column.worst.frame,
            },
        })
    };
    let document = json!({
        "schema": 1,
        "set": findings.set,
        "files": findings.compared.len(),
        "frames": findings.frames(),
        "columns": findings.columns.iter().map(column).collect::<Vec<_>>(),
        "voicing_differs": findings.voicing_differs,
        "not_given": findings.not_given,
        "not_in_reference": findings.not_in_reference,
        "conforms": findings.falls_short().is_empty(),
    });
    format!("{document:#}")
}
