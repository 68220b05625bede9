//! Where a source file can be broken, and how: every place is rewritten so that a number chosen at run
//! time breaks it. One build therefore holds all mutants.
//!
//! ```text
//! a < b       (match (&(a), &(b)) { (x, y) => if is(1) { x <= y } else { (x < y) != is(2) } })
//! a && b      ({ let x = a; if x == is(3) { x } else { b } })
//! f();        if !is(4) { f(); }
//! ```

use proc_macro2::Span;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::*;

/// Key parts are numbered from here on, other places from 1.
pub const FIRST_KEY_PART: u32 = 30_000;

/// One way to break one place.
pub struct Mutant {
    pub number: u32,
    pub file: String,
    pub line: usize,
    pub function: String,
    pub what: String,
}

impl std::fmt::Display for Mutant {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Mutant { number, file, line, function, what } = self;
        write!(to, "#{number} {file}:{line} {function}: {what}")
    }
}

/// A text in place of another, or between two.
struct Edit {
    at: Range<usize>,
    text: String,
    /// Closes something: before what opens there, the inner first.
    closes: bool,
}

/// Collects the places of one file.
pub struct Sites<'a> {
    text: &'a str,
    file: &'a str,
    function: Vec<String>,
    edits: Vec<Edit>,
    pub mutants: Vec<Mutant>,
    next: u32,
}

impl<'a> Sites<'a> {
    /// `next` is the number of the first mutant.
    pub fn new(text: &'a str, file: &'a str, next: u32) -> Self {
        Self { text, file, function: Vec::new(), edits: Vec::new(), mutants: Vec::new(), next }
    }

    /// What is found from here on is numbered from this.
    pub fn go_on_from(&mut self, next: u32) {
        self.next = next;
    }

    /// Every place that the kinds of [`Visit`] below know.
    pub fn find_all(&mut self) {
        let parsed = parse_file(self.text).unwrap_or_else(|error| panic!("{}: {error}", self.file));
        self.visit_file(&parsed);
    }

    /// One place by hand: an expression that is another one in the mutant, or goes.
    pub fn add(&mut self, name: &str, original: &str, change: Change) {
        let found: Vec<_> = self.text.match_indices(original).collect();
        let [(start, _)] = found[..] else {
            panic!("{}: {name:?} is for a text that is there {} times: {original}", self.file, found.len())
        };
        let line = self.text[..start].lines().count() + 1;
        let number = self.mutant_at(line, name.to_owned());
        let at = start..start + original.len();
        match change {
            Change::To(other) => self.wrap(&at, &format!("(if {} {{ {other} }} else {{ ", is(number)), " })"),
            Change::Gone => self.wrap(&at, &format!("if !{} {{ ", is(number)), " }"),
        }
    }

    /// The text with every place rewritten.
    pub fn rewritten(&self) -> String {
        let mut order: Vec<usize> = (0..self.edits.len()).collect();
        // What is found first is further out.
        order.sort_by_key(|&found| {
            let edit = &self.edits[found];
            let found = found as isize;
            (edit.at.start, !edit.closes, if edit.closes { -found } else { found })
        });
        let (mut text, mut done) = (String::new(), 0);
        for edit in order.into_iter().map(|found| &self.edits[found]) {
            text += &self.text[done..edit.at.start];
            text += &edit.text;
            done = edit.at.end;
        }
        text + &self.text[done..]
    }

    fn mutant(&mut self, span: Span, what: String) -> u32 {
        self.mutant_at(span.start().line, what)
    }

    fn mutant_at(&mut self, line: usize, what: String) -> u32 {
        let (number, file) = (self.next, self.file.to_owned());
        self.next += 1;
        self.mutants.push(Mutant { number, file, line, function: self.function.join("::"), what });
        number
    }

    fn wrap(&mut self, at: &Range<usize>, before: &str, after: &str) {
        self.insert(at.start, before);
        self.edits.push(Edit { at: at.end..at.end, text: after.to_owned(), closes: true });
    }

    fn insert(&mut self, at: usize, text: &str) {
        self.edits.push(Edit { at: at..at, text: text.to_owned(), closes: false });
    }

    fn replace(&mut self, at: Range<usize>, text: &str) {
        self.edits.push(Edit { at, text: text.to_owned(), closes: false });
    }

    /// In one line.
    fn excerpt(&self, of: &impl Spanned) -> String {
        let words: Vec<&str> = self.source(of).split_whitespace().collect();
        words.join(" ")
    }

