//! Any answer of Telegram, or of a proxy before it, is classified; only a sound one counts
//! as accepted, and no wait is one that a clock cannot count.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use telecast_telegram::{FailureKind, classify};

fuzz_target!(|input: (u16, Option<u64>, &str)| {
    let (status, retry_after, body) = input;
    match classify(status, retry_after, body) {
        Ok(_) => assert!(body.contains("ok")),
        Err(failure) => {
            if let FailureKind::Wait(wait) | FailureKind::WaitChat(wait) = failure.kind {
                assert!(wait <= Duration::from_secs(7 * 86_400), "{wait:?}");
            }
        }
    }
});
