//! The grammar as a JSON Schema (draft 2020-12), for editors, for programs that write scenarios, and for
//! checks by others' tools.
//!
//! It describes a file as an ordinary YAML or JSON library reads it, where numbers and truth values are
//! typed: a scalar is admitted in every type in which it may arrive. `$name` may stand for any value. In
//! a file that extends another, and in `versions`, nothing is required and `null` removes a key: for
//! those each record has a second definition, `<name>.patch`.

use super::language::{GENERATOR, SCENARIO, STEP};
use super::{Choice, Expected, Key, Kind, Presence, Quantity, Record, Shape, walk, walk_through};
use crate::scenario::resolve::built_in_part;
use serde_json::{Map, Value, json};

/// The schema of scenario files.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    for quantity in [
        Quantity::Duration,
        Quantity::SignedDuration,
        Quantity::Count,
        Quantity::Number,
        Quantity::Share,
        Quantity::Size,
        Quantity::Rate,
        Quantity::Bandwidth,
    ] {
        definitions.insert(quantity_name(quantity).into(), quantity_schema(quantity));
    }
    definitions.insert("type".into(), type_schema());
    definitions.insert("steps".into(), list_schema(reference(&STEP, Mood::Whole), json!({})));
    walk(&SCENARIO, |record| {
        definitions.insert(definition(record, Mood::Whole), record_schema(record, Mood::Whole));
    });
    // Lists are replaced whole, so what lies in them is never a patch.
    let patched =
        |shape| !matches!(shape, Shape::Steps | Shape::Value(_) | Shape::List { .. } | Shape::Tuple { .. });
    walk_through(&SCENARIO, patched, |record| {
        definitions.insert(definition(record, Mood::Patch), record_schema(record, Mood::Patch));
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "eventflow scenario",
        "description": SCENARIO.about,
        "if": { "type": "object", "required": ["extends"] },
        "then": reference(&SCENARIO, Mood::Patch),
        "else": reference(&SCENARIO, Mood::Whole),
        "$defs": definitions,
    })
}

/// How complete a map has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Whole,
    /// A merge patch.
    Patch,
}

/// A whole value that is a parameter.
const PARAMETER: &str = r"^\$[A-Za-z_][A-Za-z0-9_]*$";
/// In a constant: what makes it a calculation.
const CALCULATION: &str = r"[$(]|\s[-+*/%]\s";

fn record_schema(record: &'static Record, mood: Mood) -> Value {
    let mut schema = match record.choices {
        [choice, rest @ ..] if mood == Mood::Whole => {
            let branches = choice.alternatives.iter().map(|alternative| {
                let keys = alternative.beside.iter().chain(record.keys()).collect::<Vec<_>>();
                let mut required = vec![alternative.key.name];
                required.extend(required_names(&keys));
                let mut branch = closed(record, &keys, rest, mood);
                let properties =
                    branch["properties"].as_object_mut().expect("a closed object has properties");
                properties.insert(alternative.key.name.into(), key_schema(record, &alternative.key, mood));
                branch["required"] = json!(required);
                branch["description"] = branch["properties"][alternative.key.name]["description"].clone();
                branch
            });
            let mut branches: Vec<Value> = branches.collect();
            let bare: Vec<&str> = choice
                .alternatives
                .iter()
                .filter(|alternative| alternative.key.shape.admits_nothing())
                .map(|alternative| alternative.key.name)
                .collect();
            if !bare.is_empty() {
                branches.push(json!({ "enum": bare }));
            }
            branches.push(json!({ "type": "string", "pattern": PARAMETER }));
            json!({ "oneOf": branches })
        }
        _ => {
            let keys = record.keys().collect::<Vec<_>>();
            let mut schema = closed(record, &keys, record.choices, mood);
            schema["type"] = types(&["object", "string"], mood);
            schema["pattern"] = json!(PARAMETER);
            if mood == Mood::Whole {
                let required: Vec<&str> = required_names(&keys).collect();
                if !required.is_empty() {
                    schema["required"] = json!(required);
                }
            }
            schema
        }
    };
    schema["title"] = json!(record.called.replace('`', ""));
    schema["description"] = json!(record.about);
    schema
}

