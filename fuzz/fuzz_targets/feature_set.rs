//! See `ambivox_fuzzing::feature_set`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ambivox_fuzzing::feature_set(bytes));
