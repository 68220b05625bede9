//! The conflict graph: attempts, and who has to come before whom in any serial order that explains
//! what was read and written. Attempts that have to come before one another form a *group*.
//!
//! # Law
//!
//! Groups are the strongly connected components of two attempts or more, kept up to date with each edge:
//! a group is one vertex, so what is kept has no cycle. An attempt is forgotten when nothing new
//! can come before it (every attempt that was alive with it has ended) and nothing is before it that
//! is still remembered: then no cycle can ever go through it. Of a group whose attempts have ended one
//! attempt stands for them all. An attempt that has touched nothing is no vertex.

mod encode;

use super::super::lifetimes::{Lifetimes, Moment, Number};
use crate::kernel::encoder::Ranks;
use crate::observe::slots::Arena;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

#[derive(Clone, Debug, Default)]
pub struct Graph {
    vertices: Arena<Vertex>,
    /// Where the vertex of an attempt is.
    places: FxHashMap<Number, u32>,
    lifetimes: Lifetimes,
    /// Those that have ended, and when.
    ended: VecDeque<(Moment, Number)>,
    /// Closed attempts that stood for a group which has become part of another.
    replaced: Vec<Number>,
    /// How many groups there were, those forgotten included.
    groups: u64,
    /// Those that nobody needs to name any more since the last end.
    closed: Vec<Closed>,
}

#[derive(Clone, Debug, Default)]
struct Vertex {
    /// The attempt that stands for the group that it is part of, if it is another.
    within: Option<Number>,
    /// Attempts of the group that are remembered, this one too.
    members: Vec<Number>,
    is_group: bool,
    /// Nothing new can come before this very attempt.
    is_closed: bool,
    /// Members that may still get something before them.
    open: u32,
    after: Vec<Number>,
    before: Vec<Number>,
}

/// An attempt that nothing new can come before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closed {
    pub attempt: Number,
    /// The attempt of its group that stands for it from now on; `None`: it is forgotten.
    pub stands_for_it: Option<Number>,
}

impl Graph {
    /// An attempt begins.
    pub fn begin(&mut self) -> Number {
        self.lifetimes.begin()
    }

    /// An attempt touches something.
    pub fn enter(&mut self, attempt: Number) {
        if self.places.contains_key(&attempt) {
            return;
        }
        let place = self.vertices.begin();
        self.places.insert(attempt, place);
        let vertex = &mut self.vertices[place];
        (vertex.within, vertex.is_group, vertex.is_closed, vertex.open) = (None, false, false, 1);
        vertex.after.clear();
        vertex.before.clear();
        vertex.members.clear();
        vertex.members.push(attempt);
    }

    pub fn now(&self) -> Moment {
        self.lifetimes.now()
    }

    /// An attempt ends; gives those that nobody needs to name any more.
    pub fn end(&mut self, attempt: Number) -> &[Closed] {
        self.lifetimes.end(attempt);
        if self.places.contains_key(&attempt) {
            self.ended.push_back((self.lifetimes.now(), attempt));
        }
        let mut closed = std::mem::take(&mut self.closed);
        closed.clear();
        while let Some(&(end, attempt)) = self.ended.front()
            && self.lifetimes.is_past(end)
        {
            self.ended.pop_front();
            self.close(attempt, &mut closed);
        }
        for attempt in std::mem::take(&mut self.replaced) {
            if self.places.contains_key(&attempt) {
                closed.push(self.hand_over(attempt));
            }
        }
        self.closed = closed;
        &self.closed
    }

    /// `first` comes before `second`. Gives whether a new group came to be, or attempts joined one.
    pub fn order(&mut self, first: Number, second: Number) -> bool {
        if !self.places.contains_key(&first) || !self.places.contains_key(&second) {
            return false;
        }
        let (first, second) = (self.find(first), self.find(second));
        if first == second || self.is_known(first, second) {
            return false;
        }
        let between = self.between(second, first);
        if between.is_empty() {
            self.vertex(first).after.push(second);
            self.vertex(second).before.push(first);
            return false;
        }
        self.unite(between);
        true
    }

    /// Groups of attempts that no serial order explains.
    pub fn groups(&self) -> u64 {
        self.groups
    }

    /// How many attempts are remembered.
    pub fn remembered(&self) -> usize {
        self.vertices.len()
    }

    /// The attempts that are remembered or alive: they are called by their places in the order of their beginnings.
    pub fn ranks(&self) -> Ranks {
        Ranks::of(self.places.keys().copied().chain(self.lifetimes.alive()))
    }

    fn vertex(&mut self, number: Number) -> &mut Vertex {
        &mut self.vertices[self.places[&number]]
    }

