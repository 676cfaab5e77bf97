//! A function's process.

use std::io;

use tokio::{
    process::{Child, Command},
    sync::mpsc,
};

/// What a process is given to work on.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) request_id: String,
    /// Milliseconds since 1970.
    pub(crate) deadline: u128,
    pub(crate) payload: String,
}

/// A process, and the way to give it work. It is killed when this is dropped.
pub(crate) struct Instance {
    pub(crate) child: Child,
    pub(crate) work: mpsc::Sender<Work>,
}

impl Instance {
    /// Starts a process that polls `runtime_api`, where what is sent to `work` comes out.
    pub(crate) fn start(
        mut command: Command,
        function: &str,
        runtime_api: String,
        work: mpsc::Sender<Work>,
    ) -> io::Result<Self> {
        let child = command
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
            .env("AWS_LAMBDA_FUNCTION_NAME", function)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { child, work })
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}
