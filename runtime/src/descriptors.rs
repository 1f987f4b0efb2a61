//! Descriptors that the guest has opened and not closed, as Valgrind's `--track-fds` tells them.
//!
//! ```text
//! path_open ─► WASI's own ─► opened ──► fd_renumber ──► fd_close ─► WASI's own ─► closed
//! ```
//!
//! The functions here stand before WASI's own of the same names and call these. The calls that
//! opened a descriptor are kept as places in the instrumented module: only for what is left at the
//! end are names put to them. What the host opened, standard streams and the directories that it
//! gave the guest, counts as nobody's. `sock_accept` is not among the functions: this host has no
//! sockets to accept from.

use crate::{
    collector::Feeder,
    end::Symbolizer,
    instance::Instance,
    stacks::{Call, calls},
    wasi::Host,
};
use seepage_trace::{Message, OpenFile};
use std::collections::BTreeMap;
use wasmtime::{AsContextMut, Caller, Error, Extern, Linker, Result, WasmBacktrace};
use wasmtime_wasi::{
    p1::{
        WasiP1Ctx,
        types::{Fd, Filetype},
        wasi_snapshot_preview1::{self as original, WasiSnapshotPreview1},
    },
    runtime::in_tokio,
};
use wiggle::GuestMemory;

/// Both previews have these functions in the same form.
const MODULES: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];
/// Descriptors that are followed at once.
const MAX_TRACKED: usize = 65_536;
/// Bytes of a path that are kept.
const MAX_PATH: usize = 4096;
/// The first descriptor behind the standard streams.
const FIRST: u32 = 3;
/// WASI's way to say that it went well.
const SUCCESS: i32 = 0;

/// What the guest has open.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    open: BTreeMap<u32, Descriptor>,
    untracked: u64,
}

#[derive(Debug)]
struct Descriptor {
    path: String,
    /// How it came to be, unless the host opened it.
    opening: Option<Opening>,
}

#[derive(Debug)]
struct Opening {
    kind: &'static str,
    calls: Box<[Call]>,
}

impl Descriptors {
    /// Of a guest that was given these directories.
    pub(crate) fn new<'a>(given: impl Iterator<Item = &'a str>) -> Descriptors {
        let given = given.map(|path| Descriptor { path: path.into(), opening: None });
        Descriptors { open: (FIRST..).zip(given).collect(), untracked: 0 }
    }

    /// Sends what is open and was not given, by number.
    pub(crate) fn send(&self, feeder: &Feeder, instance: &Instance, symbolizer: &Symbolizer<'_>) {
        for (descriptor, Descriptor { path, opening }) in &self.open {
            let Some(Opening { kind, calls }) = opening else { continue };
            feeder.send(Message::OpenFile(OpenFile {
                module: instance.id(),
                descriptor: *descriptor,
                kind: (*kind).into(),
                path: path.clone(),
                frames: symbolizer.calls(instance, calls),
            }));
        }
    }

    /// How many were opened while too many were open.
    pub(crate) fn untracked(&self) -> u64 {
        self.untracked
    }

    fn add(&mut self, number: u32, directory: u32, path: &str, opening: Opening) {
        if self.open.len() >= MAX_TRACKED && !self.open.contains_key(&number) {
            self.untracked += 1;
            return;
        }
        let path = match self.open.get(&directory).map(|directory| directory.path.as_str()) {
            None | Some("" | ".") => path.to_owned(),
            Some(directory) => format!("{}/{path}", directory.trim_end_matches('/')),
        };
        self.open.insert(number, Descriptor { path, opening: Some(opening) });
    }

    fn close(&mut self, number: u32) {
        self.open.remove(&number);
    }

    /// `from` becomes `to`, and what `to` was before is closed.
    fn renumber(&mut self, from: u32, to: u32) {
        let moved = self.open.remove(&from);
        self.open.remove(&to);
        self.open.extend(moved.map(|descriptor| (to, descriptor)));
    }
}

/// Puts the functions before those that a linker has; it must allow that.
pub(crate) fn define(linker: &mut Linker<Host>) -> Result<()> {
    for module in MODULES {
        linker.func_wrap(module, "path_open", path_open)?;
        linker.func_wrap(module, "fd_close", fd_close)?;
        linker.func_wrap(module, "fd_renumber", fd_renumber)?;
    }
    Ok(())
}

