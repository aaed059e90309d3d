//! See `ambivox_fuzzing::audio`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ambivox_fuzzing::audio(bytes));
