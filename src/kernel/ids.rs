//! Dense, typed ids. A name in a scenario becomes one of these once, when the model is compiled;
//! afterwards nothing is looked up by string.

use serde::{Deserialize, Serialize};

/// Defines `u32` newtypes that index the table of their kind.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in the table of this kind.
            #[inline(always)]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The id of the entry at `index`; tables are bounded far below `u32::MAX`.
            #[inline(always)]
            pub fn new(index: usize) -> Self {
                debug_assert!(index < u32::MAX as usize);
                Self(index as u32)
            }
        }
    )*};
}

ids! {
    /// A message type (`messages:`), schema versions apart.
    MessageId,
    /// A broker.
    BrokerId,
    /// A topic.
    TopicId,
    /// A service.
    ServiceId,
    /// A table, of a store or in memory; numbered through the whole scenario.
    TableId,
    /// A subscription of a service to a topic (a consumer group).
    GroupId,
    /// A client.
    ClientId,
    /// A compiled piece of handler code: a handler, a job, a client's `do`, the body of an `after`.
    HandlerId,
    /// A link of the network, or a default route between two named ends.
    LinkId,
    /// A fault.
    FaultId,
    /// A job of a service.
    JobId,
    /// A saga of a service.
    SagaId,
    /// One running process of a service, numbered through the whole scenario.
    InstanceId,
    /// A named step: identifies what a step does for obligations and faults (`service/Message/name`).
    SiteId,
    /// A named random stream: one place that draws (`service/Message/verb#k`).
    StreamId,
    /// An interned word: a text value, an enumeration's word, an error reason.
    SymbolId,
    /// An external effect (`effect: send_mail`).
    EffectId,
    /// A local of a frame, numbered within its handler.
    LocalId,
}
