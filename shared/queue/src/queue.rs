//! The handle through which everything is done.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use crate::job::COLUMNS;
use crate::{Connection, Error, Policy};

/// The queues of one schema. Cheap to clone; holds no connection: every operation
/// takes one, so that it can be the caller's own transaction.
#[derive(Clone, Debug)]
pub struct Queue {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    schema: String,
    /// Statements with the schema's name put in, by the address of their template.
    rendered: RwLock<HashMap<usize, Arc<str>>>,
    /// The policies of queues fetched from. A queue made anew may have another: each
    /// statement that relies on one also checks it.
    policies: RwLock<HashMap<String, Policy>>,
}

/// A statement's parameter with its type, which a pooler requires to be said.
pub(crate) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

impl Default for Queue {
    /// The queues of schema `pgboss`.
    fn default() -> Self {
        Self::with("pgboss".to_owned())
    }
}

impl Queue {
    /// The queues of a schema other than `pgboss`.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the name is no plain identifier of at most 50 bytes.
    pub fn in_schema(schema: &str) -> Result<Self, Error> {
        let mut letters = schema.chars();
        let starts_well = letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
        if !starts_well || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Error::invalid(
                "schema",
                "can only contain letters, digits and underscores, and cannot start with a digit",
            ));
        }
        if schema.len() > 50 {
            return Err(Error::invalid("schema", "cannot exceed 50 bytes"));
        }
        Ok(Self::with(schema.to_ascii_lowercase()))
    }

    fn with(schema: String) -> Self {
        Self {
            inner: Arc::new(Inner {
                schema,
                rendered: RwLock::default(),
                policies: RwLock::default(),
            }),
        }
    }

    /// The schema's name.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.inner.schema
    }

    /// A template with its `{…}` put in, once for each handle.
    pub(crate) fn sql(&self, template: &'static str) -> Arc<str> {
        let key = template.as_ptr() as usize;
        let known = self.inner.rendered.read();
        if let Some(sql) = known.unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(sql);
        }
        let sql: Arc<str> = template
            .replace("{fetch}", include_str!("fetch_step.sql").trim_end())
            .replace("{columns}", COLUMNS)
            .replace("{ready_job}", include_str!("ready_job.sql"))
            .replace("{fail}", include_str!("fail_step.sql").trim_end())
            .replace("{schema}", &self.inner.schema)
            .into();
        let mut rendered = self
            .inner
            .rendered
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        rendered.insert(key, Arc::clone(&sql));
        sql
    }

    /// Runs a template as an unnamed statement: one round trip, safe behind a pooler.
    /// In each template that has both, the queue table comes before the job table, as
    /// pg-boss's upgrades lock them.
    pub(crate) async fn query(
        &self,
        client: &impl Connection,
        template: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, Error> {
        Ok(client.rows(&self.sql(template), params).await?)
    }

    pub(crate) fn known_policy(&self, queue: &str) -> Option<Policy> {
        let policies = self.inner.policies.read();
        policies
            .unwrap_or_else(PoisonError::into_inner)
            .get(queue)
            .copied()
    }

    pub(crate) fn learn_policy(&self, queue: &str, policy: Option<Policy>) {
        let policies = self.inner.policies.write();
        let mut policies = policies.unwrap_or_else(PoisonError::into_inner);
        match policy {
            Some(policy) => policies.insert(queue.to_owned(), policy),
            None => policies.remove(queue),
        };
    }
}
