//! The core calls no transcendental function of the platform: their last bits differ between machines.

use std::path::{Path, PathBuf};

/// Methods of `f64` and `f32` whose results may differ, and `mul_add`.
const BANNED: &[&str] = &[
    "exp", "exp2", "exp_m1", "ln", "ln_1p", "log", "log2", "log10", "powf", "powi", "sin", "cos", "tan",
    "asin", "acos", "atan", "atan2", "sin_cos", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "cbrt",
    "hypot", "mul_add",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Calls of a banned method in a text, comments left out: `x.ln()`, `f64::ln(x)`, `map(f64::ln)`.
fn banned_calls(text: &str) -> Vec<String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for name in BANNED {
            for (at, _) in code.match_indices(name) {
                let (before, after) = (&code[..at], &code[at + name.len()..]);
                let whole = !after.bytes().next().is_some_and(is_name);
                let of_float = before.ends_with("f64::") || before.ends_with("f32::");
                let method = before.ends_with('.') && after.starts_with('(');
                if whole && (of_float || method) {
                    found.push(format!("{}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    found
}

#[test]
fn the_search_finds_what_it_is_for() {
    for call in ["let y = x.ln();", "f64::powi(x, 2)", "xs.map(f64::exp)", "(a + b).mul_add(c, d)"] {
        assert_eq!(banned_calls(call).len(), 1, "{call}");
    }
    for none in ["libm::log(x)", "special::ln(x)", "// x.ln()", "self.exponential(x)", "logs.log.push(1)"] {
        assert_eq!(banned_calls(none), Vec::<String>::new(), "{none}");
    }
}

#[test]
fn the_core_calls_no_function_of_the_platform() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for storey in ["kernel", "model", "world", "stats"] {
        sources(&source.join(storey), &mut files);
    }
    assert!(files.len() > 50, "{} files", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let calls = banned_calls(&text);
        assert!(calls.is_empty(), "{}: {calls:#?}", file.display());
    }
}
