//! Text into statements, and which of them only read.
//!
//! Long chains of operators become trees as deep as the chain is long, and whoever walks such a
//! tree by recursion, as parsers and planners do, needs a stack as deep; so their length is
//! limited here, before anything is built. Parentheses are limited by the parser.

use std::ops::ControlFlow;

use datafusion::common::Result;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{Select, Statement as SqlStatement, Visit, Visitor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// Operators between two commas or clauses.
const MAX_CHAIN: usize = 2_000;

/// Joins and set operations of a statement.
const MAX_RELATIONS: usize = 200;

/// The statements of a text, each with the place where it begins.
///
/// # Errors
/// A text that is not SQL, or that chains too much.
pub fn parse(text: &str) -> Result<Vec<(Location, Statement)>> {
    let tokens = Tokenizer::new(&GenericDialect {}, text)
        .tokenize_with_location()
        .map_err(ParserError::from)?;
    let mut starts = Vec::new();
    for statement in tokens.split(|token| token.token == Token::SemiColon) {
        let first = statement.iter().find(|token| !is_space(token));
        starts.extend(first.map(|token| token.span.start));
        refuse_long_chains(statement)?;
    }
    let mut parser = DFParserBuilder::new(tokens)
        .with_dialect(&GenericDialect {})
        .build()?;
    let statements = parser.parse_statements()?;
    Ok(starts.into_iter().zip(statements).collect())
}

/// Whether a statement changes nothing: a query, or a question about one.
pub fn only_reads(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => statement.visit(&mut Reading).is_continue(),
        Statement::Explain(explained) => only_reads(&explained.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    }
}

/// Whether a statement is a query that changes nothing.
pub(crate) fn is_query(statement: &Statement) -> bool {
    let is_query = matches!(statement, Statement::Statement(statement)
        if matches!(statement.as_ref(), SqlStatement::Query(_)));
    is_query && only_reads(statement)
}

/// Walks a statement, and stops at a part of it that would change something.
struct Reading;

impl Visitor for Reading {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &SqlStatement) -> ControlFlow<()> {
        match statement {
            SqlStatement::Query(_)
            | SqlStatement::Explain { .. }
            | SqlStatement::ExplainTable { .. }
            | SqlStatement::ShowColumns { .. }
            | SqlStatement::ShowCreate { .. }
            | SqlStatement::ShowFunctions { .. }
            | SqlStatement::ShowTables { .. }
            | SqlStatement::ShowVariable { .. } => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        match select.into {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    }
}

fn is_space(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_) | Token::EOF)
}

fn refuse_long_chains(statement: &[TokenWithSpan]) -> Result<()> {
    // of every open parenthesis, and outside of all
    let mut chains = vec![0];
    let mut relations = 0;
    for token in statement {
        match Link::of(&token.token) {
            Link::None => {}
            Link::Opens => chains.push(0),
            Link::Closes if chains.len() > 1 => {
                chains.pop();
            }
            Link::Closes | Link::Ends => chains.last_mut().into_iter().for_each(|last| *last = 0),
            Link::Operator => chains.last_mut().into_iter().for_each(|last| *last += 1),
            Link::Relation => relations += 1,
        }
        let message = if chains.last() > Some(&MAX_CHAIN) {
            format!("more than {MAX_CHAIN} operators in a row; write `in (…)`, or read a file")
        } else if relations > MAX_RELATIONS {
            format!("more than {MAX_RELATIONS} joins and unions; read several files as a folder")
        } else {
            continue;
        };
        let Location { line, column } = token.span.start;
        let message = format!("{message} at Line: {line}, Column: {column}");
        return Err(ParserError::ParserError(message).into());
    }
    Ok(())
}

/// What a token does to the chain that it stands in.
enum Link {
    None,
    Opens,
    Closes,
    Ends,
    Operator,
    Relation,
}

impl Link {
    fn of(token: &Token) -> Self {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => Self::Opens,
            Token::RParen | Token::RBracket | Token::RBrace => Self::Closes,
            Token::Comma => Self::Ends,
            Token::Word(word) => Self::of_keyword(word.keyword),
            Token::Whitespace(_)
            | Token::EOF
            | Token::Period
            | Token::Number(..)
            | Token::Char(_)
            | Token::SingleQuotedString(_)
            | Token::Placeholder(_) => Self::None,
            _ => Self::Operator,
        }
    }

    fn of_keyword(keyword: Keyword) -> Self {
        match keyword {
            Keyword::SELECT
            | Keyword::FROM
            | Keyword::WHERE
            | Keyword::GROUP
            | Keyword::HAVING
            | Keyword::ORDER
            | Keyword::ON
            | Keyword::WHEN
            | Keyword::THEN
            | Keyword::ELSE => Self::Ends,
            Keyword::JOIN
            | Keyword::UNION
            | Keyword::EXCEPT
            | Keyword::INTERSECT
            | Keyword::EXPLAIN => Self::Relation,
            Keyword::AND
            | Keyword::OR
            | Keyword::XOR
            | Keyword::NOT
            | Keyword::IS
            | Keyword::IN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::SIMILAR
            | Keyword::RLIKE
            | Keyword::REGEXP
            | Keyword::BETWEEN
            | Keyword::AT
            | Keyword::DIV => Self::Operator,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    #[test]
    fn statements_know_where_they_begin() {
        let text = ";; select ';' ;\n  -- select 0;\n  select 2;";
        let starts = parse(text).expect("two statements").into_iter();
        let starts: Vec<_> = starts
            .map(|(start, _)| (start.line, start.column))
            .collect();
        assert_eq!(starts, [(1, 4), (3, 3)]);
    }

    #[test]
    fn chains_end_where_trees_do() {
        let chain = |part: &str, times: usize| format!("select 1 {}", part.repeat(times));
        for (text, is_refused) in [
            (chain("+ 1", MAX_CHAIN), false),
            (chain("+ 1", MAX_CHAIN + 1), true),
            (chain("+ (1)", MAX_CHAIN + 1), true),
            (chain(", 1 + 1", MAX_CHAIN + 1), false),
            (chain("union select 1", MAX_RELATIONS), false),
            (chain("union select 1", MAX_RELATIONS + 1), true),
            (chain("; select 1 union select 1", MAX_RELATIONS + 1), false),
        ] {
            assert_eq!(parse(&text).is_err(), is_refused, "{text}");
        }
    }

    #[test]
    fn only_queries_read() {
        for (text, reads) in [
            ("select 1", true),
            ("explain analyze select 1", true),
            ("describe a", true),
            ("show tables", true),
            ("select 1 into a", false),
            ("select * from (select 1 into a)", false),
            ("with a as (insert into b values (1)) select 1", false),
            ("explain copy (select 1) to 'a'", false),
            ("explain delete from a", false),
            ("set a = 1", false),
        ] {
            let statements = parse(text).expect(text);
            assert_eq!(only_reads(&statements[0].1), reads, "{text}");
        }
    }
}
