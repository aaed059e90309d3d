//! See `ambivox_fuzzing::archive`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ambivox_fuzzing::archive(bytes));
