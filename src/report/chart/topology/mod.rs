//! The picture of a design: clients, services and topics, and what flows between them.
//!
//! On a wide page it flows from left to right and names the messages; on a phone, and where the flow
//! is longer than a page is wide, from top to bottom. Letters keep their size: what is too large for
//! its place is scrolled there.

mod layout;

use super::canvas::{Caption, LETTER, escaped, open};
use super::{Chart, DataTable, LegendEntry, Panel, Swatch};
use crate::experiment::results::{EdgeKind, NodeKind, Topology, TopologyNode};
use crate::report::text::{fitted_to_pixels, name, width_in_pixels};
use layout::{Edge, Extent, Gaps, Layout, Place, Route, layout};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Most nodes and edges that are drawn; a picture of more is no picture.
const MOST_NODES: usize = 40;
const MOST_EDGES: usize = 90;

const TITLE: &str = "Clients, services and topics";
const MARGIN: f64 = 8.0;
const NODE_HEIGHT: f64 = 46.0;
const LABEL_HEIGHT: f64 = 16.0;
/// Widest drawing from left to right that a wide page holds.
const PAGE_WIDTH: f64 = 1128.0;

/// Which way a drawing flows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Right,
    Down,
}

/// Whether edges carry the names of their messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Labels {
    Shown,
    /// On a phone there is no room for them.
    InTheTable,
}

/// A node or edge that is drawn, positions renumbered.
struct Picture<'a> {
    nodes: Vec<&'a TopologyNode>,
    edges: Vec<Joined>,
    all_edges: usize,
}

/// All edges of one kind from one node to another.
struct Joined {
    from: usize,
    to: usize,
    kind: EdgeKind,
    label: String,
}

/// Draws `topology`.
pub fn topology(topology: &Topology) -> Panel {
    if topology.nodes.is_empty() {
        return Panel::Blank {
            title: TITLE.to_owned(),
            why: "The scenario has no clients, services or topics.".to_owned(),
        };
    }
    let picture = picture(topology);
    let summary = summary(topology);
    let caption = |class| Caption { id: format!("topology-{class}"), title: TITLE, summary: &summary };
    let right = Drawing::new(&picture, Flow::Right, usize::MAX, Labels::Shown);
    let broad =
        if right.width() > PAGE_WIDTH { Drawing::new(&picture, Flow::Down, 5, Labels::Shown) } else { right };
    let narrow = Drawing::new(&picture, Flow::Down, 2, Labels::InTheTable);
    let (wide, narrow) = (broad.svg("wide", &caption("wide")), narrow.svg("narrow", &caption("narrow")));
    Panel::Drawn(Box::new(Chart {
        id: "topology".to_owned(),
        title: TITLE.to_owned(),
        summary,
        wide,
        narrow,
        live: None,
        legend: legend(&picture),
        notes: notes(topology, &picture),
        table: table(topology, &picture),
        broad: true,
    }))
}

/// What is drawn: the nodes with the most edges if there are too many, in their order.
fn picture(topology: &Topology) -> Picture<'_> {
    let mut degrees = vec![0usize; topology.nodes.len()];
    let known = |node: usize| node < topology.nodes.len();
    for edge in topology.edges.iter().filter(|edge| known(edge.from) && known(edge.to)) {
        degrees[edge.from] += 1;
        degrees[edge.to] += 1;
    }
    let mut chosen: Vec<usize> = (0..topology.nodes.len()).collect();
    chosen.sort_by_key(|&node| std::cmp::Reverse(degrees[node]));
    chosen.truncate(MOST_NODES);
    chosen.sort_unstable();
    let number: BTreeMap<usize, usize> = chosen.iter().enumerate().map(|(i, &node)| (node, i)).collect();
    let mut edges: Vec<Joined> = Vec::new();
    let mut found: BTreeMap<(usize, usize, u8), usize> = BTreeMap::new();
    for edge in &topology.edges {
        let (Some(&from), Some(&to)) = (number.get(&edge.from), number.get(&edge.to)) else { continue };
        let next = edges.len();
        let at = *found.entry((from, to, edge.kind as u8)).or_insert(next);
        match edges.get_mut(at) {
            Some(joined) if joined.label.len() < 200 => {
                joined.label.push_str(&format!(", {}", name(&edge.label)))
            }
            Some(_) => {}
            None => edges.push(Joined { from, to, kind: edge.kind, label: name(&edge.label) }),
        }
    }
    let all_edges = edges.len();
    edges.truncate(MOST_EDGES);
    Picture { nodes: chosen.into_iter().map(|node| &topology.nodes[node]).collect(), edges, all_edges }
}

