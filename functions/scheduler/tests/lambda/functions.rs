//! The functions, set up as the template does, and handlers that go wrong when told to.

use std::{
    env,
    fs::{self, File},
    path::PathBuf,
    time::Duration,
};

use serde_json::{Value, json};
use telecast_lambda_sim::{End, Function, LambdaSim};
use telecast_queue::Queue;
use telecast_runtime::{
    database::{DatabaseUrl, pool},
    handler::{Deadline, Handler, HandlerError, Invocation, InvocationResponse, async_trait},
    lambda,
    secret::Secret,
};
use telecast_send_message::SendMessage;
use telecast_start_campaign::StartCampaign;
use telecast_telegram_sim::Ledger;
use tokio::process::Command;
use uuid::Uuid;

use super::common::{KEY, Stage, telegram};

/// What opens the functions' URLs.
pub const SECRET: &str = "open sesame";

/// A minute, where nothing else is said.
const MINUTE: Duration = Duration::from_secs(8);

/// A handler's time-out; the last message is begun 20 s before its end.
const TIMEOUT: Duration = Duration::from_secs(25);

/// How a send-message process goes wrong; each file in a folder makes it do so once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It exits with code 3 while messages are on their way.
    Exit,
    /// It never answers.
    Hang,
    /// It fails, and has done nothing.
    Error,
}

impl Fault {
    const ALL: [(Self, &str); 3] = [
        (Self::Exit, "exit"),
        (Self::Hang, "hang"),
        (Self::Error, "error"),
    ];

    fn name(self) -> &'static str {
        let (_, name) = Self::ALL.iter().find(|(known, _)| *known == self).unwrap();
        name
    }

    fn from_name(name: &str) -> Self {
        let (fault, _) = Self::ALL.iter().find(|(_, known)| *known == name).unwrap();
        *fault
    }
}

/// How the send-message function is set up.
pub struct SetUp {
    pub deliveries: Vec<Duration>,
    pub concurrency: usize,
    /// How the scheduler reaches handlers: lambda or url.
    pub invoker: &'static str,
    /// A minute of the schedule.
    pub minute: Duration,
    /// Going wrong this way, so often.
    pub fault: Option<(Fault, usize)>,
}

impl Default for SetUp {
    fn default() -> Self {
        Self {
            deliveries: vec![Duration::ZERO],
            concurrency: 4,
            invoker: "lambda",
            minute: MINUTE,
            fault: None,
        }
    }
}

/// A database, Telegram's simulator, and Lambda's with all functions in it.
pub struct Cloud {
    pub stage: Stage,
    pub lambda: LambdaSim,
    faults: PathBuf,
}

impl Cloud {
    /// Handlers are invoked by `invocation_type`.
    pub async fn set(invocation_type: &'static str, set_up: SetUp) -> Self {
        let stage = Stage::set().await;
        if set_up.fault.is_some() {
            // What a dead process had is taken up after 10 s rather than 60.
            stage
                .execute("UPDATE pgboss.queue SET expire_seconds = 10 WHERE name = 'send-message'")
                .await;
        }
        let faults = env::temp_dir().join(format!("telecast-faults-{}", Uuid::now_v7()));
        fs::create_dir(&faults).unwrap();
        let lambda = LambdaSim::start().await.unwrap();
        let cloud = Self {
            stage,
            lambda,
            faults,
        };
        cloud.add_scheduler(invocation_type, &set_up);
        cloud.add_handler("start-campaign", None, SetUp::default());
        let fault = set_up.fault.map(|(fault, times)| {
            for time in 0..times {
                fs::write(cloud.faults.join(time.to_string()), "").unwrap();
            }
            fault
        });
        cloud.add_handler("send-message", fault, set_up);
        cloud
    }

    fn add_scheduler(&self, invocation_type: &'static str, set_up: &SetUp) {
        let (invoker, minute) = (set_up.invoker, set_up.minute);
        let (url, endpoint) = (self.stage.url.clone(), self.lambda.endpoint());
        let urls = ["start-campaign", "send-message"]
            .map(|queue| format!("{queue}={endpoint}/lambda-url/{queue}"))
            .join(",");
        let log = self.log();
        self.lambda.add(Function {
            name: "scheduler",
            command: Box::new(move || {
                let mut command = Command::new(env!("CARGO_BIN_EXE_scheduler"));
                command
                    .env("DATABASE_URL", &url)
                    .env("INVOKER", invoker)
                    .env("HANDLER_URLS", &urls)
                    .env("LAMBDA_ENDPOINT", &endpoint)
                    .env("INVOCATION_TYPE", invocation_type)
                    .env("HANDLER_SECRET", SECRET)
                    .env("RUST_LOG", "error")
                    .stderr(
                        File::options()
                            .create(true)
                            .append(true)
                            .open(&log)
                            .unwrap(),
                    );
                command
            }),
            // The template says one; two do no harm.
            concurrency: 2,
            timeout: minute,
            deliveries: vec![Duration::ZERO],
        });
    }

