//! What became of jobs that an operation was asked to change.

use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::job::Refs;
use crate::queue::Param;
use crate::{Connection, Error, Queue, validate};

/// Which of the jobs an operation changed. The others were in another state, in
/// another attempt, or are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many were asked for.
    pub requested: usize,
    /// Those that were changed.
    pub ids: Vec<Uuid>,
    /// Whether a job that others wait for was completed.
    pub(crate) blocking: bool,
}

impl Settled {
    /// How many were changed.
    #[must_use]
    pub fn affected(&self) -> usize {
        self.ids.len()
    }

    /// Whether each was changed.
    #[must_use]
    pub fn all(&self) -> bool {
        self.ids.len() == self.requested
    }
}

impl Queue {
    /// Runs a statement on jobs of one queue: `$1` its name, `$2` to `$4` the jobs, then
    /// `more`. It answers with one row for each job changed; whether there is
    /// such a queue is asked only where there is none.
    pub(crate) async fn settle(
        &self,
        client: &impl Connection,
        template: &'static str,
        queue: &str,
        refs: &Refs,
        more: &[Param<'_>],
    ) -> Result<Settled, Error> {
        validate::queue_name("name", queue)?;
        let mut params: Vec<Param<'_>> = vec![(&queue, Type::TEXT)];
        params.extend(refs.params());
        params.extend_from_slice(more);
        let rows = self.query(client, template, &params).await?;
        if rows.is_empty() && self.get_queue(client, queue).await?.is_none() {
            return Err(Error::UnknownQueue(queue.to_owned()));
        }
        Ok(Settled {
            requested: refs.len(),
            ids: rows.iter().filter_map(id).collect(),
            blocking: rows.iter().any(blocking),
        })
    }
}

fn id(row: &Row) -> Option<Uuid> {
    row.get("id")
}

/// Outputs as the statements take them: one for each job, or one for all.
pub(crate) fn output(field: &'static str, output: Option<&Value>) -> Result<Option<Value>, Error> {
    match output {
        Some(value) => {
            validate::object(field, value)?;
            Ok((!value.is_null()).then(|| value.clone()))
        }
        None => Ok(None),
    }
}

/// Only completing tells.
fn blocking(row: &Row) -> bool {
    matches!(row.try_get::<_, Option<bool>>("blocking"), Ok(Some(true)))
}
