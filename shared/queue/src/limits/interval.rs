//! A [`Duration`] as PostgreSQL's `interval`.

use std::{error::Error, time::Duration};

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// Microseconds, days, months: the wire format of `interval`. Only the first is used.
#[derive(Debug)]
pub(super) struct Interval(pub(super) Duration);

impl ToSql for Interval {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let microseconds = i64::try_from(self.0.as_micros())?;
        out.extend_from_slice(&microseconds.to_be_bytes());
        out.extend_from_slice(&[0; 8]);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }

    to_sql_checked!();
}
