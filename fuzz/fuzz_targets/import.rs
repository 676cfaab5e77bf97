//! An import of channels, CSV or JSONL, of any bytes: each line gets a channel or a reason,
//! lines are counted upwards, and it comes to an end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use telecast_core::channels::import::{Format, read};

fuzz_target!(|bytes: &[u8]| {
    for format in [Format::Csv, Format::Jsonl] {
        let Ok(lines) = read(format, bytes) else {
            continue;
        };
        let mut last = 0;
        for line in lines {
            // Reading from memory does not fail.
            let line = line.expect("memory can be read");
            assert!(line.number > last, "line {} after {last}", line.number);
            last = line.number;
        }
        let newlines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert!(last <= newlines + 1, "line {last} of {newlines}");
    }
});
