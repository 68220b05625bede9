//! A layered layout of a directed graph, after Sugiyama, Tagawa and Toda (1981): break cycles, put
//! every node a layer below those that lead to it, order the layers for few crossings, give every
//! node its place.
//!
//! Labels of edges, and edges that pass a layer, take part as boxes of their own. So no two boxes
//! overlap, by construction, and no edge runs through a node.
//!
//! Places are abstract: *along* leads from layer to layer, *across* lies within a layer. The caller
//! decides which of them is horizontal.

/// Extent of a box.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extent {
    pub along: f64,
    pub across: f64,
}

/// Centre of a box.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    pub along: f64,
    pub across: f64,
}

/// An edge between two different nodes, by their positions.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    /// Room for its label; `None`: it has none.
    pub label: Option<Extent>,
}

/// Distances between boxes.
#[derive(Clone, Copy, Debug)]
pub struct Gaps {
    /// From a layer to the next, of nodes or of labels.
    pub along: f64,
    /// Between neighbours of a layer.
    pub across: f64,
    /// Most nodes of a layer.
    pub most_across: usize,
}

/// Where everything lies. All places lie within `size`.
#[derive(Debug)]
pub struct Layout {
    pub size: Extent,
    pub nodes: Vec<Place>,
    pub edges: Vec<Route>,
}

/// The way of an edge, from the layer nearer to the start of the drawing to the other.
#[derive(Debug)]
pub struct Route {
    /// The two nodes, where the edge touches them, and the layers passed between them: place, and
    /// extent along. The edge runs straight through each.
    pub stops: Vec<(Place, f64)>,
    /// Against the flow of the layers: its head is at the first stop.
    pub reversed: bool,
    pub label: Option<Place>,
}

/// A box in a layer: a node, a label, or an edge that passes.
struct Cell {
    extent: Extent,
    layer: usize,
    /// Neighbours in the layer before and in the layer after.
    before: Vec<usize>,
    after: Vec<usize>,
}

/// Lays out boxes of these sizes. Nodes that nothing leads to come first; among equals, the order given.
pub fn layout(nodes: &[Extent], edges: &[Edge], gaps: Gaps) -> Layout {
    let reversed = back_edges(nodes.len(), edges);
    let forward: Vec<(usize, usize)> = edges
        .iter()
        .zip(&reversed)
        .map(|(edge, &reversed)| if reversed { (edge.to, edge.from) } else { (edge.from, edge.to) })
        .collect();
    let layers = layers(nodes.len(), &forward, gaps.most_across);
    let mut cells: Vec<Cell> = Vec::new();
    for (node, extent) in nodes.iter().enumerate() {
        // Labels lie in the odd layers between those of nodes.
        cells.push(Cell { extent: *extent, layer: 2 * layers[node], before: Vec::new(), after: Vec::new() });
    }
    let chains: Vec<Vec<usize>> = forward
        .iter()
        .zip(edges)
        .zip(&reversed)
        .map(|((&ends, edge), &back)| chain(&mut cells, ends, edge, back))
        .collect();
    let order = ordered(&cells);
    let depths: Vec<f64> = order.iter().map(|layer| depth(&cells, layer)).collect();
    let places = placed(&cells, &order, gaps);
    let ports = ports(&cells, &chains, &places);
    let routes = (0..edges.len())
        .map(|i| {
            let chain = &chains[i];
            let label = edges[i].label.map(|_| places[label_cell(chain, reversed[i])]);
            Route { stops: stops(&cells, chain, &depths, &places, ports[i]), reversed: reversed[i], label }
        })
        .collect();
    let far = |extent: fn(&Extent) -> f64, place: fn(&Place) -> f64| {
        let ends = cells.iter().zip(&places).map(|(cell, at)| place(at) + extent(&cell.extent) / 2.0);
        ends.fold(0.0, f64::max)
    };
    let size = Extent { along: far(|e| e.along, |p| p.along), across: far(|e| e.across, |p| p.across) };
    Layout { size, nodes: places[..nodes.len()].to_vec(), edges: routes }
}

/// The cells of an edge: its nodes, and one for each layer between, the label's beside the node that
/// the edge leaves.
fn chain(cells: &mut Vec<Cell>, (from, to): (usize, usize), edge: &Edge, reversed: bool) -> Vec<usize> {
    const PASSING: Extent = Extent { along: 0.0, across: 4.0 };
    let mut chain = vec![from];
    for layer in cells[from].layer + 1..cells[to].layer {
        chain.push(cells.len());
        cells.push(Cell { extent: PASSING, layer, before: Vec::new(), after: Vec::new() });
    }
    chain.push(to);
    if let Some(label) = edge.label {
        cells[label_cell(&chain, reversed)].extent = label;
    }
    for pair in chain.windows(2) {
        cells[pair[0]].after.push(pair[1]);
        cells[pair[1]].before.push(pair[0]);
    }
    chain
}

