//! Documentation of relations: their columns, and what the comments in their files say of them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

use crate::context;
use crate::session::{JOB_SCHEMA, Session};
use crate::{Project, Result, SqlFile};

impl Project {
    /// The columns that a relation's select returns.
    ///
    /// # Errors
    /// Sources that can't be opened, SQL that does not plan.
    pub async fn schema(&self, file: &SqlFile) -> Result<SchemaRef> {
        let context = context::context(&self.config, JOB_SCHEMA)?;
        let any_date = NaiveDate::default();
        let session = Session::open(self, context, any_date).await?;
        crate::run::define_nothing(&session, any_date)?;
        session.plan_all().await?;
        let plan = session.plan(file).await?;
        Ok(plan.schema().inner().clone())
    }
}

impl SqlFile {
    /// Comments behind columns (`… as net_revenue,  -- money`), by column.
    pub fn column_comments(&self) -> BTreeMap<String, String> {
        let mut comments = BTreeMap::new();
        let mut last_word = None;
        let tokens = Tokenizer::new(&GenericDialect {}, &self.text).tokenize();
        for token in tokens.unwrap_or_default() {
            match token {
                Token::Word(word) => last_word = Some(word.value),
                Token::Whitespace(Whitespace::Newline) => last_word = None,
                Token::Whitespace(Whitespace::SingleLineComment { comment, .. }) => {
                    // the final select stands last, so that its comments win
                    if let Some(column) = last_word.take() {
                        comments.insert(column, comment.trim().to_owned());
                    }
                }
                _ => {}
            }
        }
        comments
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use crate::{Kind, SqlFile};

    #[test]
    fn a_comment_belongs_to_the_column_that_ends_its_line() {
        let text = "-- a: x.\nwith b as (select 1 as p /* not this */)\nselect\n\
            \x20   ------ numbers\n    cast(\n        p as double\n    ) as q,  -- money, 'net'\n\
            \x20   b.r -- days\nfrom b";
        let file = SqlFile::parse(Kind::Mart, "a.sql", false, text).expect("a file");
        let comments: Vec<_> = file.column_comments().into_iter().collect();
        let pair = |column: &str, comment: &str| (column.to_owned(), comment.to_owned());
        assert_eq!(comments, [pair("q", "money, 'net'"), pair("r", "days")]);
    }
}
