//! Topics that are the change log of a table.
//!
//! Each committed change of a row is a message, whose fields are the row's columns of the same names: of the new row,
//! or of the old one if it is gone, which the field `deleted` says (a `bool` that is no column).

use super::Resolver;
use super::names::listed;
use super::nodes;
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::Entry;
use crate::scenario::resolved::*;

/// The field that says whether a row is gone.
const DELETED: &str = "deleted";

impl<'a> Resolver<'a> {
    /// What each topic captures, once the types of all columns are known.
    pub fn resolve_captures(&mut self) {
        for (index, (_, entry)) in self.names.topics.iter().enumerate() {
            let Some(capture) = nodes::entry(&entry.value, "capture") else { continue };
            let topic = TopicId::new(index);
            match self.captured(topic, capture) {
                Some(captured) => {
                    self.flow.published.insert((topic, captured.message));
                    self.topics[index].capture = Some(captured);
                }
                None => self.flow.is_unclear = true,
            }
        }
    }

    fn captured(&mut self, topic: TopicId, capture: &'a Entry) -> Option<Capture> {
        let node = &capture.value;
        let table = self.stored_table(node, "what is captured")?;
        let (described, spec) = (&self.topics[topic.index()], &self.tables[table.index()]);
        let contradiction = |why: String| Diagnostic::new("contradiction", capture.key_span, why);
        if spec.stream.is_some() {
            let diagnostic =
                contradiction(format!("`{}` is a stream, which tells its messages itself", spec.name));
            let diagnostic = diagnostic.related(spec.span, "the stream").help("say `publish_to` there");
            self.report(diagnostic);
            return None;
        }
        let [message] = described.messages[..] else {
            let why = "every change is one message: the topic carries exactly one, of one schema".to_owned();
            let diagnostic = contradiction(why).related(described.span, "the topic");
            self.report(diagnostic);
            return None;
        };
        let (service, of) = (spec.service, &self.messages[message.index()]);
        let mut fields = Vec::new();
        let mut missing = Vec::new();
        for field in &of.fields {
            let column = spec.columns.iter().position(|column| column.name == field.name);
            match column {
                Some(column) if spec.columns[column].ty == field.ty => {
                    fields.push(CapturedField::Column(column));
                }
                None if field.name == DELETED && field.ty == Type::Bool => {
                    fields.push(CapturedField::Deleted)
                }
                _ => missing.push(field.name.as_str()),
            }
        }
        if !missing.is_empty() {
            let why = format!("`{}` has no column of the type of {}", spec.name, listed(&missing));
            let diagnostic = contradiction(why)
                .related(of.span, "the message")
                .related(spec.span, "the table")
                .help("a change is told by the row's columns, and `deleted: bool`");
            self.report(diagnostic);
            return None;
        }
        self.need_one_copy(service, capture.key_span, "a change log");
        Some(Capture { table, message, fields })
    }
}
