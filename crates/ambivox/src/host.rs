//! The machine, as far as results can depend on it.

use std::path::Path;

use ambivox_settings::Arithmetic;
use fs_err as fs;

/// What stands for the arithmetic that is the same on every processor.
pub(crate) const PORTABLE: &str = "portable";

/// What the last bits of trained networks depend on: the instruction set, and the sizes of the
/// caches, by which products of matrices are cut into blocks and so their sums into parts.
pub(crate) fn arithmetic(asked: Arithmetic) -> String {
    if asked == Arithmetic::Portable {
        return PORTABLE.to_owned();
    }
    let caches = data_caches(Path::new("/sys/devices/system/cpu/cpu0/cache"));
    format!("{}-{}", instruction_set(), caches.as_deref().unwrap_or("unknown-caches"))
}

/// Sizes of the caches that hold data, from the nearest to the core, where the system tells.
fn data_caches(folder: &Path) -> Option<String> {
    let mut sizes = Vec::new();
    for entry in fs::read_dir(folder).ok()? {
        let cache = entry.ok()?.path();
        let fact = |name| Some(fs::read_to_string(cache.join(name)).ok()?.trim().to_owned());
        if fact("type").is_some_and(|kind| kind != "Instruction") {
            sizes.push((fact("level")?, fact("size")?));
        }
    }
    sizes.sort();
    let sizes: Vec<String> = sizes.into_iter().map(|(_, size)| size).collect();
    (!sizes.is_empty()).then(|| sizes.join("-"))
}

/// The widest instruction set of this processor, of those that kernels are chosen by. Sums of
/// products round otherwise on another.
#[cfg(target_arch = "x86_64")]
pub(crate) fn instruction_set() -> &'static str {
    use std::arch::is_x86_feature_detected as has;
    if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
        "avx512"
    } else if has!("avx2") && has!("fma") {
        "avx2"
    } else {
        "sse2"
    }
}

/// The instruction set that every processor of this architecture has.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn instruction_set() -> &'static str {
    if cfg!(target_arch = "aarch64") { "neon" } else { std::env::consts::ARCH }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_of_data_are_told_from_the_nearest() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(data_caches(&folder.path().join("none")), None);
        assert_eq!(data_caches(folder.path()), None);
        let caches = [("2", "Unified", "1024K"), ("1", "Instruction", "32K"), ("1", "Data", "48K")];
        for (index, (level, kind, size)) in caches.into_iter().enumerate() {
            let cache = folder.path().join(format!("index{index}"));
            fs::create_dir(&cache).unwrap();
            for (name, fact) in [("level", level), ("type", kind), ("size", size)] {
                fs::write(cache.join(name), format!("{fact}\n")).unwrap();
            }
        }
        assert_eq!(data_caches(folder.path()), Some("48K-1024K".to_owned()));
        assert!(arithmetic(Arithmetic::Native).starts_with(instruction_set()));
        assert_eq!(arithmetic(Arithmetic::Portable), PORTABLE);
    }
}
