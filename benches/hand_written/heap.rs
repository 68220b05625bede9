//! A 4-ary heap of events by time.

/// Least time first; events at the same time in no particular order.
pub struct Heap<E> {
    entries: Vec<(f64, E)>,
}

impl<E: Copy> Heap<E> {
    pub fn new() -> Self {
        Self { entries: Vec::new() }
    }

    #[inline]
    pub fn push(&mut self, time: f64, event: E) {
        let mut hole = self.entries.len();
        self.entries.push((time, event));
        while hole > 0 {
            let parent = (hole - 1) / 4;
            if self.entries[parent].0 <= time {
                break;
            }
            self.entries[hole] = self.entries[parent];
            hole = parent;
        }
        self.entries[hole] = (time, event);
    }

    #[inline]
    pub fn pop(&mut self) -> Option<(f64, E)> {
        let moved = self.entries.pop()?;
        let Some(&least) = self.entries.first() else { return Some(moved) };
        let length = self.entries.len();
        let mut hole = 0;
        loop {
            let children = 4 * hole + 1;
            if children >= length {
                break;
            }
            let mut child = children;
            for other in children + 1..(children + 4).min(length) {
                if self.entries[other].0 < self.entries[child].0 {
                    child = other;
                }
            }
            if moved.0 <= self.entries[child].0 {
                break;
            }
            self.entries[hole] = self.entries[child];
            hole = child;
        }
        self.entries[hole] = moved;
        Some(least)
    }
}
