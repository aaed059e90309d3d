//! Stages as jobs of a real Slurm: a private one of three nodes on this machine, which `slurm/up.sh`
//! starts.
//!
//! Where slurm-wlm and munge are not installed (`slurm/install.sh`), these tests say that they skip.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fs_err as fs;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::corpora::tones;
use crate::faults::objects;
use crate::harness::{DATA, DONE, House, Ran, root, write_script};

const FAILED: i32 = 1;
/// Seconds after which the daemons end by themselves, whatever became of the tests.
const LIFETIME: &str = "600";

#[expect(clippy::print_stderr, reason = "shown with --nocapture")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// Where a program lies.
fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A private Slurm, which ends with this value.
struct Cluster {
    folder: TempDir,
}

impl Cluster {
    /// `None` where there is none to be had.
    fn start() -> Option<Self> {
        let has = |program: &str| which(program).is_some();
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
        if !is_root || !["slurmctld", "slurmd", "munged"].into_iter().all(has) {
            say("skipped: this needs root, slurm-wlm and munge; tests/slurm/install.sh gets them");
            return None;
        }
        let cluster = Self { folder: TempDir::new().unwrap() };
        let up = Command::new(root().join("tests/slurm/up.sh"))
            .arg(cluster.path(""))
            .arg(LIFETIME)
            .stdout(Stdio::null())
            .status();
        assert!(up.unwrap().success(), "no private Slurm");
        Some(cluster)
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join("slurm").join(relative)
    }

