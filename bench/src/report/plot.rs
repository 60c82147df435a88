//! Latency percentiles of a case as SVG: a line for each broker and curve, on logarithmic axes.

use super::axis::{Latency, apart, percentile};
use super::number::{exact, number};
use crate::subject::Kind;
use crate::versus::results::{CaseResults, Curve, Points};

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 440.0;
/// Where the plot itself is; its right end depends on the labels.
const LEFT: f64 = 70.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 382.0;
/// Room between the end of a line and its label.
const LEADER: f64 = 26.0;
/// About how wide a letter of a label is.
const LETTER: f64 = 6.7;
/// How far labels are apart.
const LABEL: f64 = 17.0;

const PERCENTILES: [(f64, &str); 6] = [
    (0.0, "0"),
    (0.5, "50"),
    (0.9, "90"),
    (0.99, "99"),
    (0.999, "99.9"),
    (0.9999, "99.99"),
];

/// One line of a plot.
struct Series {
    kind: Kind,
    curve: Curve,
    points: Points,
}

/// The name of a case's plot; none for a case without latencies.
pub fn file_name(case: &CaseResults) -> Option<String> {
    let safe = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let name = case.id.replace(|letter| !safe(letter), "-");
    (!series(case).is_empty()).then(|| format!("{name}.svg"))
}

/// The name of a case's plot, and the plot; none for a case without latencies.
pub fn draw(case: &CaseResults) -> Option<(String, String)> {
    let name = file_name(case)?;
    let plot = Plot::of(case);
    let (grid, lines, labels, legend) = (plot.grid(), plot.lines(), plot.labels(), plot.legend());
    let title = xml(&format!("{}: {}", case.group, case.title));
    let about = xml(&plot.in_words());
    let style = style();
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title about">
<title id="title">{title}</title>
<desc id="about">{about}</desc>
<style>
{style}</style>
<text class="title" x="{LEFT}" y="26">{title}</text>
{legend}{grid}{lines}{labels}</svg>
"#
    );
    Some((name, svg))
}

/// All lines of a case. The slowest of all is no percentile that has a place on the axis.
fn series(case: &CaseResults) -> Vec<Series> {
    let mut all = Vec::new();
    for kind in case.kinds() {
        for curve in [Curve::Acknowledged, Curve::Delivered] {
            let mut points = case.curve(kind, curve);
            points.retain(|(quantile, latency)| (0.0..=0.9999).contains(quantile) && latency.is_finite());
            if points.len() > 1 {
                all.push(Series { kind, curve, points });
            }
        }
    }
    all
}

impl Series {
    fn classes(&self) -> String {
        let dashed = match self.curve {
            Curve::Acknowledged => "",
            Curve::Delivered => " dashed",
        };
        format!("line {}{dashed}", class(self.kind))
    }

    fn last(&self) -> (f64, f64) {
        self.points.last().copied().unwrap_or_default()
    }
}

fn curve_name(curve: Curve) -> &'static str {
    match curve {
        Curve::Acknowledged => "acknowledged",
        Curve::Delivered => "delivered",
    }
}

struct Plot {
    series: Vec<Series>,
    axis: Latency,
    /// Whether there are curves of both sorts, which must be told apart.
    both: bool,
    right: f64,
}

impl Plot {
    fn of(case: &CaseResults) -> Self {
        let series = series(case);
        let latencies = series
            .iter()
            .flat_map(|series| series.points.iter().map(|(_, latency)| *latency));
        let axis = Latency::of(latencies, BOTTOM, TOP);
        let has = |curve: Curve| series.iter().any(|series| series.curve == curve);
        let both = has(Curve::Acknowledged) && has(Curve::Delivered);
        let mut plot = Self {
            series,
            axis,
            both,
            right: WIDTH,
        };
        let longest = plot
            .series
            .iter()
            .map(|series| plot.label(series).concat().chars().count())
            .max();
        plot.right = WIDTH - LEADER - 10.0 - LETTER * longest.unwrap_or(0) as f64;
        plot
    }

    fn x(&self, quantile: f64) -> f64 {
        LEFT + (self.right - LEFT) * percentile(quantile)
    }

    /// What stands at the end of a line: its name, and its last latency.
    fn label(&self, series: &Series) -> [String; 2] {
        let curve = match series.curve {
            Curve::Acknowledged if self.both => " ack",
            Curve::Delivered if self.both => " delivery",
            Curve::Acknowledged | Curve::Delivered => "",
        };
        let (_, latency) = series.last();
        [
            format!("{}{curve}", series.kind.name()),
            format!(" {} ms", number(latency)),
        ]
    }

