//! As much of JSON Schema as our schema uses; anything else is an error, so that nothing goes
//! unchecked.

use serde_json::Value;

pub fn errors(schema: &Value, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    check(schema, schema, value, "", &mut errors);
    errors
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
    let Some(keywords) = schema.as_object() else {
        errors.push(format!("{at}: the schema is no object"));
        return;
    };
    for (keyword, argument) in keywords {
        let mut fail = |what: String| errors.push(format!("{at}: {what}"));
        match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" | "format" | "default" => {}
            "properties" | "required" if !value.is_object() => {}
            "$ref" => {
                let pointer = argument.as_str().unwrap_or_default().trim_start_matches('#');
                match root.pointer(pointer) {
                    Some(target) => check(root, target, value, at, errors),
                    None => fail(format!("no {pointer}")),
                }
            }
            "type" => {
                let types = argument.as_array().cloned().unwrap_or(vec![argument.clone()]);
                if !types.iter().any(|name| has_type(value, name.as_str().unwrap_or_default())) {
                    fail(format!("{value} is no {argument}"));
                }
            }
            "minimum" | "maximum" => {
                let (Some(value), Some(limit)) = (value.as_f64(), argument.as_f64()) else {
                    continue;
                };
                if (keyword == "minimum" && value < limit)
                    || (keyword == "maximum" && value > limit)
                {
                    fail(format!("{value} is beyond the {keyword}"));
                }
            }
            "required" => {
                for name in argument.as_array().into_iter().flatten() {
                    if value.get(name.as_str().unwrap_or_default()).is_none() {
                        fail(format!("no {name}"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in argument.as_object().into_iter().flatten() {
                    if let Some(value) = value.get(name) {
                        check(root, schema, value, &format!("{at}/{name}"), errors);
                    }
                }
                for name in value.as_object().into_iter().flat_map(|map| map.keys()) {
                    if argument.get(name).is_none() {
                        errors.push(format!("{at}: {name} is not in the schema"));
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, argument, item, &format!("{at}/{index}"), errors);
                }
            }
            "const" if argument == value => {}
            "const" => fail(format!("{value} is not {argument}")),
            "enum" if argument.as_array().is_some_and(|list| list.contains(value)) => {}
            "enum" => fail(format!("{value} is none of {argument}")),
            "anyOf" | "oneOf" => {
                let fits = |schema: &&Value| {
                    let mut errors = Vec::new();
                    check(root, schema, value, at, &mut errors);
                    errors.is_empty()
                };
                let count = argument.as_array().into_iter().flatten().filter(fits).count();
                if count == 0 || keyword == "oneOf" && count > 1 {
                    fail(format!("{value} fits {count} of {keyword}"));
                }
            }
            other => fail(format!("the schema uses {other}")),
        }
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}
