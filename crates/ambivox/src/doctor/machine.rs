//! Memory and GPU, as files of the system tell.

use std::path::{Path, PathBuf};

use ambivox_settings::counted;
use fs_err as fs;

use super::Fact;

/// Bytes of a gibibyte.
const GIB: f64 = (1_u64 << 30) as f64;

/// A number of bytes as people read it.
pub(super) fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / GIB)
}

/// The folder below which the system tells of itself: `/`, but in tests.
pub(super) struct System(PathBuf);

impl System {
    pub(super) fn new(root: &Path) -> Self {
        Self(root.to_path_buf())
    }

    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.0.join(file)).ok()
    }

    /// How much there is, how much of it is free, and how much the control group may have.
    pub(super) fn memory(&self) -> Fact {
        let table = self.read("proc/meminfo").unwrap_or_default();
        let Some(total) = kibibytes(&table, "MemTotal:") else {
            return Fact::ok("memory", "unknown: this system does not tell");
        };
        let free = kibibytes(&table, "MemAvailable:").unwrap_or_default();
        let limit = self.limit().filter(|limit| *limit < total);
        let limit = limit.map(|limit| format!("; this control group may have {}", gib(limit)));
        let text = format!("{}, {} free{}", gib(total), gib(free), limit.unwrap_or_default());
        Fact::ok("memory", text)
    }

    /// The least limit of the control group and of those above it, by either version of them.
    fn limit(&self) -> Option<u64> {
        let groups = self.read("proc/self/cgroup")?;
        let files = groups.lines().filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, group) = (parts.next()?, parts.next()?);
            let of_memory = controllers.split(',').any(|name| name == "memory");
            let (place, file) = match controllers {
                "" => ("sys/fs/cgroup", "memory.max"),
                _ if of_memory => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                _ => return None,
            };
            let above = Path::new(group.trim_start_matches('/')).ancestors();
            Some(above.map(|group| Path::new(place).join(group).join(file)).collect::<Vec<_>>())
        });
        let number = |file: PathBuf| self.read(file.to_str()?)?.trim().parse().ok();
        files.flatten().filter_map(number).min()
    }

    /// Devices of NVIDIA, which nothing is computed on.
    pub(super) fn gpu(&self) -> Fact {
        let devices = fs::read_dir(self.0.join("dev")).into_iter().flatten().flatten();
        let count = devices.filter(|device| is_gpu(&device.file_name().to_string_lossy())).count();
        if count == 0 {
            return Fact::missing("GPU", "no /dev/nvidia*", "none is needed");
        }
        let driver = self.read("proc/driver/nvidia/version").and_then(|text| version(&text));
        let driver = driver.map_or("no driver".to_owned(), |driver| format!("driver {driver}"));
        Fact::ok("GPU", format!("{}, {driver}; not used: the CPU computes", counted(count, "GPU")))
    }
}

fn kibibytes(table: &str, name: &str) -> Option<u64> {
    let line = table.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok().map(|kibibytes: u64| kibibytes << 10)
}

/// `nvidia0`, but neither `nvidiactl` nor `nvidia-uvm`.
fn is_gpu(device: &str) -> bool {
    let number = device.strip_prefix("nvidia").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The first word of numbers between dots.
fn version(text: &str) -> Option<String> {
    let is_version = |word: &&str| {
        word.contains('.') && word.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
    };
    text.split_whitespace().find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    const MEMORY: &str = "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\n";

    fn of(files: &[(&str, &str)], told: fn(&System) -> Fact) -> Fact {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        told(&System::new(root.path()))
    }

    #[test]
    fn memory_has_the_least_limit_of_all_groups() {
        let memory = |files: &[(&str, &str)]| of(files, System::memory).text;
        assert_eq!(memory(&[]), "unknown: this system does not tell");
        assert_eq!(memory(&[("proc/meminfo", MEMORY)]), "8.0 GiB, 4.0 GiB free");
        let second = [
            ("proc/meminfo", MEMORY),
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("sys/fs/cgroup/a/memory.max", "1073741824\n"),
        ];
        let told = "8.0 GiB, 4.0 GiB free; this control group may have 1.0 GiB";
        assert_eq!(memory(&second), told);
        let first = [
            ("proc/meminfo", MEMORY),
            ("proc/self/cgroup", "9:name=systemd:/\n4:memory:/a\n0::/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1073741824\n"),
        ];
        assert_eq!(memory(&first), told);
        assert_eq!(memory(&first[..3]), "8.0 GiB, 4.0 GiB free");
    }

    #[test]
    fn gpus_are_counted_and_their_driver_is_named() {
        assert_eq!(of(&[("dev/nvidiactl", "")], System::gpu).state, State::Missing);
        let devices = [("dev/nvidia0", ""), ("dev/nvidia1", ""), ("dev/nvidia-uvm", "")];
        let driver = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.10  Thu Jan 1\n";
        let files = [&devices[..], &[("proc/driver/nvidia/version", driver)]].concat();
        let told = of(&files, System::gpu).text;
        assert_eq!(told, "2 GPUs, driver 570.86.10; not used: the CPU computes");
        assert!(of(&devices, System::gpu).text.contains("no driver"));
    }
}
