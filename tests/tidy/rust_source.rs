//! Just enough of Rust's grammar: comments, string literals, where functions end and tests begin.

use super::repository::File;

/// A Rust file, taken apart; lines and bytes of `code` are those of the file.
pub(crate) struct RustSource {
    /// The text with blanks in place of comments and of what stands inside string literals.
    pub(crate) code: String,
    pub(crate) literals: Vec<Literal>,
    /// First byte of the inline tests, or the end.
    pub(crate) tests_at: usize,
}

/// A string literal and the byte at which it begins.
pub(crate) struct Literal {
    pub(crate) at: usize,
    pub(crate) text: String,
}

impl RustSource {
    pub(crate) fn parse(file: &File) -> Self {
        let (mut code, mut literals, mut at) = (String::new(), Vec::new(), 0);
        let text = &file.text;
        while at < text.len() {
            let (end, is_literal) = token(text, at, &code);
            let token = &text[at..end];
            if is_literal {
                literals.push(Literal {
                    at,
                    text: token.to_owned(),
                });
            }
            let is_hidden = is_literal || token.starts_with("//") || token.starts_with("/*");
            code.extend(token.chars().flat_map(|symbol| match symbol {
                '\n' => vec!['\n'],
                _ if is_hidden => vec![' '; symbol.len_utf8()],
                _ => vec![symbol],
            }));
            at = end;
        }
        let whole_file = file.is_in("tests") || file.path.ends_with("/tests.rs");
        let found = code.find("#[cfg(test)]").unwrap_or(code.len());
        let tests_at = if whole_file { 0 } else { found };
        Self {
            code,
            literals,
            tests_at,
        }
    }

    /// The code before the inline tests.
    pub(crate) fn production(&self) -> &str {
        &self.code[..self.tests_at]
    }

    /// The literals before the inline tests.
    pub(crate) fn production_literals(&self) -> impl Iterator<Item = &Literal> {
        self.literals
            .iter()
            .filter(|literal| literal.at < self.tests_at)
    }

    /// The line, counted from 1, of a byte.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    /// First line, name and number of lines of each function that has a body.
    pub(crate) fn functions(&self) -> Vec<(usize, String, usize)> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("fn ") {
            let is_word = !self.code[..at].ends_with(|symbol: char| symbol.is_alphanumeric());
            let rest = &self.code[at..];
            let body = rest
                .find(['{', ';'])
                .filter(|body| rest[*body..].starts_with('{'));
            if let Some(body) = body.filter(|_| is_word) {
                let end = at + body + closing(&rest[body..]);
                let name = rest[3..]
                    .split(['(', '<'])
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                found.push((self.line(at), name, self.line(end) - self.line(at) + 1));
            }
        }
        found
    }
}

/// Where the token at `at` ends, and whether it is a string literal.
fn token(text: &str, at: usize, before: &str) -> (usize, bool) {
    let rest = &text[at..];
    let one = rest.chars().next().map_or(1, char::len_utf8);
    if rest.starts_with("//") {
        return (at + rest.find('\n').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("/*") {
        return (
            at + rest.find("*/").map_or(rest.len(), |end| end + 2),
            false,
        );
    }
    if rest.starts_with('"') {
        return (at + quoted(rest, '"'), true);
    }
    let hashes = rest[one..]
        .chars()
        .take_while(|symbol| *symbol == '#')
        .count();
    let is_word = before.ends_with(|symbol: char| symbol.is_alphanumeric() && symbol != 'b');
    if rest.starts_with('r') && rest[one + hashes..].starts_with('"') && !is_word {
        let start = one + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        return (
            at + rest[start..]
                .find(&end)
                .map_or(rest.len(), |at| start + at + end.len()),
            true,
        );
    }
    // a character literal; a lifetime has no quote after its first letter
    let is_char =
        rest.starts_with('\'') && (rest.starts_with("'\\") || rest.chars().nth(2) == Some('\''));
    if is_char {
        return (at + quoted(rest, '\''), true);
    }
    (at + one, false)
}

/// Length of a literal with its quotes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, symbol) in rest.char_indices().skip(1) {
        if symbol == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = symbol == '\\' && !is_escaped;
    }
    rest.len()
}

/// Where the bracket that `code` begins with is closed.
fn closing(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, symbol) in code.char_indices() {
        match symbol {
            '{' => depth += 1,
            '}' if depth == 1 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

#[test]
fn literals_and_comments_are_no_code() {
    let text = "fn a() { b(\"x } \\\" y\", '}', r#\"z \"}\"#); } // fn c() {\nfn d<'a>() {\n}\n";
    let source = RustSource::parse(&File::new("a.rs", text));
    assert_eq!(source.code.len(), text.len());
    assert_eq!(source.literals.len(), 3);
    let names: Vec<_> = source.functions();
    assert_eq!(names, [(1, "a".to_owned(), 1), (2, "d".to_owned(), 2)]);
}
