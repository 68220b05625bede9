//! What is told of versions of services and of change logs.

use super::knobs::word;
use super::meaning::Page;
use crate::scenario::resolved::*;

impl Page<'_> {
    /// What each version of a service does otherwise.
    pub(super) fn versions(&mut self, service: usize) {
        let (scenario, model) = (self.scenario, self.model);
        let spec = &scenario.services[service];
        for (version, compiled) in spec.versions.iter().zip(&model.services[service].versions) {
            self.line(format!("    version {}", version.name));
            for handler in &version.handlers {
                self.line(format!("      on {}", scenario.messages[handler.message.index()].name));
                let code = compiled.handler(handler.message);
                self.body(&handler.body, code, Some(handler.message));
            }
            for message in &version.without {
                self.line(format!("      does not handle {}", scenario.messages[message.index()].name));
            }
            for (position, body) in &version.jobs {
                let job = &spec.jobs[*position];
                self.line(format!("      job {}", job.name));
                let first = model.services[service].jobs[*position];
                self.body(body, compiled.job(first, model.jobs[first.index()].body), None);
            }
            for (group, policy) in &version.unknown_version {
                let group = &scenario.groups[group.index()].name;
                self.line(format!("      unknown versions on {group}: {}", word(policy)));
            }
        }
    }

    /// Whose change log a topic is.
    pub(super) fn capture(&mut self, topic: &Topic) {
        let Some(capture) = &topic.capture else { return };
        let table = &self.scenario.tables[capture.table.index()];
        let service = &self.scenario.services[table.service.index()].name;
        self.line(format!("      change log of {service}.{}", table.name));
    }
}
