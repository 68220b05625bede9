//! The code of the versions of services: what a version does not change it shares with the others.

use super::Compiler;
use super::steps::Site;
use crate::kernel::ids::*;
use crate::model::*;
use crate::scenario::resolved as scenario;

impl Compiler<'_> {
    /// Behind the code of every body, when all handlers are there.
    pub fn versions(&mut self) {
        for (index, spec) in self.scenario.services.iter().enumerate() {
            for version in &spec.versions {
                let version = self.version(ServiceId::new(index), &spec.name, version);
                self.model.services[index].versions.push(version);
            }
        }
    }

    fn version(&mut self, id: ServiceId, service: &str, version: &scenario::Version) -> Version {
        let scenario = self.scenario;
        let (place, store) = (Place::Service(id), self.store_of(id));
        let mut handlers = self.model.services[id.index()].handlers.clone();
        handlers.retain(|(handled, _)| !version.without.contains(handled));
        for handler in &version.handlers {
            let path = format!("{service}/{}", scenario.messages[handler.message.index()].name);
            self.message_in_hand = handler.message;
            let site = Site { path: &path, place, store, service: Some(id) };
            let body = self.body(format!("{path} of {}", version.name), &handler.body, &site);
            handlers.retain(|(handled, _)| *handled != handler.message);
            handlers.push((handler.message, body));
        }
        let mut jobs = Vec::new();
        self.message_in_hand = MessageId(NONE);
        for (position, body) in &version.jobs {
            let path = format!("{service}/{}", scenario.services[id.index()].jobs[*position].name);
            let site = Site { path: &path, place, store, service: Some(id) };
            let body = self.body(format!("{path} of {}", version.name), body, &site);
            jobs.push((self.model.services[id.index()].jobs[*position], body));
        }
        let failing = self.failing(&format!("{service} of {}", version.name));
        Version { name: version.name.clone(), handlers, jobs, failing }
    }

    /// How the versions of a group's service handle a message.
    pub fn handlers_of_versions(&mut self, id: GroupId, message: MessageId) -> Vec<HandlerId> {
        let group = &self.scenario.groups[id.index()];
        let versions = &self.scenario.services[group.service.index()].versions;
        let mut all = Vec::new();
        for (number, version) in versions.iter().enumerate() {
            let changed = version.unknown_version.iter().find(|(of, _)| *of == id).map(|one| one.1);
            let handlers = self.model.services[group.service.index()].versions[number].handlers.clone();
            let unknown = changed.unwrap_or(group.unknown_version);
            all.push(self.handler_among(&handlers, unknown, group, message));
        }
        all
    }
}
