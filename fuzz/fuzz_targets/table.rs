//! See `ambivox_fuzzing::table`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ambivox_fuzzing::table(bytes));
