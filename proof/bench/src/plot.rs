//! Plots for the documents: lines in an SVG, readable on light and on dark.

use std::fmt::Write as _;

/// The picture's size and its margins, in pixels.
const WIDTH: u64 = 760;
const HEIGHT: u64 = 320;
const LEFT: u64 = 60;
const RIGHT: u64 = 150;
const TOP: u64 = 40;
const BOTTOM: u64 = 50;

/// The marks of an axis.
const MARKS: u64 = 4;

/// Colours that people with any eyes tell apart (Okabe and Ito).
const COLOURS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"];

/// A line of points.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it is of.
    pub name: String,
    /// Across and up, from the left to the right.
    pub points: Vec<(u64, u64)>,
}

/// A plot.
#[derive(Debug, Clone)]
pub struct Plot<'a> {
    /// What it shows.
    pub title: &'a str,
    /// What goes across.
    pub across: &'a str,
    /// What goes up, and how many of the points' units make one of it.
    pub up: &'a str,
    /// See [`Plot::up`].
    pub up_unit: u64,
    /// The lines.
    pub lines: Vec<Line>,
}

impl Plot<'_> {
    /// The picture.
    #[must_use]
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let widest = points().map(|(across, _)| *across).max().unwrap_or(0).max(1);
        let unit = self.up_unit.max(1);
        // The axis ends at a whole mark above the highest point.
        let highest = points().map(|(_, up)| *up).max().unwrap_or(0).div_ceil(unit * MARKS).max(1);
        let highest = highest * unit * MARKS;
        let x = |across: u64| LEFT + across * (WIDTH - LEFT - RIGHT) / widest;
        let y = |up: u64| HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM) / highest;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#777\">\n\
             <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}</text>\n",
            self.title
        );
        for mark in 0..=MARKS {
            let (up, across) = (highest * mark / MARKS, widest * mark / MARKS);
            let line = format!(
                "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{2}\" y2=\"{2}\" stroke=\"#777\" stroke-opacity=\"0.3\"/>\n\
                 <text x=\"{1}\" y=\"{3}\" text-anchor=\"end\">{4}</text>\n\
                 <text x=\"{5}\" y=\"{6}\" text-anchor=\"middle\">{across}</text>\n",
                WIDTH - RIGHT,
                LEFT - 8,
                y(up),
                y(up) + 4,
                up / unit,
                x(across),
                HEIGHT - BOTTOM + 18
            );
            svg += &line;
        }
        for (at, line) in self.lines.iter().enumerate() {
            let colour = COLOURS.get(at % COLOURS.len()).copied().unwrap_or("#777");
            let mut path = String::new();
            for (across, up) in &line.points {
                // Writing to a string does not fail.
                let _ignored: std::fmt::Result = write!(path, "{},{} ", x(*across), y(*up));
            }
            let down = TOP + 18 * u64::try_from(at).unwrap_or_default();
            svg += &format!(
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>\n\
                 <text x=\"{}\" y=\"{down}\" fill=\"{colour}\">{}</text>\n",
                path.trim_end(),
                WIDTH - RIGHT + 12,
                line.name
            );
        }
        svg += &format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n</svg>\n",
            WIDTH - RIGHT,
            HEIGHT - 12,
            self.across,
            LEFT - 8,
            TOP - 8,
            self.up
        );
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_point_is_inside() {
        let line = Line { name: "relay".to_owned(), points: vec![(0, 0), (10, 9_000)] };
        let plot = Plot { title: "t", across: "a", up: "MiB", up_unit: 1_024, lines: vec![line] };
        let svg = plot.svg();
        assert!(svg.contains("points=\"60,270 610,"), "{svg}");
        assert!(svg.contains(">12<"), "the axis ends above the highest point: {svg}");
    }
}
