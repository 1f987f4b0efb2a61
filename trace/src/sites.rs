//! The table that an instrumented module carries: what a host must know to read its records and to
//! put names to its stacks, without the original and without a DWARF reader.

use crate::{
    abi::{RecordLayout, RingLayout},
    bytes::{Malformed, Reader, Result, write_i64, write_option, write_str, write_u64},
    message::{Frame, ModuleInfo},
    version::FORMAT_VERSION,
};
use alloc::{format, sync::Arc, vec::Vec};
use core::ops::Range;

/// How the records leave the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Through a ring in a second memory.
    Ring(RingLayout),
    /// One call of an import a record.
    Call,
}

/// A static, instrumented call of the original module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Offset of the call in the instrumented module, from the module's first byte.
    pub offset: u32,
    /// Offset of the same call in the original.
    pub original: u32,
    /// The call stays inside a group of mutually recursive functions, so it does not change the
    /// context, and a stack leaves its frame out.
    pub recursive: bool,
    /// Its frames in [`SiteTable::frames`]: the function, behind those inlined into it.
    pub frames: Range<u32>,
}

/// A function of the instrumented module that was in the original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its index in the original.
    pub original: u32,
    /// Its name, demangled, where one is known.
    pub name: Option<Arc<str>>,
}

/// The content of the custom section [`crate::abi::SECTION`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteTable {
    /// What the trace says of the module.
    pub module: ModuleInfo,
    /// How records leave the guest.
    pub transport: Transport,
    /// The records' form.
    pub layout: RecordLayout,
    /// The instrumented calls, by rising [`Site::offset`].
    pub sites: Vec<Site>,
    /// The frames that sites share.
    pub frames: Vec<Frame>,
    /// By index in the instrumented module; `None` for what instrumentation added.
    pub functions: Vec<Option<Function>>,
}

impl SiteTable {
    /// The frames of a backtrace entry, innermost first: of the call at `offset` in function
    /// `index` of the instrumented module. Empty for a function that instrumentation added.
    pub fn frames(&self, index: u32, offset: Option<u32>) -> Vec<Frame> {
        if let Some(site) = offset.and_then(|offset| self.site(offset)) {
            let range = site.frames.start as usize..site.frames.end as usize;
            return self.frames.get(range).unwrap_or_default().to_vec();
        }
        match self.functions.get(index as usize) {
            Some(Some(function)) => alloc::vec![Frame::function(function.display_name())],
            _ => Vec::new(),
        }
    }

    /// The site whose call is at `offset` of the instrumented module.
    pub fn site(&self, offset: u32) -> Option<&Site> {
        let index = self.sites.binary_search_by_key(&offset, |site| site.offset).ok()?;
        self.sites.get(index)
    }

    /// The section's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_u64(&mut out, FORMAT_VERSION.into());
        crate::encode::module_body(&mut out, &self.module);
        match self.transport {
            Transport::Call => out.push(0),
            Transport::Ring(ring) => {
                out.push(1);
                for value in [ring.pages, ring.cache_slots, ring.start, ring.end] {
                    write_u64(&mut out, value.into());
                }
            }
        }
        out.push((self.layout == RecordLayout::Wide).into());

        let mut strings: Vec<&str> = Vec::new();
        let texts = self.frames.iter().flat_map(|f| [Some(&f.function), f.file.as_ref()]);
        let names = self.functions.iter().map(|f| f.as_ref().and_then(|f| f.name.as_ref()));
        strings.extend(texts.chain(names).flatten().map(|text| &**text));
        strings.sort_unstable();
        strings.dedup();
        let id = |text: &str| strings.binary_search(&text).unwrap_or(0) as u64;

