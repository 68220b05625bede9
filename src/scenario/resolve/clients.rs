//! Clients: what they call, when their intents arrive, what one intent does.

use super::Resolver;
use super::arrivals::MOST_USERS;
use super::nodes;
use crate::kernel::time::Nanos;
use crate::scenario::diagnostic::Diagnostic;
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
    pub fn resolve_clients(&mut self, bodies: Vec<Body>, horizon: Nanos) -> Vec<Option<Client>> {
        let clients = self.names.clients;
        let clients: Vec<Option<Client>> = clients
            .iter()
            .zip(bodies)
            .enumerate()
            .map(|(index, ((name, entry), body))| self.resolve_client(index, name, entry, body, horizon))
            .collect();
        self.check_users(&clients);
        clients
    }

    /// Each user of a closed population has an event to come.
    fn check_users(&mut self, clients: &[Option<Client>]) {
        let users = |client: &Client| match client.arrivals {
            Arrivals::Population { users, .. } => u64::from(users),
            _ => 0,
        };
        let all: u64 = clients.iter().flatten().map(users).sum();
        let largest = clients.iter().flatten().max_by_key(|client| users(client));
        if let Some(largest) = largest.filter(|_| all > MOST_USERS) {
            let span = largest.span;
            let message = format!("the clients have {all} users together");
            let diagnostic = Diagnostic::new("too-many-users", span, message).label("the most are here");
            self.report(diagnostic.help(format!("a scenario has at most {MOST_USERS} users")));
        }
    }

    fn resolve_client(
        &mut self,
        index: usize,
        name: &str,
        entry: &'a Entry,
        body: Body,
        horizon: Nanos,
    ) -> Option<Client> {
        let arrivals = nodes::get(&entry.value, "arrivals");
        let count = arrivals.and_then(|arrivals| nodes::get(arrivals, "count"));
        let count = count.filter(|count| !nodes::is_word(count, "unlimited"));
        let count =
            count.and_then(|count| expression::count_within(count, 1..=u64::MAX, &mut self.context()));
        let place = arrivals.map(|arrivals| arrivals.span);
        let arrivals = arrivals.and_then(|arrivals| self.resolve_arrivals(arrivals));
        if let (Some(arrivals), Some(place)) = (&arrivals, place) {
            self.check_how_many_arrive(arrivals, count, horizon, place);
        }
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
