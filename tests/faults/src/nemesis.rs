//! The nemesis of processes, database and network: it draws faults, and ends them.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{
    clock,
    dice::Dice,
    faults::FAULTS,
    part::{Retired, signal},
    stack::Stack,
};

/// What ends a fault that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Continue(u32),
    DatabaseFlows,
    PooledFlows,
    DiskEmptied,
    /// It has been frozen since then.
    TelegramThaws(u32, u64),
}

/// Draws faults from its dice.
pub(crate) struct Nemesis {
    pub(crate) dice: Dice,
    /// What is to end, and when.
    lasting: Vec<(Instant, End)>,
    /// Processes that were asked to end.
    pub(crate) retired: Vec<Retired>,
    /// How many of them have ended, and what was wrong with it.
    pub(crate) ends: usize,
    pub(crate) unclean_ends: Vec<String>,
    /// From when until when Telegram was frozen: calls waited in its sockets.
    pub(crate) telegram_freezes: Vec<(u64, u64)>,
    /// The faults, in the order of their drawing.
    pub(crate) drawn: Vec<String>,
}

impl Nemesis {
    pub(crate) fn new(dice: Dice) -> Self {
        Self {
            dice,
            lasting: Vec::new(),
            retired: Vec::new(),
            ends: 0,
            unclean_ends: Vec::new(),
            telegram_freezes: Vec::new(),
            drawn: Vec::new(),
        }
    }

    /// Faults one after another until the time is over; then all of them end.
    pub(crate) async fn rage(&mut self, stack: &mut Stack, until: Instant) -> Result<()> {
        while Instant::now() < until {
            let pause = self.dice.millis(200, 2_000);
            let fault = self.draw();
            let name = self.strike(fault, stack).await?;
            self.drawn.push(name);
            let next = Instant::now() + pause;
            while Instant::now() < next {
                tokio::time::sleep(Duration::from_millis(50)).await;
                self.end(stack, Instant::now())?;
            }
        }
        self.end(stack, Instant::now() + Duration::from_secs(3600))?;
        self.wait_for_retired().await;
        self.heal(stack)
    }

    /// A fault, each as often as its weight says.
    fn draw(&mut self) -> crate::faults::Fault {
        let all = FAULTS.iter().map(|(weight, _)| weight).sum();
        let mut left = self.dice.between(0, all);
        for (weight, fault) in FAULTS {
            if left < weight {
                return fault;
            }
            left -= weight;
        }
        FAULTS[0].1
    }

    /// Ends what is due by then.
    fn end(&mut self, stack: &mut Stack, now: Instant) -> Result<()> {
        for (_, end) in self.lasting.extract_if(.., |(due, _)| *due <= now) {
            match end {
                End::Continue(id) => signal(id, "CONT")?,
                End::DatabaseFlows => stack.database.stall(false),
                End::PooledFlows => stack.pooled.stall(false),
                End::DiskEmptied => stack.postgres.empty_disk()?,
                End::TelegramThaws(id, since) => {
                    signal(id, "CONT")?;
                    self.telegram_freezes.push((since, clock::now()));
                }
            }
        }
        // A full disk is fatal to it, in the end.
        let is_full = self.lasting.iter().any(|(_, end)| *end == End::DiskEmptied);
        if !is_full && !stack.postgres.is_alive() {
            tokio::task::block_in_place(|| stack.revive())?;
        }
        self.bury();
        // The port of an API is free as soon as the one before is gone.
        let is_ending = self.retired.iter().any(|part| part.name == stack.api.name);
        if stack.api.id().is_none() && !is_ending {
            stack.api.start(&[])?;
        }
        Ok(())
    }

    /// Takes note of processes that have ended since they were asked to.
    fn bury(&mut self) {
        self.retired.retain_mut(|part| match part.has_ended() {
            Ok(false) => true,
            ended => {
                self.ends += 1;
                self.unclean_ends
                    .extend(ended.err().map(|error| format!("{error:#}")));
                false
            }
        });
    }

    /// Until each process that was asked to end has done so.
    pub(crate) async fn wait_for_retired(&mut self) {
        while !self.retired.is_empty() {
            self.bury();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything runs again.
    fn heal(&mut self, stack: &mut Stack) -> Result<()> {
        for part in stack.parts() {
            if part.id().is_none() || part.has_died()? {
                part.start(&[])?;
            }
        }
        Ok(())
    }

    /// Until it ends by itself, for a time that is drawn.
    pub(crate) fn lasts(&mut self, end: End, low: u64, high: u64) -> Duration {
        let span = self.dice.millis(low, high);
        self.lasting.push((Instant::now() + span, end));
        span
    }

    /// SIGSTOP, at times for longer than a lease.
    pub(crate) fn freeze(&mut self, id: Option<u32>, what: &str) -> Result<String> {
        let Some(id) = id else {
            return Ok(format!("SIGSTOP {what}: none"));
        };
        signal(id, "STOP")?;
        let span = self.lasts(End::Continue(id), 300, 12_000);
        Ok(format!("SIGSTOP {what}: {span:?}"))
    }
}