    fn add_handler(&self, name: &'static str, fault: Option<Fault>, set_up: SetUp) {
        let url = self.stage.url.clone();
        let telegram = self.stage.simulator.base_url();
        let faults = self.faults.clone();
        self.lambda.add(Function {
            name,
            command: Box::new(move || {
                let mut command = Command::new(env::current_exe().unwrap());
                command
                    .args(["functions::process", "--exact", "--ignored"])
                    .env("FUNCTION", name)
                    .env("FUNCTION_DATABASE", &url)
                    .env("FUNCTION_TELEGRAM", &telegram)
                    .env("FUNCTION_FAULT", fault.map_or("", Fault::name))
                    .env("FUNCTION_FAULTS", &faults)
                    .stdout(std::process::Stdio::null());
                command
            }),
            concurrency: set_up.concurrency,
            timeout: TIMEOUT,
            deliveries: set_up.deliveries,
        });
    }

    fn log(&self) -> PathBuf {
        self.faults.with_extension("log")
    }

    /// The scheduler's metrics so far.
    pub fn metrics(&self) -> Vec<Value> {
        let log = fs::read_to_string(self.log()).unwrap();
        log.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|line: &Value| line.get("_aws").is_some())
            .collect()
    }

    /// A campaign that runs at this rate to so many channels.
    pub async fn campaign(&self, prefix: &str, channels: usize, rate: u32) -> Uuid {
        let names: Vec<String> = (0..channels).map(|n| format!("{prefix}_{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let template = json!({"text": "Hello {{username}}"});
        let fields = json!({"deliveryRate": rate});
        self.stage.campaign_with(&names, template, fields).await
    }

    /// A minute of the schedule.
    pub async fn tick(&self) -> End {
        self.lambda.invoke("scheduler", "{}").await.unwrap()
    }

    /// Minute after minute, until a campaign is over.
    pub async fn tick_until_completed(&self, campaign: Uuid) {
        while self.stage.get(campaign).await.status != telecast_core::campaigns::Status::Completed {
            self.tick().await;
        }
    }

    /// The message jobs of a campaign with this status.
    pub async fn count(&self, campaign: Uuid, status: &str) -> i64 {
        self.stage
            .scalar(&format!(
                "SELECT count(*) FROM jobs WHERE campaign_id = '{campaign}' AND status = '{status}'"
            ))
            .await
    }

    /// What Telegram accepted.
    pub fn ledger(&self) -> Ledger {
        self.stage.simulator.ledger()
    }

    /// How the invocations of send-message ended.
    pub fn ends(&self) -> Vec<End> {
        let invocations = self.lambda.invocations();
        invocations
            .into_iter()
            .filter(|invocation| invocation.function == "send-message")
            .map(|invocation| invocation.end)
            .collect()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.faults).ok();
        fs::remove_file(self.log()).ok();
    }
}

fn secret() -> Option<Secret> {
    Some(SECRET.parse().unwrap())
}

/// Not a test: the program of a handler's process.
#[tokio::test]
#[ignore = "the process that Lambda's simulator starts"]
async fn process() {
    let Ok(function) = env::var("FUNCTION") else {
        return;
    };
    let url: DatabaseUrl = env::var("FUNCTION_DATABASE").unwrap().parse().unwrap();
    let pool = pool(&url, 1).unwrap();
    let queue = Queue::default();
    if function == "start-campaign" {
        let handler = StartCampaign::new(pool, queue);
        return lambda::run(handler, TIMEOUT, secret()).await.unwrap();
    }
    let telegram = telegram(&env::var("FUNCTION_TELEGRAM").unwrap());
    let key = telecast_core::bots::EncryptionKey::new(KEY);
    let handler = Faulty {
        handler: SendMessage::new(pool, queue, telegram, key),
        fault: env::var("FUNCTION_FAULT").unwrap(),
        faults: env::var("FUNCTION_FAULTS").unwrap().into(),
    };
    lambda::run(handler, TIMEOUT, secret()).await.unwrap();
}

/// The handler, going wrong for as long as there are files to take.
struct Faulty {
    handler: SendMessage,
    fault: String,
    faults: PathBuf,
}

impl Faulty {
    fn takes_one(&self) -> bool {
        let mut files = fs::read_dir(&self.faults).unwrap();
        files.any(|file| fs::remove_file(file.unwrap().path()).is_ok())
    }
}

#[async_trait]
impl Handler for Faulty {
    fn queue(&self) -> &'static str {
        self.handler.queue()
    }

    async fn handle(
        &self,
        invocation: Invocation,
        deadline: Deadline,
    ) -> Result<InvocationResponse, HandlerError> {
        if self.fault.is_empty() || !self.takes_one() {
            return self.handler.handle(invocation, deadline).await;
        }
        match Fault::from_name(&self.fault) {
            Fault::Exit => {
                // Somewhere between the claim and the settlement.
                let work = self.handler.handle(invocation, deadline);
                tokio::time::timeout(Duration::from_millis(15), work)
                    .await
                    .ok();
                std::process::exit(3)
            }
            Fault::Hang => std::future::pending().await,
            Fault::Error => Err("as asked".into()),
        }
    }
}
