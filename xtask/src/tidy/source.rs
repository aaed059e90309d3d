//! Rules for Rust sources: a module's opening words, the length of files and functions, and outside
//! tests no panics by design and no functions whose last bit is the C library's.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::Finding;
use super::tree::TextFile;

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 100;
const BANNED_MACROS: [&str; 2] = ["todo", "unimplemented"];

/// Where results are computed, which are to be the same on every machine.
const COMPUTES: &str = "crates/";
/// Functions of numbers that the standard library has from the system, of tensors candle.
const OF_THE_SYSTEM: [&str; 21] = [
    "acos", "asin", "atan", "atan2", "cbrt", "cos", "cosh", "exp", "exp2", "exp_m1", "hypot", "ln",
    "ln_1p", "log", "log10", "log2", "powf", "sin", "sin_cos", "tan", "tanh",
];

/// All rules of this module on all files together; those that are not Rust have none.
pub(crate) fn check<'a>(files: impl Iterator<Item = TextFile<'a>>) -> Vec<Finding> {
    let sources: Vec<_> = files
        .filter(|file| file.has_extension("rs"))
        .map(|file| (file, syn::parse_file(file.text)))
        .collect();
    let test_modules: Vec<String> = sources
        .iter()
        .filter_map(|(file, syntax)| Some(test_modules(file.path, syntax.as_ref().ok()?)))
        .flatten()
        .collect();
    sources.iter().flat_map(|(file, syntax)| one(file, syntax, &test_modules)).collect()
}

fn one(
    file: &TextFile<'_>,
    syntax: &syn::Result<syn::File>,
    test_modules: &[String],
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = [opening(file), length(file)].into_iter().flatten().collect();
    match syntax {
        Ok(syntax) => {
            let in_tests = is_for_tests(file.path, test_modules);
            findings.extend(walk(file.path, syntax, in_tests));
        }
        Err(error) => findings.push(Finding::new(
            file.path,
            error.span().start().line,
            "syntax",
            format!("make it parse: {error}"),
        )),
    }
    findings
}

/// Paths, less their ending, of the modules that this file declares for tests alone.
fn test_modules(path: &str, syntax: &syn::File) -> Vec<String> {
    let declared = syntax.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() => Some(module),
        _ => None,
    });
    let for_tests = declared.filter(|module| module.attrs.iter().any(marks_tests));
    for_tests.map(|module| module_path(path, module)).collect()
}

/// Where a module declared in the file at `path` lies, less the ending: below the file's own name
/// unless that is the root of a folder, or where its `#[path]` says.
fn module_path(path: &str, module: &syn::ItemMod) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    match (module.attrs.iter().find_map(path_attribute), file) {
        (Some(stated), _) => format!("{folder}/{}", stated.trim_end_matches(".rs")),
        (None, "lib.rs" | "main.rs" | "mod.rs") => format!("{folder}/{}", module.ident),
        (None, _) => format!("{}/{}", path.trim_end_matches(".rs"), module.ident),
    }
}

fn path_attribute(attribute: &syn::Attribute) -> Option<String> {
    match &attribute.meta {
        syn::Meta::NameValue(syn::MetaNameValue {
            path,
            value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(stated), .. }),
            ..
        }) if path.is_ident("path") => Some(stated.value()),
        _ => None,
    }
}

/// A crate whose answer to a fault is to panic.
const FUZZING: &str = "crates/fuzzing/";

/// Whether a file is compiled for tests alone: an integration test, or (below) a module declared so.
fn is_for_tests(path: &str, test_modules: &[String]) -> bool {
    path.split('/').any(|part| part == "tests")
        || path.starts_with(FUZZING)
        || test_modules.iter().any(|module| {
            path.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with(['.', '/']))
        })
}

fn opening(file: &TextFile<'_>) -> Option<Finding> {
    let remedy = "open the file with `//!` and what the module is for";
    (!file.text.starts_with("//! ")).then(|| Finding::new(file.path, 1, "module-doc", remedy))
}

