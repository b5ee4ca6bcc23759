//! What a reader tells in remarks: a few lines or names, and how many more there were.

use std::fmt;

use super::shown;

/// Physical lines that have something in common.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    first: Vec<u32>,
    count: u64,
}

impl Lines {
    const SHOWN_MAX: usize = 5;

    pub fn add(&mut self, line: u32) {
        if self.first.len() < Self::SHOWN_MAX {
            self.first.push(line);
        }
        self.count += 1;
    }

    /// Writes one remark, if there is anything to tell.
    pub fn remark(&self, what: &str, remarks: &mut Vec<String>) {
        if self.count > 0 {
            let lines: Vec<String> = self.first.iter().map(u32::to_string).collect();
            let more = if self.count > lines.len() as u64 { ", …" } else { "" };
            remarks.push(format!("{what} ({} lines: {}{more})", self.count, lines.join(", ")));
        }
    }
}

/// Names found in lines, with the number of lines of each.
#[derive(Clone, Debug, Default)]
pub struct Names {
    first: Vec<(String, u64)>,
    others: u64,
}

impl Names {
    const SHOWN_MAX: usize = 5;

    pub fn add(&mut self, name: &str) {
        if let Some((_, count)) = self.first.iter_mut().find(|(known, _)| known == name) {
            *count += 1;
        } else if self.first.len() < Self::SHOWN_MAX {
            self.first.push((name.to_owned(), 1));
        } else {
            self.others += 1;
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, count)) in self.first.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{} ({count} lines)", shown(name))?;
        }
        if self.others > 0 {
            write!(f, " and {} lines of others", self.others)?;
        }
        Ok(())
    }
}

/// How many movements a text probably holds, from its second line: room for them is made once. A row has at least
/// two bytes a column, so a lie costs no more than the text itself.
pub fn likely_rows(text: &str, columns: usize) -> usize {
    let row = text.lines().nth(1).map_or(0, str::len).max(2 * columns) + 2;
    // A little more than the quotient, because the second line may be longer than most.
    let rows = text.len() / row;
    rows + rows / 16 + 1
}
