//! Bars as SVG, by hand: a page of text needs no library. The picture brings its own ground and
//! takes the colours that the reader prefers, so that it reads in a light and in a dark page.

use std::fmt::Write as _;

use crate::stats::Estimate;

/// A named ratio.
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    pub(crate) value: Estimate,
}

const NAMES: f64 = 190.0;
const WIDTH: f64 = 560.0;
const LINE: f64 = 18.0;
const TOP: f64 = 50.0;
/// Ratios up to here fit; a longer bar is cut, and its number says so.
const MOST: f64 = 1.4;

const STYLE: &str = "\
.ground { fill: #ffffff } text { fill: #1f2328; font: 12px sans-serif } .title { font-size: 14px } \
.good { fill: #2da44e } .bad { fill: #cf222e } .one { stroke: #1f2328 } .grid { stroke: #d0d7de } \
.range { stroke: #1f2328 } @media (prefers-color-scheme: dark) { .ground { fill: #0d1117 } \
text { fill: #e6edf3 } .good { fill: #3fb950 } .bad { fill: #f85149 } .one { stroke: #e6edf3 } \
.grid { stroke: #30363d } .range { stroke: #e6edf3 } }";

/// One bar a ratio, a line at 1, and the interval as a stroke at the bar's end.
pub(crate) fn plot(title: &str, bars: &[Bar]) -> String {
    let x = |ratio: f64| NAMES + ratio.min(MOST) / MOST * WIDTH;
    let bottom = TOP + LINE * bars.len() as f64;
    let (width, height) = (NAMES + WIDTH + 60.0, bottom + 16.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n\
         <text class=\"title\" x=\"12\" y=\"22\">{title}</text>\n"
    );
    for tenths in [0, 2, 4, 6, 8, 10, 12, 14] {
        let (at, class) = (f64::from(tenths) / 10.0, if tenths == 10 { "one" } else { "grid" });
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text x=\"{0:.1}\" y=\"{1}\" text-anchor=\"middle\">{at:.1}</text>",
            x(at),
            TOP - 6.0
        );
    }
    for (nth, Bar { name, value }) in bars.iter().enumerate() {
        let top = TOP + LINE * nth as f64 + 3.0;
        let middle = top + LINE / 2.0 - 3.0;
        let class = if value.median <= 1.0 { "good" } else { "bad" };
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\
             <rect class=\"{class}\" x=\"{NAMES}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\
             <line class=\"range\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{:.2}</text>",
            NAMES - 6.0,
            middle + 4.0,
            x(value.median) - NAMES,
            LINE - 6.0,
            x(value.low),
            x(value.high),
            x(value.high) + 6.0,
            middle + 4.0,
            value.median,
        );
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_that_is_too_long_stays_inside_and_says_its_number() {
        let value = Estimate { median: 9.0, low: 8.0, high: 10.0 };
        let svg = plot("title", &[Bar { name: "row", value }]);
        assert!(svg.contains("9.00") && svg.contains("class=\"bad\""));
        assert!(svg.contains(&format!("width=\"{WIDTH:.1}\"")), "{svg}");
    }
}
