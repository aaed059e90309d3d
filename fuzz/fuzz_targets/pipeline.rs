//! See `ambivox_fuzzing::pipeline`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ambivox_fuzzing::pipeline(bytes));
