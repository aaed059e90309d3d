//! Files of our own, of others, and links, in a results folder.

use std::os::unix::fs::symlink;

use super::*;

/// A folder with results and outputs.
pub(crate) struct House {
    folder: tempfile::TempDir,
    memo: StatMemo,
    progress: Progress,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, memo: StatMemo::in_memory(), progress: Progress::new(true) }
    }

    pub(crate) fn open(&self) -> Published<'_> {
        Published::open(&self.path("results"), &self.memo, &self.progress).unwrap()
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub(crate) fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap()
    }

    /// An output of this content.
    pub(crate) fn output(&self, text: &str) -> PathBuf {
        self.write(&format!("outputs/{text}"), text);
        self.path(&format!("outputs/{text}"))
    }

    /// Publishes an output of this content, as one command does.
    fn publish(&self, name: &str, text: &str) {
        let mut published = self.open();
        published.publish(&self.output(text), Path::new(name)).unwrap();
        published.save().unwrap();
    }

    /// Removes what lies there, as one command does.
    fn remove(&self, name: &str) -> bool {
        let mut published = self.open();
        let removed = published.remove(Path::new(name)).unwrap();
        published.save().unwrap();
        removed
    }

    /// Files and links below a folder, sorted; of our own keeping none.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let folder = self.path(folder);
        let entries = walkdir::WalkDir::new(&folder).sort_by_file_name().into_iter().flatten();
        let files = entries.filter(|entry| !entry.file_type().is_dir());
        let names = files.map(|file| file.path().strip_prefix(&folder).unwrap().to_owned());
        let names = names.map(|name| name.display().to_string());
        names.filter(|name| ![".lock", LIST].contains(&name.as_str())).collect()
    }
}

#[test]
fn one_at_a_time_publishes() {
    let house = House::new();
    let held = house.open();
    let other = fs::File::open(house.path("results/.lock")).unwrap();
    assert!(other.try_lock().is_err());
    drop(held);
    assert!(other.try_lock().is_ok());
}

#[test]
fn what_was_published_is_replaced_and_removed() {
    let house = House::new();
    for text in ["one", "two"] {
        house.publish("a/b", text);
        assert_eq!(house.read("results/a/b"), text);
    }
    let modified = || fs::metadata(house.path("results/a/b")).unwrap().modified().unwrap();
    let before = modified();
    house.publish("a/b", "two");
    assert_eq!(modified(), before);
    assert_eq!(house.files("results"), ["a/b"]);
    assert!(house.remove("a/b"));
    assert!(!house.path("results/a").exists());
    assert!(!house.remove("a/b"));
}

#[test]
fn what_somebody_edited_is_kept_beside() {
    let house = House::new();
    house.publish("a", "one");
    house.write("results/a", "edited");
    assert!(!house.remove("a"));
    assert_eq!(house.read("results/a"), "edited");
    house.publish("a", "one");
    house.write("results/a", "edited again");
    house.publish("a", "one");
    assert_eq!(house.read("results/a"), "one");
    assert_eq!(house.files("results"), ["a", "a.kept-1", "a.kept-2"]);
    assert_eq!(house.read("results/a.kept-2"), "edited again");
}

#[test]
fn a_file_that_was_never_published_is_kept() {
    let house = House::new();
    house.write("results/report.html", "mine");
    assert!(!house.remove("report.html"));
    assert_eq!(house.read("results/report.html"), "mine");
    house.publish("report.html", "page");
    assert_eq!(house.read("results/report.html.kept-1"), "mine");
    assert_eq!(house.read("results/report.html"), "page");
}

/// As of results that were published before there were lists.
#[test]
fn the_same_content_is_taken_as_published() {
    let house = House::new();
    house.write("results/a", "one");
    house.publish("a", "one");
    assert_eq!(house.files("results"), ["a"]);
    assert!(house.remove("a"));
}

#[test]
fn nothing_is_done_through_links() {
    let house = House::new();
    for link in ["tensorboard", "tensorboard/lw", "tensorboard/lw/events", "tensorboard/none"] {
        fs::remove_dir_all(house.path("results")).ok();
        house.write("elsewhere/lw/events", "one");
        let file = if link.ends_with("none") {
            "tensorboard/none/events"
        } else {
            "tensorboard/lw/events"
        };
        house.publish(file, "one");
        // The same content behind a link is nobody's but its owner's.
        let path = house.path("results").join(link);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        let below =
            Path::new("elsewhere").join(Path::new(link).strip_prefix("tensorboard").unwrap());
        symlink(house.path("").join(below), &path).unwrap();

        assert!(!house.remove(file), "{link}");
        assert!(path.is_symlink(), "{link}");
        house.publish(file, "two");
        assert_eq!(house.read("elsewhere/lw/events"), "one", "{link}");
        assert_eq!(house.files("elsewhere"), ["lw/events"], "{link}");
        let kept = PathBuf::from(format!("{}.kept-1", path.display()));
        assert!(kept.is_symlink(), "{link}");
        assert_eq!(house.read(&format!("results/{file}")), "two", "{link}");
        assert!(house.remove(file), "{link}");
    }
}

/// A training that was killed leaves a file that no digest is known of.
#[test]
fn a_file_that_is_being_written_is_ours() {
    let house = House::new();
    house.write("results/mine/b", "mine");
    let names = ["tb/a", "mine"].map(Path::new);
    house.open().expect(names).unwrap();
    assert_eq!(house.files("results"), ["mine.kept-1/b"]);
    house.write("results/tb/a", "some");
    house.write("results/mine", "some");
    house.open().expect(names).unwrap();
    assert_eq!(house.read("results/tb/a"), "some");
    assert!(house.remove("tb/a"));
    house.publish("mine", "all of it");
    assert_eq!(house.files("results"), ["mine", "mine.kept-1/b"]);
}

#[test]
fn a_list_that_names_what_lies_elsewhere_removes_nothing() {
    let house = House::new();
    house.write("outside", "mine");
    house.write(&format!("results/{LIST}"), r#"{ "../outside": null }"#);
    assert!(!house.remove("../outside"));
    assert_eq!(house.read("outside"), "mine");
    house.write(&format!("results/{LIST}"), "[");
    let opened = Published::open(&house.path("results"), &house.memo, &house.progress);
    assert!(opened.err().unwrap().to_string().contains("hint: remove it"));
}
