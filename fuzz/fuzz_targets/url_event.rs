//! Any event of a function: what came by its URL gets in by the secret alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use telecast_runtime::{
    handler::Invocation,
    lambda::event::{Event, Way},
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = serde_json::from_slice::<Event<Invocation>>(bytes) else {
        return;
    };
    if let Ok((Way::Url, _)) = event.authorize(None) {
        let event: Value = serde_json::from_slice(bytes).expect("it was JSON before");
        let signed = event["requestContext"]["authorizer"]["iam"].is_object();
        assert!(signed, "it got in without a signature");
    }
});