/// An object with these keys, and those of choices, and no others.
fn closed(record: &Record, keys: &[&'static Key], choices: &'static [Choice], mood: Mood) -> Value {
    let mut properties = Map::new();
    let mut depends = Map::new();
    for key in keys {
        properties.insert(key.name.into(), key_schema(record, key, mood));
    }
    let mut all = Vec::new();
    for choice in choices {
        for alternative in choice.alternatives {
            add_property(record, &mut properties, &alternative.key, mood);
            for option in alternative.beside {
                add_property(record, &mut properties, option, mood);
                if mood == Mood::Whole
                    && !choice.alternatives.iter().any(|other| other.key.name == option.name)
                {
                    depends.insert(option.name.into(), json!([alternative.key.name]));
                }
            }
        }
        if mood == Mood::Whole {
            all.push(exactly_one(choice, keys));
        }
    }
    let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !depends.is_empty() {
        object["dependentRequired"] = Value::Object(depends);
    }
    if !all.is_empty() {
        object["allOf"] = Value::Array(all);
    }
    object
}

/// One alternative of a choice; a key that is an option already decides nothing.
fn exactly_one(choice: &Choice, options: &[&'static Key]) -> Value {
    let is_option = |name: &str| options.iter().any(|option| option.name == name);
    let branches: Vec<Value> = choice
        .alternatives
        .iter()
        .filter(|alternative| !is_option(alternative.key.name))
        .map(|alternative| {
            let name = alternative.key.name;
            let hosts: Vec<Value> = choice
                .alternatives
                .iter()
                .filter(|other| other.beside.iter().any(|option| option.name == name))
                .map(|other| json!({ "required": [other.key.name] }))
                .collect();
            match hosts.is_empty() {
                true => json!({ "required": [name] }),
                false => json!({ "required": [name], "not": { "anyOf": hosts } }),
            }
        })
        .collect();
    json!({ "oneOf": branches })
}

/// Adds a property; where two verbs have an option of one name, either form will do.
fn add_property(record: &Record, properties: &mut Map<String, Value>, key: &'static Key, mood: Mood) {
    let schema = key_schema(record, key, mood);
    let both = match properties.get(key.name) {
        Some(known) if *known != schema => json!({ "anyOf": [known, schema] }),
        _ => schema,
    };
    properties.insert(key.name.into(), both);
}

fn required_names(keys: &[&'static Key]) -> impl Iterator<Item = &'static str> {
    keys.iter().filter(|key| key.presence == Presence::Required).map(|key| key.name)
}

fn key_schema(record: &Record, key: &Key, mood: Mood) -> Value {
    let mut schema = shape_schema(key.shape, mood);
    let mut about = key.about.to_owned();
    match key.presence {
        Presence::Default(text) => schema["default"] = default_value(text),
        Presence::Otherwise(words) => about.push_str(&format!(" Left out: {words}.")),
        Presence::Required | Presence::Optional => {}
    }
    if let Some(part) = built_in_part(record.name, key.name) {
        about.push_str(&format!(" {}", part.replace("**", "")));
    }
    schema["description"] = json!(about);
    schema
}

/// A default as JSON: numbers and truth values typed, everything else as text.
fn default_value(text: &str) -> Value {
    match text {
        "true" => json!(true),
        "false" => json!(false),
        _ => text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number)),
    }
}

fn shape_schema(shape: Shape, mood: Mood) -> Value {
    let schema = match shape {
        Shape::Nothing => json!({ "type": "object", "maxProperties": 0 }),
        Shape::Text | Shape::Path => json!({ "type": ["string", "number", "boolean"] }),
        Shape::Name(kind) => name_schema(kind),
        Shape::Names(kind) => {
            json!({ "anyOf": [name_schema(kind), { "type": "array", "items": name_schema(kind) }] })
        }
        Shape::Word(words) => {
            let described = words.iter().map(|(word, about)| json!({ "const": word, "description": about }));
            let parameter = json!({ "type": "string", "pattern": PARAMETER });
            json!({ "anyOf": described.chain([parameter]).collect::<Vec<_>>() })
        }
        Shape::Boolean => {
            json!({ "anyOf": [{ "type": "boolean" }, { "type": "string", "pattern": PARAMETER }] })
        }
        Shape::Quantity(quantity) => json!({ "$ref": format!("#/$defs/{}", quantity_name(quantity)) }),
        Shape::Bound => json!({ "anyOf": [{ "$ref": "#/$defs/count" }, { "$ref": "#/$defs/share" }] }),
        Shape::Transition => {
            json!({ "type": "string", "pattern": r"^\s*[A-Za-z_][A-Za-z0-9_]*\s*->\s*[A-Za-z_][A-Za-z0-9_]*\s*$" })
        }
        Shape::Type => json!({ "$ref": "#/$defs/type" }),
        Shape::Expression(expected) => expression_schema(expected),
        Shape::Value(expected) => {
            let generator = match mood {
                Mood::Whole => reference(&GENERATOR, Mood::Whole),
                Mood::Patch => json!({ "type": "object" }),
            };
            json!({ "anyOf": [expression_schema(expected), generator] })
        }
        Shape::Steps => json!({ "$ref": "#/$defs/steps" }),
        Shape::List { of, least } => {
            let limits = if least > 0 { json!({ "minItems": least }) } else { json!({}) };
            list_schema(shape_schema(*of, Mood::Whole), limits)
        }
        Shape::Tuple { names, of } => {
            let length = json!({ "minItems": names.len(), "maxItems": names.len() });
            list_schema(shape_schema(*of, Mood::Whole), length)
        }
        Shape::Map { name, value } => return map_schema(name, *value, mood),
        Shape::Record(record) => return reference(record, mood),
        Shape::Patch(record) => return reference(record, Mood::Patch),
        Shape::Anything => json!({}),
        Shape::OneOf(shapes) => {
            json!({ "anyOf": shapes.iter().map(|shape| shape_schema(*shape, mood)).collect::<Vec<_>>() })
        }
    };
    match (mood, shape) {
        (Mood::Whole, _) | (_, Shape::Anything | Shape::OneOf(_)) => schema,
        (Mood::Patch, _) => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

fn map_schema(kind: Kind, value: Shape, mood: Mood) -> Value {
    let mut schema = json!({
        "type": types(&["object", "string"], mood),
        "pattern": PARAMETER,
        "propertyNames": { "pattern": format!("^{}$", kind.pattern()) },
    });
    if kind == Kind::Message && matches!(value, Shape::Record(_)) {
        // What a later schema leaves out is as in the first.
        schema["patternProperties"] =
            json!({ "^[^@]+$": shape_schema(value, mood), "@": shape_schema(value, Mood::Patch) });
    } else {
        schema["additionalProperties"] = shape_schema(value, mood);
    }
    schema
}

fn list_schema(items: Value, limits: Value) -> Value {
    let mut schema = json!({ "type": ["array", "string"], "pattern": PARAMETER, "items": items });
    for (key, limit) in limits.as_object().into_iter().flatten() {
        schema[key] = limit.clone();
    }
    schema
}

fn name_schema(kind: Kind) -> Value {
    let types: &[&str] = match kind {
        Kind::Constant => &["string", "number", "boolean"],
        _ => &["string"],
    };
    json!({ "type": types, "pattern": format!(r"^({}|\$[A-Za-z_][A-Za-z0-9_]*)$", kind.pattern()) })
}

fn expression_schema(expected: Expected) -> Value {
    match expected {
        Expected::Anything => json!({ "type": ["string", "number", "boolean"] }),
        Expected::Truth => json!({ "type": ["string", "boolean"] }),
        Expected::Count => json!({ "type": ["string", "integer"] }),
        Expected::List => json!({ "type": "string" }),
        // Anything but a number without a unit.
        Expected::Duration => json!({ "type": "string", "pattern": r"[^0-9._\s-]" }),
    }
}

fn quantity_schema(quantity: Quantity) -> Value {
    const NUMBER: &str = r"[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?";
    const TIME: &str = "(ns|us|ms|s|m|h|d)";
    const BYTES: &str = "([KMG]i?)?B";
    let (types, literal, title) = match quantity {
        Quantity::Duration => (json!("string"), format!("{NUMBER}{TIME}"), "a duration, with its unit"),
        Quantity::SignedDuration => {
            (json!("string"), format!("-?{NUMBER}{TIME}"), "a duration, with its unit; may be negative")
        }
        Quantity::Count => (json!(["integer", "string"]), "[0-9]+".to_owned(), "a count"),
        Quantity::Number => (json!(["number", "string"]), format!("-?{NUMBER}"), "a number"),
        Quantity::Share => (json!("string"), format!("{NUMBER}%"), "a percentage, with its sign"),
        Quantity::Size => (json!("string"), format!("{NUMBER}{BYTES}"), "a size, with its unit"),
        Quantity::Rate => (json!("string"), format!("{NUMBER}/(s|m|h)"), "a rate, with its unit"),
        Quantity::Bandwidth => {
            (json!("string"), format!("{NUMBER}{BYTES}/(s|m|h)"), "a bandwidth, with its unit")
        }
    };
    let mut schema = json!({
        "title": title,
        "description": format!("{}, `$parameter`, or a calculation with constants.", capital(quantity.expected())),
        "type": types,
        "pattern": format!(r"^\s*{literal}\s*$|{CALCULATION}"),
    });
    if quantity == Quantity::Count {
        schema["minimum"] = json!(0);
    }
    schema
}

fn type_schema() -> Value {
    json!({
        "title": "a type",
        "description": "A type: a word, a list of words (an enumeration), or a list of something.",
        "anyOf": [
            { "const": "id", "description": "compared and used as a key, nothing else" },
            { "const": "int", "description": "a whole number of 64 bits" },
            { "const": "bool", "description": "`true` or `false`" },
            { "const": "text", "description": "text" },
            { "const": "time", "description": "an instant" },
            { "const": "duration", "description": "a length of time" },
            { "type": "string", "pattern": PARAMETER },
            { "type": "array", "items": { "type": ["string", "number", "boolean"] }, "description": "one of these words" },
            {
                "type": "object",
                "properties": { "list": { "$ref": "#/$defs/type" } },
                "required": ["list"],
                "additionalProperties": false,
                "description": "a list of this type",
            },
        ],
    })
}

fn reference(record: &Record, mood: Mood) -> Value {
    json!({ "$ref": format!("#/$defs/{}", definition(record, mood)) })
}

fn definition(record: &Record, mood: Mood) -> String {
    match mood {
        Mood::Whole => record.name.to_owned(),
        Mood::Patch => format!("{}.patch", record.name),
    }
}

fn types(names: &[&str], mood: Mood) -> Value {
    let null = (mood == Mood::Patch).then_some("null");
    json!(names.iter().copied().chain(null).collect::<Vec<_>>())
}

fn quantity_name(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Duration => "duration",
        Quantity::SignedDuration => "signed-duration",
        Quantity::Count => "count",
        Quantity::Number => "number",
        Quantity::Share => "share",
        Quantity::Size => "size",
        Quantity::Rate => "rate",
        Quantity::Bandwidth => "bandwidth",
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
