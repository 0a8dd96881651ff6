//! Rules on Rust code, read as a syntax tree: sizes, names, attributes, unfinished places.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::tree::{File, Tree};
use super::{Finding, Rule};

/// From the line of `fn` to the closing brace, both included.
const FUNCTION_LINES_MAX: usize = 70;
/// Without the receiver.
const ARGUMENTS_MAX: usize = 5;
/// Words that say nothing about what a thing is for.
const EMPTY_WORDS: &[&str] = &[
    "util",
    "utils",
    "utility",
    "utilities",
    "helper",
    "helpers",
    "manager",
    "managers",
];
/// Macros that promise code.
const PROMISES: &[&str] = &["todo", "unimplemented"];
/// Attributes that silence something, for which the reason must be written down.
const NEEDS_REASON: &[&str] = &["allow", "expect"];

/// All rules of this file on all Rust files.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files_ending(&["rs"]).flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let parsed = match syn::parse_file(&file.text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let line = error.span().start().line;
            return vec![Finding::plain(
                Rule::Syntax,
                &file.path,
                line,
                error.to_string(),
            )];
        }
    };
    let mut reader = Reader {
        path: &file.path,
        findings: Vec::new(),
        scope: Vec::new(),
        in_trait_impl: false,
    };
    reader.visit_file(&parsed);
    // Tokens rather than the tree, so that what stands inside other macros is seen too.
    if let Ok(tokens) = file.text.parse::<TokenStream>() {
        reader.find_promises(tokens);
    }
    reader.findings
}

struct Reader<'a> {
    path: &'a str,
    findings: Vec<Finding>,
    /// Modules, types and functions around the present place.
    scope: Vec<String>,
    /// In `impl Trait for Type` the trait chose names and arguments.
    in_trait_impl: bool,
}