/// A laid out picture.
struct Drawing<'a> {
    picture: &'a Picture<'a>,
    flow: Flow,
    /// Widths of the nodes' boxes.
    widths: Vec<f64>,
    layout: Layout,
    /// Positions in the picture's edges of those that are laid out; a call to oneself is not.
    edges: Vec<usize>,
}

impl<'a> Drawing<'a> {
    fn new(picture: &'a Picture<'a>, flow: Flow, most_across: usize, labels: Labels) -> Self {
        // Two boxes beside each other, and an edge that passes, fit on a phone.
        let widest = if labels == Labels::Shown { 170.0 } else { 142.0 };
        let widths: Vec<f64> = picture.nodes.iter().map(|node| node_width(node).min(widest)).collect();
        let nodes: Vec<Extent> = widths.iter().map(|&width| flow.extent(width, NODE_HEIGHT)).collect();
        let edges: Vec<usize> =
            (0..picture.edges.len()).filter(|&i| picture.edges[i].from != picture.edges[i].to).collect();
        let edge = |&i: &usize| {
            let Joined { from, to, label, .. } = &picture.edges[i];
            let width = width_in_pixels(&edge_label(label), LETTER) + 8.0;
            let shown = labels == Labels::Shown && !label.is_empty();
            let label = shown.then(|| flow.extent(width, LABEL_HEIGHT));
            Edge { from: *from, to: *to, label }
        };
        let laid_out: Vec<Edge> = edges.iter().map(edge).collect();
        let gaps = match flow {
            Flow::Right => Gaps { along: 16.0, across: 16.0, most_across },
            Flow::Down => Gaps { along: 20.0, across: 14.0, most_across },
        };
        Drawing { picture, flow, widths, layout: layout(&nodes, &laid_out, gaps), edges }
    }

    fn width(&self) -> f64 {
        self.flow.point(self.layout.size.along, self.layout.size.across).0 + 2.0 * MARGIN
    }

    fn height(&self) -> f64 {
        self.flow.point(self.layout.size.along, self.layout.size.across).1 + 2.0 * MARGIN
    }

