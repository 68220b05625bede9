//! Single values with the unit of their place, types and literals.

use super::*;

fn with<T>(
    text: &str,
    read: impl FnOnce(&Node, &mut Context) -> Option<T>,
) -> Result<T, (&'static str, String)> {
    let mut world = World::new();
    let node = world.node(text);
    match read(&node, &mut world.context()) {
        Some(value) => {
            assert!(world.diagnostics.is_empty(), "{text}: {:?}", world.diagnostics.list);
            Ok(value)
        }
        None => {
            let (diagnostic, _) = only(&world, text);
            Err((diagnostic.code, diagnostic.message))
        }
    }
}

fn code<T>(result: Result<T, (&'static str, String)>) -> &'static str {
    match result {
        Ok(_) => "right",
        Err((code, _)) => code,
    }
}

#[test]
fn quantities_are_read_in_base_units() {
    assert_eq!(with("2 * $timeout", duration), Ok(10_000_000));
    assert_eq!(with("-5ms", signed_duration), Ok(-5_000_000));
    assert_eq!(with("16", count), Ok(16));
    assert_eq!(with("0.1%", share), Ok(0.001));
    assert_eq!(with("1 - 1%", share), Ok(0.99));
    assert_eq!(with("200/s", rate), Ok(200.0));
    assert_eq!(with("2 * $rate", rate), Ok(400.0));
    assert_eq!(with("10MB/s", bandwidth), Ok(1e7));
    assert_eq!(with("2GiB", size), Ok(1 << 31));
    assert_eq!(with("1e-9", number), Ok(1e-9));
    assert_eq!(with("2", number), Ok(2.0));
    assert_eq!(with("true", boolean), Ok(true));
}

#[test]
fn what_does_not_fit_its_place_is_refused() {
    assert_eq!(code(with("-5ms", duration)), "out-of-range");
    assert_eq!(code(with("5", duration)), "missing-unit");
    assert_eq!(code(with("36500d + 1s", duration)), "out-of-range");
    assert_eq!(code(with("-1", count)), "out-of-range");
    assert_eq!(code(with("5ms", count)), "wrong-type");
    assert_eq!(code(with("0.5", share)), "missing-unit");
    assert_eq!(code(with("101%", share)), "out-of-range");
    assert_eq!(code(with("0/s", rate)), "out-of-range");
    assert_eq!(code(with("10MB/s", rate)), "wrong-unit");
    assert_eq!(code(with("200/s", bandwidth)), "wrong-unit");
    assert_eq!(code(with("1KB - 2KB", size)), "out-of-range");
    assert_eq!(code(with("yes", boolean)), "unknown-name");
    assert_eq!(code(with("on", boolean)), "unknown-name");
    assert_eq!(code(with("{ a: 1 }", count)), "wrong-type");
    let limited = |node: &Node, context: &mut Context| count_within(node, 1..=100, context);
    assert_eq!(with("101", limited), Err(("out-of-range", "this count is between 1 and 100".into())));
    assert_eq!(with("100", limited), Ok(100));
}

#[test]
fn types_are_read() {
    assert_eq!(with("duration", ty), Ok(Type::Duration));
    assert_eq!(with("{ list: id }", ty), Ok(Type::List(Box::new(Type::Id))));
    assert_eq!(with("[placed, gone]", ty), Ok(Type::Enumeration(vec![SymbolId(0), SymbolId(2)])));
    assert_eq!(code(with("number", ty)), "wrong-type");
    assert_eq!(code(with("integer", ty)), "unknown-type");
    assert_eq!(code(with("{ list: { list: int } }", ty)), "wrong-type");
    assert_eq!(code(with("[a, a]", ty)), "duplicate");
    assert_eq!(code(with("[]", ty)), "out-of-range");
    assert_eq!(code(with("[true]", ty)), "wrong-type");
    assert_eq!(code(with("[a-b]", ty)), "wrong-type");
}

#[test]
fn literals_of_rows_may_be_lists() {
    let ints = |node: &Node, context: &mut Context| literals(node, &Type::Int, context);
    assert_eq!(with("1..4", ints).map(|all| all.len()), Ok(4));
    assert_eq!(with("[1, 2]", ints), Ok(vec![Literal::Int(1), Literal::Int(2)]));
    assert_eq!(with("7", ints), Ok(vec![Literal::Int(7)]));
    assert_eq!(with("3..1", ints), Ok(vec![]));
    assert_eq!(code(with("1..1000000000", ints)), "too-large");
    let ids = |node: &Node, context: &mut Context| literals(node, &Type::Id, context);
    assert_eq!(with("1..3", ids).map(|all| all.len()), Ok(3));
    let at = |node: &Node, context: &mut Context| literal(node, &Type::Time, context);
    assert_eq!(with("5s", at), Ok(Literal::Int(5_000_000_000)));
    let fresh = |node: &Node, context: &mut Context| literal(node, &Type::Id, context);
    assert_eq!(code(with("unique()", fresh)), "not-constant");
}
