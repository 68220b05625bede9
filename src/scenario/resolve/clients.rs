//! Clients: what they call, when their intents arrive, what one intent does.

use super::Resolver;
use super::nodes;
use crate::scenario::expression;
use crate::scenario::node::Entry;
use crate::scenario::resolved::*;

impl<'a> Resolver<'a> {
    /// `calls:` of every client; their bodies need them.
    pub fn resolve_client_calls(&mut self) {
        for entry in self.names.clients.values() {
            let policies = self.resolve_call_policies(&entry.value);
            self.client_calls.push(policies);
        }
    }

    /// The clients, with their bodies. `None` stands for arrivals that were not understood.
    pub fn resolve_clients(&mut self, bodies: Vec<Body>) -> Vec<Option<Client>> {
        let clients = self.names.clients;
        clients
            .iter()
            .zip(bodies)
            .enumerate()
            .map(|(index, ((name, entry), body))| self.resolve_client(index, name, entry, body))
            .collect()
    }

    fn resolve_client(&mut self, index: usize, name: &str, entry: &'a Entry, body: Body) -> Option<Client> {
        self.refuse_places(&entry.value, "a client");
        let arrivals = nodes::get(&entry.value, "arrivals");
        let count = arrivals.and_then(|arrivals| nodes::get(arrivals, "count"));
        let count = count.filter(|count| !nodes::is_word(count, "unlimited"));
        let count =
            count.and_then(|count| expression::count_within(count, 1..=u64::MAX, &mut self.context()));
        let arrivals = arrivals.and_then(|arrivals| self.resolve_arrivals(arrivals));
        Some(Client {
            name: name.to_owned(),
            span: entry.key_span,
            arrivals: arrivals?,
            count,
            place: self.place(&entry.value),
            calls: self.client_calls[index].clone(),
            body,
        })
    }
}
