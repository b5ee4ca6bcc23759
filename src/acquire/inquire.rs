//! Asking about one order: the same tries, pauses, rates and caps as for a statement. What comes back is given to the
//! caller, who keeps it as evidence; nothing is archived here, because an answer is a few hundred bytes and there may
//! be twenty thousand of them.

use std::time::Duration;

use super::{Acquirer, Progress, Reply, Tell, Transport, Trouble, exhausted, retry_after};
use crate::channel::{Ask, Exhausted, Heard, Inquiry, Judged, Queries};
use crate::domain::Failure;

/// Questions about one order. The longest real conversation is TianTa's: two wallets, each by two numbers.
const QUESTIONS_MAX: usize = 8;

/// What was learnt about an order.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Never [`Judged::Again`].
    pub judged: Judged,
    /// Everything that was heard, in its order; the evidence.
    pub heard: Vec<Heard>,
    /// False if anything on the way was plain http (loopback aside).
    pub authenticated: bool,
}

impl<T: Transport> Acquirer<T> {
    /// Asks about one order, as often as it takes and `tries` allows.
    ///
    /// # Errors
    ///
    /// [`Exit::Passing`](crate::domain::Exit) when every try failed; what the room calls exhausted otherwise. A
    /// refusal of us and an answer that may not be believed are answers ([`Judged`]), not errors.
    pub async fn inquire(
        &self,
        queries: &Queries,
        inquiry: &Inquiry,
        tell: Tell<'_>,
    ) -> Result<Answered, Failure> {
        for tries in 1.. {
            let (why, when_exhausted, at_least) = match self.question(queries, inquiry, tell).await {
                Ok(Answered {
                    judged: Judged::Again { why, when_exhausted, at_least_seconds },
                    heard,
                    ..
                }) => {
                    let asked = heard.last().and_then(|last| retry_after(last, self.clock.now()));
                    let at_least = asked.unwrap_or_default().max(Duration::from_secs(at_least_seconds));
                    (why, when_exhausted, at_least)
                }
                Ok(answered) => return Ok(answered),
                Err(Trouble::Again { why, when_exhausted, at_least }) => (why, when_exhausted, at_least),
                Err(Trouble::Final(failure)) => return Err(failure),
            };
            if tries >= self.limits.tries {
                return Err(exhausted(why, when_exhausted, tries));
            }
            let pause = self.pause(tries).max(at_least.min(self.limits.asked_pause_max));
            tell(Progress::Pausing { why: &why, pause });
            // The pause between two tries is the work here, as for statements.
            tokio::time::sleep(pause).await;
        }
        Err(exhausted("no try was made".into(), Exhausted::Passing, 0))
    }

    async fn question(
        &self,
        queries: &Queries,
        inquiry: &Inquiry,
        tell: Tell<'_>,
    ) -> Result<Answered, Trouble> {
        let mut heard: Vec<Heard> = Vec::new();
        let mut authenticated = true;
        while let Some(ask) = (queries.ask)(inquiry, &heard, &self.stamp()) {
            if heard.len() == QUESTIONS_MAX {
                let why = format!("still asking about {} after {QUESTIONS_MAX} questions", inquiry.order_no);
                return Ok(Answered { judged: Judged::Rejected(why), heard, authenticated });
            }
            let words = self.hear_reply(&ask, tell).await?;
            authenticated &= words.1;
            heard.push(words.0);
        }
        Ok(Answered { judged: (queries.judge)(inquiry, &heard), heard, authenticated })
    }

    async fn hear_reply(&self, ask: &Ask, tell: Tell<'_>) -> Result<(Heard, bool), Trouble> {
        let mut partial = self.archive.partial()?;
        let Reply { status, headers, source, authenticated } =
            self.transport.send(ask, &mut partial, tell).await?;
        let head = partial.head().to_vec();
        let (len, mark, at) = (partial.len(), ask.mark().to_owned(), Some(self.clock.now()));
        let heard = Heard { status, headers, head, len, sha256: String::new(), source, mark, at };
        self.check_clock(&heard)?;
        Ok((heard, authenticated))
    }
}
