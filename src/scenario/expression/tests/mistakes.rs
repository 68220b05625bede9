//! What is wrong: each mistake is said once, with the exact part underlined.

use super::*;

/// (text, code, underlined, a part of the message or help)
type Case = (&'static str, &'static str, &'static str, &'static str);

fn check_all(cases: &[Case], expected: Option<&Type>) {
    for &(text, code, underlined, said) in cases {
        let (diagnostic, found) = wrong(text, expected);
        assert_eq!((diagnostic.code, found.as_str()), (code, underlined), "{text}: {diagnostic:?}");
        let help = diagnostic.help.unwrap_or_default();
        assert!(
            diagnostic.message.contains(said) || help.contains(said),
            "{text}: {} / {help}",
            diagnostic.message
        );
    }
}

#[test]
fn what_does_not_parse() {
    check_all(
        &[
            ("", "does-not-parse", "", "an expression is expected"),
            ("1 +", "does-not-parse", "+", "ends too early"),
            ("1 + * 2", "does-not-parse", "*", "not expected"),
            ("(1 + 2", "does-not-parse", "(", "`)` is expected"),
            ("n[1", "does-not-parse", "[", "`]` is expected"),
            ("1 + 2)", "does-not-parse", ")", "nothing is open"),
            ("(n[1)]", "does-not-parse", ")", "`]` is expected before `)`"),
            ("n = 1", "does-not-parse", "=", "`==`"),
            ("n and n", "does-not-parse", "and", "`&&`"),
            ("n == 1 or n == 2", "does-not-parse", "or", "`||`"),
            ("not n", "does-not-parse", "n", "`!`"),
            ("5 ms", "does-not-parse", "ms", "directly after its number"),
            ("n {1: 2}", "does-not-parse", "{", "no braces"),
            ("n # 1", "does-not-parse", "#", "means nothing"),
            ("!!seen.exists", "does-not-parse", "!", "twice"),
            ("n ? 1", "does-not-parse", "1", "ends too early"),
            ("null", "does-not-parse", "null", "no `null`"),
            ("'open", "does-not-parse", "'open", "ends with"),
            ("message.5", "does-not-parse", "5", "a name is expected"),
            ("n.?x", "does-not-parse", ".", "not expected"),
            ("items.size()", "unknown-function", "size", "size(list)"),
            ("items.exists(i, i > 2)", "unknown-function", "exists", "no loops"),
            ("items.map(i, i)", "unknown-function", "map", "no loops"),
        ],
        None,
    );
}

#[test]
fn a_text_that_a_comma_cut_off_wants_quotes() {
    let mut world = World::new();
    let node = world.node("{ x: max(1, y: 2) }");
    let NodeKind::Map(map) = &node.kind else { panic!("a map") };
    assert!(expression(&map["x"].value, None, &Scope::NOTHING, &mut world.context()).is_none());
    let (diagnostic, underlined) = only(&world, "max(1");
    assert_eq!(underlined, "(");
    assert!(diagnostic.help.is_some_and(|help| help.starts_with("quote")));
}

#[test]
fn names_that_are_not_known() {
    check_all(
        &[
            ("1 + ns", "unknown-name", "ns", "did you mean `n`?"),
            ("sen.exists", "unknown-name", "sen", "did you mean `seen`?"),
            ("mesage.qty", "unknown-name", "mesage", "did you mean `message`?"),
            ("message.qyt", "unknown-field", "qyt", "did you mean `qty`?"),
            ("message.colour", "unknown-field", "colour", "there are: order"),
            ("seen.exist", "unknown-column", "exist", "did you mean `exists`?"),
            ("row.reservd + 1", "unknown-column", "reservd", "did you mean `reserved`?"),
            ("answer.prize", "unknown-field", "prize", "did you mean `price`?"),
            ("delivery.atempt", "unknown-field", "atempt", "did you mean `attempt`?"),
            ("self.inflight", "unknown-field", "inflight", "did you mean `in_flight`?"),
            ("row.status == shiped", "unknown-word", "shiped", "did you mean `shipped`?"),
            ("row.status in [placed, gone]", "unknown-word", "gone", "one of placed, shipped"),
            ("n.x", "unknown-field", "x", "an int"),
            ("maximum(1, 2)", "unknown-function", "maximum", "there are"),
            ("mix(1, 2)", "unknown-function", "mix", "did you mean `min`?"),
            ("has(seen.wait)", "unknown-function", "has", "exists"),
            ("$tiemout * 2", "unknown-parameter", "$tiemout", "did you mean `$timeout`?"),
            ("1 + $loop", "parameter-cycle", "$loop", "by itself"),
            ("sum(n)", "out-of-place", "sum", "guarantees"),
            ("state.x", "out-of-place", "state", "no stream"),
            ("message", "wrong-type", "message", "name a field"),
            ("rows[0].wait", "wrong-type", "rows[0]", "`let`"),
        ],
        None,
    );
}

