//! How far from order a sequence has arrived, on any plain sequence of (number, time of arrival).
//!
//! - [`order`]: which arrivals are reordered, by how much and how late, and what lies between them
//!   (RFC 4737, packet reordering metrics).
//! - [`displacement`]: the density of how far arrivals are from their places (RFC 5236, RD).
//! - [`occupancy`]: the density of what a buffer that restores the order would hold (RFC 5236, RBD).
//!
//! Each has a *stream*, the state between one arrival and the next, and *figures*, which only count. Many
//! streams may share one set of figures: those of all keys of a consumer, say. A stream takes in one number at a time in
//! constant time and bounded room; figures merge. Numbers are below 2^63.
//!
//! ```
//! use eventflow::stats::reordering::order::{Arrival, Order, OrderFigures};
//! let (mut order, mut figures) = (Order::new(1, 64), OrderFigures::default());
//! let arrivals: Vec<Arrival> =
//!     [1, 2, 4, 5, 3].iter().zip(0..).map(|(&number, at)| order.arrive(number, at, &mut figures)).collect();
//! assert!(arrivals[..4].iter().all(|arrival| *arrival == Arrival::InOrder));
//! assert_eq!((figures.reordered(), figures.extents().max()), (1, Some(2)));
//! ```

pub mod displacement;
pub mod occupancy;
pub mod order;

#[cfg(test)]
mod tests;
