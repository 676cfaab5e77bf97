//! A wait of the bot or of one chat? Telegram's answer is the same.
//!
//! It was the chat's if others of the bot's calls, begun after it and answered after
//! it, were accepted, and none but it was told to wait. So a wait is judged by the
//! calls that are under way when it comes. What they do not show is taken for the
//! bot, which errs on the safe side; if the wait meets the same chat again while
//! others flow, the settlement knows.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};
use uuid::Uuid;

/// So many messages must have come through after a wait to show that it was not for
/// the bot. More than one: answers overtake each other.
const FLOWING: usize = 3;

/// A wait is the bot's if the calls under way have not shown otherwise for so long:
/// the operator is to see a pause within a second.
const PATIENCE: Duration = Duration::from_millis(900);

/// A wait so soon after one of the bot's tells of the same.
const SAME: Duration = Duration::from_secs(3);

/// The calls of a process that are under way, by bot. Its invocations share them.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    bots: Mutex<HashMap<Uuid, Bot>>,
    answered: Notify,
}

#[derive(Debug, Default)]
struct Bot {
    /// The last call's number; they count up as calls begin.
    last: u64,
    under_way: BTreeSet<u64>,
    /// Waits that are not judged yet, by their call.
    waits: BTreeMap<u64, Wait>,
    /// The last wait that was the bot's.
    waited: Option<Instant>,
}

#[derive(Debug)]
struct Wait {
    channel_id: Uuid,
    /// Messages to others that came through after it.
    flowing: usize,
    /// Another call was told to wait.
    is_shared: bool,
}

/// Whom Telegram told to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// The bot, in all its chats.
    Bot,
    /// The bot in this chat.
    Chat,
}

impl Bot {
    /// Whose the wait of `call` is; none while it is not known.
    fn judge(&self, call: u64) -> Option<Waiter> {
        let wait = self.waits.get(&call)?;
        let others_follow = self.under_way.range(call + 1..).next().is_some();
        if wait.is_shared {
            Some(Waiter::Bot)
        } else if wait.flowing >= FLOWING {
            Some(Waiter::Chat)
        } else if others_follow {
            None
        } else {
            Some(Waiter::Bot)
        }
    }
}

impl Calls {
    fn bots(&self) -> MutexGuard<'_, HashMap<Uuid, Bot>> {
        self.bots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins.
    pub(crate) fn begin(&self, bot_id: Uuid, channel_id: Uuid) -> Call<'_> {
        let mut bots = self.bots();
        let bot = bots.entry(bot_id).or_default();
        bot.last += 1;
        bot.under_way.insert(bot.last);
        Call {
            calls: self,
            bot_id,
            channel_id,
            number: bot.last,
        }
    }
}

/// A call that is under way; it ends when this is dropped.
pub(crate) struct Call<'a> {
    calls: &'a Calls,
    bot_id: Uuid,
    channel_id: Uuid,
    number: u64,
}