        write_u64(&mut out, strings.len() as u64);
        strings.iter().for_each(|text| write_str(&mut out, text));
        write_u64(&mut out, self.frames.len() as u64);
        for frame in &self.frames {
            write_u64(&mut out, id(&frame.function));
            write_option(&mut out, frame.file.as_deref().map(id));
            write_option(&mut out, frame.line.map(u64::from));
            write_option(&mut out, frame.column.map(u64::from));
            out.push(frame.inlined.into());
        }
        write_u64(&mut out, self.sites.len() as u64);
        let (mut offset, mut original, mut start) = (0, 0, 0);
        for site in &self.sites {
            let count = site.frames.end - site.frames.start;
            write_u64(&mut out, (site.offset - offset).into());
            write_i64(&mut out, i64::from(site.original) - i64::from(original));
            write_u64(&mut out, u64::from(count) << 1 | u64::from(site.recursive));
            write_i64(&mut out, i64::from(site.frames.start) - i64::from(start));
            (offset, original, start) = (site.offset, site.original, site.frames.start);
        }
        write_u64(&mut out, self.functions.len() as u64);
        for function in &self.functions {
            write_option(&mut out, function.as_ref().map(|f| f.original.into()));
            if let Some(function) = function {
                write_option(&mut out, function.name.as_deref().map(id));
            }
        }
        out
    }

    /// Reads a section.
    ///
    /// # Errors
    /// A sentence that says why the bytes are no such section.
    pub fn decode(bytes: &[u8]) -> core::result::Result<SiteTable, alloc::string::String> {
        let reader = &mut Reader::new(bytes);
        let version = reader.u32().map_err(|Malformed| "the section is empty")?;
        if version != FORMAT_VERSION {
            return Err(format!(
                "it was instrumented with format version {version}, but this seepage reads \
                 version {FORMAT_VERSION}"
            ));
        }
        Self::decode_body(reader).map_err(|Malformed| "the section is damaged".into())
    }

    fn decode_body(reader: &mut Reader<'_>) -> Result<SiteTable> {
        let module = crate::decode::module_body(reader)?;
        let transport = if reader.bool()? {
            let [pages, cache_slots, start, end] =
                [reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?];
            Transport::Ring(RingLayout { pages, cache_slots, start, end })
        } else {
            Transport::Call
        };
        let layout = if reader.bool()? { RecordLayout::Wide } else { RecordLayout::Narrow };
        let strings: Vec<Arc<str>> = reader.list(|reader| Ok(reader.string()?.into()))?;
        let text = |id: u64| {
            usize::try_from(id).ok().and_then(|id| strings.get(id)).cloned().ok_or(Malformed)
        };
        let number =
            |value: Option<u64>| value.map(u32::try_from).transpose().map_err(|_| Malformed);
        let frames = reader.list(|reader| {
            Ok(Frame {
                function: text(reader.u64()?)?,
                file: reader.option()?.map(text).transpose()?,
                line: number(reader.option()?)?,
                column: number(reader.option()?)?,
                inlined: reader.bool()?,
                recursion: false,
            })
        })?;
        let (mut offset, mut original, mut start) = (0u32, 0i64, 0i64);
        let sites = reader.list(|reader| {
            offset = offset.checked_add(reader.u32()?).ok_or(Malformed)?;
            original = original.checked_add(reader.i64()?).ok_or(Malformed)?;
            let count = reader.u32()?;
            start = start.checked_add(reader.i64()?).ok_or(Malformed)?;
            let first = u32::try_from(start).map_err(|_| Malformed)?;
            Ok(Site {
                offset,
                original: u32::try_from(original).map_err(|_| Malformed)?,
                recursive: count & 1 == 1,
                frames: first..first.checked_add(count >> 1).ok_or(Malformed)?,
            })
        })?;
        let functions = reader.list(|reader| {
            let Some(original) = number(reader.option()?)? else { return Ok(None) };
            let name = reader.option()?.map(text).transpose()?;
            Ok(Some(Function { original, name }))
        })?;
        Ok(SiteTable { module, transport, layout, sites, frames, functions })
    }
}

impl Function {
    /// Its name, or `wasm-function[N]` as browsers call it, with its index in the original.
    pub fn display_name(&self) -> Arc<str> {
        match &self.name {
            Some(name) => name.clone(),
            None => format!("wasm-function[{}]", self.original).into(),
        }
    }
}
