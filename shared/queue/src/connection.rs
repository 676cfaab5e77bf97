//! What operations run on: any client by unnamed statements, or a session by prepared ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join};
use tokio_postgres::{Client, GenericClient, Row, Statement};

use crate::Error;
use crate::queue::Param;

/// A connection that operations run on.
///
/// Every client and transaction of tokio-postgres is one, and so is a pool's: their
/// statements go unnamed, in one round trip, which is safe behind a pooler in
/// transaction mode. A [`Session`] is one too, and keeps its statements prepared.
pub trait Connection {
    /// Runs a statement and gives its rows.
    #[doc(hidden)]
    fn rows<'a>(
        &'a self,
        sql: &'a Arc<str>,
        params: &'a [Param<'a>],
    ) -> BoxFuture<'a, Result<Vec<Row>, tokio_postgres::Error>>;
}

impl<C: GenericClient> Connection for C {
    fn rows<'a>(
        &'a self,
        sql: &'a Arc<str>,
        params: &'a [Param<'a>],
    ) -> BoxFuture<'a, Result<Vec<Row>, tokio_postgres::Error>> {
        self.query_typed(sql, params)
    }
}

/// A connection straight to the server, given to queue operations alone: each statement
/// is planned once in some seconds and kept prepared. Not for a pooler in transaction mode.
///
/// ```no_run
/// # use telecast_queue::{Fetch, Queue, Session};
/// # async fn example(client: tokio_postgres::Client) -> Result<(), telecast_queue::Error> {
/// let session = Session::new(client).await?;
/// let jobs = Queue::default().fetch(&session, &Fetch::from("mail")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Session {
    client: Client,
    /// By the text's address.
    prepared: Mutex<HashMap<usize, Prepared>>,
}

#[derive(Debug)]
struct Prepared {
    /// Keeps the address from being another text's.
    _sql: Arc<str>,
    statement: Statement,
    since: Instant,
}

/// A plan is used so long. One that was made for an almost empty table is wrong for a
/// full one, and the server's own statistics come minutes late; the planner sees a
/// table's size as it is.
const PLAN_LIFE: Duration = Duration::from_secs(2);

/// One plan for all calls. It should not depend on what was in the tables when it was
/// made, so what reads or sorts whole tables is out of the question: the indexes have
/// the order that each statement asks for.
const SETTINGS: &str = "\
SET plan_cache_mode = force_generic_plan; \
SET enable_seqscan = off; \
SET enable_bitmapscan = off; \
SET enable_hashjoin = off; \
SET enable_mergejoin = off; \
SET enable_sort = off; \
SET enable_incremental_sort = off; \
SET jit = off";

impl Session {
    /// What a session sets, for `EXPLAIN`.
    #[doc(hidden)]
    pub const SETTINGS: &str = SETTINGS;

    /// Takes a connection for queue operations.
    ///
    /// # Errors
    /// [`Error::Database`] where the connection is lost.
    pub async fn new(client: Client) -> Result<Self, Error> {
        client.batch_execute(SETTINGS).await?;
        Ok(Self {
            client,
            prepared: Mutex::default(),
        })
    }

    /// Whether the connection is lost: take another then.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    fn known(&self, sql: &Arc<str>) -> Option<Statement> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = prepared.get(&address(sql))?;
        (known.since.elapsed() < PLAN_LIFE).then(|| known.statement.clone())
    }

    fn learn(&self, sql: &Arc<str>, statement: Statement) {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = Prepared {
            _sql: Arc::clone(sql),
            statement,
            since: Instant::now(),
        };
        prepared.insert(address(sql), kept);
    }

    fn forget(&self, sql: &Arc<str>) {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.remove(&address(sql));
    }
}

fn address(sql: &Arc<str>) -> usize {
    sql.as_ptr() as usize
}

impl Connection for Session {
    fn rows<'a>(
        &'a self,
        sql: &'a Arc<str>,
        params: &'a [Param<'a>],
    ) -> BoxFuture<'a, Result<Vec<Row>, tokio_postgres::Error>> {
        async move {
            let Some(statement) = self.known(sql) else {
                // The first call goes unnamed, so that what is pipelined keeps its order.
                let types: Vec<_> = params.iter().map(|(_, of)| of.clone()).collect();
                let first = self.client.query_typed(sql, params);
                let (rows, statement) = join(first, self.client.prepare_typed(sql, &types)).await;
                if rows.is_ok() {
                    self.learn(sql, statement?);
                }
                return rows;
            };
            let values = params.iter().map(|(value, _)| *value as _);
            let values: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = values.collect();
            let rows = self.client.query(&statement, &values).await;
            if rows.is_err() {
                // It may have been the statement: a client may have changed the tables.
                self.forget(sql);
            }
            rows
        }
        .boxed()
    }
}
