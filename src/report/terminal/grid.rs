//! A plain table: titles, a rule of hyphens, columns two blanks apart.
//!
//! Chinese characters take two columns; box-drawing characters take one or two, depending on the console, and are
//! therefore not used.

use std::ops::Range;

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, Table,
    TableStyle, Width,
};

const LOOK: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction(' '))
    .content_lines(ContentLineStyle::none().junction(' '))
    .header_separator(LineStyle::none().fill('-').junction(' '));

/// The last column is never wrapped to less than this: below it, a line too long is easier to read than a tall cell.
const LAST_MIN: u16 = 20;

pub(in crate::report) struct Grid {
    table: Table,
    right: Range<usize>,
    width: Option<u16>,
}

impl Grid {
    /// A table with these titles, at most `width` columns wide where a width is given.
    pub(in crate::report) fn new<'t>(titles: impl IntoIterator<Item = &'t str>, width: Option<u16>) -> Grid {
        let mut grid = Grid::bare(width);
        grid.table.set_header(titles.into_iter().map(Cell::new).collect::<Vec<Cell>>());
        grid
    }

    /// A table without titles.
    pub(in crate::report) fn bare(width: Option<u16>) -> Grid {
        let mut table = Table::new();
        table.load_style(LOOK);
        Grid { table, right: 0..0, width }
    }

    /// These columns hold figures.
    #[must_use]
    pub(in crate::report) fn right(mut self, columns: Range<usize>) -> Grid {
        self.right = columns;
        self
    }

    pub(in crate::report) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.table.add_row(cells.into_iter().map(Cell::new_owned).collect::<Vec<Cell>>());
    }

    /// The finished lines, each behind `indent` blanks. Only the last column is wrapped: a number that is broken over
    /// two lines cannot be searched for.
    pub(in crate::report) fn write(mut self, indent: usize) -> String {
        let right = self.right.clone();
        for (at, column) in self.table.column_iter_mut().enumerate() {
            column.set_padding((0, 1));
            if right.contains(&at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        if let Some(width) = self.width {
            self.fit(width, indent);
        }
        let pad = " ".repeat(indent);
        let lines = self.table.lines().map(|line| format!("{pad}{line}").trim_end().to_owned() + "\n");
        lines.collect()
    }

    fn fit(&mut self, width: u16, indent: usize) {
        let indent = u16::try_from(indent).unwrap_or(0);
        self.table.set_width(width.saturating_sub(indent));
        self.table.set_content_arrangement(ContentArrangement::Dynamic);
        let widths = self.table.column_max_content_widths();
        let last = widths.len().saturating_sub(1);
        for (at, column) in self.table.column_iter_mut().enumerate() {
            let constraint = if at < last {
                ColumnConstraint::ContentWidth
            } else {
                ColumnConstraint::LowerBoundary(Width::Fixed(widths[at].min(LAST_MIN)))
            };
            column.set_constraint(constraint);
        }
    }
}
