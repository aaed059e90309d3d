//! The machine, as far as results can depend on it.

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
