//! Taking due jobs under their limits.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_postgres::{GenericClient, types::Type};

use super::{Limit, interval::Interval};
use crate::{Error, Job, Queue};
