//! Messages that were sent before row changes of their issuer were committed: nobody knows yet whether what they
//! tell of comes to be.
//!
//! ```text
//! publish Placed     early: Placed waits for {orders, stock}
//! insert orders      committed: Placed waits for {stock}
//! update stock       committed, or found nothing to do: Placed is early no more
//! ```

use super::ledger::EntryId;
use crate::kernel::encoder::Encoder;
use crate::kernel::ids::SiteId;

/// Those of one attempt.
#[derive(Clone, Debug, Default)]
pub struct Early {
    messages: Vec<Sent>,
    /// The sites that each waits for.
    to_come: Vec<(u32, SiteId)>,
    /// How many there have been.
    sent: u32,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    number: u32,
    message: EntryId,
}

impl Early {
    pub fn clear(&mut self) {
        self.messages.clear();
        self.to_come.clear();
        self.sent = 0;
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// A message is sent that these changes are still to follow.
    pub fn send(&mut self, message: EntryId, to_come: &[SiteId]) {
        let number = self.sent;
        self.sent += 1;
        self.messages.push(Sent { number, message });
        self.to_come.extend(to_come.iter().map(|site| (number, *site)));
    }

    /// A row step was carried out for good, or found nothing to do: no message waits for it any more.
    pub fn has_come(&mut self, site: SiteId) {
        self.to_come.retain(|(_, to_come)| *to_come != site);
    }

    /// Takes out those that wait for nothing more; where what they waited for was rolled back, all.
    pub fn take_over(&mut self, committed: bool, over: &mut Vec<EntryId>) {
        let to_come = &mut self.to_come;
        if !committed {
            to_come.clear();
        }
        self.messages.retain(|sent| {
            let waits = to_come.iter().any(|(number, _)| *number == sent.number);
            if !waits {
                over.push(sent.message);
            }
            waits
        });
    }

    /// All that are early.
    pub fn iter(&self) -> impl Iterator<Item = EntryId> {
        self.messages.iter().map(|sent| sent.message)
    }

    /// Who waits for what; entries are called by their obligations.
    pub fn encode(&self, encoder: &mut Encoder, obligation: impl Fn(EntryId) -> u64) {
        let Self { messages, to_come, sent: _ } = self;
        encoder.set(messages, |encoder, Sent { number, message }| {
            encoder.word(obligation(*message));
            let own = to_come.iter().filter(|(of, _)| of == number);
            encoder.set(own, |encoder, (_, site)| encoder.word(u64::from(site.0)));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_early_until_all_that_it_waits_for_has_come() {
        let (mut early, mut over) = (Early::default(), Vec::new());
        early.send(7, &[SiteId(1), SiteId(2)]);
        early.send(8, &[SiteId(2)]);
        early.has_come(SiteId(2));
        early.take_over(true, &mut over);
        assert_eq!((over.clone(), early.iter().collect::<Vec<_>>()), (vec![8], vec![7]));
        early.take_over(false, &mut over);
        assert_eq!((over, early.is_empty()), (vec![8, 7], true));
    }
}
