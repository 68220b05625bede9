//! The event list against a sorted one, and what cancelling leaves behind.

use super::*;

/// Against a sorted list of everything that was put in and not cancelled.
#[test]
fn pops_in_order_of_time_class_and_sequence() {
    let mut list = EventList::new(0);
    let rings = [list.add_ring(30), list.add_ring(7)];
    let mut expected = Vec::new();
    let mut random = 12345u64;
    let mut handles = Vec::new();
    let mut popped = Vec::new();
    for id in 0..20_000u64 {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let choice = random >> 33;
        let class = [Class::Fault, Class::Completion, Class::Delivery, Class::Timer, Class::Arrival]
            [(choice % 5) as usize];
        match choice / 8 % 4 {
            0 => {
                let ring = rings[(choice / 64 % 2) as usize];
                let delay = if ring.0 == 0 { 30 } else { 7 };
                handles.push((list.after_constant(ring, id), id));
                expected.push((list.now() + delay, Class::Timer as u8, id));
            }
            1 | 2 => {
                let delay = choice / 64 % 40;
                let handle = list.after(delay, class, id);
                expected.push((list.now() + delay, class as u8, id));
                if delay > 0 {
                    handles.push((handle, id));
                }
            }
            _ => {
                if (choice / 64).is_multiple_of(3) && !handles.is_empty() {
                    let (handle, id) = handles.swap_remove((choice / 256) as usize % handles.len());
                    if !popped.contains(&id) {
                        expected.retain(|entry| entry.2 != id);
                    }
                    list.cancel(handle);
                } else if let Some(event) = list.advance() {
                    expected.sort_unstable();
                    let (time, _, id) = expected.remove(0);
                    assert_eq!((time, id), (list.now(), event));
                    popped.push(event);
                }
            }
        }
    }
}

#[test]
fn a_suspended_event_says_what_was_left_of_it() {
    let mut list = EventList::new(0);
    let handle = list.after(10, Class::Completion, 1);
    list.after(4, Class::Timer, 2);
    assert_eq!(list.advance(), Some(2));
    assert_eq!(list.suspend(handle), Some(6));
    assert_eq!(list.suspend(handle), None);
    assert_eq!(list.advance(), None);
}

#[test]
fn cancelled_timers_leave_nothing_behind() {
    let mut list = EventList::new(0);
    let ring = list.add_ring(1_000_000);
    for _ in 0..100_000 {
        let timer = list.after_constant(ring, 0);
        list.after(1, Class::Completion, 1);
        assert_eq!(list.advance(), Some(1));
        list.cancel(timer);
    }
    assert!(list.slab.len() < 4 && list.rings[0].keys.len() < 4 && list.heap.len() < 4);
}
