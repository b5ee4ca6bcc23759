//! The running balance: every line must follow from another, whatever order the file has them in.
//!
//! A movement leads from the balance before it to the balance after it. The lines of an account are one walk over
//! these, so in the file's own order (or backwards) each line begins where the one before it ended. If neither holds,
//! as where lines of one second were written in any order, the walk must at least exist: a walk that uses each
//! movement once exists exactly if at most one balance is left once more often than it is reached and one the other
//! way round, and all of them hang together (Euler).

use std::collections::HashMap;

/// One movement: signed amount, and the balance after it, in minor units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) amount: i64,
    pub(super) balance: i64,
}

impl Step {
    /// The balance before it; `None` if that is no number this program can hold.
    fn before(self) -> Option<i64> {
        self.balance.checked_sub(self.amount)
    }
}

/// What was proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Chain {
    /// The last balance as stated.
    pub(super) closing: i64,
    /// The balance before the first movement and all amounts.
    pub(super) counted: i64,
    /// The file has its lines in another order than the walk.
    pub(super) reordered: bool,
}

/// The first line that does not follow in the file's order: the balance before, the amount, the balance after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Broken {
    pub(super) place: usize,
    pub(super) amounts: [i64; 3],
}

/// Proves that the lines are one walk; `None` without lines.
pub(super) fn prove(steps: &[Step]) -> Result<Option<Chain>, Broken> {
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Ok(None) };
    let follows = |pair: &[Step]| pair[1].before() == Some(pair[0].balance);
    let Some(place) = steps.windows(2).position(|pair| !follows(pair)) else {
        return chain(steps, first.before(), last.balance, false).map(Some).ok_or(broken(steps, 0));
    };
    let backwards = steps.windows(2).all(|pair| pair[0].before() == Some(pair[1].balance));
    let ends = if backwards { last.before().map(|start| (start, first.balance)) } else { walk(steps) };
    ends.and_then(|(opening, closing)| chain(steps, Some(opening), closing, !backwards))
        .map(Some)
        .ok_or(broken(steps, place + 1))
}

fn broken(steps: &[Step], place: usize) -> Broken {
    let before = place.checked_sub(1).map_or(0, |earlier| steps[earlier].balance);
    Broken { place, amounts: [before, steps[place].amount, steps[place].balance] }
}

fn chain(steps: &[Step], opening: Option<i64>, closing: i64, reordered: bool) -> Option<Chain> {
    let sum: i128 = steps.iter().map(|step| i128::from(step.amount)).sum();
    let counted = i64::try_from(i128::from(opening?) + sum).ok()?;
    Some(Chain { closing, counted, reordered })
}

/// First and last balance of a walk that uses every movement once, if there is one.
fn walk(steps: &[Step]) -> Option<(i64, i64)> {
    // Times a balance was left, less the times it was reached.
    let mut surplus: HashMap<i64, i64> = HashMap::new();
    let mut parts = Parts::default();
    for step in steps {
        let before = step.before()?;
        *surplus.entry(before).or_default() += 1;
        *surplus.entry(step.balance).or_default() -= 1;
        parts.join(before, step.balance);
    }
    let mut ends =
        surplus.iter().filter(|(_, count)| **count != 0).map(|(balance, count)| (*count, *balance));
    let ends = match (ends.next(), ends.next(), ends.next()) {
        (None, ..) => (steps[0].before()?, steps[0].before()?),
        (Some((1, opening)), Some((-1, closing)), None) => (opening, closing),
        (Some((-1, closing)), Some((1, opening)), None) => (opening, closing),
        _ => return None,
    };
    (parts.count() == 1).then_some(ends)
}

/// Balances that hang together (union and find).
#[derive(Default)]
struct Parts {
    number: HashMap<i64, usize>,
    parent: Vec<usize>,
}

impl Parts {
    fn of(&mut self, balance: i64) -> usize {
        let next = self.parent.len();
        let number = *self.number.entry(balance).or_insert(next);
        if number == next {
            self.parent.push(next);
        }
        self.root(number)
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    fn join(&mut self, one: i64, other: i64) {
        let (one, other) = (self.of(one), self.of(other));
        self.parent[one] = other;
    }

    fn count(&self) -> usize {
        self.parent.iter().enumerate().filter(|(at, parent)| at == *parent).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(lines: &[(i64, i64)]) -> Vec<Step> {
        lines.iter().map(|(amount, balance)| Step { amount: *amount, balance: *balance }).collect()
    }

    #[test]
    fn a_walk_in_any_order() {
        for (name, lines, reordered) in [
            ("one line", vec![(5, 105)], false),
            ("in order", vec![(5, 105), (-2, 103), (10, 113)], false),
            ("backwards", vec![(10, 113), (-2, 103), (5, 105)], false),
            ("two of one second the other way round", vec![(-2, 103), (5, 105), (10, 113)], true),
            ("there and back again", vec![(5, 105), (-5, 100), (5, 105), (8, 113)], false),
            ("a loop behind the way", vec![(13, 113), (5, 105), (-5, 100)], true),
        ] {
            let proven = prove(&steps(&lines)).expect(name).expect(name);
            let closing = if lines.len() == 1 { 105 } else { 113 };
            assert_eq!(proven, Chain { closing, counted: closing, reordered }, "{name}");
        }
        assert_eq!(prove(&[]), Ok(None));
    }

    #[test]
    fn a_line_that_was_changed_left_out_or_put_in_breaks_the_walk() {
        for (name, lines, place) in [
            ("another amount", vec![(5, 105), (-3, 103), (10, 113)], 1),
            ("another balance", vec![(5, 105), (-2, 104), (10, 113)], 1),
            ("a line is missing", vec![(5, 105), (10, 113), (1, 114)], 1),
            ("a loop that hangs nowhere", vec![(5, 105), (-2, 103), (7, 907), (-7, 900)], 2),
            ("too large", vec![(-1, i64::MAX), (0, i64::MAX), (1, i64::MIN)], 2),
        ] {
            assert_eq!(prove(&steps(&lines)).expect_err(name).place, place, "{name}");
        }
    }

    #[test]
    fn a_shuffled_day_has_its_walk() {
        let mut random = fastrand::Rng::with_seed(9);
        let mut balance = 10_000;
        let mut lines: Vec<(i64, i64)> = (0..500)
            .map(|_| {
                let amount = random.i64(-50..60);
                balance += amount;
                (amount, balance)
            })
            .collect();
        random.shuffle(&mut lines);
        let proven = prove(&steps(&lines)).expect("a walk").expect("lines");
        assert_eq!((proven.closing, proven.counted), (balance, balance));
        lines[250].0 += 1;
        assert!(prove(&steps(&lines)).is_err());
    }
}