impl Call<'_> {
    /// It was accepted.
    pub(crate) fn accepted(self) {
        let mut bots = self.calls.bots();
        let waits = bots
            .entry(self.bot_id)
            .or_default()
            .waits
            .range_mut(..self.number);
        for (_, wait) in waits {
            wait.flowing += usize::from(wait.channel_id != self.channel_id);
        }
    }

    /// It was told to wait: whom that concerns, as far as the other calls show.
    pub(crate) async fn told_to_wait(self) -> Waiter {
        self.begin_wait();
        let shown = async {
            loop {
                let answered = self.calls.answered.notified();
                if let Some(waiter) = self.judge() {
                    break waiter;
                }
                answered.await;
            }
        };
        let waiter = timeout(PATIENCE, shown).await.unwrap_or(Waiter::Bot);
        if waiter == Waiter::Bot {
            self.calls.bots().entry(self.bot_id).or_default().waited = Some(Instant::now());
        }
        waiter
    }

    fn judge(&self) -> Option<Waiter> {
        self.calls.bots().get(&self.bot_id)?.judge(self.number)
    }

    fn begin_wait(&self) {
        let mut bots = self.calls.bots();
        let bot = bots.entry(self.bot_id).or_default();
        let mut is_shared = bot.waited.is_some_and(|waited| waited.elapsed() < SAME);
        for other in bot.waits.values_mut() {
            if other.channel_id != self.channel_id {
                other.is_shared = true;
                is_shared = true;
            }
        }
        let wait = Wait {
            channel_id: self.channel_id,
            flowing: 0,
            is_shared,
        };
        bot.waits.insert(self.number, wait);
        drop(bots);
        self.calls.answered.notify_waiters();
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(bot) = self.calls.bots().get_mut(&self.bot_id) {
            bot.under_way.remove(&self.number);
            bot.waits.remove(&self.number);
        }
        self.calls.answered.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOT: Uuid = Uuid::from_u128(1);
    const OTHER_BOT: Uuid = Uuid::from_u128(2);

    fn call(calls: &Calls, channel: u128) -> Call<'_> {
        calls.begin(BOT, Uuid::from_u128(channel))
    }

    #[tokio::test(start_paused = true)]
    async fn one_chat_waits_while_others_flow() {
        let calls = Calls::default();
        let busy = call(&calls, 9);
        let others = [1, 2, 3].map(|channel| call(&calls, channel));
        let (waiter, ()) = tokio::join!(busy.told_to_wait(), async {
            others.into_iter().for_each(Call::accepted);
        });
        assert_eq!(waiter, Waiter::Chat);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_stands_alone_is_the_bots_at_once() {
        let calls = Calls::default();
        let begun = Instant::now();
        assert_eq!(call(&calls, 9).told_to_wait().await, Waiter::Bot);
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn two_that_flow_are_too_few() {
        let calls = Calls::default();
        let busy = call(&calls, 9);
        let others = [1, 2].map(|channel| call(&calls, channel));
        let (waiter, ()) = tokio::join!(busy.told_to_wait(), async {
            others.into_iter().for_each(Call::accepted);
        });
        assert_eq!(waiter, Waiter::Bot);
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_or_was_answered_before_shows_nothing() {
        let calls = Calls::default();
        let began_before = [1, 2, 3].map(|channel| call(&calls, channel));
        let busy = call(&calls, 9);
        for channel in [4, 5, 6] {
            call(&calls, channel).accepted();
        }
        let (waiter, ()) = tokio::join!(busy.told_to_wait(), async {
            began_before.into_iter().for_each(Call::accepted);
        });
        assert_eq!(waiter, Waiter::Bot);
    }

    #[tokio::test(start_paused = true)]
    async fn two_waits_are_the_bots_whatever_flows() {
        let calls = Calls::default();
        let (first, second) = (call(&calls, 8), call(&calls, 9));
        let others = [1, 2, 3].map(|channel| call(&calls, channel));
        let waits = async { tokio::join!(first.told_to_wait(), second.told_to_wait()) };
        let (waiters, ()) = tokio::join!(waits, async {
            others.into_iter().for_each(Call::accepted);
        });
        assert_eq!(waiters, (Waiter::Bot, Waiter::Bot));
        let third = call(&calls, 7);
        let others = [1, 2, 3].map(|channel| call(&calls, channel));
        let (waiter, ()) = tokio::join!(third.told_to_wait(), async {
            others.into_iter().for_each(Call::accepted);
        });
        assert_eq!(waiter, Waiter::Bot, "so soon after it is the same flood");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_is_not_waited_for() {
        let calls = Calls::default();
        let busy = call(&calls, 9);
        let _hangs = call(&calls, 1);
        let begun = Instant::now();
        assert_eq!(busy.told_to_wait().await, Waiter::Bot);
        assert!(begun.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn another_bots_messages_show_nothing() {
        let calls = Calls::default();
        let busy = call(&calls, 9);
        let others = [1, 2, 3].map(|channel| calls.begin(OTHER_BOT, Uuid::from_u128(channel)));
        let (waiter, ()) = tokio::join!(busy.told_to_wait(), async {
            others.into_iter().for_each(Call::accepted);
        });
        assert_eq!(waiter, Waiter::Bot);
    }
}
