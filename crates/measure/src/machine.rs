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
}
