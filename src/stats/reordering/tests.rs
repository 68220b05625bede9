//! The examples of both documents, and the definitions said again, slowly and from the whole sequence.

use super::displacement::{Displacement, ReorderDensity};
use super::occupancy::{OccupancyDensity, Recovery};
use super::order::{Arrival, Lateness, Order, OrderFigures};
use proptest::prelude::*;

/// Arrivals numbered from 1, at the times given.
fn order(numbers: &[u64], times: &[u64], history: usize) -> (Vec<Arrival>, OrderFigures) {
    let (mut order, mut figures) = (Order::new(1, history), OrderFigures::default());
    let arrivals = numbers.iter().zip(times).map(|(&number, &at)| order.arrive(number, at, &mut figures));
    (arrivals.collect(), figures)
}

fn untimed(numbers: &[u64]) -> (Vec<Arrival>, OrderFigures) {
    order(numbers, &(1..=numbers.len() as u64).collect::<Vec<_>>(), 64)
}

fn displacements(numbers: &[u64], threshold: u32) -> ReorderDensity {
    let (mut stream, mut density) = (Displacement::new(1), ReorderDensity::new(threshold));
    numbers.iter().for_each(|&number| stream.arrive(number, &mut density));
    stream.finish(&mut density);
    density
}

fn occupancies(numbers: &[u64], threshold: u32) -> OccupancyDensity {
    let (mut stream, mut density) = (Recovery::new(1), OccupancyDensity::new(threshold));
    numbers.iter().for_each(|&number| stream.arrive(number, &mut density));
    density
}

fn reordered(extent: u64, time: u64, degree: u64) -> Arrival {
    Arrival::Reordered { lateness: Some(Lateness { extent, time }), degree }
}

/// What begins anew in the room of another says what a new one says.
#[test]
fn another_sequence_in_the_same_room_is_another() {
    let numbers = [7, 5, 6, 11, 8, 9, 12];
    let (mut used, mut room) = (Displacement::new(1), ReorderDensity::new(3));
    [3, 1, 9, 20].iter().for_each(|&number| used.arrive(number, &mut room));
    used.restart(5);
    let (mut new, mut density) = (Displacement::new(5), ReorderDensity::new(3));
    let mut again = ReorderDensity::new(3);
    numbers.iter().for_each(|&number| new.arrive(number, &mut density));
    numbers.iter().for_each(|&number| used.arrive(number, &mut again));
    new.finish(&mut density);
    used.finish(&mut again);
    assert_eq!(density, again);
}

/// RFC 4737, section 7.1, table 1.
#[test]
fn one_reordered() {
    let times = [68, 88, 108, 148, 168, 188, 208, 210, 228, 248];
    let (arrivals, figures) = order(&[1, 2, 3, 5, 6, 7, 8, 4, 9, 10], &times, 64);
    assert_eq!(arrivals[7], reordered(4, 62, 4));
    assert_eq!((figures.arrived(), figures.reordered(), figures.ratio()), (10, 1, Some(0.1)));
    assert_eq!([1, 4, 5].map(|n| figures.n_reordered(n)), [1, 1, 0]);
}

/// RFC 4737, section 7.2, table 2.
#[test]
fn two_reordered() {
    let times = [68, 88, 108, 128, 188, 189, 190, 208, 228, 248];
    let (arrivals, figures) = order(&[1, 2, 3, 4, 7, 5, 6, 8, 9, 10], &times, 64);
    assert_eq!(arrivals[5], reordered(1, 1, 1));
    assert_eq!(arrivals[6], reordered(2, 2, 0), "6 is not n-reordered");
    assert_eq!(figures.degree(1), Some(0.1));
}

/// RFC 4737, section 7.3, table 3 and the histogram of extents below it.
#[test]
fn three_reordered() {
    let times = [68, 88, 108, 188, 208, 228, 248, 250, 252, 256, 268];
    let (arrivals, figures) = order(&[1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11], &times, 64);
    assert_eq!(arrivals[7..10], [reordered(4, 62, 4), reordered(5, 64, 0), reordered(6, 68, 0)]);
    let share = |extent| figures.extents().share_at_most(extent);
    assert_eq!([3, 4, 5, 6].map(share), [Some(0.0), Some(1.0 / 3.0), Some(2.0 / 3.0), Some(1.0)]);
}

