//! See `ambivox_fuzzing::evaluation`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ambivox_fuzzing::evaluation(bytes));
