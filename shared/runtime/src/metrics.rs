//! Metrics: log events with the target [`TARGET`], written as CloudWatch's embedded metric
//! format, one line each:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! ```
//! tracing::info!(target: telecast_runtime::metrics::TARGET, queue = "send-message", Sent = 3);
//! ```
//!
//! A number whose name begins with a capital is a metric, in seconds where its name ends
//! so. The dimensions are the stack (FUNCTION_PREFIX) and, where it is given, the queue.
//! All else is a property: to be found in the log, and free of charge.

use std::{fmt::Debug, io::Write, time::SystemTime};

use serde_json::{Map, Value, json};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::MakeWriter,
    layer::{Context, Layer},
};

/// The target of events that are metrics.
pub const TARGET: &str = "telecast::metrics";

const NAMESPACE: &str = "Telecast";

/// Writes every event that it is given as metrics.
pub(crate) struct Metrics<W> {
    stack: String,
    writer: W,
}

impl<W> Metrics<W> {
    pub(crate) fn new(stack: String, writer: W) -> Self {
        Self { stack, writer }
    }
}

impl<S, W> Layer<S> for Metrics<W>
where
    S: Subscriber,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut line = line(fields.0, &self.stack, SystemTime::now()).to_string();
        line.push('\n');
        // Where even this cannot be written, there is nobody to tell.
        self.writer
            .make_writer()
            .write_all(line.as_bytes())
            .unwrap_or_default();
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, json!(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, json!(value));
    }
}

fn line(fields: Map<String, Value>, stack: &str, now: SystemTime) -> Value {
    let metrics: Vec<Value> = fields
        .iter()
        .filter(|(name, value)| value.is_number() && name.starts_with(char::is_uppercase))
        .map(|(name, _)| {
            let is_time = name.ends_with("Seconds");
            json!({"Name": name, "Unit": if is_time { "Seconds" } else { "Count" }})
        })
        .collect();
    let dimensions: &[&str] = if fields.contains_key("queue") {
        &["stack", "queue"]
    } else {
        &["stack"]
    };
    let timestamp = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let mut line = fields;
    line.insert("stack".to_owned(), json!(stack));
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": u64::try_from(timestamp).unwrap_or(u64::MAX),
            "CloudWatchMetrics": [
                {"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics},
            ],
        }),
    );
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::{filter::filter_fn, layer::SubscriberExt};

    use super::*;

    /// What is written of some events.
    fn written(events: impl FnOnce()) -> Vec<Value> {
        let buffer = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&buffer);
        let make = move || Shared(Arc::clone(&writer));
        let metrics = Metrics::new("prod".to_owned(), make);
        let metrics = metrics.with_filter(filter_fn(|event| event.target() == TARGET));
        let subscriber = tracing_subscriber::registry().with(metrics);
        tracing::subscriber::with_default(subscriber, events);
        let text = String::from_utf8(buffer.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_metric_is_one_line_with_its_description() {
        let lines = written(|| {
            tracing::info!("no metric");
            tracing::info!(
                target: TARGET,
                queue = "send-message",
                Ready = 3,
                OldestDueSeconds = 1.5,
                total = 9,
            );
        });
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        assert_eq!((&line["Ready"], &line["total"]), (&json!(3), &json!(9)));
        assert_eq!(line["stack"], "prod");
        assert!(line["_aws"]["Timestamp"].as_u64().unwrap() > 1_700_000_000_000);
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"],
            json!([{
                "Namespace": "Telecast",
                "Dimensions": [["stack", "queue"]],
                "Metrics": [
                    {"Name": "OldestDueSeconds", "Unit": "Seconds"},
                    {"Name": "Ready", "Unit": "Count"},
                ],
            }])
        );
    }

    #[test]
    fn without_a_queue_the_stack_is_the_only_dimension() {
        let lines = written(|| tracing::info!(target: TARGET, FloodWaits = 1));
        let described = &lines[0]["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(described["Dimensions"], json!([["stack"]]));
    }
}
