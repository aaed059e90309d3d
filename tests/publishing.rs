//! What lies in the results folder and is not ours stays, links and what they lead to among it.

use std::os::unix::fs::symlink;

use fs_err as fs;

use crate::corpora::tones;
use crate::harness::{DONE, House};

const ANNA: [&str; 5] = ["cv", "--method", "lw", "--fold", "anna"];
const EVENTS: &str = "events.out.tfevents.0.ambivox";

fn run_of(fold: &str) -> String {
    format!("results/tiny/tensorboard/lw/seed-0/{fold}")
}

#[test]
fn files_of_others_stay_where_event_files_go() {
    let house = tones();
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    let foreign = [
        "results/tiny/tensorboard/notes.md".to_owned(),
        "results/tiny/tensorboard/mine/events.out.tfevents.1.pytorch".to_owned(),
        format!("{}/events.out.tfevents.1.pytorch", run_of("bert")),
    ];
    for file in &foreign {
        house.write(file, "mine");
    }
    house.write("elsewhere/data", "mine");
    symlink(house.path("elsewhere"), house.path("results/tiny/tensorboard/elsewhere")).unwrap();
    // Another pipeline's folds: nobody trains for bert any more.
    let table = house.read("corpus/labels.csv");
    house.write("corpus/labels.csv", table.replace(",bert,", ",berta,"));
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    assert!(!house.path(&run_of("bert")).join(EVENTS).exists(), "of a run that is none");
    assert!(house.path(&run_of("berta")).join(EVENTS).exists());
    for file in foreign.iter().map(String::as_str).chain(["elsewhere/data"]) {
        assert_eq!(house.read(file), "mine", "{file}");
    }
}

#[test]
fn a_link_in_place_of_the_event_files_keeps_what_it_leads_to() {
    let house = tones();
    let below = "lw/seed-0/anna";
    house.write(&format!("elsewhere/{below}/{EVENTS}"), "mine");
    house.write("elsewhere/thesis.tex", "mine");
    fs::create_dir_all(house.path("results/tiny")).unwrap();
    symlink(house.path("elsewhere"), house.path("results/tiny/tensorboard")).unwrap();
    let ran = house.run(&ANNA).ended(DONE);
    ran.complained_of(&["tensorboard: not as it was published here; it is kept as"]);
    assert!(house.path("results/tiny/tensorboard.kept-1").is_symlink());
    let event = format!("{}/{EVENTS}", run_of("anna"));
    assert!(fs::metadata(house.path(&event)).unwrap().len() > 100);
    assert_eq!(house.read(&format!("elsewhere/{below}/{EVENTS}")), "mine");
    assert_eq!(house.read("elsewhere/thesis.tex"), "mine");
}

/// A cross-validation of other results removes the page that was published, and no other.
#[test]
fn a_page_of_somebody_else_is_kept() {
    let page = |house: &House| house.read("results/tiny/report.html");
    let house = tones();
    house.write("results/tiny/report.html", "mine");
    house.run(&ANNA).ended(DONE).complained_of(&["report.html: stays"]);
    assert_eq!(page(&house), "mine");
    house.run(&["report", "--method", "lw", "--fold", "anna"]).ended(DONE);
    assert!(page(&house).contains("<html"));
    assert_eq!(house.read("results/tiny/report.html.kept-1"), "mine");
    house.edit("pipelines/tiny.toml", "label_rate = 0.2", "label_rate = 0.1");
    house.run(&ANNA).ended(DONE).complained_of(&["report.html: removed"]);
    assert!(!house.path("results/tiny/report.html").exists());

    house.write("elsewhere.html", "mine");
    symlink(house.path("elsewhere.html"), house.path("results/tiny/report.html")).unwrap();
    house.run(&ANNA).ended(DONE);
    house.run(&["report", "--method", "lw", "--fold", "anna"]).ended(DONE);
    assert!(page(&house).contains("<html"));
    assert_eq!(house.read("elsewhere.html"), "mine");
    assert!(house.path("results/tiny/report.html.kept-2").is_symlink());
}