    fn source(&self, of: &impl Spanned) -> &'a str {
        &self.text[of.span().byte_range()]
    }

    /// The body of a function, left at once.
    fn body(&mut self, signature: &Signature, block: &Block) {
        if signature.constness.is_some() {
            return;
        }
        let values: &[&str] = match &signature.output {
            ReturnType::Default => &["()"],
            ReturnType::Type(_, of) => match self.source(of).split('<').next().unwrap_or_default() {
                "bool" => &["true", "false"],
                "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" | "Nanos" => &["0", "1"],
                "Option" => &["None"],
                "Vec" => &["Vec::new()"],
                _ => &[],
            },
        };
        let start = block.brace_token.span.open().byte_range().end;
        for value in values {
            let number = self.mutant(signature.ident.span(), format!("gives {value} at once"));
            self.insert(start, &format!(" if {} {{ return {value}; }}", is(number)));
        }
    }

    fn binary(&mut self, of: &ExprBinary) {
        use BinOp::*;
        let whole = of.span().byte_range();
        let symbol = self.source(&of.op);
        let span = of.op.span();
        let excerpt = self.excerpt(of);
        let told = |other: &str| format!("{symbol} is {other} in {excerpt}");
        match of.op {
            Eq(_) | Ne(_) => {
                let number = self.mutant(span, told(if symbol == "==" { "!=" } else { "==" }));
                self.wrap(&whole, "((", &format!(") != {})", is(number)));
            }
            Lt(_) | Le(_) | Gt(_) | Ge(_) => {
                let (other, opposite) = match symbol {
                    "<" => ("<=", ">="),
                    "<=" => ("<", ">"),
                    ">" => (">=", "<="),
                    _ => (">", "<"),
                };
                let (edge, turned) = (self.mutant(span, told(other)), self.mutant(span, told(opposite)));
                let cases = format!(
                    ")) {{ (__x, __y) => if {} {{ __x {other} __y }} else {{ (__x {symbol} __y) != {} }} }})",
                    is(edge),
                    is(turned)
                );
                self.wrap(&whole, "(match (&(", &cases);
                self.replace(span.byte_range(), "), &(");
            }
            And(_) | Or(_) if !has_let(&of.left) && !has_let(&of.right) => {
                let (other, compare) = if symbol == "&&" { ("||", "==") } else { ("&&", "!=") };
                let number = self.mutant(span, told(other));
                self.wrap(&whole, "({ let __x = ", " } })");
                self.replace(
                    span.byte_range(),
                    &format!("; if __x {compare} {} {{ __x }} else {{ ", is(number)),
                );
            }
            Add(_) | Sub(_) | Mul(_) => {
                let other = if symbol == "+" { "-" } else { "+" };
                let number = self.mutant(span, told(other));
                let cases = format!(
                    ") {{ (__x, __y) => if {} {{ __x {other} __y }} else {{ __x {symbol} __y }} }})",
                    is(number)
                );
                self.wrap(&whole, "(match (", &cases);
                self.replace(span.byte_range(), ", ");
            }
            // Texts are added to, and by reference.
            AddAssign(_) if matches!(*of.right, Expr::Reference(_)) => {}
            AddAssign(_) | SubAssign(_) | BitOrAssign(_) | BitAndAssign(_) => {
                let other = match symbol {
                    "+=" => "-=",
                    "-=" => "+=",
                    "|=" => "&=",
                    _ => "|=",
                };
                let number = self.mutant(span, told(other));
                let (left, right) = (self.source(&of.left), of.right.span().byte_range());
                self.replace(whole.start..right.start, "(match ");
                self.edits.push(Edit {
                    at: right.end..right.end,
                    text: format!(
                        " {{ __y => if {} {{ {left} {other} __y }} else {{ {left} {symbol} __y }} }})",
                        is(number)
                    ),
                    closes: true,
                });
            }
            _ => {}
        }
    }

    /// In `flags & !KNOWN` the bits are turned, not the answer.
    fn visit_operand(&mut self, of: &ExprBinary, operand: &Expr) {
        let is_bits = matches!(of.op, BinOp::BitAnd(_) | BinOp::BitAndAssign(_));
        match operand {
            Expr::Unary(ExprUnary { op: UnOp::Not(_), expr, .. }) if is_bits => self.visit_expr(expr),
            _ => self.visit_expr(operand),
        }
    }

    fn arms(&mut self, of: &ExprMatch) {
        let has_rest =
            of.arms.last().is_some_and(|arm| matches!(arm.pat, Pat::Wild(_)) && arm.guard.is_none());
        for arm in &of.arms {
            let is_rest = matches!(arm.pat, Pat::Wild(_));
            match &arm.guard {
                Some((_, guard)) if !has_let(guard) => {
                    let always = self.mutant(guard.span(), format!("always: if {}", self.excerpt(guard)));
                    let never = self.mutant(guard.span(), format!("never: if {}", self.excerpt(guard)));
                    let after = format!(") || {}) && !{})", is(always), is(never));
                    self.wrap(&guard.span().byte_range(), "(((", &after);
                }
                None if has_rest && !is_rest => {
                    let number = self.mutant(arm.pat.span(), format!("without the arm {}", self.excerpt(&arm.pat)));
                    self.insert(arm.pat.span().byte_range().end, &format!(" if !{}", is(number)));
                }
                _ => {}
            }
        }
    }
}