/// Which cell of a chain carries the label.
fn label_cell(chain: &[usize], reversed: bool) -> usize {
    if reversed { chain[chain.len() - 2] } else { chain[1] }
}

/// Marks the edges that close a cycle, found by depth-first search from the nodes that nothing leads to.
fn back_edges(nodes: usize, edges: &[Edge]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Visit {
        Not,
        Open,
        Done,
    }
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    let mut led_to = vec![false; nodes];
    for (i, edge) in edges.iter().enumerate() {
        leaving[edge.from].push(i);
        led_to[edge.to] = true;
    }
    let mut back = vec![false; edges.len()];
    let mut visits = vec![Visit::Not; nodes];
    let roots = (0..nodes).filter(|&node| !led_to[node]).chain(0..nodes).collect::<Vec<_>>();
    for root in roots {
        if visits[root] != Visit::Not {
            continue;
        }
        visits[root] = Visit::Open;
        let mut path = vec![(root, 0)];
        while let Some((node, next)) = path.pop() {
            let Some(&edge) = leaving[node].get(next) else {
                visits[node] = Visit::Done;
                continue;
            };
            path.push((node, next + 1));
            let to = edges[edge].to;
            match visits[to] {
                Visit::Open => back[edge] = true,
                Visit::Not => {
                    visits[to] = Visit::Open;
                    path.push((to, 0));
                }
                Visit::Done => {}
            }
        }
    }
    back
}

/// The layer of each node: one after the last that leads to it, or a later one if that is full.
fn layers(nodes: usize, edges: &[(usize, usize)], most_across: usize) -> Vec<usize> {
    let mut waiting = vec![0usize; nodes];
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for &(from, to) in edges {
        waiting[to] += 1;
        leaving[from].push(to);
    }
    let mut layers = vec![0; nodes];
    let mut room: Vec<usize> = Vec::new();
    let mut ready: std::collections::VecDeque<usize> =
        (0..nodes).filter(|&node| waiting[node] == 0).collect();
    while let Some(node) = ready.pop_front() {
        let mut layer: usize = layers[node];
        loop {
            room.resize(room.len().max(layer + 1), most_across);
            if room[layer] > 0 {
                break;
            }
            layer += 1;
        }
        room[layer] -= 1;
        layers[node] = layer;
        for &to in &leaving[node] {
            layers[to] = layers[to].max(layer + 1);
            waiting[to] -= 1;
            if waiting[to] == 0 {
                ready.push_back(to);
            }
        }
    }
    layers
}

/// The cells of each layer in the order found with the fewest crossings, by barycenters swept forth
/// and back.
fn ordered(cells: &[Cell]) -> Vec<Vec<usize>> {
    const SWEEPS: usize = 16;
    let count = cells.iter().map(|cell| cell.layer + 1).max().unwrap_or(0);
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (i, cell) in cells.iter().enumerate() {
        order[cell.layer].push(i);
    }
    let mut best = (crossings(cells, &order), order.clone());
    for sweep in 0..SWEEPS {
        let forth = sweep % 2 == 0;
        let mut position = positions(cells.len(), &order);
        for step in 1..count {
            let layer = if forth { step } else { count - 1 - step };
            let center = |cell: usize| {
                let near = if forth { &cells[cell].before } else { &cells[cell].after };
                let sum: f64 = near.iter().map(|&other| position[other]).sum();
                if near.is_empty() { position[cell] } else { sum / near.len() as f64 }
            };
            order[layer].sort_by(|&a, &b| center(a).total_cmp(&center(b)));
            for (i, &cell) in order[layer].iter().enumerate() {
                position[cell] = i as f64;
            }
        }
        let found = crossings(cells, &order);
        if found < best.0 {
            best = (found, order.clone());
        }
    }
    best.1
}

fn positions(cells: usize, order: &[Vec<usize>]) -> Vec<f64> {
    let mut position = vec![0.0; cells];
    for layer in order {
        for (i, &cell) in layer.iter().enumerate() {
            position[cell] = i as f64;
        }
    }
    position
}

