//! Sending many jobs at once behind the callers' backs.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::{Connection, Error, NewJob, Queue, Send, Sent};

/// Sends jobs for any number of callers over one connection. What they send while a
/// statement is on its way goes out together in the next one: callers share its round
/// trip and its commit, and each still waits for its own job to be committed.
///
/// For jobs that belong to a transaction of the caller's there is [`Queue::send`].
#[derive(Clone, Debug)]
pub struct Sender {
    letters: mpsc::Sender<Letter>,
}

#[derive(Debug)]
struct Letter {
    send: Send,
    answer: oneshot::Sender<Result<Sent, Error>>,
}

/// Jobs in one statement, at most.
const TOGETHER: usize = 500;

impl Sender {
    /// Begins to send over a connection, in a task of its own that ends with the last
    /// clone of this. It needs a tokio runtime.
    pub fn new<C>(queue: Queue, connection: C) -> Self
    where
        C: Connection + std::marker::Send + Sync + 'static,
    {
        let (letters, mut waiting) = mpsc::channel(TOGETHER);
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while waiting.recv_many(&mut taken, TOGETHER).await > 0 {
                deliver(&queue, &connection, taken.drain(..)).await;
            }
        });
        Self { letters }
    }

    /// As [`Queue::send`].
    ///
    /// # Errors
    /// As of [`Queue::send`]. Once the connection is lost every send fails, and what was
    /// on its way then may have been sent: connect again, and make another sender.
    pub async fn send(&self, send: Send) -> Result<Sent, Error> {
        let (answer, answered) = oneshot::channel();
        let letter = Letter { send, answer };
        self.letters
            .send(letter)
            .await
            .map_err(|_| Error::Stopped)?;
        answered.await.map_err(|_| Error::Stopped)?
    }
}

/// Sends the jobs of each queue together, and answers.
async fn deliver(
    queue: &Queue,
    connection: &impl Connection,
    letters: impl Iterator<Item = Letter>,
) {
    let mut by_queue: HashMap<String, (Vec<NewJob>, Vec<Answer>)> = HashMap::new();
    for Letter { mut send, answer } in letters {
        let id = *send.options.id.get_or_insert_with(Uuid::now_v7);
        let (jobs, answers) = by_queue.entry(send.queue).or_default();
        jobs.push(NewJob {
            data: send.data,
            options: send.options,
        });
        answers.push((id, answer));
    }
    let groups = by_queue.into_iter();
    join_all(
        groups.map(|(name, (jobs, answers))| together(queue, connection, name, jobs, answers)),
    )
    .await;
}

type Answer = (Uuid, oneshot::Sender<Result<Sent, Error>>);

/// Inserts jobs in one statement. One that was not inserted is sent by itself, which
/// tells why; so is every one where the statement failed, for it was one job's fault.
async fn together(
    queue: &Queue,
    connection: &impl Connection,
    name: String,
    jobs: Vec<NewJob>,
    answers: Vec<Answer>,
) {
    let mut inserted: HashSet<Uuid> = HashSet::new();
    if jobs.len() > 1
        && let Ok(ids) = queue.insert(connection, &name, &jobs).await
    {
        inserted.extend(ids);
    }
    for (job, (id, answer)) in jobs.into_iter().zip(answers) {
        let sent = if inserted.remove(&id) {
            Ok(Sent::Created(id))
        } else {
            let send = Send {
                queue: name.clone(),
                data: job.data,
                options: job.options,
            };
            queue.send(connection, &send).await
        };
        // Who asked may not wait any more.
        answer.send(sent).ok();
    }
}
