//! The table of rules: one row a hazard.

use super::design::Design;
use super::{Finding, calls, consumers, messages, order, outbox, sagas, stores};

/// A hazard that can be read off a design.
#[derive(Debug)]
pub struct Rule {
    /// By which it is silenced: `dual-write`.
    pub name: &'static str,
    /// What it looks for.
    pub about: &'static str,
    /// Why that is a hazard.
    pub why: &'static str,
    /// What would repair it.
    pub repair: &'static str,
    /// The scenario in which the hazard strikes, in `scenarios/`; empty: the library has none.
    pub shown_by: &'static str,
    pub(super) find: fn(&Design<'_>, &mut Vec<Finding>),
}

const fn rule(
    [name, about, why, repair, shown_by]: [&'static str; 5],
    find: fn(&Design<'_>, &mut Vec<Finding>),
) -> Rule {
    Rule { name, about, why, repair, shown_by, find }
}

/// All of them, in the order in which the reference lists them.
pub static RULES: &[Rule] = &[
    rule(
        [
            "non-idempotent-consumer",
            "A handler of messages that can come again changes a row in a way that adds up.",
            "who crashes after the change and before the acknowledgement is handed the message again, and does it again",
            "remember the message in the same transaction (`insert: handled, key: message.id, else: [ stop ]`), or write what is so and not what to add",
            "idempotency/no-guard.yaml",
        ],
        consumers::non_idempotent_consumer,
    ),
    rule(
        [
            "mark-before-act",
            "A handler remembers a message in one transaction, and acts on it in a later one.",
            "cut in between, it finds its own mark when the message comes again, and the rest is never done",
            "put the mark and the act into one transaction",
            "idempotency/mark-then-act.yaml",
        ],
        consumers::mark_before_act,
    ),
    rule(
        [
            "effect-without-key",
            "An effect that can be asked for again has no `idempotency_key`, or a new one each time.",
            "no transaction takes back what somebody else has done, and without a key they cannot know that they did it",
            "give it an `idempotency_key` that is the same whenever the same thing is wanted",
            "idempotency/card-without-key.yaml",
        ],
        consumers::effect_without_key,
    ),
    rule(
        [
            "deduplication-too-short",
            "What was handled is remembered for a shorter time than a message can stay away.",
            "when the message comes again, nobody remembers it",
            "remember longer than the lease, times the deliveries, plus the longest backlog (`ttl`)",
            "idempotency/ids-for-ten-seconds.yaml",
        ],
        consumers::deduplication_too_short,
    ),
    rule(
        [
            "ack-before-handling",
            "A message is acknowledged before it is handled.",
            "who crashes in between has lost it: the broker takes it for done",
            "acknowledge after the work (`ack: after`), and bear to be told twice",
            "idempotency/acknowledged-first.yaml",
        ],
        consumers::ack_before_handling,
    ),
    rule(
        [
            "no-dead-letter",
            "A message that fails each time has nowhere to go.",
            "it is tried for ever, or it vanishes; where order is kept, everything behind it waits",
            "say after how many deliveries it goes where (`exhaust: { after: 5, dead_letter: topic }`), or catch the failure",
            "brokers/kafka.yaml",
        ],
        consumers::no_dead_letter,
    ),
    rule(
        [
            "order-without-key",
            "A handler overwrites what an earlier message said, and nothing keeps the messages of one thing in order.",
            "two changes of one thing are handled side by side, and the older one may be written last",
            "give the message a key and route by it, or write only what is newer (`where: message.version > row.version`)",
            "ordering/no-key.yaml",
        ],
        order::order_without_key,
    ),
    rule(
        [
            "retry-topic-overtaken",
            "What failed is passed on to be handled later, while later messages of the same key go ahead.",
            "it comes back after newer ones, and overwrites them",
            "retry in place, or write only what is newer",
            "ordering/retry-topic.yaml",
        ],
        order::retry_topic_overtaken,
    ),
    rule(
        [
            "clock-decides",
            "Which write is newer is read off clocks.",
            "clocks of different instances differ: what a slow one wrote is dropped, and what a fast one wrote stays",
            "count versions where the thing is owned, and compare those",
            "ordering/skewed-clocks.yaml",
        ],
        order::clock_decides,
    ),
    rule(
        [
            "domain-message-crosses-boundary",
            "A domain message is handled by another service than the one that sends it.",
            "its shape follows the sender's tables: the sender cannot change them any more without breaking others",
            "publish an integration message made for others, with what they need and no more",
            "payload/domain-shared.yaml",
        ],
        messages::domain_message_crosses_boundary,
    ),
    rule(
        [
            "fat-notification",
            "A notification carries more than its key.",
            "some act on what it carries and others call back: the two can disagree, and nobody knows which is meant",
            "let it carry its key alone, or make it an integration message",
            "payload/half-thin.yaml",
        ],
        messages::fat_notification,
    ),
    rule(
        [
            "dual-write",
            "A row is written and a message is published, and nothing holds the two together.",
            "a crash in between leaves one without the other",
            "publish in the transaction of the row (`via: outbox`)",
            "consistency/dual-write.yaml",
        ],
        outbox::dual_write,
    ),
    rule(
        [
            "writes-across-services",
            "One request changes several services in turn, and nothing takes back the first when a later one fails.",
            "a crash or a refusal in between leaves some of it done",
            "lead it by a saga with undos, or let the others follow by messages",
            "coupling/request-chain.yaml",
        ],
        outbox::writes_across_services,
    ),
    rule(
        [
            "outbox-by-id",
            "The relay of an outbox looks for ids above its position while several write.",
            "ids are given when a row is written and seen when it is committed: a late commit lies below the position for ever",
            "follow the order of commits (`select: log`), or a flag (`select: unsent`)",
            "outbox/by-id.yaml",
        ],
        outbox::outbox_by_id,
    ),
    rule(
        [
            "outbox-marked-before-publish",
            "The relay marks messages as sent before it sends them.",
            "what it has in hand when it crashes is lost",
            "mark them after the publish, and let consumers bear to be told twice",
            "outbox/marked-before.yaml",
        ],
        outbox::outbox_marked_before_publish,
    ),
    rule(
        [
            "call-in-transaction",
            "Another service is called while a transaction is open.",
            "locks are held as long as it takes to answer, and what it does is not rolled back",
            "call before or after, and keep what must survive in between",
            "consistency/call-in-transaction.yaml",
        ],
        outbox::call_in_transaction,
    ),
    rule(
        [
            "effect-in-transaction",
            "An external effect stands in a transaction.",
            "a rollback takes back the rows and not the effect",
            "make the effect outside, under an `idempotency_key`",
            "idempotency/card-in-transaction.yaml",
        ],
        outbox::effect_in_transaction,
    ),
    rule(
        [
            "read-then-set",
            "What is written was computed from what was read before, and nothing notices a write in between.",
            "of two who read the same, one writes over the other",
            "compute it in the write (`row.x`), lock the row (`lock: true`), compare in `where`, or isolate by `snapshot`",
            "consistency/lost-update.yaml",
        ],
        stores::read_then_set,
    ),
    rule(
        [
            "write-skew",
            "A transaction decides by a row that it only reads, and writes another one.",
            "two who decide by each other's row both find it as it was, and both write",
            "isolate by `serializable`, or lock what the decision rests on (`lock: true`)",
            "consistency/write-skew.yaml",
        ],
        stores::write_skew,
    ),
    rule(
        [
            "append-without-expect",
            "A stream is loaded, decided upon and appended to, whatever was appended in between.",
            "two who decide on the same state both append",
            "append on the condition that nothing came in between (`expect: found.version`)",
            "event-sourcing/blind-append.yaml",
        ],
        stores::append_without_expect,
    ),
    rule(
        [
            "answered-before-durable",
            "A store answers before what was written is safe.",
            "what was answered since the last flush is gone with a crash of the store",
            "flush before the answer (`flush: always`)",
            "stores/flush-later.yaml",
        ],
        stores::answered_before_durable,
    ),
    rule(
        [
            "quorums-do-not-meet",
            "Fewer replicas are asked to read and to write than there are, together.",
            "a read can be answered by replicas that have not heard of the write",
            "let `read_quorum` + `write_quorum` be more than `n`",
            "stores/quorum-of-one.yaml",
        ],
        stores::quorums_do_not_meet,
    ),
    rule(
        [
            "retry-without-budget",
            "A call is tried three times or more, and nothing bounds how many of all calls are retries.",
            "when the other side is slow, retries multiply its load, and keep it slow after the cause is gone",
            "bound them: `budget: 10%`, or a `breaker`",
            "overload/retry-storm.yaml",
        ],
        calls::retry_without_budget,
    ),
    rule(
        [
            "retry-without-jitter",
            "Retries of a call wait equally long.",
            "those that failed together come again together",
            "spread them: `jitter: full`",
            "overload/retry-storm.yaml",
        ],
        calls::retry_without_jitter,
    ),
    rule(
        [
            "retry-of-non-idempotent-call",
            "A call is tried again or hedged, and what it asks for adds up.",
            "a try that timed out may have been done: the next one does it again",
            "let the other side recognise it by a key of the caller's, or do not try again",
            "idempotency/retried-call.yaml",
        ],
        calls::retry_of_non_idempotent_call,
    ),
    rule(
        [
            "timeout-below-callee",
            "A caller gives up before the service that it calls has given up waiting for others.",
            "the work goes on for nobody, and the caller's retry adds a second one",
            "let timeouts grow towards the caller: longer than all tries of the callee together",
            "overload/impatient-caller.yaml",
        ],
        calls::timeout_below_callee,
    ),
    rule(
        [
            "unbounded-queue",
            "Requests that are tried again wait in a queue without an end, or one longer than their callers wait.",
            "the service works through what nobody waits for any more, while those come again who gave up",
            "bound the queue (`capacity`), or leave out what is too late (`shed: deadline`)",
            "overload/retry-storm.yaml",
        ],
        calls::unbounded_queue,
    ),
    rule(
        [
            "job-on-every-instance",
            "A job that acts runs on every instance.",
            "as often as there are instances the same thing is done",
            "let it run on one (`runs: once`), or claim rows before acting on them",
            "idempotency/job-on-every-instance.yaml",
        ],
        consumers::job_on_every_instance,
    ),
    rule(
        [
            "doubt-skipped",
            "A step of a saga that timed out is taken for not done.",
            "it may have been done, or be done yet: nothing takes it back",
            "undo it as well (`on_timeout: undo`)",
            "saga/doubt-skipped.yaml",
        ],
        sagas::doubt_skipped,
    ),
    rule(
        [
            "step-without-undo",
            "A step of a saga acts, has no `undo`, and steps behind it can still fail.",
            "what it did stays when the saga is taken back",
            "give it an `undo`, or put it last",
            "saga/step-without-undo.yaml",
        ],
        sagas::step_without_undo,
    ),
    rule(
        [
            "replay-repeats-effects",
            "A replay hands messages again to handlers that act outside the tables that it clears.",
            "effects are made again, and what adds up is added to what is there",
            "clear what is built anew, and leave effects out when `delivery.replayed`",
            "cqrs/replay-mails-again.yaml",
        ],
        consumers::replay_repeats_effects,
    ),
];

/// The page about all rules, in Markdown.
pub fn reference() -> String {
    let mut page = String::from(
        "# Findings\n\nWhat `eventflow lint` looks for. Every finding names its place, why it is a hazard, what would repair it, and a\n\
         scenario in which it strikes. `lint: { <finding>: reason }` at the top of a scenario, in a service, or on a handler or job\n\
         (written as a map with `do`) silences it; a silence that silences nothing is told. Findings never change a run.\n\n\
         This page is written from the table of rules.\n\n\
         | finding | what it looks for | why it is a hazard | what repairs it | shown by |\n|---|---|---|---|---|\n",
    );
    for Rule { name, about, why, repair, shown_by, .. } in RULES {
        let shown = match shown_by.is_empty() {
            true => "–".to_owned(),
            false => format!("[{shown_by}](../scenarios/{shown_by})"),
        };
        page += &format!("| `{name}` | {about} | {why} | {repair} | {shown} |\n");
    }
    page
}