    fn svg(&self, class: &str, caption: &Caption) -> String {
        let (width, height) = (self.width().ceil(), self.height().ceil());
        let mut svg = open(&format!("{width} {height}"), width, height, class, caption);
        for (&edge, route) in self.edges.iter().zip(&self.layout.edges) {
            self.draw_edge(&mut svg, &self.picture.edges[edge], route);
        }
        for (i, node) in self.picture.nodes.iter().enumerate() {
            let calls_itself = self.picture.edges.iter().any(|edge| edge.from == i && edge.to == i);
            self.draw_node(&mut svg, node, self.point(self.layout.nodes[i]), self.widths[i], calls_itself);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn point(&self, place: Place) -> (f64, f64) {
        let (x, y) = self.flow.point(place.along, place.across);
        (x + MARGIN, y + MARGIN)
    }

    /// A curve through the stops: straight where it passes a layer, bent between layers.
    fn draw_edge(&self, svg: &mut String, edge: &Joined, route: &Route) {
        let mut path = String::new();
        let mut bounds: Vec<((f64, f64), (f64, f64))> = Vec::new();
        for (place, along) in &route.stops {
            let end = |sign: f64| {
                self.point(Place { along: place.along + sign * along / 2.0, across: place.across })
            };
            bounds.push((end(-1.0), end(1.0)));
        }
        let (first, last) = (bounds[0].1, bounds[bounds.len() - 1].0);
        write!(path, "M{}", pair(first)).expect("writing to a string cannot fail");
        for (i, window) in bounds.windows(2).enumerate() {
            let (from, to) = (window[0].1, window[1].0);
            let (bend, unbend) = self.flow.bends(from, to);
            if i > 0 {
                write!(path, "L{}", pair(from)).expect("writing to a string cannot fail");
            }
            write!(path, "C{} {} {}", pair(bend), pair(unbend), pair(to))
                .expect("writing to a string cannot fail");
        }
        let class = edge_class(edge.kind);
        writeln!(svg, "<path class=\"edge {class}\" d=\"{path}\"/>")
            .expect("writing to a string cannot fail");
        let (tip, way) = if route.reversed { (first, -1.0) } else { (last, 1.0) };
        svg.push_str(&self.flow.arrow(tip, way, class));
        if let Some(label) = route.label {
            let (x, y) = self.point(label);
            let shown = edge_label(&edge.label);
            let width = width_in_pixels(&shown, LETTER) + 4.0;
            writeln!(
                svg,
                "<rect class=\"halo\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{LABEL_HEIGHT}\"/>\
                 <text class=\"message\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                x - width / 2.0,
                y - LABEL_HEIGHT / 2.0,
                y + 4.0,
                escaped(&shown)
            )
            .expect("writing to a string cannot fail");
        }
    }

    fn draw_node(
        &self,
        svg: &mut String,
        node: &TopologyNode,
        (x, y): (f64, f64),
        width: f64,
        calls_itself: bool,
    ) {
        let (left, top) = (x - width / 2.0, y - NODE_HEIGHT / 2.0);
        let class = node_class(node.kind);
        let corner = match node.kind {
            NodeKind::Client => NODE_HEIGHT / 2.0,
            NodeKind::Service => 4.0,
            NodeKind::Topic => 0.0,
        };
        writeln!(
            svg,
            "<rect class=\"node {class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
             height=\"{NODE_HEIGHT}\" rx=\"{corner}\"/>"
        )
        .expect("writing to a string cannot fail");
        if node.kind == NodeKind::Topic {
            // The rails of a log.
            for rail in [5.0, width - 5.0] {
                let (x, bottom) = (left + rail, top + NODE_HEIGHT);
                writeln!(svg, "<path class=\"node {class}\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>")
                    .expect("writing to a string cannot fail");
            }
        }
        if calls_itself {
            let (right, top) = (left + width - 14.0, top);
            writeln!(svg, "<path class=\"edge call\" d=\"M{:.1} {top:.1}v-6h-16v6\"/>", right)
                .expect("writing to a string cannot fail");
        }
        let room = width - node_padding(node.kind);
        let detailed = !node.detail.is_empty();
        let mut line = |class: &str, text: &str, y: f64| {
            let text = escaped(&fitted_to_pixels(text, room, LETTER));
            writeln!(
                svg,
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{text}</text>"
            )
            .expect("writing to a string cannot fail");
        };
        line("name", &node.name, if detailed { y - 3.0 } else { y + 4.0 });
        if detailed {
            line("detail", &node.detail, y + 14.0);
        }
    }
}

impl Flow {
    fn extent(self, width: f64, height: f64) -> Extent {
        match self {
            Flow::Right => Extent { along: width, across: height },
            Flow::Down => Extent { along: height, across: width },
        }
    }

    fn point(self, along: f64, across: f64) -> (f64, f64) {
        match self {
            Flow::Right => (along, across),
            Flow::Down => (across, along),
        }
    }

    /// The two points that bend a curve so that it leaves and arrives along the flow.
    fn bends(self, from: (f64, f64), to: (f64, f64)) -> ((f64, f64), (f64, f64)) {
        match self {
            Flow::Right => ((((from.0 + to.0) / 2.0), from.1), (((from.0 + to.0) / 2.0), to.1)),
            Flow::Down => ((from.0, (from.1 + to.1) / 2.0), (to.0, (from.1 + to.1) / 2.0)),
        }
    }

    /// An arrow head with its tip there, with the flow (1) or against it (-1).
    fn arrow(self, tip: (f64, f64), way: f64, class: &str) -> String {
        const LENGTH: f64 = 7.0;
        const HALF: f64 = 3.5;
        let corner = |side: f64| match self {
            Flow::Right => (tip.0 - way * LENGTH, tip.1 + side * HALF),
            Flow::Down => (tip.0 + side * HALF, tip.1 - way * LENGTH),
        };
        format!(
            "<path class=\"head {class}\" d=\"M{}L{}L{}Z\"/>\n",
            pair(tip),
            pair(corner(1.0)),
            pair(corner(-1.0))
        )
    }
}

fn pair((x, y): (f64, f64)) -> String {
    format!("{x:.1} {y:.1}")
}

/// Room beside the letters of a node.
fn node_padding(kind: NodeKind) -> f64 {
    match kind {
        NodeKind::Client => 26.0,
        NodeKind::Topic => 20.0,
        NodeKind::Service => 16.0,
    }
}

fn node_width(node: &TopologyNode) -> f64 {
    let width = width_in_pixels(&name(&node.name), LETTER).max(width_in_pixels(&name(&node.detail), LETTER));
    (width + node_padding(node.kind)).max(90.0)
}

/// What of an edge's label is drawn.
fn edge_label(label: &str) -> String {
    fitted_to_pixels(label, 120.0, LETTER)
}

fn node_class(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Client => "client",
        NodeKind::Service => "service",
        NodeKind::Topic => "topic",
    }
}

fn edge_class(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Call => "call",
        EdgeKind::Send => "send",
        EdgeKind::Publish => "publish",
        EdgeKind::Consume => "consume",
    }
}

