//! Writes a report of made-up records, and a ranking of labels beside it as `audit.html`, to look at
//! the pages without running a pipeline:
//! `cargo run -p ambivox-report --example made_up -- report.html`.

#[path = "../../tests/made_up/ranking.rs"]
mod ranking;
#[path = "../../tests/made_up/records.rs"]
mod records;

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let file =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("report.html"), PathBuf::from);
    let seeds = [0, 1, 2];
    let records = records::Records::new(&seeds);
    ambivox_report::write(&file, &records.input())?;
    let ranking = ranking::Ranking::new(records.manifest, &records.splits.classes);
    ranking.page(&ranking.entries()).write(&file.with_file_name("audit.html"))
}