#[allow(clippy::too_many_arguments)] // WASI's own
fn path_open(
    mut caller: Caller<'_, Host>,
    directory: i32,
    lookup: i32,
    path: i32,
    path_length: i32,
    open: i32,
    rights: i64,
    inherited_rights: i64,
    flags: i32,
    opened: i32,
) -> Result<i32> {
    let result = call(&mut caller, async |wasi, memory| {
        original::path_open(
            wasi,
            memory,
            directory,
            lookup,
            path,
            path_length,
            open,
            rights,
            inherited_rights,
            flags,
            opened,
        )
        .await
    })?;
    if result == SUCCESS {
        let number = u32::from_le_bytes(bytes(&mut caller, opened, 4).try_into().unwrap_or([0; 4]));
        let length = path_length.clamp(0, MAX_PATH as i32);
        let path = String::from_utf8_lossy(&bytes(&mut caller, path, length)).into_owned();
        let kind = kind(&mut caller, number);
        let calls = calls(&WasmBacktrace::force_capture(&caller));
        let descriptors = &mut caller.data_mut().descriptors;
        descriptors.add(number, directory as u32, &path, Opening { kind, calls });
    }
    Ok(result)
}

fn fd_close(mut caller: Caller<'_, Host>, number: i32) -> Result<i32> {
    let result =
        call(&mut caller, async |wasi, memory| original::fd_close(wasi, memory, number).await)?;
    if result == SUCCESS {
        caller.data_mut().descriptors.close(number as u32);
    }
    Ok(result)
}

fn fd_renumber(mut caller: Caller<'_, Host>, from: i32, to: i32) -> Result<i32> {
    let result = call(&mut caller, async |wasi, memory| {
        original::fd_renumber(wasi, memory, from, to).await
    })?;
    if result == SUCCESS {
        caller.data_mut().descriptors.renumber(from as u32, to as u32);
    }
    Ok(result)
}

/// Calls one of WASI's functions as wasmtime's own linking does.
fn call<R>(
    caller: &mut Caller<'_, Host>,
    function: impl AsyncFnOnce(&mut WasiP1Ctx, &mut GuestMemory<'_>) -> Result<R>,
) -> Result<R> {
    let fuel = caller.as_context_mut().hostcall_fuel();
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Err(Error::msg("missing required memory export"));
    };
    let (bytes, host) = memory.data_and_store_mut(caller);
    host.wasi.set_hostcall_fuel(fuel);
    in_tokio(function(&mut host.wasi, &mut GuestMemory::Unshared(bytes)))
}

/// Bytes of the guest's memory, as far as they are there.
fn bytes(caller: &mut Caller<'_, Host>, at: i32, length: i32) -> Vec<u8> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return Vec::new() };
    let (at, length) = (at as u32 as usize, length as usize);
    memory.data(caller).get(at..at.saturating_add(length)).unwrap_or_default().to_vec()
}

fn kind(caller: &mut Caller<'_, Host>, number: u32) -> &'static str {
    let stat = call(caller, async |wasi, memory| {
        Ok(wasi.fd_fdstat_get(memory, Fd::from(number)).await.ok())
    });
    match stat.ok().flatten().map(|stat| stat.fs_filetype) {
        Some(Filetype::RegularFile) => "file",
        Some(Filetype::Directory) => "directory",
        Some(Filetype::CharacterDevice | Filetype::BlockDevice) => "device",
        Some(Filetype::SocketDgram | Filetype::SocketStream) => "socket",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening() -> Opening {
        Opening { kind: "file", calls: Box::default() }
    }

    fn open(descriptors: &Descriptors) -> Vec<(u32, &str)> {
        let open = descriptors.open.iter().filter(|(_, it)| it.opening.is_some());
        open.map(|(&number, it)| (number, it.path.as_str())).collect()
    }

    #[test]
    fn what_was_given_is_nobodys() {
        let mut descriptors = Descriptors::new(["/data", "."].into_iter());
        descriptors.add(5, 3, "a", opening());
        descriptors.add(6, 4, "b", opening());
        descriptors.add(7, 6, "c", opening());
        assert_eq!(open(&descriptors), [(5, "/data/a"), (6, "b"), (7, "b/c")]);
        descriptors.renumber(5, 6);
        descriptors.close(7);
        descriptors.renumber(3, 9);
        assert_eq!(open(&descriptors), [(6, "/data/a")]);
        descriptors.renumber(9, 6);
        assert_eq!(open(&descriptors), []);
    }

    #[test]
    fn too_many_are_counted() {
        let mut descriptors = Descriptors::default();
        (0..MAX_TRACKED as u32 + 5).for_each(|number| descriptors.add(number, 3, "", opening()));
        assert_eq!((open(&descriptors).len(), descriptors.untracked()), (MAX_TRACKED, 5));
    }
}
