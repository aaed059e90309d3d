//! See `ambivox_fuzzing::bundle`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ambivox_fuzzing::bundle(bytes));