    /// The lines in words, for those who do not see them.
    fn in_words(&self) -> String {
        let mut out =
            "Latency from the due time at each percentile, in ms, median over the rounds.".to_owned();
        for series in &self.series {
            out.push_str(&format!(" {}, {}:", series.kind.name(), curve_name(series.curve)));
            for (index, (quantile, name)) in PERCENTILES.iter().enumerate().skip(1) {
                let point = series.points.iter().find(|(at, _)| (at - quantile).abs() < 1e-9);
                let Some((_, latency)) = point else { continue };
                let comma = if index == 1 { "" } else { "," };
                out.push_str(&format!("{comma} p{name} {}", number(*latency)));
            }
            out.push('.');
        }
        out
    }

    fn grid(&self) -> String {
        let right = self.right;
        let mut out = String::new();
        for tick in self.axis.ticks() {
            let y = self.axis.at(tick.value);
            out.push_str(&format!(
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right:.1}\"/>\n"
            ));
            if tick.numbered {
                let (x, y, number) = (LEFT - 8.0, y + 4.0, exact(tick.value));
                out.push_str(&format!(
                    "<text class=\"tick end\" x=\"{x}\" y=\"{y:.1}\">{number}</text>\n"
                ));
            }
        }
        for (quantile, name) in PERCENTILES {
            let (x, y) = (self.x(quantile), BOTTOM + 18.0);
            out.push_str(&format!("<path class=\"grid\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>\n"));
            out.push_str(&format!(
                "<text class=\"tick middle\" x=\"{x:.1}\" y=\"{y}\">{name} %</text>\n"
            ));
        }
        let (x, y) = ((LEFT + right) / 2.0, BOTTOM + 44.0);
        out.push_str(&format!(
            "<text class=\"middle\" x=\"{x:.1}\" y=\"{y}\">percentile</text>\n"
        ));
        let y = (TOP + BOTTOM) / 2.0;
        out.push_str(&format!(
            "<text class=\"middle\" transform=\"translate(20 {y}) rotate(-90)\">latency from the due time, ms</text>\n"
        ));
        out
    }

    fn lines(&self) -> String {
        let line = |series: &Series| {
            let point = |(quantile, latency): &(f64, f64)| {
                format!("{:.1},{:.1}", self.x(*quantile), self.axis.at(*latency))
            };
            let points: Vec<String> = series.points.iter().map(point).collect();
            format!(
                "<polyline class=\"{}\" points=\"{}\"/>\n",
                series.classes(),
                points.join(" ")
            )
        };
        self.series.iter().map(line).collect()
    }

    /// A label for each line, beside its end or led to by a thin line.
    fn labels(&self) -> String {
        let ends: Vec<f64> = self
            .series
            .iter()
            .map(|series| self.axis.at(series.last().1))
            .collect();
        let places = apart(&ends, LABEL, TOP, BOTTOM);
        let mut out = String::new();
        for ((series, end), place) in self.series.iter().zip(ends).zip(places) {
            let (from, to) = (self.x(series.last().0), self.right + LEADER - 6.0);
            let class = class(series.kind);
            out.push_str(&format!(
                "<path class=\"leader {class}\" d=\"M{from:.1} {end:.1}L{to:.1} {place:.1}\"/>\n"
            ));
            out.push_str(&format!(
                "<circle class=\"dot {class}\" cx=\"{from:.1}\" cy=\"{end:.1}\" r=\"3\"/>\n"
            ));
            let (x, y) = (self.right + LEADER, place + 4.0);
            let [name, latency] = self.label(series).map(|text| xml(&text));
            out.push_str(&format!(
                "<text class=\"label\" x=\"{x:.1}\" y=\"{y:.1}\">{name}<tspan class=\"tick\">{latency}</tspan></text>\n"
            ));
        }
        out
    }

    /// What the two sorts of lines are, as far as they are there.
    fn legend(&self) -> String {
        let mut out = String::new();
        let mut start = LEFT;
        for (curve, dashed, name) in [
            (Curve::Acknowledged, "", "acknowledged to the producer"),
            (Curve::Delivered, " dashed", "delivered to a consumer"),
        ] {
            if !self.series.iter().any(|series| series.curve == curve) {
                continue;
            }
            let (end, text) = (start + 28.0, start + 36.0);
            out.push_str(&format!(
                "<path class=\"line{dashed}\" d=\"M{start} 46H{end}\"/>\n"
            ));
            out.push_str(&format!(
                "<text class=\"tick\" x=\"{text}\" y=\"50\">{name}</text>\n"
            ));
            start += 260.0;
        }
        out
    }
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Kafka => "kafka",
        Kind::KafkaFlushing => "flushing",
        Kind::Firn => "firn",
        Kind::FirnObject => "object",
        Kind::Floor => "floor",
    }
}

/// A broker's colours on a light and on a dark page: of hues that colour-blind people tell apart.
fn colours(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::Kafka => ["#c2530a", "#f28e4b"],
        Kind::KafkaFlushing => ["#c9719f", "#f3c1de"],
        Kind::Firn => ["#0058a8", "#3f9ae0"],
        Kind::FirnObject => ["#00805f", "#2fc79b"],
        Kind::Floor => ["#6e7781", "#9aa4ae"],
    }
}

