//! Tables as text: numbers to the right, as wide as the terminal allows.

use std::fmt::Write;

use console::{Alignment, measure_text_width, pad_str};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// What a wide column is shortened to before columns are left out.
const NARROW: usize = 24;

/// Space between columns.
const GAP: &str = "  ";

/// Titles and cells.
#[derive(Debug, Clone)]
pub(crate) struct TextTable {
    columns: Vec<TextColumn>,
}

#[derive(Debug, Clone)]
struct TextColumn {
    title: String,
    is_number: bool,
    cells: Vec<String>,
    width: usize,
}

/// The width of the terminal on stdout, if there is one.
pub(crate) fn terminal_width() -> Option<usize> {
    let terminal = console::Term::stdout();
    let (_, columns) = terminal.size_checked().filter(|_| terminal.is_term())?;
    Some(usize::from(columns))
}

/// A size as people read it, such as `1.5 MB`.
pub(crate) fn bytes(size: u64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let size = size as f64;
    match units.iter().find(|(unit, _)| size >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", size / unit),
        None => format!("{size} B"),
    }
}

/// Text with lines of at most `width`, broken at spaces.
pub(crate) fn fill(text: &str, width: usize) -> String {
    let mut filled = String::new();
    for line in text.lines() {
        let mut used = 0;
        for word in line.split_inclusive(' ') {
            let length = measure_text_width(word);
            if used > 0 && used + length > width {
                filled.truncate(filled.trim_end_matches(' ').len());
                filled.push('\n');
                used = 0;
            }
            filled.push_str(word);
            used += length;
        }
        filled.push('\n');
    }
    filled
}

impl TextTable {
    /// A table without rows; a title that ends in `#` is of a column of numbers.
    pub(crate) fn new(titles: &[&str]) -> Self {
        let column = |title: &&str| {
            let is_number = title.ends_with('#');
            TextColumn::new(title.trim_end_matches('#'), is_number)
        };
        Self {
            columns: titles.iter().map(column).collect(),
        }
    }

    /// The rows of a result.
    pub(crate) fn from_batches(
        schema: &Schema,
        batches: &[RecordBatch],
    ) -> Result<Self, ArrowError> {
        let options = FormatOptions::new().with_null("NULL");
        let mut columns = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            let mut column = TextColumn::new(field.name(), field.data_type().is_numeric());
            for batch in batches {
                let values = ArrayFormatter::try_new(batch.column(index), &options)?;
                for row in 0..batch.num_rows() {
                    column.push(&values.value(row).try_to_string()?);
                }
            }
            columns.push(column);
        }
        Ok(Self { columns })
    }

    /// Adds a row, one cell for each title.
    pub(crate) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.cells.len())
    }

    /// The table as lines; with a width, as much of it as fits.
    pub(crate) fn render(mut self, width: Option<usize>) -> String {
        let Some(width) = width else {
            return self.lines();
        };
        if self.rows() == 1 && self.width() > width {
            return self.record(width);
        }
        self.shorten(width);
        let all = self.columns.len();
        while self.width() > width && self.columns.len() > 2 {
            let middle = self.columns.len() / 2;
            self.columns.remove(middle);
        }
        let left_out = all - self.columns.len();
        let mut text = self.lines();
        if left_out > 0 {
            let _ = writeln!(
                text,
                "({left_out} of {all} columns do not fit and are left out)"
            );
        }
        text
    }

    fn width(&self) -> usize {
        let widths = self.columns.iter().map(|column| column.width + GAP.len());
        widths.sum::<usize>().saturating_sub(GAP.len())
    }

    /// Takes what is too much from the widest columns.
    fn shorten(&mut self, width: usize) {
        while self.width() > width {
            let too_much = self.width() - width;
            let widest = self.columns.iter_mut().max_by_key(|column| column.width);
            let Some(widest) = widest.filter(|column| column.width > NARROW) else {
                return;
            };
            widest.width = widest.width.saturating_sub(too_much).max(NARROW);
        }
    }

    fn lines(&self) -> String {
        let mut text = String::new();
        let mut line = |cell: &dyn Fn(&TextColumn) -> String| {
            let cells: Vec<String> = self.columns.iter().map(cell).collect();
            let _ = writeln!(text, "{}", cells.join(GAP).trim_end());
        };
        line(&|column| column.padded(&column.title));
        line(&|column| "─".repeat(column.width));
        for row in 0..self.rows() {
            line(&|column| column.padded(column.cells.get(row).map_or("", String::as_str)));
        }
        text
    }

    /// A single row, one line for each column.
    fn record(&self, width: usize) -> String {
        let titles = self
            .columns
            .iter()
            .map(|column| measure_text_width(&column.title));
        let left = titles.max().unwrap_or_default();
        let right = width.saturating_sub(left + GAP.len()).max(NARROW);
        let mut text = String::new();
        for column in &self.columns {
            let title = pad_str(&column.title, left, Alignment::Left, None);
            let cell = column.cells.first().map_or("", String::as_str);
            let _ = writeln!(
                text,
                "{title}{GAP}{}",
                console::truncate_str(cell, right, "…")
            );
        }
        text
    }
}

impl TextColumn {
    fn new(title: &str, is_number: bool) -> Self {
        let width = measure_text_width(title);
        Self {
            title: title.to_owned(),
            is_number,
            cells: Vec::new(),
            width,
        }
    }

    fn push(&mut self, cell: &str) {
        let cell = cell.replace(['\n', '\r'], "↵");
        self.width = self.width.max(measure_text_width(&cell));
        self.cells.push(cell);
    }

    fn padded(&self, cell: &str) -> String {
        let alignment = if self.is_number {
            Alignment::Right
        } else {
            Alignment::Left
        };
        pad_str(cell, self.width, alignment, Some("…")).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TextTable {
        let mut table = TextTable::new(&["name", "rows#", "what it is"]);
        table.row([
            "orders",
            "1,200",
            "what was bought, and whatever became of it",
        ]);
        table.row(["größe", "3", "two\nlines"]);
        table
    }

    #[test]
    fn filled_text_breaks_at_spaces_and_keeps_its_lines() {
        assert_eq!(fill("one two three\n\nfour", 8), "one two\nthree\n\nfour\n");
        assert_eq!(fill("abcdefghij k", 5), "abcdefghij\nk\n");
    }

    #[test]
    fn numbers_stand_on_the_right() {
        let expected = "\
name     rows  what it is
──────  ─────  ──────────────────────────────────────────
orders  1,200  what was bought, and whatever became of it
größe       3  two↵lines
";
        assert_eq!(table().render(None), expected);
    }

    #[test]
    fn wide_columns_are_shortened_first() {
        let text = table().render(Some(40));
        assert!(
            text.contains("orders  1,200  what was bought, and wha…\n"),
            "{text}"
        );
    }

    #[test]
    fn columns_are_left_out_when_nothing_else_helps() {
        let text = table().render(Some(20));
        assert!(
            text.contains("(1 of 3 columns do not fit and are left out)"),
            "{text}"
        );
        assert!(!text.contains("1,200"), "{text}");
    }

    #[test]
    fn one_wide_row_is_shown_as_a_record() {
        let mut table = TextTable::new(&["id", "text"]);
        table.row(["7", &"x".repeat(50)]);
        let expected = format!("id    7\ntext  {}…\n", "x".repeat(33));
        assert_eq!(table.render(Some(40)), expected);
    }
}