    fn seen(&self, number: Number) -> &Vertex {
        &self.vertices[self.places[&number]]
    }

    fn remove(&mut self, number: Number) -> Option<u32> {
        let place = self.places.remove(&number)?;
        self.vertices.end(place);
        Some(place)
    }

    /// The attempt that stands for the group that an attempt is part of.
    fn find(&self, attempt: Number) -> Number {
        self.seen(attempt).within.unwrap_or(attempt)
    }

    fn is_known(&self, first: Number, second: Number) -> bool {
        let (after, before) = (&self.seen(first).after, &self.seen(second).before);
        if after.len() <= before.len() { after.contains(&second) } else { before.contains(&first) }
    }

    /// All on a way from one vertex to another, both included; empty if there is no way.
    fn between(&self, from: Number, to: Number) -> Vec<Number> {
        let ahead = self.spread(from, |_| true, |vertex| &vertex.after);
        if !ahead.contains(&to) {
            return Vec::new();
        }
        let back = self.spread(to, |number| ahead.contains(&number), |vertex| &vertex.before);
        let mut between: Vec<Number> = back.into_iter().collect();
        between.sort_unstable();
        between
    }

    fn spread(
        &self,
        from: Number,
        admits: impl Fn(Number) -> bool,
        next: impl Fn(&Vertex) -> &Vec<Number>,
    ) -> FxHashSet<Number> {
        let mut seen = FxHashSet::default();
        let mut ahead = vec![from];
        seen.insert(from);
        while let Some(number) = ahead.pop() {
            for &neighbour in next(self.seen(number)) {
                if admits(neighbour) && seen.insert(neighbour) {
                    ahead.push(neighbour);
                }
            }
        }
        seen
    }

    /// Makes one vertex of several.
    fn unite(&mut self, parts: Vec<Number>) {
        let whole = parts[0];
        let groups = parts.iter().filter(|part| self.seen(**part).is_group).count() as u64;
        self.groups = self.groups + 1 - groups;
        let is_closed = self.seen(whole).is_closed;
        let mut united = Vertex { is_group: true, is_closed, ..Vertex::default() };
        for part in &parts {
            let vertex = self.vertex(*part);
            let members = std::mem::take(&mut vertex.members);
            united.after.append(&mut vertex.after);
            united.before.append(&mut vertex.before);
            united.open += vertex.open;
            if *part != whole {
                self.replaced.extend(self.seen(*part).is_closed.then_some(*part));
                for member in &members {
                    self.vertex(*member).within = Some(whole);
                }
            }
            united.members.extend(members);
        }
        for neighbours in [&mut united.after, &mut united.before] {
            neighbours.sort_unstable();
            neighbours.dedup();
            neighbours.retain(|number| parts.binary_search(number).is_err());
        }
        let rename = |numbers: &mut Vec<Number>| {
            numbers.retain(|number| parts.binary_search(number).is_err());
            numbers.push(whole);
        };
        for &number in &united.after {
            rename(&mut self.vertex(number).before);
        }
        for &number in &united.before {
            rename(&mut self.vertex(number).after);
        }
        *self.vertex(whole) = united;
    }

    /// Nothing new can come before an attempt.
    fn close(&mut self, attempt: Number, closed: &mut Vec<Closed>) {
        let group = self.find(attempt);
        let vertex = self.vertex(group);
        vertex.open -= 1;
        if vertex.open == 0 && vertex.before.is_empty() {
            self.forget(group, closed);
        } else if attempt == group {
            self.vertex(group).is_closed = true;
        } else {
            closed.push(self.hand_over(attempt));
        }
    }

    /// A closed attempt is named no more: another stands for its group.
    fn hand_over(&mut self, attempt: Number) -> Closed {
        let group = self.find(attempt);
        self.remove(attempt);
        self.vertex(group).members.retain(|&member| member != attempt);
        Closed { attempt, stands_for_it: Some(group) }
    }

