//! Writes a report of made-up records, to look at the page without running a pipeline:
//! `cargo run -p ambivox-report --example made_up -- report.html`.

#[path = "../../tests/made_up/records.rs"]
mod records;

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let file =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("report.html"), PathBuf::from);
    let seeds = [0, 1, 2];
    ambivox_report::write(&file, &records::Records::new(&seeds).input())
}