fn length(file: &TextFile<'_>) -> Option<Finding> {
    let lines = file.text.lines().count();
    let remedy = format!("{lines} lines; split the module, {FILE_LINES} is the limit");
    (lines > FILE_LINES).then(|| Finding::new(file.path, FILE_LINES + 1, "long-file", remedy))
}

fn walk(path: &str, syntax: &syn::File, in_tests: bool) -> Vec<Finding> {
    let mut walker = Walker { path, in_tests, findings: Vec::new() };
    walker.visit_file(syntax);
    walker.findings
}

/// Walks through one file, aware of whether it is inside test code.
struct Walker<'a> {
    path: &'a str,
    in_tests: bool,
    findings: Vec<Finding>,
}

impl Walker<'_> {
    fn report(&mut self, line: usize, rule: &'static str, remedy: String) {
        self.findings.push(Finding::new(self.path, line, rule, remedy));
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.fn_token.span.start().line;
        let lines = block.brace_token.span.close().end().line - first + 1;
        if lines > FUNCTION_LINES {
            let name = &signature.ident;
            let remedy = format!("{name} has {lines} lines; {FUNCTION_LINES} is the limit");
            self.report(first, "long-function", remedy);
        }
    }

    fn unwrap_call(&mut self, method: &syn::Ident) {
        if !self.in_tests && method == "unwrap" {
            let remedy = "return an error that says what was expected".to_owned();
            self.report(method.span().start().line, "unwrap", remedy);
        }
    }

    fn system_call(&mut self, method: &syn::Ident) {
        let computes = self.path.starts_with(COMPUTES) && !self.in_tests;
        if computes && OF_THE_SYSTEM.iter().any(|name| method == name) {
            let remedy = format!("{method} is rounded as the C library likes; take libm's");
            self.report(method.span().start().line, "system-math", remedy);
        }
    }

    fn within(&mut self, attributes: &[syn::Attribute], walk: impl FnOnce(&mut Self)) {
        let outside = self.in_tests;
        self.in_tests |= attributes.iter().any(marks_tests);
        walk(self);
        self.in_tests = outside;
    }

    /// Macro bodies are unparsed tokens; a call looks like `.` followed by `unwrap`.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut after_dot = false;
        for token in tokens {
            match &token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(name) if after_dot => {
                    self.unwrap_call(name);
                    self.system_call(name);
                }
                _ => {}
            }
            after_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
        }
    }
}

