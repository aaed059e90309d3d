//! Compiles the GPU kernels to PTX for the feature `cuda`; does nothing without it.
//!
//! PTX is code for the driver to compile further: made for compute capability 8.0 (A100), it runs on
//! every later GPU.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

const SOURCE: &str = "kernels/encoder.cu";

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=kernels");
    println!("cargo:rerun-if-env-changed=NVCC");
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return ExitCode::SUCCESS;
    }
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            println!("cargo:error={reason}");
            ExitCode::FAILURE
        }
    }
}

fn compile() -> Result<(), String> {
    let nvcc = env::var_os("NVCC").unwrap_or_else(|| OsString::from("nvcc"));
    let folder = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run by cargo")?;
    let target = PathBuf::from(folder).join("encoder.ptx");
    let status = Command::new(&nvcc)
        .args(["-std=c++17", "-O3", "-arch=compute_80", "-ptx", SOURCE, "-o"])
        .arg(&target)
        .status()
        .map_err(|error| {
            let nvcc = nvcc.to_string_lossy();
            format!(
                "the feature `cuda` needs CUDA's compiler: {nvcc}: {error}; install it or set NVCC"
            )
        })?;
    if status.success() { Ok(()) } else { Err(format!("{SOURCE} does not compile: {status}")) }
}
