//! Names: what they are names of, and how they may be written.

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Branch,
    Broker,
    Client,
    Column,
    /// A word, number or truth value that a draw can come to.
    Constant,
    Convergence,
    Effect,
    /// What a link or a split joins.
    End,
    /// An error that a step can meet, or `any`.
    Error,
    Fault,
    Field,
    Group,
    Invariant,
    Job,
    Link,
    Local,
    /// A message, or a later schema of it: `OrderPlaced@2`.
    Message,
    Operation,
    Parameter,
    Reason,
    Region,
    /// A finding of the linter.
    Rule,
    Saga,
    Service,
    /// `service.Message`.
    ServiceMessage,
    /// `service.saga`, or a name of one's own for a choreography.
    ServiceSaga,
    /// `service.table`.
    ServiceTable,
    /// `service.Message.step`.
    Site,
    Step,
    Stream,
    /// A broker, a store or a service.
    System,
    /// A table of the service, or `service.table`.
    Table,
    Topic,
    /// What a scenario is judged by: `idempotency.duplicate_effects`.
    Verdict,
    Version,
}

/// How a name may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    /// Letters, digits and `_`, not beginning with a digit.
    Plain,
    /// Plain, or plain and `@` and a number from 2.
    Schema,
    /// Dashes and a leading digit too: never part of an expression.
    Dashed,
    /// So many plain names with dots between them.
    Dotted(usize, usize),
    /// Anything.
    Free,
}

impl Kind {
    /// What it is, with an article: "a service".
    pub fn with_article(self) -> String {
        let name = self.called();
        let article = if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        format!("{article} {name}")
    }

    /// What it is: "service".
    pub fn called(self) -> &'static str {
        match self {
            Self::Branch => "name for the branch",
            Self::Broker => "broker",
            Self::Client => "client",
            Self::Column => "column",
            Self::Constant => "constant",
            Self::Convergence => "name for the guarantee",
            Self::Effect => "external effect",
            Self::End => "service, client, broker, region, `service.store` or `service.outbox`",
            Self::Error => "error",
            Self::Fault => "name for the fault",
            Self::Field => "field",
            Self::Group => "name for the consumer group",
            Self::Invariant => "name for the invariant",
            Self::Job => "name for the job",
            Self::Link => "name for the link",
            Self::Local => "name for the result",
            Self::Message => "message",
            Self::Operation => "name for the operation",
            Self::Parameter => "name for the parameter",
            Self::Reason => "reason",
            Self::Region => "region",
            Self::Rule => "finding",
            Self::Saga => "name for the saga",
            Self::Service => "service",
            Self::ServiceMessage => "message of a service (`service.Message`)",
            Self::ServiceSaga => "saga (`service.saga`)",
            Self::ServiceTable => "table (`service.table`)",
            Self::Site => "step (`service.Message.step`)",
            Self::Step => "name for the step",
            Self::Stream => "stream",
            Self::System => "broker, store or service",
            Self::Table => "table",
            Self::Topic => "topic",
            Self::Verdict => "verdict",
            Self::Version => "name for the version",
        }
    }

    /// Whether a name of this kind may be written so.
    pub fn admits(self, name: &str) -> bool {
        match self.writing() {
            Writing::Plain => plain(name),
            Writing::Schema => match name.split_once('@') {
                Some((message, schema)) => plain(message) && later_schema(schema),
                None => plain(name),
            },
            Writing::Dashed => !name.is_empty() && name.chars().all(dashed),
            Writing::Dotted(least, most) => {
                let parts = name.split('.').count();
                (least..=most).contains(&parts)
                    && name
                        .split('.')
                        .all(|part| !part.is_empty() && part.chars().all(|c| dashed(c) || c == '@'))
            }
            Writing::Free => !name.is_empty(),
        }
    }

    /// How it may be written, as a sentence.
    pub fn rule(self) -> &'static str {
        match self.writing() {
            Writing::Plain => "a name is letters, digits and `_`, and does not begin with a digit",
            Writing::Schema => "a message's name is letters, digits and `_`; `Name@2` is its second schema",
            Writing::Dashed => "write it with letters, digits, `_` and `-`",
            Writing::Dotted(..) => "write it as names with dots between them",
            Writing::Free => "it may not be empty",
        }
    }

    /// How it may be written, as a regular expression (ECMA 262) without anchors.
    pub fn pattern(self) -> String {
        match self.writing() {
            Writing::Plain => PLAIN.into(),
            Writing::Schema => format!("{PLAIN}(@([2-9]|[1-9][0-9]+))?"),
            Writing::Dashed => DASHED.into(),
            Writing::Dotted(least, most) => {
                vec![PART; least].join("\\.") + &format!("(\\.{PART})?").repeat(most - least)
            }
            Writing::Free => ".+".into(),
        }
    }

    fn writing(self) -> Writing {
        match self {
            Self::Message => Writing::Schema,
            Self::Region | Self::Rule | Self::Version => Writing::Dashed,
            Self::End | Self::ServiceSaga | Self::System | Self::Table => Writing::Dotted(1, 2),
            Self::ServiceMessage | Self::ServiceTable => Writing::Dotted(2, 2),
            Self::Site => Writing::Dotted(3, 3),
            Self::Verdict => Writing::Dotted(2, 4),
            Self::Constant => Writing::Free,
            _ => Writing::Plain,
        }
    }
}

const PLAIN: &str = "[A-Za-z_][A-Za-z0-9_]*";
const DASHED: &str = "[A-Za-z0-9_-]+";
/// Between dots.
const PART: &str = "[A-Za-z0-9_@-]+";

/// Letters, digits and `_`, not beginning with a digit: what may stand in an expression.
pub(super) fn plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn dashed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// A whole number from 2, without leading zeros.
fn later_schema(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.starts_with('0')
        && !text.is_empty()
        && text != "1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_so_that_expressions_can_name_them() {
        assert!(Kind::Service.admits("order_flow2"));
        for wrong in ["", "2nd", "order-flow", "a.b", "straße", "a b"] {
            assert!(!Kind::Service.admits(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_message_may_carry_a_schema_number_from_two() {
        assert!(Kind::Message.admits("OrderPlaced@2") && Kind::Message.admits("OrderPlaced@10"));
        for wrong in ["OrderPlaced@", "OrderPlaced@1", "OrderPlaced@02", "OrderPlaced@x", "@2", "A@2@3"] {
            assert!(!Kind::Message.admits(wrong), "{wrong}");
        }
    }

    #[test]
    fn dotted_names_have_as_many_parts_as_they_should() {
        assert!(Kind::Site.admits("orders.PlaceOrder.reserve"));
        assert!(!Kind::Site.admits("orders.PlaceOrder"));
        assert!(Kind::Table.admits("stock") && Kind::Table.admits("inventory.stock"));
        assert!(
            !Kind::Table.admits("a.b.c") && !Kind::ServiceTable.admits("stock") && !Kind::Table.admits("a.")
        );
        let verdict = |name| Kind::Verdict.admits(name);
        assert!(verdict("invariants.adds_up") && verdict("staleness.orders.orders.age"));
        assert!(!verdict("adds_up") && !verdict("a.b.c.d.e"));
        assert!(Kind::End.admits("eu-west-1") && Kind::End.admits("orders.store"));
    }
}