#[test]
fn types_that_do_not_fit() {
    check_all(
        &[
            ("n + true", "wrong-type", "n + true", "cannot be added"),
            ("message.limit + 1", "wrong-type", "message.limit + 1", "units are always written"),
            ("message.limit * 5ms", "wrong-type", "message.limit * 5ms", "cannot be multiplied"),
            ("message.limit > 5", "missing-unit", "5", "a duration is expected: `5ms`"),
            ("0 < row.wait", "missing-unit", "0", "a duration is expected: `5ms`"),
            ("message.limit > 5B", "wrong-type", "message.limit > 5B", "do not go together"),
            ("n == true", "wrong-type", "n == true", "do not go together"),
            ("message.order == n", "wrong-type", "message.order == n", "an id and an int"),
            ("message.order < message.order", "wrong-type", "message.order < message.order", "no order"),
            ("row.status < shipped", "wrong-type", "row.status < shipped", "no order"),
            ("seen == seen", "wrong-type", "seen", "a row of stock"),
            ("items == items", "wrong-type", "items", "a list"),
            ("!n", "wrong-type", "n", "a bool is expected"),
            ("n && true", "wrong-type", "n", "a bool is expected"),
            ("n ? 1 : 2", "wrong-type", "n", "a bool is expected"),
            ("true ? 1 : 5ms", "missing-unit", "1", "5ms"),
            ("-row.status", "wrong-type", "row.status", "negated"),
            ("n[0]", "wrong-type", "n", "a list is expected"),
            ("items[row.wait]", "wrong-type", "row.wait", "an int is expected"),
            ("items[-1]", "wrong-type", "-1", "from 0"),
            ("n in n", "wrong-type", "n", "a list is expected after `in`"),
            ("message.order in items", "wrong-type", "message.order in items", "never in"),
            ("[1, true]", "wrong-type", "true", "an int is expected"),
            ("[]", "wrong-type", "[]", "empty list"),
            ("[seen]", "wrong-type", "[seen]", "plain values"),
            ("size(n)", "wrong-type", "n", "a list is expected"),
            ("abs(true)", "wrong-type", "true", "a bool"),
            ("max(1)", "wrong-arguments", "max(1)", "two values"),
            ("min(true, false)", "wrong-type", "true", "no order"),
            ("unique(1)", "wrong-arguments", "unique(1)", "unique()"),
            ("1..2.5", "wrong-type", "2.5", "an int is expected"),
            ("$bad", "unknown-name", "ms", "not known"),
        ],
        None,
    );
}

#[test]
fn constants_that_cannot_be() {
    check_all(
        &[
            ("9223372036854775807 + 1", "overflow", "9223372036854775807 + 1", "64 bits"),
            ("9223372036854775808", "overflow", "9223372036854775808", "at most"),
            ("-9223372036854775808 / -1", "overflow", "-9223372036854775808 / -1", "64 bits"),
            ("1 / 0", "division-by-zero", "1 / 0", "zero"),
            ("n % 0", "division-by-zero", "n % 0", "zero"),
            ("1.0 / 0", "division-by-zero", "1.0 / 0", "zero"),
            ("1..1000000000", "too-large", "1..1000000000", "at most 1000000 elements"),
            ("5sec", "unknown-unit", "sec", "times: ns us ms"),
            ("5Kb", "unknown-unit", "Kb", "did you mean `KB`?"),
            ("99999999d", "too-large", "99999999d", "36500d"),
        ],
        None,
    );
}

#[test]
fn the_expected_type_is_named() {
    check_all(
        &[
            ("5", "missing-unit", "5", "a duration is expected: `5ms`"),
            ("2.5", "missing-unit", "2.5", "a duration is expected: `5ms`"),
            ("5KB", "wrong-unit", "5KB", "a duration is expected: `5ms`"),
            ("message.qty", "wrong-type", "message.qty", "a duration is expected: `5ms`"),
            ("soon", "unknown-name", "soon", "a duration is expected: `5ms`"),
        ],
        Some(&Type::Duration),
    );
    check_all(&[("on", "unknown-name", "on", "a bool is expected: `true`")], Some(&Type::Bool));
    check_all(&[("5ms", "wrong-type", "5ms", "an int is expected: `3`")], Some(&Type::Int));
    check_all(&[("message.order", "wrong-type", "message.order", "an int is expected")], Some(&Type::Int));
}

#[test]
fn nothing_is_in_hand_outside_its_place() {
    for (text, underlined) in [
        ("message.x", "message"),
        ("delivery.attempt", "delivery"),
        ("row.x", "row"),
        ("self.instance", "self"),
        ("now", "now"),
    ] {
        let mut world = World::new();
        let node = world.node(text);
        assert!(expression(&node, None, &Scope::NOTHING, &mut world.context()).is_none());
        let (diagnostic, found) = only(&world, text);
        assert_eq!((diagnostic.code, found.as_str()), ("out-of-place", underlined));
    }
}

#[test]
fn a_mistake_in_a_parameter_tells_where_it_is_used() {
    let (diagnostic, underlined) = wrong("n + $bad", None);
    assert_eq!(underlined, "ms");
    assert_eq!(diagnostic.related[0].1, "used here");
}

#[test]
fn independent_mistakes_are_all_told() {
    let mut world = World::new();
    assert!(world.read("foo + bar * message.baz", None, false).is_none());
    assert_eq!(world.diagnostics.list.len(), 3);
}

#[test]
fn without_exact_offsets_the_whole_text_is_underlined() {
    let mut world = World::new();
    let mut node = world.node("1 + true");
    if let NodeKind::Text { offsets_exact, .. } = &mut node.kind {
        *offsets_exact = false;
    }
    assert!(expression(&node, None, &Scope::NOTHING, &mut world.context()).is_none());
    assert_eq!(only(&world, "").1, "1 + true");
}
