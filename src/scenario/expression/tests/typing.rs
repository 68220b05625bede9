//! What is right: types of operators, names, functions, and constants worked out.

use super::*;

#[test]
fn operators_have_the_types_of_the_table() {
    let cases = [
        ("n + 1", Type::Int),
        ("n + 1.5", Type::Number),
        ("2 * n / 3 % 4", Type::Int),
        ("message.limit * 2", Type::Duration),
        ("2 * message.limit", Type::Duration),
        ("0.5 * message.limit", Type::Duration),
        ("message.limit / 2", Type::Duration),
        ("message.limit / 1ms", Type::Number),
        ("message.limit % 1ms", Type::Duration),
        ("message.limit + 1ms", Type::Duration),
        ("now - row.since", Type::Duration),
        ("now + 5ms", Type::Time),
        ("5ms + now", Type::Time),
        ("now - message.limit", Type::Time),
        ("200/s * message.limit", Type::Number),
        ("message.limit * 200/s", Type::Number),
        ("n / 200/s", Type::Duration),
        ("1MB / 10MB/s", Type::Duration),
        ("1MB / message.limit", Type::Rate),
        ("n / message.limit", Type::Rate),
        ("2 * 200/s", Type::Rate),
        ("200/s / 100/s", Type::Number),
        ("1KB + 24B", Type::Size),
        ("1KB / 2B", Type::Number),
        ("n < 3 && row.wait >= 5ms || !seen.exists", Type::Bool),
        ("row.status == placed", Type::Bool),
        ("placed != row.status", Type::Bool),
        ("now > 10m", Type::Bool),
        ("message.order == message.key", Type::Bool),
        ("message.order == 5", Type::Bool),
        ("message.note == hello", Type::Bool),
        ("delivery.topic == orders", Type::Bool),
        ("n in items", Type::Bool),
        ("n in 1..n + 3", Type::Bool),
        ("n == 2 || n in [1, 2]", Type::Bool),
        ("row.status in [placed, shipped]", Type::Bool),
        ("placed in [row.status]", Type::Bool),
        ("seen.exists ? 1 : n", Type::Int),
        ("seen.exists ? 1 : 2.5", Type::Number),
        ("items[0]", Type::Int),
        ("rows[0]", Type::Row(STOCK)),
        ("size(rows)", Type::Int),
        ("min(n, 3, 4)", Type::Int),
        ("max(n, 1.5)", Type::Number),
        ("max(message.limit, 5ms)", Type::Duration),
        ("abs(n - 3)", Type::Int),
        ("abs(message.limit)", Type::Duration),
        ("-message.limit", Type::Duration),
        ("-row.since", Type::Duration),
        ("unique()", Type::Id),
        ("message.id", Type::Id),
        ("message.published_at", Type::Time),
        ("message.schema", Type::Int),
        ("delivery.attempt + delivery.partition + delivery.offset", Type::Int),
        ("delivery.replayed", Type::Bool),
        ("self.instance + self.in_flight + self.queue_length", Type::Int),
        ("seen.wait", Type::Duration),
        ("answer.accepted", Type::Bool),
        ("message.tags", Type::List(Box::new(Type::Text))),
        ("1..n", Type::List(Box::new(Type::Int))),
        ("[1, 2.5]", Type::List(Box::new(Type::Number))),
        ("[1ms, message.limit]", Type::List(Box::new(Type::Duration))),
    ];
    for (text, ty) in cases {
        assert_eq!(good(text, None).ty, ty, "{text}");
    }
}

#[test]
fn constants_are_worked_out() {
    let int = |value| (Literal::Int(value), Type::Int);
    let duration = |value| (Literal::Int(value), Type::Duration);
    let number = |value| (Literal::Number(value), Type::Number);
    let bool = |value| (Literal::Bool(value), Type::Bool);
    let cases = [
        ("1 + 2 * 3", int(7)),
        ("(1 + 2) * 3", int(9)),
        ("7 / 2", int(3)),
        ("-7 / 2", int(-3)),
        ("7 % 3", int(1)),
        ("-9223372036854775808", int(i64::MIN)),
        ("2 * $timeout", duration(10_000_000)),
        ("1.5 * 1us", duration(1_500)),
        ("0.5 * 1ns", duration(0)),
        ("0.5 * 3ns", duration(2)),
        ("1s / 4", duration(250_000_000)),
        ("1s / 8ms", number(125.0)),
        ("200/s * 10ms", number(2.0)),
        ("1 / 200/s", duration(5_000_000)),
        ("10MB / 10MB/s", duration(1_000_000_000)),
        ("1 - 5%", number(0.95)),
        ("1 / 2.0", number(0.5)),
        ("max(1, 2.5)", number(2.5)),
        ("min(3ms, 5us)", duration(5_000)),
        ("abs(-3)", int(3)),
        ("size([4, 5])", int(2)),
        ("size([])", int(0)),
        ("1 < 2 ? 3 : 4", int(3)),
        ("!(1 == 1)", bool(false)),
        ("1ms <= 1us || 2.5 > 2", bool(true)),
        ("'a' == 'a'", bool(true)),
    ];
    for (text, expected) in cases {
        assert_eq!(folded(text), expected, "{text}");
    }
    assert_eq!(folded("1MB / 2s"), (Literal::Number(500_000.0), Type::Rate));
}

