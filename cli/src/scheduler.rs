//! `telecast scheduler`: dispatch alone, with the handlers here or elsewhere.

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use deadpool_postgres::Pool;
use telecast_queue::Queue;
use telecast_runtime::{
    config::{Variables, environment},
    database::{Ear, pool},
    invoke,
};
use telecast_scheduler::{Scheduler, Until, work};
use telecast_send_webhook::Reach;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    args::{self, Invoker},
    local::{self, Keys, handlers},
    shutdown, tick,
};

pub(crate) async fn run(args: args::Scheduler) -> Result<ExitCode> {
    let look_up = |name: &str| match name {
        "INVOKER" => Some(name_of(args.invoker).to_owned()),
        "LAMBDA_ENDPOINT" => args.endpoint.clone(),
        "HANDLER_URLS" => args.handler_urls.clone(),
        name => environment(name),
    };
    let variables = Variables::new(&look_up);
    let url = variables.required_database_url()?;
    let pool = pool(&url, 16)?;
    let queue = Queue::default();
    let invoker = invoker(args.invoker, variables, &pool, &queue)?;
    let ear = variables
        .listen_url(&url)?
        .map(|url| Ear::open(url, queue.clone()));
    let kick = Arc::new(Notify::new());
    let work = work::from_variables(variables)?;
    let mut scheduler = Scheduler::new(pool, queue, invoker, &work, Arc::clone(&kick), ear);
    if let Some(address) = args.tick_on {
        tick::serve(address, variables, scheduler, kick).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let stop = CancellationToken::new();
    let until = Until::Stopped(stop.clone());
    let running = tokio::spawn(async move { scheduler.run(until).await });
    println!("The scheduler runs. Press Ctrl-C to stop.");
    shutdown::asked().await?;
    stop.cancel();
    running.await?;
    Ok(ExitCode::SUCCESS)
}

fn invoker(
    invoker: Invoker,
    variables: Variables<'_>,
    pool: &Pool,
    queue: &Queue,
) -> Result<Arc<dyn invoke::Invoker>> {
    if invoker != Invoker::Inprocess {
        return Ok(invoke::from_variables(variables)?);
    }
    let keys = Keys::required(variables)?;
    let telegram = local::client(variables.text("TELEGRAM_API_URL"))?;
    let reach = Reach::from_variables(variables)?;
    Ok(Arc::new(handlers(pool, queue, telegram, &keys, reach)?))
}

fn name_of(invoker: Invoker) -> &'static str {
    match invoker {
        Invoker::Inprocess => "inprocess",
        Invoker::Lambda => "lambda",
        Invoker::Url => "url",
    }
}
