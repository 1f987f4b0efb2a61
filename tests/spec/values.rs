//! Arguments and expected results of assertions, in the engine's terms.

use anyhow::{Result, bail};
use wasmtime::{AnyRef, ExternRef, Rooted, Store, Val};
use wast::core::{
    AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore as Arg, WastRetCore as Ret,
};
use wast::{WastArg, WastRet};

pub fn argument(store: &mut Store<()>, arg: &WastArg<'_>) -> Result<Val> {
    let WastArg::Core(arg) = arg else { bail!("an argument of components") };
    Ok(match arg {
        Arg::I32(value) => Val::I32(*value),
        Arg::I64(value) => Val::I64(*value),
        Arg::F32(value) => Val::F32(value.bits),
        Arg::F64(value) => Val::F64(value.bits),
        Arg::V128(value) => Val::V128(u128::from_le_bytes(value.to_le_bytes()).into()),
        Arg::RefNull(HeapType::Abstract { ty, .. }) => match ty {
            AbstractHeapType::Func | AbstractHeapType::NoFunc => Val::FuncRef(None),
            AbstractHeapType::Extern | AbstractHeapType::NoExtern => Val::ExternRef(None),
            AbstractHeapType::Exn | AbstractHeapType::NoExn => Val::ExnRef(None),
            _ => Val::AnyRef(None),
        },
        Arg::RefExtern(value) => Val::ExternRef(Some(ExternRef::new(store, *value)?)),
        Arg::RefHost(value) => {
            let host = ExternRef::new(&mut *store, *value)?;
            Val::AnyRef(Some(AnyRef::convert_extern(store, host)?))
        }
        other => bail!("an argument that this test cannot make: {other:?}"),
    })
}

/// A value to compare by. Of a NaN the bits are the engine's choice; of a reference to a thing in
/// the guest, its address is.
pub fn show(store: &mut Store<()>, value: &Val) -> Result<String> {
    Ok(match value {
        Val::F32(bits) if f32::from_bits(*bits).is_nan() => "NaN".into(),
        Val::F64(bits) if f64::from_bits(*bits).is_nan() => "NaN".into(),
        Val::FuncRef(Some(_)) => "a function".into(),
        Val::ExternRef(Some(reference)) => format!("extern {:?}", host(store, *reference)?),
        Val::AnyRef(Some(reference)) => kind_of(store, *reference)?,
        Val::ExnRef(Some(_)) => "an exception".into(),
        // Lanes may be NaN as well; the expectation, which both must meet, says which.
        Val::V128(_) => "a vector".into(),
        other => format!("{other:?}"),
    })
}

pub fn is_as_expected(store: &mut Store<()>, value: &Val, expected: &WastRet<'_>) -> Result<bool> {
    let WastRet::Core(expected) = expected else { bail!("a result of components") };
    matches(store, value, expected)
}

fn matches(store: &mut Store<()>, value: &Val, expected: &Ret<'_>) -> Result<bool> {
    Ok(match (value, expected) {
        (value, Ret::Either(cases)) => {
            for case in cases {
                if matches(store, value, case)? {
                    return Ok(true);
                }
            }
            false
        }
        (Val::I32(value), Ret::I32(expected)) => value == expected,
        (Val::I64(value), Ret::I64(expected)) => value == expected,
        (Val::F32(bits), Ret::F32(pattern)) => is_f32(*bits, pattern),
        (Val::F64(bits), Ret::F64(pattern)) => is_f64(*bits, pattern),
        (Val::V128(value), Ret::V128(pattern)) => is_vector(value.as_u128(), pattern),
        (
            Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) | Val::ExnRef(None),
            Ret::RefNull(_),
        ) => true,
        (Val::FuncRef(Some(_)), Ret::RefFunc(_)) => true,
        (Val::ExternRef(Some(_)), Ret::RefExtern(None)) => true,
        (Val::ExternRef(Some(reference)), Ret::RefExtern(Some(expected))) => {
            host(store, *reference)? == Some(*expected)
        }
        (Val::AnyRef(Some(_)), Ret::RefAny) => true,
        (Val::AnyRef(Some(reference)), Ret::RefEq) => reference.is_eqref(&*store)?,
        (Val::AnyRef(Some(reference)), Ret::RefI31) => reference.is_i31(&*store)?,
        (Val::AnyRef(Some(reference)), Ret::RefStruct) => reference.is_struct(&*store)?,
        (Val::AnyRef(Some(reference)), Ret::RefArray) => reference.is_array(&*store)?,
        (Val::AnyRef(Some(reference)), Ret::RefHost(expected)) => {
            kind_of(store, *reference)? == format!("host {:?}", Some(expected))
        }
        _ => false,
    })
}

fn host(store: &mut Store<()>, reference: Rooted<ExternRef>) -> Result<Option<u32>> {
    let data = reference.data(&*store)?;
    Ok(data.and_then(|data| data.downcast_ref::<u32>()).copied())
}

fn kind_of(store: &mut Store<()>, reference: Rooted<AnyRef>) -> Result<String> {
    if let Some(number) = reference.as_i31(&*store)? {
        return Ok(format!("i31 {}", number.get_u32()));
    }
    if reference.is_struct(&*store)? {
        return Ok("a struct".into());
    }
    if reference.is_array(&*store)? {
        return Ok("an array".into());
    }
    let outer = ExternRef::convert_any(&mut *store, reference)?;
    Ok(format!("host {:?}", host(store, outer)?))
}

fn is_f32(bits: u32, pattern: &NanPattern<wast::token::F32>) -> bool {
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(value) => bits == value.bits,
    }
}

fn is_f64(bits: u64, pattern: &NanPattern<wast::token::F64>) -> bool {
    match pattern {
        NanPattern::CanonicalNan => bits & i64::MAX as u64 == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(value) => bits == value.bits,
    }
}

fn is_vector(value: u128, pattern: &V128Pattern) -> bool {
    let bytes = value.to_le_bytes();
    let lanes = |size: usize| {
        bytes
            .chunks(size)
            .map(|lane| lane.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte)))
    };
    match pattern {
        V128Pattern::I8x16(expected) => lanes(1).eq(expected.iter().map(|&lane| lane as u8 as u64)),
        V128Pattern::I16x8(expected) => {
            lanes(2).eq(expected.iter().map(|&lane| lane as u16 as u64))
        }
        V128Pattern::I32x4(expected) => {
            lanes(4).eq(expected.iter().map(|&lane| lane as u32 as u64))
        }
        V128Pattern::I64x2(expected) => lanes(8).eq(expected.iter().map(|&lane| lane as u64)),
        V128Pattern::F32x4(expected) => {
            lanes(4).zip(expected).all(|(lane, pattern)| is_f32(lane as u32, pattern))
        }
        V128Pattern::F64x2(expected) => {
            lanes(8).zip(expected).all(|(lane, pattern)| is_f64(lane, pattern))
        }
    }
}