    /// Forgets a vertex that nothing is before, and those that this leaves so.
    fn forget(&mut self, first: Number, closed: &mut Vec<Closed>) {
        let mut ahead = Vec::new();
        let mut next = Some(first);
        while let Some(number) = next {
            let place = self.remove(number).expect("forgotten once");
            // It stays readable until another begins.
            let (after, members) = {
                let vertex = &mut self.vertices[place];
                (std::mem::take(&mut vertex.after), std::mem::take(&mut vertex.members))
            };
            for &later in &after {
                let after = self.vertex(later);
                after.before.retain(|&before| before != number);
                if after.open == 0 && after.before.is_empty() {
                    ahead.push(later);
                }
            }
            for &attempt in &members {
                self.remove(attempt);
                closed.push(Closed { attempt, stands_for_it: None });
            }
            let vertex = &mut self.vertices[place];
            (vertex.after, vertex.members) = (after, members);
            next = ahead.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(attempts: usize) -> Graph {
        let mut graph = Graph::default();
        for _ in 0..attempts {
            begin(&mut graph);
        }
        graph
    }

    fn begin(graph: &mut Graph) -> Number {
        let attempt = graph.begin();
        graph.enter(attempt);
        attempt
    }

    #[test]
    fn a_cycle_is_one_group_and_groups_that_meet_are_one() {
        let mut graph = graph(5);
        assert!(!graph.order(1, 2));
        assert!(graph.order(2, 1));
        assert!(!graph.order(3, 4) && graph.order(4, 3));
        assert_eq!(graph.groups(), 2);
        assert!(!graph.order(2, 5) && !graph.order(5, 4));
        assert!(graph.order(3, 1), "all five are one now");
        assert_eq!(graph.groups(), 1);
        assert!(!graph.order(5, 2), "within the group");
    }

    #[test]
    fn nothing_is_kept_of_what_can_be_in_no_cycle() {
        let mut graph = graph(2);
        graph.order(1, 2);
        assert_eq!(graph.end(2), [], "the first is still alive, and before it");
        let forgotten = [1, 2].map(|attempt| Closed { attempt, stands_for_it: None });
        assert_eq!(graph.end(1), forgotten);
        assert_eq!(graph.remembered(), 0);
    }

    /// 3 never met 1, yet is in a cycle with it: 2 was alive with both.
    #[test]
    fn an_attempt_is_remembered_while_something_can_come_before_it() {
        let mut graph = graph(2);
        graph.order(2, 1);
        graph.end(1);
        let third = begin(&mut graph);
        assert!(!graph.order(third, 2));
        assert_eq!(graph.end(2), []);
        assert!(graph.order(1, third));
        assert_eq!(graph.groups(), 1);
        assert_eq!(graph.end(third).len(), 3);
        assert_eq!(graph.remembered(), 0);
    }

    #[test]
    fn memory_is_flat_in_a_stream_of_overlapping_attempts() {
        let mut graph = Graph::default();
        let mut last = begin(&mut graph);
        for _ in 0..10_000 {
            let next = begin(&mut graph);
            graph.order(last, next);
            graph.end(last);
            last = next;
            assert!(graph.remembered() <= 3, "{}", graph.remembered());
        }
    }

    #[test]
    fn groups_that_became_one_are_forgotten_as_one() {
        let mut graph = graph(4);
        for (first, second) in [(1, 2), (2, 1), (3, 4), (4, 3), (2, 4), (3, 1)] {
            graph.order(first, second);
        }
        let last = begin(&mut graph);
        graph.order(last, 1);
        [1, 2, 3, 4].into_iter().for_each(|attempt| _ = graph.end(attempt));
        assert!(graph.remembered() > 1, "the last is alive, and before them");
        graph.end(last);
        assert_eq!((graph.groups(), graph.remembered()), (1, 0));
    }

    #[test]
    fn memory_is_flat_in_a_group_without_end() {
        let mut graph = Graph::default();
        let mut last = begin(&mut graph);
        for _ in 0..10_000 {
            let next = begin(&mut graph);
            graph.order(last, next);
            graph.order(next, last);
            graph.end(last);
            last = next;
            assert!(graph.remembered() <= 4, "{}", graph.remembered());
        }
        assert_eq!(graph.groups(), 1);
        graph.end(last);
        assert_eq!(graph.remembered(), 0);
    }

    /// Each time a pair becomes a group, one of the two is closed, and only then the group without end takes it in.
    #[test]
    fn memory_is_flat_in_a_group_without_end_that_takes_in_others() {
        let mut graph = Graph::default();
        let both_ways = |graph: &mut Graph, one, other| {
            graph.order(one, other);
            graph.order(other, one);
        };
        let mut last = begin(&mut graph);
        for round in 1..=10_000 {
            let (first, second) = (begin(&mut graph), begin(&mut graph));
            both_ways(&mut graph, first, second);
            graph.end(first);
            let next = begin(&mut graph);
            both_ways(&mut graph, last, next);
            graph.end(second);
            graph.end(last);
            assert_eq!(graph.groups(), 2);
            both_ways(&mut graph, second, next);
            assert_eq!(graph.groups(), 1);
            last = next;
            assert!(graph.remembered() <= 8, "{} after {round} rounds", graph.remembered());
        }
        graph.end(last);
        assert_eq!(graph.remembered(), 0);
    }
}