/// RFC 4737, section 7.4, table 4: runs of 5, 0 and 5.
#[test]
fn runs_between_discontinuities() {
    let (arrivals, figures) = untimed(&[1, 2, 3, 6, 7, 4, 5, 8, 9, 10, 12, 13, 11, 14, 15, 16]);
    assert_eq!(
        [arrivals[5], arrivals[6], arrivals[12]],
        [reordered(2, 2, 2), reordered(3, 3, 0), reordered(2, 2, 2)]
    );
    assert_eq!(figures.mean_run(), Some(13.0 / 3.0));
    assert_eq!(figures.run_variation(), Some(50.0 / 13.0 / (13.0 / 3.0)));
}

/// RFC 4737, section 4.6.4: 36 arrivals with three runs, alike and unlike.
#[test]
fn runs_of_one_length_and_of_many() {
    // Each run ends with a number that the run before it left out.
    let alike: Vec<u64> = (0..3u64).flat_map(|run| (2..=12).chain([1]).map(move |n| run * 12 + n)).collect();
    let (_, figures) = untimed(&alike);
    assert_eq!((figures.arrived(), figures.reordered()), (36, 3));
    assert_eq!((figures.mean_run(), figures.run_variation()), (Some(11.0), Some(1.0)));
    let unlike: Vec<u64> = [2, 1, 4, 3].into_iter().chain(6..=36).chain([5]).collect();
    let (_, figures) = untimed(&unlike);
    assert_eq!((figures.arrived(), figures.reordered(), figures.mean_run()), (36, 3, Some(11.0)));
    assert_eq!(figures.run_variation(), Some(963.0 / 33.0 / 11.0), "2.65 in the text");
}

/// RFC 4737, section 5.3: of a block only the first is n-reordered.
#[test]
fn a_block_is_n_reordered_once() {
    let (arrivals, figures) = untimed(&[1, 2, 3, 7, 8, 9, 4, 5, 6]);
    assert_eq!(arrivals[6..], [reordered(3, 3, 3), reordered(4, 4, 0), reordered(5, 5, 0)]);
    assert_eq!((figures.reordered(), figures.n_reordered(1), figures.n_reordered(3)), (3, 1, 1));
}

/// RFC 4737, section 6: what a short history has lost is reordered, and no more is known.
#[test]
fn a_short_history_forgets_how_late() {
    let (arrivals, figures) = order(&[1, 10, 20, 30, 5, 25], &[1, 2, 3, 4, 5, 6], 1);
    assert_eq!(
        arrivals[4],
        Arrival::Reordered { lateness: None, degree: 1 },
        "3 by the definition, 1 at least"
    );
    assert_eq!(arrivals[5], reordered(2, 2, 0));
    assert_eq!((figures.reordered(), figures.extents().count()), (2, 1));
}

/// RFC 5236, section 8 a: tables 1 to 4.
#[test]
fn densities_without_loss() {
    let numbers = [1, 4, 2, 5, 3, 6, 7, 8];
    let density = displacements(&numbers, 4);
    assert_eq!(density.frequencies().collect::<Vec<_>>(), [(-2, 1), (-1, 1), (0, 4), (1, 1), (2, 1)]);
    assert_eq!(
        [-2, 0, 2].map(|displacement| density.share(displacement)),
        [Some(0.125), Some(0.5), Some(0.125)]
    );
    let density = occupancies(&numbers, 4);
    assert_eq!(density.frequencies(), [5, 2, 1, 0, 0]);
    assert_eq!([0, 1, 2].map(|held| density.share(held)), [Some(0.625), Some(0.25), Some(0.125)]);
    assert_eq!(density.mean(), Some(0.5));
}

/// RFC 5236, section 8 b: tables 5 and 6.
#[test]
fn densities_with_a_loss() {
    let numbers = [1, 2, 4, 5, 6, 7];
    assert_eq!(displacements(&numbers, 3).frequencies().collect::<Vec<_>>(), [(0, 6)]);
    assert_eq!(occupancies(&numbers, 3).frequencies(), [3, 1, 1, 1]);
}

/// RFC 5236, section 8 c: tables 7 and 8.
#[test]
fn densities_with_a_copy() {
    let numbers = [1, 3, 2, 3, 4, 5];
    let density = displacements(&numbers, 2);
    assert_eq!(density.frequencies().collect::<Vec<_>>(), [(-1, 1), (0, 3), (1, 1)]);
    assert_eq!(density.share(0), Some(0.6));
    assert_eq!(occupancies(&numbers, 2).frequencies(), [4, 1, 0]);
}

