//! File systems without locks, and such as show things late and in any order.

use std::path::PathBuf;
use std::sync::Barrier;

use super::*;

/// Threads with a store each stand for machines; none of them sees a lock of another.
fn without_locks() -> (Place, Store) {
    let (place, store) = Place::new();
    fs::write(store.root().join("without-locks"), "").unwrap();
    (place, store)
}

/// Begins the same key so often at once, and commits when all have begun.
fn race(place: &Place, workers: usize) -> Vec<Record> {
    let begun = Barrier::new(workers);
    let work = || {
        let store = place.store();
        let staging = begin(&store, &parts(1));
        write_outputs(&staging);
        begun.wait();
        store.commit(staging, &parts(1), NAMES, provenance()).unwrap()
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
fn without_locks_all_do_the_work_and_end_in_one_sound_record() {
    for _ in 0..20 {
        let (place, store) = without_locks();
        let records = race(&place, 4);
        assert!(records.iter().all(|record| record.outputs == records[0].outputs));
        let Lookup::Fresh(found) = lookup(&place.store(), &parts(1)) else { panic!("no record") };
        assert_eq!(found.outputs, records[0].outputs);
        assert_eq!(store.verify(&found), []);
        assert_eq!(fs::read_dir(store.root().join("staging")).unwrap().count(), 0);
    }
}

/// A step by which a file system that has no order shows what a machine did.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// Outputs of this machine lie in their place, instead of whatever lay there.
    Outputs(usize),
    /// So does its record.
    Record(usize),
}

/// All orders of these steps.
fn orders(steps: &[Step]) -> Vec<Vec<Step>> {
    if steps.is_empty() {
        return vec![Vec::new()];
    }
    let first = |&step: &Step| {
        let rest: Vec<Step> = steps.iter().copied().filter(|other| *other != step).collect();
        let prefixed = move |order: Vec<Step>| [vec![step], order].concat();
        orders(&rest).into_iter().map(prefixed).collect::<Vec<_>>()
    };
    steps.iter().flat_map(first).collect()
}

/// Shows a step of a machine's store in a view.
fn show(step: Step, machines: &[(Place, Store)], view: &Store) {
    let (Step::Outputs(machine) | Step::Record(machine)) = step;
    let from = machines[machine].1.root();
    let is_shown = |file: &PathBuf| file.starts_with("records") == matches!(step, Step::Record(_));
    for file in files_backwards(from).into_iter().filter(is_shown) {
        let to = view.root().join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        // Another file in its place, as by a move.
        let beside = to.with_extension("moved");
        fs::copy(from.join(file), &beside).unwrap();
        fs::rename(beside, to).unwrap();
    }
}

/// Two machines make the same key to other bytes, as no stage of the house does, and what they did shows
/// in any order. Whatever is found at any time is a record beside the outputs that it names, and what is
/// left in the end can be worked on.
#[test]
fn in_whatever_order_things_show_a_record_never_counts_beside_outputs_of_another() {
    let machines: Vec<(Place, Store)> = (0..2)
        .map(|machine| {
            let (place, store) = without_locks();
            let staging = begin(&store, &parts(1));
            write_outputs(&staging);
            fs::write(staging.out().join("index.parquet"), format!("rows of {machine}")).unwrap();
            store.commit(staging, &parts(1), NAMES, provenance()).unwrap();
            (place, store)
        })
        .collect();
    let steps = [Step::Outputs(0), Step::Record(0), Step::Outputs(1), Step::Record(1)];
    let mut found_any = 0;
    for order in orders(&steps) {
        let (place, view) = without_locks();
        for (at, step) in order.iter().enumerate() {
            show(*step, &machines, &view);
            // Both a reader that has been there all the time and one that comes now.
            for store in [&view, &place.store()] {
                let Lookup::Fresh(found) = lookup(store, &parts(1)) else { continue };
                let rows = store.output(&found, "index").unwrap();
                let digest = Digest::from(blake3::hash(&fs::read(rows).unwrap()));
                assert_eq!(digest, found.outputs["index"].digest, "{:?}", &order[..=at]);
                found_any += 1;
            }
        }
        if !matches!(lookup(&view, &parts(1)), Lookup::Fresh(_)) {
            make(&view, &parts(1));
        }
        assert!(matches!(lookup(&view, &parts(1)), Lookup::Fresh(_)), "{order:?}");
    }
    assert!(found_any > 0, "nothing was ever found");
}

#[test]
fn a_second_worker_finds_the_result_of_the_first_and_leaves_it_alone() {
    let (_place, store) = without_locks();
    let (one, two) = (begin(&store, &parts(1)), begin(&store, &parts(1)));
    write_outputs(&one);
    write_outputs(&two);
    let first = store.commit(one, &parts(1), NAMES, provenance()).unwrap();
    let later = Provenance { seconds: 9.0, ..provenance() };
    assert_eq!(store.commit(two, &parts(1), NAMES, later).unwrap(), first);
}

/// Every file of a store in the order in which a late machine sees them here: the record first, then
/// the outputs, each at first empty.
fn files_backwards(root: &Path) -> Vec<PathBuf> {
    let all = walkdir::WalkDir::new(root).into_iter().flatten();
    let files = all.filter(|entry| entry.file_type().is_file()).map(|entry| {
        let relative = entry.path().strip_prefix(root).unwrap();
        relative.to_path_buf()
    });
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.starts_with("objects") || file.starts_with("records")).collect();
    files.sort();
    files.reverse();
    files
}

#[test]
fn what_shows_late_and_in_parts_is_not_there_until_it_is_whole() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    let (late, view) = Place::new();
    let files = files_backwards(store.root());
    assert!(files.len() == 3 && files[0].starts_with("records"), "{files:?}");
    for file in &files {
        assert!(!matches!(lookup(&late.store(), &parts(1)), Lookup::Fresh(_)), "{file:?}");
        let to = view.root().join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(&to, "").unwrap();
        assert!(!matches!(lookup(&late.store(), &parts(1)), Lookup::Fresh(_)), "{file:?} empty");
        fs::copy(store.root().join(file), to).unwrap();
    }
    assert_eq!(lookup(&late.store(), &parts(1)), Lookup::Fresh(Box::new(record)));
}

/// A machine that does not see a result yet makes it again; with it all there, the first stays.
#[test]
fn a_result_that_shows_while_it_is_made_again_stays() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    let (late, view) = without_locks();
    let staging = begin(&view, &parts(1));
    write_outputs(&staging);
    for file in files_backwards(store.root()) {
        let to = view.root().join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(store.root().join(&file), to).unwrap();
    }
    let later = Provenance { seconds: 9.0, ..provenance() };
    assert_eq!(view.commit(staging, &parts(1), NAMES, later).unwrap(), record);
    assert_eq!(lookup(&late.store(), &parts(1)), Lookup::Fresh(Box::new(record)));
}
