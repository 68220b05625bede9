//! Operations that stop and start instances: `deploy` and `scale`.

use super::Resolver;
use super::nodes;
use super::services::MOST_INSTANCES;
use crate::kernel::ids::*;
use crate::kernel::time::SECOND;
use crate::scenario::expression;
use crate::scenario::node::Node;
use crate::scenario::resolved::*;

/// An instance that is told to stop may take so long, unless `grace` says otherwise.
const DEFAULT_GRACE: u64 = 30 * SECOND;

/// A new process takes so long until it is there, unless `start_up` says otherwise.
const DEFAULT_START_UP: u64 = 5 * SECOND;

impl<'a> Resolver<'a> {
    pub fn deploy(&mut self, target: &'a Node, node: &'a Node) -> Option<FaultKind> {
        let service = self.service_named(nodes::text(target)?, target.span);
        let batch = nodes::get(node, "batch").map(|batch| self.count_from_one(batch, MOST_INSTANCES));
        let every = nodes::get(node, "every").map(|every| self.positive_duration(every, "an interval"));
        let restart = self.restart(node);
        let service = service?;
        let version = self.version_named(service, nodes::get(node, "version")?);
        let rollout =
            Rollout { version: version?, batch: batch.unwrap_or(Some(1))?, every: every.flatten(), restart };
        Some(FaultKind::Deploy { service, rollout })
    }

    pub fn scale(&mut self, target: &'a Node, node: &'a Node) -> Option<FaultKind> {
        let service = self.service_named(nodes::text(target)?, target.span);
        let instances = self.count_from_one(nodes::get(node, "instances")?, MOST_INSTANCES);
        let restart = self.restart(node);
        let service = service?;
        self.check_autoscaled(service, instances, node);
        let of = &self.services[service.index()];
        let mut alone = of.groups.iter().map(|group| &self.groups[group.index()]);
        if let Some(group) = alone.find(|group| group.per_instance) {
            self.not_built(group.span, "`scale` of a service that consumes `per_instance`");
        }
        Some(FaultKind::Scale { service, instances: instances?, restart })
    }

    fn restart(&mut self, node: &'a Node) -> Restart {
        let mut time = |key: &str, default| {
            let written = nodes::get(node, key);
            written
                .map_or(Some(default), |written| expression::duration(written, &mut self.context()))
                .unwrap_or(default)
        };
        Restart { grace: time("grace", DEFAULT_GRACE), start_up: time("start_up", DEFAULT_START_UP) }
    }

    /// Scaling by hand stays within what a service scales itself to.
    fn check_autoscaled(&mut self, service: ServiceId, instances: Option<u32>, node: &'a Node) {
        let (Some(scale), Some(instances)) = (self.services[service.index()].autoscale, instances) else {
            return;
        };
        if let Some(written) = nodes::get(node, "instances")
            && !(scale.min..=scale.max).contains(&instances)
        {
            let message = format!("`autoscale` keeps from {} to {} instances", scale.min, scale.max);
            self.impossible(written.span, message);
        }
    }

    /// The most instances that operations give a service; said before the operations are resolved, and
    /// what is wrong with them is told there.
    pub fn scaled_to(&mut self, root: &'a Node, service: &str) -> u32 {
        let operations = nodes::section(root, "operations").values().map(|entry| &entry.value);
        let to_it = operations
            .filter(|node| nodes::get(node, "scale").is_some_and(|target| nodes::is_word(target, service)));
        let written: Vec<&Node> = to_it.filter_map(|node| nodes::get(node, "instances")).collect();
        let counts = written.into_iter().filter_map(|count| {
            self.without_reports(|resolver| resolver.count_from_one(count, MOST_INSTANCES))
        });
        counts.max().unwrap_or(0)
    }
}
