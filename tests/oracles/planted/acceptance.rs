//! Planted bugs of what a broker never took in: a message that was refused or lost on the way is no effect.

use super::bug;
use crate::oracles::Shop;
use eventflow::kernel::anomaly::Anomaly::*;

const OUT: &str = "faults: { f: { outage: broker, at: 500ms, for: 5s } }";

/// The order is nothing but its message.
const CONFIRMED: &str = "- { publish: Placed, with: message }";
const UNCONFIRMED: &str = "- { publish: Placed, with: message, confirm: false }";

#[test]
fn what_was_refused_and_told_is_refused() {
    let refused = bug(&Shop { place: CONFIRMED, fault: OUT, ..Shop::default() }, &[]);
    assert_eq!(
        (refused.sum.refused, refused.sum.lost),
        (2, 0),
        "the call and its message: {:?}",
        refused.sum
    );
    assert!(refused.of(AcknowledgedLoss).exposures > 0);
    let repeated = "- { publish: Placed, with: message, retry: { attempts: 20, delay: 50ms } }";
    let refused = bug(&Shop { place: repeated, fault: OUT, ..Shop::default() }, &[]);
    assert_eq!((refused.sum.refused, refused.sum.lost), (2, 0), "{:?}", refused.sum);
}

#[test]
fn who_is_told_ok_for_a_message_that_no_broker_took_has_lost_it() {
    let lost: &[(&str, u64)] = &[("lost_effects", 1), ("acknowledged_loss", 1)];
    bug(&Shop { place: UNCONFIRMED, fault: OUT, ..Shop::default() }, lost);
    let swallowed = "- { publish: Placed, with: message, catch: { any: [] } }";
    bug(&Shop { place: swallowed, fault: OUT, ..Shop::default() }, lost);
    let more = ", links: { l: { between: [orders, broker], transport: datagram, loss: 100% } }";
    bug(&Shop { place: UNCONFIRMED, more, ..Shop::default() }, lost);
    // The twin asks for a confirmation, and tells what it hears.
    bug(&Shop { place: CONFIRMED, more, ..Shop::default() }, &[]);
    let written = "- { publish: Placed, with: message, via: outbox }";
    bug(&Shop { place: written, fault: OUT, ..Shop::default() }, &[]);
}

/// The order itself is there: what its message was for is lost, but not all that was said to be done.
#[test]
fn a_message_lost_beside_rows_that_are_there_is_lost_alone() {
    let place = "- { insert: orders, key: message.order, set: { qty: message.qty } }
        - { publish: Placed, with: message, confirm: false }";
    bug(&Shop { place, fault: OUT, ..Shop::default() }, &[("lost_effects", 1)]);
}

/// A consumer's message is refused: its attempt fails and comes again, and the message is taken in the second time.
#[test]
fn a_refused_message_of_a_delivery_is_sent_again_with_it() {
    let shop = Shop {
        placed: "- { wait: 10ms }
        - { publish: Rejected, with: { order: message.order }, retry: { attempts: 1 } }",
        preset: "sqs-standard",
        // While the first attempt waits.
        fault: "faults: { f: { outage: broker, at: 1006ms, for: 100ms } }",
        ..Shop::default()
    };
    let judged = bug(&shop, &[]);
    assert_eq!((judged.sum.lost, judged.sum.refused), (0, 0), "{:?}", judged.sum);
    assert!(judged.of(AcknowledgedLoss).exposures > 0, "the first was sent in vain");
}
