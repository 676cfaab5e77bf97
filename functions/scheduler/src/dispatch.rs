//! One queue's due jobs, taken and handed to an invoker.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Pool;
use telecast_queue::{Job, Queue, limits};
use telecast_runtime::{
    handler::Invocation,
    invoke::{Invoked, Invoker},
};

use crate::{Error, Source, Work};
