//! See `ambivox_fuzzing::annotators`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ambivox_fuzzing::annotators(bytes));
