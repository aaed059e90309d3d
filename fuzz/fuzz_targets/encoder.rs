//! See `ambivox_fuzzing::encoder`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ambivox_fuzzing::encoder(bytes));