/// RFC 5236, examples 3 to 5 of sections 3.3 and 4.
#[test]
fn displacements_as_in_the_text() {
    let met = |numbers: &[u64]| displacements(numbers, 4).frequencies().collect::<Vec<_>>();
    assert_eq!(met(&[1, 4, 3, 5, 3, 8, 7, 6]), [(-2, 1), (-1, 1), (0, 3), (1, 1), (2, 1)]);
    assert_eq!(met(&[1, 2, 3, 5, 4, 6]), [(-1, 1), (0, 4), (1, 1)]);
    assert_eq!(met(&[1, 2, 5, 3, 6, 2]), [(-2, 1), (0, 3), (2, 1)]);
}

/// RFC 5236, section 6: a rogue number costs no time and little else.
#[test]
fn a_rogue_number_is_left_out() {
    let numbers: Vec<u64> = [1, 1 << 60].into_iter().chain(2..=50).collect();
    assert_eq!(displacements(&numbers, 4).frequencies().collect::<Vec<_>>(), [(0, 50)]);
    assert_eq!(occupancies(&numbers, 4).received(), 51);
}

#[test]
fn figures_of_many_streams_are_those_of_each_added() {
    let (mut all, mut one_by_one) = (OrderFigures::default(), OrderFigures::default());
    for numbers in [&[2, 1, 3][..], &[3, 1, 2], &[1, 2]] {
        let mut stream = Order::new(1, 8);
        numbers.iter().zip(1..).for_each(|(&number, at)| _ = stream.arrive(number, at, &mut all));
        one_by_one.merge(&untimed(numbers).1);
    }
    assert_eq!((all.arrived(), all.reordered()), (one_by_one.arrived(), one_by_one.reordered()));
    assert_eq!((all.n_reordered(1), all.mean_run()), (one_by_one.n_reordered(1), one_by_one.mean_run()));
    let mut merged = displacements(&[2, 1], 2);
    merged.merge(&displacements(&[1, 2, 3], 2));
    assert_eq!(merged.frequencies().collect::<Vec<_>>(), [(-1, 1), (0, 3), (1, 1)]);
    let mut merged = occupancies(&[2, 1], 2);
    merged.merge(&occupancies(&[1, 2, 3], 2));
    assert_eq!(merged.frequencies(), [4, 1, 0]);
}

/// RFC 4737, the definitions of sections 3.3, 4.2.3, 4.3.3 and 5.3, word by word.
fn order_by_definition(numbers: &[u64], times: &[u64]) -> Vec<Arrival> {
    let at = |i: usize| {
        let first = (0..i).find(|&j| numbers[j] > numbers[i]);
        first.map_or(Arrival::InOrder, |j| {
            let is_degree = |n: &usize| (i - n..i).all(|j| numbers[j] > numbers[i]);
            let degree = (1..=i).take_while(is_degree).count() as u64;
            reordered((i - j) as u64, times[i] - times[j], degree)
        })
    };
    (0..numbers.len()).map(at).collect()
}

/// RFC 5236, section 7.1, line by line; only that missing indices are passed at once.
fn displacements_by_pseudo_code(numbers: &[u64], threshold: usize) -> Vec<(i64, u64)> {
    let mut stream = numbers.iter().copied();
    let (mut window, mut buffer, mut index) = (Vec::new(), Vec::new(), 1);
    let mut frequencies = std::collections::BTreeMap::new();
    let mut arrive = |window: &[u64], buffer: &[u64], index: u64| {
        stream.find(|new| *new >= index && !buffer.contains(new) && !window.contains(new))
    };
    while window.len() < threshold + 1 {
        let Some(new) = arrive(&window, &[], 0) else { break };
        window.push(new);
    }
    while !window.is_empty() {
        if window.contains(&index) || buffer.contains(&index) {
            let number = window.remove(0);
            let displacement = index as i64 - number as i64;
            if displacement.unsigned_abs() <= threshold as u64 {
                *frequencies.entry(displacement).or_insert(0) += 1;
                buffer.retain(|early| *early != index);
                if displacement < 0 {
                    buffer.push(number);
                }
                index += 1;
            }
            window.extend(arrive(&window, &buffer, index));
        } else {
            index = *window.iter().chain(&buffer).filter(|number| **number > index).min().unwrap();
        }
    }
    frequencies.into_iter().collect()
}

