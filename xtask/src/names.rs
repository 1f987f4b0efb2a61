//! What a module tells of its functions: a reader of just the sections that say so.

use anyhow::{Context, Result, ensure};

const CUSTOM: u8 = 0;
const FUNCTIONS: u8 = 3;

/// How much a module has to say to a profiler.
#[derive(Default)]
pub struct Told {
    /// The functions it defines.
    pub functions: u32,
    /// How many functions, imports included, the name section names.
    pub named: u32,
    pub dwarf: bool,
}

pub fn read(module: &[u8]) -> Result<Told> {
    ensure!(module.starts_with(b"\0asm\x01\0\0\0"), "not a core module");
    let mut told = Told::default();
    let mut rest = &module[8..];
    while let Some((&id, after)) = rest.split_first() {
        rest = after;
        let mut section = take_sized(&mut rest)?;
        if id == FUNCTIONS {
            told.functions = take_number(&mut section)?;
        } else if id == CUSTOM {
            match take_sized(&mut section)? {
                b"name" => told.named = named_functions(section)?,
                b".debug_line" => told.dwarf = true,
                _ => {}
            }
        }
    }
    Ok(told)
}

/// The length of the map of functions, the subsection 1 of the name section.
fn named_functions(mut section: &[u8]) -> Result<u32> {
    while let Some((&id, after)) = section.split_first() {
        section = after;
        let mut subsection = take_sized(&mut section)?;
        if id == 1 {
            return take_number(&mut subsection);
        }
    }
    Ok(0)
}

fn take_sized<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8]> {
    let size = take_number(bytes)? as usize;
    let (taken, rest) = bytes.split_at_checked(size).context("the module is cut short")?;
    *bytes = rest;
    Ok(taken)
}

/// A LEB128 number.
fn take_number(bytes: &mut &[u8]) -> Result<u32> {
    let mut number = 0u32;
    for shift in (0..32).step_by(7) {
        let (&byte, rest) = bytes.split_first().context("the module is cut short")?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    anyhow::bail!("a number is too long")
}
