//! The machine that a figure was measured on.

use std::thread::available_parallelism;

/// Processor, cores and load, as far as the system tells: one line.
pub(crate) fn describe() -> String {
    let cores = available_parallelism().map_or(1, std::num::NonZero::get);
    let load = read("/proc/loadavg").and_then(|text| Some(text.split(' ').next()?.to_owned()));
    let load = load.map_or_else(|| "unknown".to_owned(), |load| load + " in the last minute");
    format!("{}, {cores} cores, load {load}", processor())
}

fn processor() -> String {
    let info = read("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let name = model.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim());
    name.unwrap_or(std::env::consts::ARCH).to_owned()
}

/// Largest memory that this process has had, in 10⁶ bytes.
pub(crate) fn peak_memory_mb() -> Option<f64> {
    status("VmHWM").map(|kibibytes| kibibytes as f64 * 1024.0 / 1e6)
}

/// A field of this process's status, in kB; `None` where the system keeps none.
pub(crate) fn status(field: &str) -> Option<u64> {
    let text = read("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A file of the system; `None` where this system has none such.
fn read(file: &str) -> Option<String> {
    fs_err::read_to_string(file).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_line_names_cores_and_load() {
        let line = super::describe();
        assert!(line.contains(" cores, load ") && !line.contains('\n'), "{line}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_peak_of_memory_counts_what_was_there() {
        let block = std::hint::black_box(vec![1u8; 50_000_000]);
        assert!(super::peak_memory_mb().unwrap() > block.len() as f64 / 1e6);
    }
}
