#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| setpoint_fuzz::bench_language::merge(data));