/// RFC 5236, sections 3.7 and 3.8, from what has arrived.
fn occupancies_by_definition(numbers: &[u64], threshold: usize) -> Vec<u64> {
    let mut frequencies = vec![0; threshold + 1];
    let (mut arrived, mut given_up) = (Vec::new(), 0);
    let expected = |arrived: &[u64], given_up: u64| (given_up + 1..).find(|n| !arrived.contains(n)).unwrap();
    for &number in numbers {
        if arrived.contains(&number) || number < expected(&arrived, given_up) {
            continue;
        }
        arrived.push(number);
        let held = |given_up: u64| {
            let expected = expected(&arrived, given_up);
            arrived.iter().filter(|early| **early > expected).count()
        };
        while held(given_up) > threshold {
            given_up += 1;
        }
        frequencies[held(given_up)] += 1;
    }
    frequencies
}

proptest! {
    /// Any sequence without copies.
    #[test]
    fn order_agrees_with_its_definition(
        numbers in Just((1..40u64).collect::<Vec<_>>()).prop_shuffle(),
        length in 1..40usize,
        steps in prop::collection::vec(0..5u64, 40),
    ) {
        let numbers = &numbers[..length.min(39)];
        let times: Vec<u64> = steps.iter().scan(0, |now, step| { *now += step; Some(*now) }).collect();
        let (arrivals, figures) = order(numbers, &times, 64);
        prop_assert_eq!(&arrivals, &order_by_definition(numbers, &times));
        let reordered = arrivals.iter().filter(|arrival| **arrival != Arrival::InOrder).count() as u64;
        prop_assert_eq!(figures.reordered(), reordered);
        let monotonic = numbers.windows(2).filter(|pair| pair[1] < pair[0]).count() as u64;
        prop_assert_eq!(figures.n_reordered(1), monotonic);
    }

    /// Nearly in order, with losses: mostly what the threshold bears, at times not.
    #[test]
    fn displacements_agree_with_the_pseudo_code(
        jitter in prop::collection::vec((0..12u64, 0..20u8), 1..60),
        threshold in 0..7u32,
    ) {
        let mut numbers = disturbed(&jitter);
        let mut met = std::collections::BTreeSet::new();
        numbers.retain(|number| met.insert(*number));
        let density = displacements(&numbers, threshold);
        prop_assert_eq!(
            density.frequencies().collect::<Vec<_>>(),
            displacements_by_pseudo_code(&numbers, threshold as usize),
            "{:?}", numbers
        );
    }

    /// Where the threshold leaves nothing out, copies change nothing.
    #[test]
    fn displacements_know_copies(jitter in prop::collection::vec((0..12u64, 0..20u8), 1..60)) {
        let numbers = disturbed(&jitter);
        let density = displacements(&numbers, 60);
        prop_assert_eq!(
            density.frequencies().collect::<Vec<_>>(),
            displacements_by_pseudo_code(&numbers, 60),
            "{:?}", numbers
        );
    }

    #[test]
    fn occupancies_agree_with_their_definition(
        jitter in prop::collection::vec((0..12u64, 0..20u8), 1..60),
        threshold in 0..7u32,
    ) {
        let numbers = disturbed(&jitter);
        let density = occupancies(&numbers, threshold);
        prop_assert_eq!(
            density.frequencies(),
            occupancies_by_definition(&numbers, threshold as usize),
            "{:?}", numbers
        );
    }

    /// With a threshold as long as the sequence, the mean displacement of a permutation is 0.
    #[test]
    fn what_is_early_and_what_is_late_are_even(
        numbers in Just((1..30u64).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let density = displacements(&numbers, 30);
        prop_assert_eq!(density.received(), 29);
        let sum: i64 = density.frequencies().map(|(displacement, count)| displacement * count as i64).sum();
        prop_assert_eq!(sum, 0);
    }
}

/// Numbers from 1, each moved back by its jitter; one in twenty is lost, one in twenty comes twice.
fn disturbed(jitter: &[(u64, u8)]) -> Vec<u64> {
    let mut sent: Vec<(u64, u64)> = Vec::new();
    for ((number, &(delay, fate)), place) in (1..).zip(jitter).zip(0..) {
        match fate {
            0 => {}
            1 => sent.extend([(place + delay, number), (place + delay + 5, number)]),
            _ => sent.push((place + delay, number)),
        }
    }
    sent.sort();
    sent.into_iter().map(|(_, number)| number).collect()
}
