//! Calling an export by name, with arguments and results as text, as `wasmtime run --invoke` does.

use crate::error::Error;
use std::fmt::Display;
use wasmtime::{ExternType, FuncType, Module, Val, ValType};

/// The functions that a module exports, without what instrumentation added.
pub(crate) fn exported_functions(module: &Module) -> Vec<String> {
    let functions = module.exports().filter(|export| matches!(export.ty(), ExternType::Func(_)));
    functions
        .map(|export| export.name().to_owned())
        .filter(|n| !n.starts_with("seepage:"))
        .collect()
}

/// The values of `args` for the export `name`.
pub(crate) fn parameters(module: &Module, name: &str, args: &[String]) -> Result<Vec<Val>, Error> {
    let Some(ExternType::Func(ty)) = module.get_export(name) else {
        return Err(Error::NoExport { name: name.into(), exports: exported_functions(module) });
    };
    let refuse = |why: String| Error::Arguments {
        name: name.into(),
        parameters: ty.params().map(|ty| ty.to_string()).collect(),
        why,
    };
    if ty.params().len() != args.len() {
        let given = match args.len() {
            0 => "no argument was given".into(),
            1 => "1 argument was given".into(),
            count => format!("{count} arguments were given"),
        };
        return Err(refuse(given));
    }
    ty.params().zip(args).map(|(ty, text)| value(&ty, text).map_err(refuse)).collect()
}

/// Room for the results of a function.
pub(crate) fn results(ty: &FuncType) -> Vec<Val> {
    ty.results().map(|ty| ty.default_value().unwrap_or(Val::I32(0))).collect()
}

/// A result as text.
pub(crate) fn show(value: &Val) -> String {
    match value {
        Val::I32(value) => value.to_string(),
        Val::I64(value) => value.to_string(),
        Val::F32(bits) => f32::from_bits(*bits).to_string(),
        Val::F64(bits) => f64::from_bits(*bits).to_string(),
        Val::V128(value) => value.as_u128().to_string(),
        Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) => "<null>".into(),
        _ => "<reference>".into(),
    }
}

fn value(ty: &ValType, text: &str) -> Result<Val, String> {
    fn says<E: Display>(text: &str) -> impl Fn(E) -> String {
        move |error| format!("`{text}`: {error}")
    }
    Ok(match ty {
        ValType::I32 => {
            let value = integer(text)?;
            let narrow = i32::try_from(value).or_else(|_| u32::try_from(value).map(|v| v as i32));
            Val::I32(narrow.map_err(says(text))?)
        }
        ValType::I64 => {
            let value = integer(text)?;
            let narrow = i64::try_from(value).or_else(|_| u64::try_from(value).map(|v| v as i64));
            Val::I64(narrow.map_err(says(text))?)
        }
        ValType::F32 => Val::F32(text.parse::<f32>().map_err(says(text))?.to_bits()),
        ValType::F64 => Val::F64(text.parse::<f64>().map_err(says(text))?.to_bits()),
        other => return Err(format!("a {other} cannot be written on a command line")),
    })
}

fn integer(text: &str) -> Result<i128, String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let parsed = match digits.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    let value = parsed.map_err(|error| format!("`{text}`: {error}"))?;
    Ok(if negative { -value } else { value })
}

/// What may be an address, if it is one.
pub(crate) fn address(value: &Val) -> Option<u64> {
    match value {
        Val::I32(value) => Some(u64::from(*value as u32)),
        Val::I64(value) => Some(*value as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let i32 = |text| value(&ValType::I32, text).map(|value| show(&value));
        assert_eq!(i32("-1").unwrap(), "-1");
        assert_eq!(i32("0xffffffff").unwrap(), "-1");
        assert_eq!(i32("4294967295").unwrap(), "-1");
        assert!(i32("4294967296").unwrap_err().contains("`4294967296`"));
        assert!(i32("--1").is_err() || i32("--1").unwrap() == "1");
        assert!(i32("ten").is_err());
        assert_eq!(show(&value(&ValType::F64, "2.5").unwrap()), "2.5");
        assert_eq!(
            show(&value(&ValType::I64, "-0x8000000000000000").unwrap()),
            i64::MIN.to_string()
        );
    }
}
