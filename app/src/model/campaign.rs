//! What the pages of campaigns work out: blocks in their order, bars of a chart.

use mailroom_shared::api::campaigns::HourResult;
use mailroom_shared::campaign::content::Block;

/// A block and its number, which stays while it moves.
pub type Numbered = (u32, Block);

/// Puts an empty block of a kind above the footer, or at the end.
pub fn add(blocks: &mut Vec<Numbered>, kind: &str) {
    let Some(block) = Block::new(kind) else { return };
    let number = blocks.iter().map(|(n, _)| n + 1).max().unwrap_or(0);
    let at = match blocks.last() {
        Some((_, Block::Footer { .. })) if kind != "footer" => blocks.len() - 1,
        _ => blocks.len(),
    };
    blocks.insert(at, (number, block));
}

/// Moves a block one place up or down, as far as there is one.
pub fn shift(blocks: &mut [Numbered], number: u32, down: bool) {
    let Some(at) = blocks.iter().position(|(n, _)| *n == number) else { return };
    let other = if down { at + 1 } else { at.wrapping_sub(1) };
    if other < blocks.len() {
        blocks.swap(at, other);
    }
}

/// A bar of the chart: where it stands, in hundredths of the whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    pub hour: i64,
    pub left: f64,
    pub width: f64,
    pub heights: [f64; 3],
}

/// Bars of at most so many hours from the first on; gaps are hours with nothing. And the largest figure.
pub fn bars(hours: &[HourResult], most: usize) -> (Vec<Bar>, u32) {
    let (Some(first), Some(last)) = (hours.first(), hours.last()) else { return (Vec::new(), 0) };
    let n = usize::try_from(last.hour - first.hour + 1).unwrap_or(1).clamp(8, most);
    let top = hours.iter().flat_map(|it| [it.handed_over, it.opened, it.clicked]).max().unwrap_or(0).max(1);
    let step = 100.0 / n as f64;
    let bars = hours
        .iter()
        .filter_map(|it| {
            let at = usize::try_from(it.hour - first.hour).ok().filter(|at| *at < n)?;
            let height = |figure: u32| f64::from(figure) * 100.0 / f64::from(top);
            Some(Bar {
                hour: it.hour,
                left: step * at as f64 + step * 0.12,
                width: step * 0.76 / 3.0,
                heights: [height(it.handed_over), height(it.opened), height(it.clicked)],
            })
        })
        .collect();
    (bars, top)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_their_numbers_while_they_move() {
        let mut blocks = vec![(0, Block::new("heading").unwrap()), (1, Block::new("footer").unwrap())];
        add(&mut blocks, "button");
        let order = |blocks: &[Numbered]| blocks.iter().map(|(n, it)| format!("{n}{}", it.kind())).collect::<Vec<_>>();
        assert_eq!(order(&blocks), ["0heading", "2button", "1footer"], "above the footer");
        shift(&mut blocks, 2, false);
        assert_eq!(order(&blocks), ["2button", "0heading", "1footer"]);
        shift(&mut blocks, 2, false);
        shift(&mut blocks, 1, true);
        shift(&mut blocks, 9, true);
        assert_eq!(order(&blocks), ["2button", "0heading", "1footer"], "no further than the ends");
        add(&mut blocks, "nothing");
        assert_eq!(blocks.len(), 3);
    }

    #[test]
    fn bars_stand_at_their_hour() {
        let hour = |hour, handed_over| HourResult { hour, handed_over, ..HourResult::default() };
        let (found, top) = bars(&[hour(10, 50), hour(12, 100), hour(90, 1)], 48);
        assert_eq!((found.len(), top), (2, 100), "what is later than the chart is left out");
        assert!((found[0].heights[0] - 50.0).abs() < 0.01 && found[1].left > found[0].left);
        assert_eq!(bars(&[], 48), (Vec::new(), 0));
    }
}