/// What a place becomes.
pub enum Change<'a> {
    To(&'a str),
    Gone,
}

impl<'ast> Visit<'ast> for Sites<'_> {
    fn visit_item_mod(&mut self, of: &'ast ItemMod) {
        if !is_for_tests(&of.attrs) {
            visit::visit_item_mod(self, of);
        }
    }

    fn visit_item_fn(&mut self, of: &'ast ItemFn) {
        if is_for_tests(&of.attrs) || of.sig.constness.is_some() {
            return;
        }
        self.function.push(of.sig.ident.to_string());
        self.body(&of.sig, &of.block);
        visit::visit_block(self, &of.block);
        self.function.pop();
    }

    fn visit_item_impl(&mut self, of: &'ast ItemImpl) {
        let is_told =
            matches!(&of.trait_, Some((_, path, _)) if path.is_ident("Debug") || path.is_ident("Display"));
        if is_told || is_for_tests(&of.attrs) {
            return;
        }
        self.function.push(self.source(&of.self_ty).to_owned());
        visit::visit_item_impl(self, of);
        self.function.pop();
    }

    fn visit_impl_item_fn(&mut self, of: &'ast ImplItemFn) {
        if is_for_tests(&of.attrs) || of.sig.constness.is_some() {
            return;
        }
        self.function.push(of.sig.ident.to_string());
        self.body(&of.sig, &of.block);
        visit::visit_block(self, &of.block);
        self.function.pop();
    }

    fn visit_stmt(&mut self, of: &'ast Stmt) {
        if let Stmt::Expr(expression @ (Expr::Assign(_) | Expr::MethodCall(_)), Some(_)) = of {
            let number = self.mutant(expression.span(), format!("without {}", self.excerpt(expression)));
            self.wrap(&of.span().byte_range(), &format!("if !{} {{ ", is(number)), " }");
        }
        visit::visit_stmt(self, of);
    }

    fn visit_expr(&mut self, of: &'ast Expr) {
        match of {
            Expr::Binary(binary) => {
                self.binary(binary);
                // What a compound assignment changes is written twice, and stays as it is.
                if is_compound(&binary.op) {
                    return self.visit_operand(binary, &binary.right);
                }
                self.visit_operand(binary, &binary.left);
                return self.visit_operand(binary, &binary.right);
            }
            Expr::Unary(ExprUnary { op: UnOp::Not(_), expr, .. }) => {
                let number = self.mutant(of.span(), format!("! before {} is gone", self.excerpt(expr)));
                self.wrap(&of.span().byte_range(), "((", &format!(") != {})", is(number)));
            }
            Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) => {
                let number = self.mutant(of.span(), format!("{} is {}", value.value, !value.value));
                self.wrap(&of.span().byte_range(), "(", &format!(" != {})", is(number)));
            }
            Expr::Match(all) => self.arms(all),
            Expr::Const(_) | Expr::Repeat(_) => return,
            _ => {}
        }
        visit::visit_expr(self, of);
    }

    fn visit_pat(&mut self, _: &'ast Pat) {}

    fn visit_type(&mut self, _: &'ast Type) {}

    fn visit_item_const(&mut self, _: &'ast ItemConst) {}

    fn visit_item_static(&mut self, _: &'ast ItemStatic) {}

    fn visit_impl_item_const(&mut self, _: &'ast ImplItemConst) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

fn is(number: u32) -> String {
    format!("crate::mutants::is({number})")
}

fn is_compound(op: &BinOp) -> bool {
    use BinOp::*;
    matches!(op, AddAssign(_) | SubAssign(_) | BitOrAssign(_) | BitAndAssign(_))
}

/// A chain with `let` cannot be taken apart.
fn has_let(of: &Expr) -> bool {
    match of {
        Expr::Let(_) => true,
        Expr::Binary(of) => has_let(&of.left) || has_let(&of.right),
        _ => false,
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let is_test = |of: &Attribute| match &of.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        Meta::NameValue(_) => false,
    };
    attributes.iter().any(is_test)
}