#[test]
fn the_place_says_how_a_scalar_is_read() {
    let status = World::new().status();
    assert!(matches!(
        good("shipped", Some(&status)).kind,
        ExpressionKind::Literal(Literal::Symbol(SymbolId(1)))
    ));
    assert!(matches!(
        good("'shipped'", Some(&status)).kind,
        ExpressionKind::Literal(Literal::Symbol(SymbolId(1)))
    ));
    assert!(matches!(good("hello", Some(&Type::Text)).kind, ExpressionKind::Literal(Literal::Symbol(_))));
    assert!(matches!(good("5", Some(&Type::Id)).kind, ExpressionKind::Literal(Literal::Int(5))));
    assert!(matches!(good("2", Some(&Type::Number)).kind, ExpressionKind::Literal(Literal::Number(2.0))));
    assert!(matches!(good("1 / 2", Some(&Type::Number)).kind, ExpressionKind::Literal(Literal::Number(0.5))));
    assert!(matches!(good("n", Some(&Type::Number)).kind, ExpressionKind::ToNumber(_)));
    assert_eq!(good("n", Some(&Type::Id)).ty, Type::Id, "an int serves as an id");
    assert_eq!(good("true ? placed : row.status", Some(&status)).ty, status);
    assert_eq!(
        good("[placed]", Some(&Type::List(Box::new(status.clone())))).ty,
        Type::List(Box::new(status))
    );
    let empty = good("[]", Some(&Type::List(Box::new(Type::Int))));
    assert!(matches!(empty.kind, ExpressionKind::Literal(Literal::EmptyList)));
}

#[test]
fn names_become_ids() {
    assert!(matches!(good("n", None).kind, ExpressionKind::Local(LocalId(2))));
    assert!(matches!(good("seen.reserved", None).kind, ExpressionKind::RowColumn(LocalId(0), 1)));
    assert!(matches!(good("seen.exists", None).kind, ExpressionKind::RowExists(LocalId(0))));
    assert!(matches!(good("answer.price", None).kind, ExpressionKind::ReplyField(LocalId(1), 1)));
    assert!(matches!(good("row.wait", None).kind, ExpressionKind::Row(4)));
    let field = ExpressionKind::Message(MessageField::Field(2));
    assert_eq!(format!("{:?}", good("message.qty", None).kind), format!("{field:?}"));
}

#[test]
fn ranges_bind_tighter_than_comparisons_and_looser_than_sums() {
    let ExpressionKind::In(item, list) = good("n in 1..n + 1", None).kind else {
        panic!("`in` is outermost")
    };
    assert!(matches!(item.kind, ExpressionKind::Local(_)));
    let ExpressionKind::Range(_, high) = list.kind else { panic!("the list is a range") };
    assert!(matches!(high.kind, ExpressionKind::Binary(BinaryOperator::Add, ..)));
    assert!(matches!(good("(n) in (1)..3", None).kind, ExpressionKind::In(..)));
    assert!(matches!(good("n + 1..2 * n", None).kind, ExpressionKind::Range(..)));
}

#[test]
fn reserved_words_of_the_grammar_are_ordinary_names() {
    for text in ["void", "if", "package", "exists"] {
        assert_eq!(good(text, Some(&Type::Text)).ty, Type::Text, "{text}");
    }
}

#[test]
fn parameters_stand_for_expressions() {
    assert_eq!(folded("$half * 4"), (Literal::Int(0), Type::Int), "as if it stood in brackets");
    assert_eq!(folded("10 - $two - $two").0, Literal::Int(6));
    assert_eq!(folded("$rate * 1s").0, Literal::Number(200.0));
}

#[test]
fn parts_know_their_place() {
    let mut world = World::new();
    let found = world.read("(n + 1) * max(n, 2)", None, false).unwrap();
    assert_eq!(world.sources.text(found.span), "(n + 1) * max(n, 2)");
    let ExpressionKind::Binary(_, left, right) = found.kind else { panic!("a product") };
    assert_eq!(world.sources.text(left.span), "n + 1");
    assert_eq!(world.sources.text(right.span), "max(n, 2)");
}
