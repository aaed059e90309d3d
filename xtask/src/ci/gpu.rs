//! What CI checks of the code for GPUs where there is none. That the kernels compute what they should
//! is checked by the tests of `ambivox-nn`, on the CPU.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, ensure};

use super::target;
use crate::binary::cargo;

/// Folder with a stand-in for NVIDIA's compiler: the dependencies' kernels take it ten minutes, and
/// nothing of that is needed to check our Rust code.
const STAND_IN: &str = ".ci/stand-in";

/// Clippy on the Rust side of the feature `cuda`. It has a target folder of its own, so that the
/// feature's dependencies do not take turns with the other build's.
pub(super) fn lint(root: &Path) -> anyhow::Result<()> {
    let stand_in = root.join(STAND_IN);
    let status = cargo()
        .current_dir(root)
        .args(["clippy", "--package", "ambivox-nn", "--features", "cuda", "--all-targets"])
        .args(["--", "-D", "warnings"])
        .env("PATH", path_with(&stand_in)?)
        .env("NVCC", stand_in.join("nvcc"))
        // The capability that the stand-in cannot ask a GPU for.
        .env("CUDA_COMPUTE_CAP", "80")
        .env("CARGO_TARGET_DIR", target(root).join("cuda"))
        .status()
        .context("failed to start cargo")?;
    ensure!(status.success(), "cargo clippy --features cuda failed: {status}");
    Ok(())
}

/// Compiles the kernels with NVIDIA's compiler.
pub(super) fn compile(root: &Path) -> anyhow::Result<()> {
    super::script(root, ".ci/kernels")
}

/// The search path with a folder in front.
fn path_with(folder: &Path) -> anyhow::Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(folders)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stand_in_is_found_first() {
        let folder = Path::new("/stand-in");
        let path = path_with(folder).unwrap();
        let folders: Vec<_> = std::env::split_paths(&path).collect();
        assert_eq!(folders[0], folder);
        assert_eq!(
            folders.len(),
            1 + std::env::split_paths(&std::env::var_os("PATH").unwrap()).count()
        );
    }
}