fn style() -> String {
    let colours = |page: usize| -> String {
        Kind::ALL
            .iter()
            .map(|kind| format!(" --{}: {};", class(*kind), colours(*kind)[page]))
            .collect()
    };
    let strokes = Kind::ALL
        .map(class)
        .map(|class| format!(".{class} {{ --own: var(--{class}); }}\n"));
    format!(
        "svg {{ --ink: #24292f; --soft: #57606a; --grid: #d0d7de;{light} }}
@media (prefers-color-scheme: dark) {{
svg {{ --ink: #e6edf3; --soft: #9da7b1; --grid: #373e47;{dark} }}
}}
text {{ font: 13px system-ui, sans-serif; fill: var(--ink); }}
.title {{ font-size: 16px; font-weight: 600; }}
.tick {{ font-size: 12px; fill: var(--soft); }}
.end {{ text-anchor: end; }}
.middle {{ text-anchor: middle; }}
.grid {{ stroke: var(--grid); stroke-width: 1; fill: none; }}
.line {{ stroke: var(--own, var(--soft)); stroke-width: 2.25; stroke-linejoin: round; fill: none; }}
.dashed {{ stroke-dasharray: 7 4; }}
.leader {{ stroke: var(--own); stroke-width: 1; fill: none; }}
.dot {{ fill: var(--own); }}
{strokes}",
        light = colours(0),
        dark = colours(1),
        strokes = strokes.concat()
    )
}

/// Text that is safe in XML.
fn xml(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn drawn(id: &str) -> String {
        let results = sample::results();
        let (name, svg) = draw(results.case(id).unwrap()).unwrap();
        assert_eq!(name, format!("{id}.svg"));
        svg
    }

    /// The values of an attribute in all elements that begin with `start`.
    fn values(svg: &str, start: &str, attribute: &str) -> Vec<f64> {
        let elements = svg.lines().filter(|line| line.starts_with(start));
        let value = |line: &str| {
            let (_, rest) = line.split_once(&format!(" {attribute}=\"")).unwrap();
            rest.split_once('"').unwrap().0.parse().unwrap()
        };
        elements.map(value).collect()
    }

    fn assert_balanced(svg: &str) {
        let mut open = Vec::new();
        for tag in svg.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').unwrap();
            let name = tag.split([' ', '/']).next().unwrap();
            match tag.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop(), Some(closed)),
                None if tag.ends_with('/') => {}
                None => open.push(name),
            }
        }
        assert!(open.is_empty(), "left open: {open:?}");
    }

    #[test]
    fn each_broker_has_a_line_and_a_label_and_text_is_escaped() {
        let svg = drawn("ack-50-mb");
        assert_balanced(&svg);
        assert_eq!(svg.matches("<polyline ").count(), 3);
        for kind in [Kind::Kafka, Kind::KafkaFlushing, Kind::Firn] {
            assert!(svg.contains(&format!("<polyline class=\"line {}\"", class(kind))));
            assert!(svg.contains(&format!(">{}<tspan", kind.name())));
        }
        assert!(svg.contains(": 50 MB/s in &lt;64 KiB&gt; batches &amp; more</title>"));
        assert!(!svg.contains(" dashed\"") && !svg.contains("delivered"));
        assert_eq!(svg, drawn("ack-50-mb"));
    }

    #[test]
    fn what_is_delivered_is_dashed() {
        let svg = drawn("tail-50-1");
        assert_balanced(&svg);
        for class in ["line kafka", "line kafka dashed", "line firn", "line firn dashed"] {
            assert_eq!(
                svg.matches(&format!("<polyline class=\"{class}\"")).count(),
                1,
                "{class}"
            );
        }
        assert!(svg.contains(">Firn delivery<tspan"));
    }

    #[test]
    fn labels_of_lines_that_end_together_do_not_overlap() {
        let mut case = sample::results().case("ack-50-mb").unwrap().clone();
        for run in &mut case.runs {
            run.curves.insert(Curve::Delivered, sample::curve(1.0, 2.0));
            run.curves.insert(Curve::Acknowledged, sample::curve(1.0, 2.001));
        }
        let (_, svg) = draw(&case).unwrap();
        let mut places = values(&svg, "<text class=\"label\"", "y");
        places.sort_by(f64::total_cmp);
        assert_eq!(places.len(), 6);
        assert!(
            places.windows(2).all(|pair| pair[1] - pair[0] > LABEL - 0.2),
            "{places:?}"
        );
        assert!(places.iter().all(|y| (TOP..BOTTOM + 5.0).contains(y)));
    }

    #[test]
    fn a_case_without_latencies_has_no_plot_and_names_are_safe() {
        let results = sample::results();
        assert!(draw(results.case("produce-64k-8p-4c").unwrap()).is_none());
        let mut case = results.case("ack-50-mb").unwrap().clone();
        case.id = "../a b".to_owned();
        assert_eq!(file_name(&case).as_deref(), Some("..-a-b.svg"));
    }
}