/// How many pairs of edges cross.
fn crossings(cells: &[Cell], order: &[Vec<usize>]) -> usize {
    let position = positions(cells.len(), order);
    let mut crossings = 0;
    for layer in order {
        let ends: Vec<(f64, f64)> = layer
            .iter()
            .flat_map(|&cell| cells[cell].after.iter().map(move |&to| (cell, to)))
            .map(|(from, to)| (position[from], position[to]))
            .collect();
        for (i, a) in ends.iter().enumerate() {
            crossings += ends[..i].iter().filter(|b| (a.0 - b.0) * (a.1 - b.1) < 0.0).count();
        }
    }
    crossings
}

/// What an edge touches and passes on its way.
fn stops(
    cells: &[Cell],
    chain: &[usize],
    depths: &[f64],
    places: &[Place],
    ports: [f64; 2],
) -> Vec<(Place, f64)> {
    let last = chain.len() - 1;
    let stop = |(i, &cell): (usize, &usize)| {
        let Place { along, across } = places[cell];
        match i {
            0 => (Place { along, across: ports[0] }, cells[cell].extent.along),
            i if i == last => (Place { along, across: ports[1] }, cells[cell].extent.along),
            _ => (Place { along, across }, depths[cells[cell].layer]),
        }
    };
    // A layer without depth holds neither nodes nor labels, so there is nothing to pass.
    chain.iter().enumerate().map(stop).filter(|(_, depth)| *depth > 0.0).collect()
}

/// Where each edge touches its two nodes: side by side, in the order in which the edges lie beyond.
fn ports(cells: &[Cell], chains: &[Vec<usize>], places: &[Place]) -> Vec<[f64; 2]> {
    /// Distance of edges at a node, and the share of its side that they take at most.
    const APART: f64 = 16.0;
    const TAKEN: f64 = 0.7;
    // For each node and side: the place beyond, and the edge.
    let mut sides: Vec<[Vec<(f64, usize)>; 2]> = Vec::new();
    sides.resize_with(cells.len(), Default::default);
    for (edge, chain) in chains.iter().enumerate() {
        // A chain has at least three cells: something lies between any two layers of nodes.
        let last = chain.len() - 1;
        sides[chain[0]][0].push((places[chain[1]].across, edge));
        sides[chain[last]][1].push((places[chain[last - 1]].across, edge));
    }
    let mut ports = vec![[0.0; 2]; chains.len()];
    for (node, sides) in sides.iter_mut().enumerate() {
        for (end, side) in sides.iter_mut().enumerate() {
            side.sort_by(|a, b| a.0.total_cmp(&b.0));
            let apart = APART.min(cells[node].extent.across * TAKEN / side.len().max(1) as f64);
            for (i, &(_, edge)) in side.iter().enumerate() {
                ports[edge][end] = places[node].across + (i as f64 - (side.len() - 1) as f64 / 2.0) * apart;
            }
        }
    }
    ports
}

/// Extent along of the deepest cell of a layer.
fn depth(cells: &[Cell], layer: &[usize]) -> f64 {
    layer.iter().map(|&cell| cells[cell].extent.along).fold(0.0, f64::max)
}

/// The centre of each cell: layers one after another, and within a layer as near to the middle of its
/// neighbours as the others allow.
fn placed(cells: &[Cell], order: &[Vec<usize>], gaps: Gaps) -> Vec<Place> {
    const SWEEPS: usize = 60;
    let mut places = vec![Place::default(); cells.len()];
    let mut along = 0.0;
    for layer in order {
        let deepest = depth(cells, layer);
        let mut across = 0.0;
        for &cell in layer {
            let extent = cells[cell].extent.across;
            places[cell] = Place { along: along + deepest / 2.0, across: across + extent / 2.0 };
            across += extent + gaps.across;
        }
        along += deepest + gaps.along;
    }
    for sweep in 0..SWEEPS {
        for step in 0..order.len() {
            let layer = if sweep % 2 == 0 { step } else { order.len() - 1 - step };
            settle(cells, &order[layer], &mut places, gaps.across);
        }
    }
    let edge = |(cell, place): (&Cell, &Place)| place.across - cell.extent.across / 2.0;
    let first = cells.iter().zip(&places).map(edge).fold(f64::MAX, f64::min);
    for place in &mut places {
        place.across -= first;
    }
    places
}

