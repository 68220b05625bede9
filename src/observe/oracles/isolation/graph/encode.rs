//! The graph in canonical words.

use super::{Graph, Vertex};
use crate::kernel::encoder::{Encoder, Ranks};
use crate::observe::oracles::lifetimes::Number;

impl Graph {
    /// What one of `ranks` is called; one that is forgotten is nobody.
    pub fn encode_name(&self, encoder: &mut Encoder, ranks: &Ranks, attempt: Number) {
        encoder.option(self.places.contains_key(&attempt).then(|| ranks.rank(attempt)));
    }

    /// Who comes before whom, and who is alive. Whether there was ever a group, not how many.
    pub fn encode(&self, encoder: &mut Encoder, ranks: &Ranks) {
        let Self { vertices, places, lifetimes, ended, replaced, groups, closed: _ } = self;
        encoder.set(lifetimes.alive(), |encoder, attempt| encoder.word(ranks.rank(attempt)));
        encoder.list(ended, |encoder, (moment, attempt)| {
            encoder.word(moment.rank(ranks));
            encoder.word(ranks.rank(*attempt));
        });
        encoder.set(places, |encoder, (attempt, place)| {
            // Who is before it follows from who is after whom.
            let Vertex { within, members, is_group, is_closed, open, after, before: _ } = &vertices[*place];
            encoder.word(ranks.rank(*attempt));
            encoder.option(within.map(|whole| ranks.rank(whole)));
            encoder.flags(&[*is_group, *is_closed]);
            encoder.word(u64::from(*open));
            for attempts in [members, after] {
                encoder.set(attempts, |encoder, attempt| encoder.word(ranks.rank(*attempt)));
            }
        });
        let replaced = replaced.iter().filter(|attempt| places.contains_key(attempt));
        encoder.set(replaced, |encoder, attempt| encoder.word(ranks.rank(*attempt)));
        encoder.flag(*groups > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;
    use crate::observe::oracles::lifetimes::Moment;

    /// Attempts that have touched something, and nothing in common.
    fn graph(attempts: usize) -> Graph {
        let mut graph = Graph::default();
        for _ in 0..attempts {
            let attempt = graph.begin();
            graph.enter(attempt);
        }
        graph
    }

    #[test]
    fn who_comes_before_whom_shows() {
        fn encode(of: &Graph, encoder: &mut Encoder) {
            of.encode(encoder, &Ranks::of([1, 2, 3]));
        }
        each_shows(
            &graph(3),
            encode,
            &[
                |of| of.lifetimes.end(1),
                |of| of.lifetimes.end(2),
                |of| of.ended.push_back((of.now(), 1)),
                |of| of.ended.push_back((of.now(), 2)),
                |of| of.ended.push_back((Moment::default(), 1)),
                |of| _ = of.remove(2),
                |of| of.vertex(1).within = Some(2),
                |of| of.vertex(1).within = Some(3),
                |of| of.vertex(1).is_group = true,
                |of| of.vertex(1).is_closed = true,
                |of| of.vertex(1).open = 2,
                |of| of.vertex(1).members.push(2),
                |of| of.vertex(1).after.push(2),
                |of| of.replaced.push(1),
                |of| of.groups = 1,
            ],
        );
    }
}