    /// Runs a command of Slurm, which has ten seconds; returns what it printed.
    fn call(&self, line: &[&str]) -> String {
        let mut command = Command::new("timeout");
        command.arg("10").args(line).env("SLURM_CONF", self.path("slurm.conf"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What is running in the partition that most tests use, in this form.
    fn running(&self, form: &str) -> String {
        let form = format!("--format={form}");
        let states = ["--states=RUNNING", "--partition=all"];
        self.call(&["squeue", "--noheader", "--array", states[0], states[1], &form])
    }

    fn set_node(&self, node: &str, state: &str) {
        let (node, state) = (format!("nodename={node}"), format!("state={state}"));
        self.call(&["scontrol", "update", &node, &state, "reason=test"]);
    }

    /// Puts a program of the house before all others in a driver's path; it finds the one of its name
    /// that it stands before in `$REAL`.
    fn start_behind(&self, house: &House, program: &Path, arguments: &[&str]) -> Child {
        let path = std::env::var("PATH").unwrap();
        let mut driver = self.command(house, arguments);
        driver.env("REAL", which(program.file_name().unwrap().to_str().unwrap()).unwrap());
        driver.env("PATH", format!("{}:{path}", program.parent().unwrap().display()));
        driver.spawn().unwrap()
    }

    fn stop_controller(&self) {
        let pid = fs::read_to_string(self.path("slurmctld.pid")).unwrap();
        let signal = |name| Command::new("kill").args([name, pid.trim()]).output().unwrap();
        signal("-TERM");
        wait_for("the end of the controller", || !signal("-0").status.success());
    }

    fn start_controller(&self) {
        self.call(&["slurmctld", "-f", self.path("slurm.conf").to_str().unwrap()]);
    }

    /// A command of this house whose stages run here.
    fn command(&self, house: &House, arguments: &[&str]) -> Command {
        let executor = house.path("executor.toml");
        let place = ["--executor", "slurm", "--executor-file", executor.to_str().unwrap()];
        let mut command = house.command(&[arguments, &place].concat());
        command.env("SLURM_CONF", self.path("slurm.conf"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start_driver(&self, house: &House, arguments: &[&str]) -> Child {
        self.command(house, arguments).spawn().unwrap()
    }

    fn run(&self, house: &House, arguments: &[&str]) -> Ran {
        end(self.start_driver(house, arguments), arguments)
    }

    /// Starts a driver and waits until a task of it runs.
    fn start_until_running(&self, house: &House, arguments: &[&str]) -> Child {
        let driver = self.start_driver(house, arguments);
        wait_for("a running task", || !self.running("%i").is_empty());
        driver
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let down = Command::new(root().join("tests/slurm/down.sh")).arg(self.path("")).status();
        if !down.is_ok_and(|status| status.success()) {
            say("the private Slurm may still be running; it ends by itself");
        }
    }
}

fn end(driver: Child, arguments: &[&str]) -> Ran {
    Ran::new(arguments, driver.wait_with_output().unwrap())
}

fn wait_for(what: &str, happened: impl Fn() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < Duration::from_mins(1), "{what}: waited in vain");
        sleep(Duration::from_millis(50));
    }
}

/// Asks the executor for a shell line before the work of every task.
fn before_work(house: &House, line: &str) {
    before_work_with(house, line, "", "");
}

/// The same with other settings of all tasks, and with other resources.
fn before_work_with(house: &House, line: &str, settings: &str, resources: &str) {
    let text = format!(
        "[executor.slurm]\npoll_seconds = 0.25\nsetup = ['''{line}''']\n{settings}\n\
         [executor.slurm.resources]\ncpus = 1\n{resources}\n"
    );
    house.write("executor.toml", text);
}

/// The small demonstration in a folder whose name no shell reads as one word.
fn demonstration() -> House {
    let house = House::named("it's a \"house\" 100%a ");
    let text = fs::read_to_string(root().join("pipelines/demo-small.toml")).unwrap();
    let manifest = root().join("data-manifests/synth.toml");
    let text = text.replace("../data-manifests/synth.toml", manifest.to_str().unwrap());
    house.write("pipelines/tiny.toml", text);
    before_work(&house, ":");
    house
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// One cluster for all that is tested here, since its two processors are all there are.
#[test]
fn a_pipeline_on_slurm() {
    let Some(cluster) = Cluster::start() else { return };
    let started = Instant::now();
    let told = |what: &str| say(&format!("{what}, after {:.1} s", started.elapsed().as_secs_f64()));
    let late = TooLong::start(&cluster);
    ends_with_the_same_bytes(&cluster);
    told("the same bytes");
    passes_on_what_a_stage_complains_of(&cluster);
    told("a complaint");
    let house = tones();
    house.edit("pipelines/tiny.toml", "seeds = [0]", "seeds = [0, 1]");
    house.run(&["cv", "--fold", "dora"]).ended(DONE);
    a_cancelled_task(&cluster, &house);
    told("a cancelled task");
    a_node_that_fails(&cluster, &house);
    told("a failed node");
    a_task_that_makes_room(&cluster, &house);
    told("a preempted task");
    a_task_that_runs_out_of_memory(&cluster, &house);
    told("a task out of memory");
    a_submission_without_an_answer(&cluster, &house);
    told("a lost answer");
    a_controller_that_is_gone_for_a_while(&cluster, &house);
    told("another controller");
    a_driver_that_is_killed(&cluster, &house);
    told("a killed driver");
    two_drivers_at_once(&cluster, &house);
    told("two drivers");
    house.run(&["verify"]).ended(DONE);
    // All but one method's other runs, the evaluation, and what a cluster without cgroups left out.
    let made = if cluster.path("enforces-memory").exists() { "5 made" } else { "6 made" };
    assert!(house.run(&["cv"]).ended(DONE).text().contains(made), "something was not kept");
    late.ends(&cluster);
    told("a task out of time");
}

/// Sounds are described in three parts there, and in one piece here.
fn ends_with_the_same_bytes(cluster: &Cluster) {
    let (here, there) = (demonstration(), demonstration());
    before_work_with(&there, ":", "extract_shards = 3", "");
    let local = here.command(&["report"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let shown = cluster.run(&there, &["report", "--dry-run"]).ended(DONE);
    assert!(shown.stdout.contains("$ sbatch ") && shown.stdout.contains("JOB-OF-EXTRACT-PARTS"));
    let planned = cluster.run(&there, &["extract", "--dry-run", "--json"]).ended(DONE).document();
    let arrays = planned["arrays"].as_array().unwrap();
    let after: Vec<&Value> = arrays.iter().map(|array| &array["after"]).collect();
    assert_eq!(after, [&json!([]), &json!([0]), &json!([0, 1]), &json!([0, 1, 2])]);
    assert_eq!(arrays[2]["tasks"].as_array().unwrap().len(), 3);
    let extracted = cluster.run(&there, &["extract"]).ended(DONE);
    say(&extracted.stderr);
    assert!(extracted.stderr.contains("6 tasks submitted as "), "{}", extracted.stderr);
    let ran = cluster.run(&there, &["report"]).ended(DONE);
    end(local.unwrap(), &["report"]).ended(DONE);
    say(&ran.stderr);
    assert!(ran.stderr.contains("1 task submitted as "), "{}", ran.stderr);
    assert!(ran.stderr.contains("32 tasks submitted as "), "{}", ran.stderr);
    let (here_made, there_made) = (objects(&here), objects(&there));
    assert_eq!(here_made.len(), there_made.len());
    assert!(here_made == there_made, "Slurm made other bytes");
    say(&format!("{} files are the same, byte for byte", here_made.len()));
    there.run(&["verify"]).ended(DONE);
    assert!(is_empty(&there.path("store/slurm/orders")), "orders that ended well are left");
    assert!(is_empty(&there.path("store/partial")), "parts are left");
    let again = cluster.run(&there, &["report"]).ended(DONE);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
}

fn passes_on_what_a_stage_complains_of(cluster: &Cluster) {
    let house = tones();
    before_work(&house, ":");
    let sound = fs::read_dir(house.path("corpus/wav")).unwrap().next().unwrap().unwrap();
    fs::write(sound.path(), "no sound").unwrap();
    let name = sound.file_name().into_string().unwrap();
    let ran = cluster.run(&house, &["cv"]).ended(DATA);
    ran.complained_of(&["extract failed", &name, ".log"]);
}

const ONE: [&str; 7] = ["cv", "--method", "lw", "--fold", "anna", "--seed", "0"];

fn a_cancelled_task(cluster: &Cluster, house: &House) {
    before_work(house, "sleep 60");
    let driver = cluster.start_until_running(house, &ONE);
    cluster.call(&["scancel", &cluster.running("%i")]);
    end(driver, &ONE).ended(FAILED).complained_of(&["train/lw/0/anna failed: it was cancelled"]);
    before_work(house, ":");
    cluster.run(house, &ONE).ended(DONE);
}

/// Its work goes on on the other node.
fn a_node_that_fails(cluster: &Cluster, house: &House) {
    let other = ["cv", "--method", "lw", "--fold", "bert", "--seed", "0"];
    let nodes = house.path("nodes");
    before_work(house, &format!("echo $SLURMD_NODENAME >> '{}'; sleep 2", nodes.display()));
    let driver = cluster.start_until_running(house, &other);
    let node = cluster.running("%N");
    wait_for("the task's first word", || nodes.exists());
    cluster.set_node(&node, "down");
    end(driver, &other).ended(DONE);
    cluster.set_node(&node, "resume");
    let nodes = fs::read_to_string(nodes).unwrap();
    let used: Vec<&str> = nodes.lines().collect();
    assert!(used.len() >= 3 && used[0] == node, "{nodes}");
    assert!(used[1..].iter().all(|other| *other != node), "{node} was down: {nodes}");
}

/// A task of another partition takes both nodes. Slurm cancels ours, and does not bring it back.
fn a_task_that_makes_room(cluster: &Cluster, house: &House) {
    let other = ["cv", "--method", "lw", "--fold", "anna", "--seed", "1"];
    before_work(house, "sleep 2");
    let driver = cluster.start_until_running(house, &other);
    let urgent = ["--partition=urgent", "--nodes=2", "--exclusive", "--wrap=sleep 1"];
    cluster.call(&["sbatch", "--output=/dev/null", urgent[0], urgent[1], urgent[2], urgent[3]]);
    let ran = end(driver, &other).ended(DONE);
    ran.complained_of(&["train/lw/1/anna: it was preempted; once again"]);
}

fn a_task_that_runs_out_of_memory(cluster: &Cluster, house: &House) {
    if !cluster.path("enforces-memory").exists() {
        say(
            "skipped: memory is not enforced, since there are no cgroups of the first version here",
        );
        return;
    }
    let other = ["cv", "--method", "lw", "--fold", "bert", "--seed", "1"];
    // Half a gigabyte is enough for the work, and a quarter for nothing.
    let eats = "if [ \"$SLURM_MEM_PER_NODE\" -lt 500 ]; then \
                x=$(head -c 400M /dev/zero | tr '\\0' x); echo ${#x}; fi";
    before_work_with(house, eats, "memory_limit = \"1G\"", "memory = \"256M\"");
    let ran = cluster.run(house, &other).ended(DONE);
    ran.complained_of(&["train/lw/1/bert: it ran out of memory; once again with 512M"]);
    before_work_with(house, eats, "memory_limit = \"300M\"", "memory = \"256M\"");
    let other = ["cv", "--method", "lw", "--fold", "carl", "--seed", "1"];
    let ran = cluster.run(house, &other).ended(FAILED);
    ran.complained_of(&["train/lw/1/carl failed: it ran out of 300M of memory", "memory_limit"]);
}

/// The job is queued, and the word of it is lost on the way.
fn a_submission_without_an_answer(cluster: &Cluster, house: &House) {
    let other = ["cv", "--method", "lw", "--fold", "carl", "--seed", "1"];
    let (begun, mute) = (house.path("answered"), house.path("mute/sbatch"));
    before_work(house, &format!("echo begun >> '{}'", begun.display()));
    let text = "#!/bin/sh\nif rm \"$0.once\" 2>/dev/null; then\n\
                \"$REAL\" \"$@\" >/dev/null\n\
                echo 'sbatch: error: Batch job submission failed: Socket timed out' >&2; exit 1\n\
                fi\nexec \"$REAL\" \"$@\"\n";
    house.write("mute/sbatch.once", "");
    write_script(&mute, text);
    let ran = end(cluster.start_behind(house, &mute, &other), &other).ended(DONE);
    ran.complained_of(&["slurm does not answer", "2 tasks submitted as "]);
    assert_eq!(fs::read_to_string(begun).unwrap().lines().count(), 2);
}

/// A stage that takes longer than it may. Slurm looks for such every half a minute, and grants no
/// shorter time than one; so this is begun first and ends last.
struct TooLong {
    house: House,
    driver: Child,
}

impl TooLong {
    const COMMAND: [&str; 1] = ["index"];

    fn start(cluster: &Cluster) -> Self {
        let house = tones();
        let asked = "time = \"00:01:00\"\npartition = \"aside\"";
        before_work_with(&house, "echo so far, so good; sleep 600", "", asked);
        let driver = cluster.start_driver(&house, &Self::COMMAND);
        Self { house, driver }
    }

    fn ends(self, cluster: &Cluster) {
        let ran = end(self.driver, &Self::COMMAND).ended(FAILED);
        ran.complained_of(&["index failed: it ran out of time", "so far, so good"]);
        before_work_with(&self.house, ":", "", "partition = \"aside\"");
        cluster.run(&self.house, &Self::COMMAND).ended(DONE);
    }
}

fn a_controller_that_is_gone_for_a_while(cluster: &Cluster, house: &House) {
    let other = ["cv", "--method", "lw", "--fold", "carl", "--seed", "0"];
    before_work(house, "sleep 2");
    let driver = cluster.start_until_running(house, &other);
    cluster.stop_controller();
    sleep(Duration::from_secs(1));
    cluster.start_controller();
    end(driver, &other).ended(DONE);
}

fn a_driver_that_is_killed(cluster: &Cluster, house: &House) {
    let other = ["cv", "--method", "baseline", "--fold", "anna", "--seed", "0"];
    before_work(house, "sleep 2");
    let mut driver = cluster.start_until_running(house, &other);
    driver.kill().unwrap();
    driver.wait().unwrap();
    let again = cluster.run(house, &other).ended(DONE);
    assert!(!again.stderr.contains("submitted"), "{}", again.stderr);
}

/// The second does not see what the first has submitted until it has submitted the same: a training
/// and an evaluation, each of which is then made once.
fn two_drivers_at_once(cluster: &Cluster, house: &House) {
    let other = ["cv", "--method", "baseline", "--fold", "bert", "--seed", "0"];
    let (begun, blind) = (house.path("begun"), house.path("blind/squeue"));
    // The work of the first waits until the second has looked, and then some.
    let wait = format!("while [ -e '{}.once' ]; do sleep 0.1; done; sleep 3", blind.display());
    before_work(house, &format!("echo begun >> '{}'; {wait}", begun.display()));
    let queue =
        "#!/bin/sh\nif rm \"$0.once\" 2>/dev/null; then exit 0; fi\nexec \"$REAL\" \"$@\"\n";
    house.write("blind/squeue.once", "");
    write_script(&blind, queue);
    let first = cluster.start_until_running(house, &other);
    let second = end(cluster.start_behind(house, &blind, &other), &other).ended(DONE);
    second.complained_of(&["another driver has submitted the same"]);
    end(first, &other).ended(DONE);
    assert_eq!(fs::read_to_string(begun).unwrap().lines().count(), 2);
}
