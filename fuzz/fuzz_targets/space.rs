//! See `ambivox_fuzzing::space`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ambivox_fuzzing::space(bytes));
