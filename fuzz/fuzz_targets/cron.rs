//! Any cron expression in any time zone: its occurrences lie ahead, each later than the one
//! before, and the search for them ends.
#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, u8, u32)| {
    let (cron, zone_number, from) = input;
    let zones = [
        "UTC",
        "Europe/Berlin",
        "Asia/Kolkata",
        "America/Sao_Paulo",
        "Nowhere",
    ];
    let zone = zones[usize::from(zone_number) % zones.len()];
    let from = DateTime::from_timestamp(from.into(), 0).expect("a time");
    let Ok(occurrences) = telecast_queue::occurrences(cron, zone, from, 3) else {
        return;
    };
    let mut last = from;
    for occurrence in occurrences {
        assert!(occurrence > last, "{occurrence} after {last}");
        last = occurrence;
    }
});
