//! Reports, from results that are made by hand: no simulation runs here.

mod fixture;
mod hostile;
mod known;
mod page;
mod terminal;