/// Kinds of edges in the words of the legend and the table.
fn edge_words(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Call => "calls",
        EdgeKind::Send => "sends to",
        EdgeKind::Publish => "publishes to",
        EdgeKind::Consume => "is consumed by",
    }
}

fn legend(picture: &Picture) -> Vec<LegendEntry> {
    let mut legend = Vec::new();
    for kind in [NodeKind::Client, NodeKind::Service, NodeKind::Topic] {
        if picture.nodes.iter().any(|node| node.kind == kind) {
            legend.push(LegendEntry {
                swatch: Swatch::Node(node_class(kind)),
                label: node_class(kind).to_owned(),
            });
        }
    }
    for kind in [EdgeKind::Call, EdgeKind::Send, EdgeKind::Publish, EdgeKind::Consume] {
        if picture.edges.iter().any(|edge| edge.kind == kind) {
            legend.push(LegendEntry {
                swatch: Swatch::Edge(edge_class(kind)),
                label: edge_words(kind).to_owned(),
            });
        }
    }
    legend
}

fn notes(topology: &Topology, picture: &Picture) -> Vec<String> {
    let mut notes = Vec::new();
    if topology.nodes.len() > picture.nodes.len() {
        let (shown, all) = (picture.nodes.len(), topology.nodes.len());
        notes.push(format!(
            "The {shown} nodes with the most connections are drawn, of {all}; the JSON file has all."
        ));
    }
    if picture.all_edges > picture.edges.len() {
        let (shown, all) = (picture.edges.len(), picture.all_edges);
        notes.push(format!("{shown} of {all} connections between them are drawn."));
    }
    notes
}

fn summary(topology: &Topology) -> String {
    let of = |kind| topology.nodes.iter().filter(|node| node.kind == kind).count();
    let counted = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    let nodes = format!(
        "{}, {} and {}",
        counted(of(NodeKind::Client), "client"),
        counted(of(NodeKind::Service), "service"),
        counted(of(NodeKind::Topic), "topic")
    );
    let told = topology.edges.iter().take(12).filter_map(|edge| {
        let (from, to) = (topology.nodes.get(edge.from)?, topology.nodes.get(edge.to)?);
        Some(format!("{} {} {}", name(&from.name), edge_words(edge.kind), name(&to.name)))
    });
    let told = told.collect::<Vec<_>>().join("; ");
    let more = topology.edges.len().saturating_sub(12);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    if told.is_empty() { format!("{nodes}, not connected.") } else { format!("{nodes}: {told}{more}.") }
}

fn table(topology: &Topology, picture: &Picture) -> DataTable {
    let head = ["from", "", "to", "messages"].map(str::to_owned).to_vec();
    let shown = |node: usize| name(&picture.nodes[node].name);
    let mut rows: Vec<Vec<String>> = picture
        .edges
        .iter()
        .map(|edge| {
            vec![shown(edge.from), edge_words(edge.kind).to_owned(), shown(edge.to), name(&edge.label)]
        })
        .collect();
    if topology.edges.is_empty() {
        rows.push(vec!["no connections".to_owned(), String::new(), String::new(), String::new()]);
    }
    DataTable { head, rows }
}