impl Reader<'_> {
    fn plain(&mut self, rule: Rule, at: &impl Spanned, what: String) {
        self.findings.push(Finding::plain(
            rule,
            self.path,
            at.span().start().line,
            what,
        ));
    }

    fn function(&mut self, signature: &syn::Signature, block: Option<&syn::Block>) {
        let name = signature.ident.to_string();
        let first = signature.span().start().line;
        let item = self.scope.join("::");
        let mut limited = |rule, number, max, unit| {
            if number > max {
                let what = format!("`{name}` has {number} {unit}, at most {max}");
                let (path, item) = (self.path.to_owned(), item.clone());
                self.findings.push(Finding {
                    rule,
                    path,
                    line: first,
                    item,
                    number,
                    what,
                });
            }
        };
        if let Some(block) = block {
            let last = block.brace_token.span.close().end().line;
            limited(
                Rule::FunctionLength,
                last - first + 1,
                FUNCTION_LINES_MAX,
                "lines",
            );
        }
        if self.in_trait_impl {
            return;
        }
        let typed = |argument: &&syn::FnArg| matches!(argument, syn::FnArg::Typed(_));
        let arguments = signature.inputs.iter().filter(typed).count();
        limited(Rule::Arguments, arguments, ARGUMENTS_MAX, "arguments");
        if name.starts_with("get_") {
            self.plain(
                Rule::Name,
                &signature.ident,
                format!("`{name}` begins with `get_`"),
            );
        }
        self.name(&signature.ident);
    }

    fn name(&mut self, ident: &syn::Ident) {
        let name = ident.to_string();
        if let Some(word) = empty_word(&name) {
            self.plain(Rule::Name, ident, format!("`{name}` is called a {word}"));
        }
    }

    fn within(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.scope.push(name);
        visit(self);
        self.scope.pop();
    }

    fn find_promises(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for pair in tokens.windows(2) {
            if let [TokenTree::Ident(name), TokenTree::Punct(bang)] = pair
                && bang.as_char() == '!'
                && PROMISES.iter().any(|promise| name == promise)
            {
                self.plain(Rule::Unfinished, name, format!("`{name}!`"));
            }
        }
        for token in tokens {
            if let TokenTree::Group(group) = token {
                self.find_promises(group.stream());
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within(item.sig.ident.to_string(), |reader| {
            reader.function(&item.sig, Some(&item.block));
            let outer = std::mem::replace(&mut reader.in_trait_impl, false);
            visit::visit_item_fn(reader, item);
            reader.in_trait_impl = outer;
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.within(item.sig.ident.to_string(), |reader| {
            reader.function(&item.sig, Some(&item.block));
            visit::visit_impl_item_fn(reader, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.within(item.sig.ident.to_string(), |reader| {
            reader.function(&item.sig, item.default.as_ref());
            visit::visit_trait_item_fn(reader, item);
        });
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.within(type_name(&item.self_ty), |reader| {
            let outer = std::mem::replace(&mut reader.in_trait_impl, item.trait_.is_some());
            visit::visit_item_impl(reader, item);
            reader.in_trait_impl = outer;
        });
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.name(&item.ident);
        self.within(item.ident.to_string(), |reader| {
            visit::visit_item_trait(reader, item)
        });
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.name(&item.ident);
        self.within(item.ident.to_string(), |reader| {
            visit::visit_item_mod(reader, item)
        });
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.name(&item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.name(&item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let Some(what) = bare(&attribute.meta) {
            self.plain(Rule::BareAttribute, attribute, what);
        }
        visit::visit_attribute(self, attribute);
    }
}

/// The attribute without its reason, `None` when it has one or needs none.
fn bare(meta: &syn::Meta) -> Option<String> {
    let name = meta.path().get_ident()?.to_string();
    match meta {
        syn::Meta::Path(_) if name == "ignore" => Some("#[ignore] without a reason".to_owned()),
        syn::Meta::List(list) if NEEDS_REASON.contains(&name.as_str()) => {
            let says_why = list
                .tokens
                .clone()
                .into_iter()
                .any(|token| matches!(token, TokenTree::Ident(word) if word == "reason"));
            (!says_why).then(|| format!("#[{name}(..)] without a reason"))
        }
        syn::Meta::List(list) if name == "cfg_attr" => bare_conditional(list.tokens.clone()),
        syn::Meta::Path(_) | syn::Meta::List(_) | syn::Meta::NameValue(_) => None,
    }
}

/// `cfg_attr(condition, allow(..))`: the attributes stand after the condition.
fn bare_conditional(tokens: TokenStream) -> Option<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.windows(2).find_map(|pair| match pair {
        [TokenTree::Ident(name), TokenTree::Group(group)]
            if group.delimiter() == Delimiter::Parenthesis =>
        {
            let stream = group.stream();
            let attribute: syn::Meta = syn::parse2(quote(name, stream)).ok()?;
            NEEDS_REASON
                .iter()
                .any(|word| name == word)
                .then(|| bare(&attribute))
                .flatten()
        }
        _ => None,
    })
}

fn quote(name: &proc_macro2::Ident, inner: TokenStream) -> TokenStream {
    let group = proc_macro2::Group::new(Delimiter::Parenthesis, inner);
    [TokenTree::Ident(name.clone()), TokenTree::Group(group)]
        .into_iter()
        .collect()
}

fn type_name(of: &syn::Type) -> String {
    match of {
        syn::Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|last| last.ident.to_string())
            .unwrap_or_default(),
        _ => "_".to_owned(),
    }
}

/// The word in a snake-case, camel-case or dashed `name` that says nothing.
pub(super) fn empty_word(name: &str) -> Option<&'static str> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let is_break = !letter.is_alphanumeric() || (letter.is_uppercase() && was_lower);
        if is_break {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase();
    }
    EMPTY_WORDS
        .iter()
        .copied()
        .find(|empty| words.iter().any(|word| word == empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str) -> Vec<(Rule, usize, usize)> {
        let tree = Tree::of(&[("crates/x/src/lib.rs", code)]);
        check(&tree)
            .into_iter()
            .map(|one| (one.rule, one.line, one.number))
            .collect()
    }

    fn function_of_lines(lines: usize) -> String {
        format!("fn long() {{\n{}}}", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn functions_have_at_most_70_lines() {
        assert_eq!(found(&function_of_lines(70)), []);
        assert_eq!(
            found(&function_of_lines(71)),
            [(Rule::FunctionLength, 1, 71)]
        );
        // Documentation and attributes above `fn` are not its length.
        let documented = format!("/// One.\n#[inline]\n{}", function_of_lines(70));
        assert_eq!(found(&documented), []);
        let method = format!("impl X {{\n{}\n}}", function_of_lines(71));
        assert_eq!(found(&method), [(Rule::FunctionLength, 2, 71)]);
    }

    #[test]
    fn the_key_of_a_function_names_what_it_stands_in() {
        let method = format!("mod m {{ impl X<u8> {{\n{}\n}} }}", function_of_lines(71));
        let tree = Tree::of(&[("a.rs", &method)]);
        let keys: Vec<String> = check(&tree).iter().map(Finding::key).collect();
        assert_eq!(keys, ["a.rs m::X::long"]);
    }

    #[test]
    fn functions_take_at_most_5_arguments() {
        let five = "a: A, b: A, c: A, d: A, e: A";
        assert_eq!(
            found(&format!(
                "fn f({five}) {{}} trait T {{ fn g(&self, {five}); }}"
            )),
            []
        );
        assert_eq!(
            found(&format!("fn f({five}, f: A) {{}}")),
            [(Rule::Arguments, 1, 6)]
        );
        assert_eq!(
            found(&format!("trait T {{ fn f(&self, {five}, f: A); }}")).len(),
            1
        );
        // Whoever implements a foreign trait has no choice.
        assert_eq!(
            found(&format!("impl T for X {{ fn f({five}, f: A) {{}} }}")),
            []
        );
    }

    #[test]
    fn names_say_something() {
        let bad = [
            "fn get_name() {}",
            "mod utils;",
            "struct SessionManager;",
            "enum HelperKind {}",
            "trait X { fn get_x(&self); }",
            "fn order_helper() {}",
        ];
        for code in bad {
            assert_eq!(found(code), [(Rule::Name, 1, 1)], "{code}");
        }
        assert_eq!(
            found("fn target() {} fn utilise() {} impl T for X { fn get_x() {} }"),
            []
        );
    }

    #[test]
    fn nothing_is_promised() {
        let [todo, unimplemented] = ["to", "unimple"].map(|start| {
            let end = if start == "to" { "do" } else { "mented" };
            format!("fn f() {{\n    vec![{start}{end}!(\"later\")];\n}}")
        });
        assert_eq!(found(&todo), [(Rule::Unfinished, 2, 1)]);
        assert_eq!(found(&unimplemented), [(Rule::Unfinished, 2, 1)]);
        assert_eq!(
            found("// to do!\nconst A: &str = \"to do!()\"; fn todo() {}"),
            []
        );
    }

    #[test]
    fn attributes_give_their_reason() {
        let allow = concat!("#[all", "ow");
        let ignore = concat!("#[ign", "ore");
        let bad = [
            format!("{allow}(dead_code)] fn f() {{}}"),
            "#[expect(dead_code)] fn f() {}".to_owned(),
            format!(
                "#![cfg_attr(test, {}(dead_code))]",
                allow.trim_start_matches("#[")
            ),
            format!("#[test] {ignore}] fn f() {{}}"),
        ];
        for code in bad {
            assert_eq!(found(&code), [(Rule::BareAttribute, 1, 1)], "{code}");
        }
        let good = [
            "#[expect(dead_code, reason = \"the wire has it\")] fn f() {}".to_owned(),
            format!("#[test] {ignore} = \"takes an hour\"] fn f() {{}}"),
            "#![cfg_attr(test, expect(dead_code, reason = \"x\"))] #[cfg(not(test))] mod a;"
                .to_owned(),
        ];
        for code in good {
            assert_eq!(found(&code), [], "{code}");
        }
    }

    #[test]
    fn what_does_not_parse_is_named() {
        assert_eq!(found("fn f( {}"), [(Rule::Syntax, 1, 1)]);
    }
}