fn marks_tests(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("test")
        || (attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test")))
}

impl<'ast> Visit<'ast> for Walker<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.within(&module.attrs, |walker| visit::visit_item_mod(walker, module));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        self.within(&item.attrs, |walker| visit::visit_item_fn(walker, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        self.within(&item.attrs, |walker| visit::visit_impl_item_fn(walker, item));
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.unwrap_call(&call.method);
        self.system_call(&call.method);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(name) = call.path.get_ident()
            && BANNED_MACROS.iter().any(|banned| name == banned)
        {
            let remedy = format!("{name}! is no code; write it or leave it out");
            self.report(name.span().start().line, "stub", remedy);
        }
        self.tokens(call.tokens.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNWRAP: &str = "//! A.\nfn f() {\n    g().unwrap();\n}\n";

    fn rules_at(path: &str, text: &str) -> Vec<(usize, &'static str)> {
        let findings = check([TextFile { path, text }].into_iter());
        findings.into_iter().map(|finding| (finding.line, finding.rule)).collect()
    }

    fn rules(text: &str) -> Vec<(usize, &'static str)> {
        rules_at("crates/lld/src/frames.rs", text)
    }

    #[test]
    fn an_orderly_module_passes() {
        assert_eq!(
            rules("//! Frames.\n\nfn f(x: Option<u8>) -> u8 {\n    x.unwrap_or(0)\n}\n"),
            []
        );
    }

    #[test]
    fn a_module_without_words_is_found() {
        assert_eq!(rules("fn f() {}\n"), [(1, "module-doc")]);
        assert_eq!(rules_at("crates/lld/src/tests.rs", "use x;\n"), [(1, "module-doc")]);
        assert_eq!(rules_at("README.md", "fn f() {}\n"), []);
    }

    #[test]
    fn a_long_file_is_found() {
        let text = format!("//! A.\n{}", "\n".repeat(600));
        assert_eq!(rules(&text), [(601, "long-file")]);
        assert_eq!(rules(&format!("//! A.\n{}", "\n".repeat(599))), []);
    }

    #[test]
    fn a_long_function_is_found_by_its_braces() {
        let body = |lines| format!("//! A.\nfn f() {{\n{}}}\n", "    // }\n".repeat(lines));
        assert_eq!(rules(&body(98)), []);
        assert_eq!(rules(&body(99)), [(2, "long-function")]);
        let method = body(99).replace("fn f", "impl A { fn f").replace("\n}\n", "\n}}\n");
        assert_eq!(rules(&method), [(2, "long-function")]);
    }

    #[test]
    fn unwrap_is_found_outside_tests_and_inside_macros() {
        assert_eq!(rules(UNWRAP), [(3, "unwrap")]);
        let in_macro = "//! A.\nfn f() {\n    assert!(h(vec![g().unwrap()]));\n}\n";
        assert_eq!(rules(in_macro), [(3, "unwrap")]);
        let in_tests =
            "//! A.\n#[cfg(test)]\nmod t {\n    fn f() {\n        g().unwrap();\n    }\n}\n";
        assert_eq!(rules(in_tests), []);
        assert_eq!(rules("//! A.\n#[test]\nfn f() {\n    g().unwrap();\n}\n"), []);
        assert_eq!(rules_at("tests/x.rs", UNWRAP), []);
    }

    #[test]
    fn unwrap_is_allowed_in_a_file_that_its_parent_declares_for_tests() {
        for (parent, child) in [
            ("crates/lld/src/lib.rs", "crates/lld/src/check.rs"),
            ("crates/lld/src/lib.rs", "crates/lld/src/check/golden.rs"),
            ("crates/lld/src/pitch.rs", "crates/lld/src/pitch/check.rs"),
            ("crates/lld/src/pitch/mod.rs", "crates/lld/src/pitch/check.rs"),
        ] {
            let found = |declaration: &str| {
                let declaration = format!("//! A.\n{declaration}\n");
                let parent = TextFile { path: parent, text: &declaration };
                check([parent, TextFile { path: child, text: UNWRAP }].into_iter()).len()
            };
            assert_eq!(found("#[cfg(test)]\nmod check;"), 0, "{child}");
            assert_eq!(found("mod check;"), 1, "{child}");
        }
        let parent = "//! A.\n#[cfg(test)]\n#[path = \"pitch_tests.rs\"]\nmod tests;\n";
        let parent = TextFile { path: "src/pitch.rs", text: parent };
        let child = TextFile { path: "src/pitch_tests.rs", text: UNWRAP };
        assert_eq!(check([parent, child].into_iter()), []);
    }

    #[test]
    fn functions_of_the_system_are_found_where_results_are_computed() {
        let text =
            "//! A.\nfn f(x: f64) {\n    g(x.exp(), vec![x.powf(2.0)]);\n    libm::exp(x);\n}\n";
        assert_eq!(rules(text), [(3, "system-math"), (3, "system-math")]);
        assert_eq!(rules_at("xtask/src/a.rs", text), []);
        assert_eq!(rules_at("crates/lld/benches/tests/a.rs", text), []);
    }

    #[test]
    fn stubs_are_found_in_tests_too() {
        let stub =
            "//! A.\n#[test]\nfn f() {\n    todo!()\n}\nfn g() {\n    unimplemented!(\"x\")\n}\n";
        assert_eq!(rules(stub), [(4, "stub"), (7, "stub")]);
    }

    #[test]
    fn what_does_not_parse_is_found() {
        assert_eq!(rules("//! A.\nfn f( {}\n"), [(2, "syntax")]);
    }
}