/// Moves the cells of a layer as near as possible, in least squares, to the middle of their
/// neighbours, in their order and without overlap (pool adjacent violators).
fn settle(cells: &[Cell], layer: &[usize], places: &mut [Place], gap: f64) {
    // A pool: the mean of what its members wish for, less their offsets, their count.
    let mut pools: Vec<(f64, f64)> = Vec::new();
    let mut offsets = Vec::new();
    let mut offset = 0.0;
    for (i, &cell) in layer.iter().enumerate() {
        if i > 0 {
            offset += (cells[layer[i - 1]].extent.across + cells[cell].extent.across) / 2.0 + gap;
        }
        offsets.push(offset);
        let near = cells[cell].before.iter().chain(&cells[cell].after);
        let (sum, n) = near.fold((0.0, 0.0), |(sum, n), &other| (sum + places[other].across, n + 1.0));
        let wish = if n > 0.0 { sum / n } else { places[cell].across };
        pools.push((wish - offset, 1.0));
        while let [.., before, last] = pools[..] {
            if before.0 <= last.0 {
                break;
            }
            let n = before.1 + last.1;
            pools.truncate(pools.len() - 2);
            pools.push(((before.0 * before.1 + last.0 * last.1) / n, n));
        }
    }
    let mut members = layer.iter().zip(offsets);
    for (mean, n) in pools {
        for (&cell, offset) in members.by_ref().take(n as usize) {
            places[cell].across = mean + offset;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAPS: Gaps = Gaps { along: 20.0, across: 10.0, most_across: usize::MAX };
    const BOX: Extent = Extent { along: 100.0, across: 40.0 };

    fn edge(from: usize, to: usize) -> Edge {
        Edge { from, to, label: Some(Extent { along: 60.0, across: 16.0 }) }
    }

    #[test]
    fn nothing_overlaps_whatever_the_graph() {
        // A fixed sequence of pseudo-random graphs, cycles and parallel edges included.
        let mut state = 7u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for round in 0..40 {
            let nodes = 2 + next(12) as usize;
            let mut edges = Vec::new();
            for _ in 0..next(20) {
                let (from, to) = (next(nodes as u64) as usize, next(nodes as u64) as usize);
                if from != to {
                    edges.push(edge(from, to));
                }
            }
            let gaps = Gaps { most_across: 1 + round % 4, ..GAPS };
            let laid = layout(&vec![BOX; nodes], &edges, gaps);
            let labels = laid.edges.iter().filter_map(|route| route.label);
            let boxes: Vec<(Place, Extent)> = laid
                .nodes
                .iter()
                .map(|place| (*place, BOX))
                .chain(labels.map(|place| (place, Extent { along: 60.0, across: 16.0 })))
                .collect();
            for (i, (a, a_extent)) in boxes.iter().enumerate() {
                for (b, b_extent) in &boxes[..i] {
                    let apart = (a.along - b.along).abs() >= (a_extent.along + b_extent.along) / 2.0 - 1e-6
                        || (a.across - b.across).abs() >= (a_extent.across + b_extent.across) / 2.0 - 1e-6;
                    assert!(apart, "round {round}: {a:?} and {b:?}");
                }
                assert!(a.across - a_extent.across / 2.0 >= -1e-6, "round {round}");
                assert!(a.across + a_extent.across / 2.0 <= laid.size.across + 1e-6, "round {round}");
                assert!(a.along + a_extent.along / 2.0 <= laid.size.along + 1e-6, "round {round}");
            }
        }
    }

    #[test]
    fn a_chain_is_straight_and_runs_forward() {
        let laid = layout(&[BOX; 4], &[edge(2, 1), edge(1, 3), edge(3, 0)], GAPS);
        let across: Vec<f64> = laid.nodes.iter().map(|place| place.across).collect();
        assert!(across.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.1), "{across:?}");
        let along = |node: usize| laid.nodes[node].along;
        assert!(along(2) < along(1) && along(1) < along(3) && along(3) < along(0));
    }

    #[test]
    fn a_crossing_that_need_not_be_is_gone() {
        // 0 → 3 and 1 → 2 cross in the order given.
        let laid = layout(&[BOX; 4], &[edge(0, 3), edge(1, 2)], GAPS);
        let across = |node: usize| laid.nodes[node].across;
        assert_eq!(across(0) < across(1), across(3) < across(2));
    }

    #[test]
    fn a_cycle_has_one_edge_against_the_flow() {
        let laid = layout(&[BOX; 3], &[edge(0, 1), edge(1, 2), edge(2, 0)], GAPS);
        assert_eq!(laid.edges.iter().filter(|route| route.reversed).count(), 1);
    }
}
