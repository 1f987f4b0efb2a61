//! WASI preview 1 for a run.

use crate::{
    descriptors::{self, Descriptors},
    error::Error,
    memory::Limiter,
    options::{Output, RunOptions, Stdin},
};
use wasmtime::{Engine, Linker, Result};
use wasmtime_wasi::{
    FsPerms, I32Exit, WasiCtxBuilder, p0,
    p1::{WasiP1Ctx, add_to_linker_sync},
    p2::pipe::MemoryInputPipe,
};

/// What a run's store holds.
pub(crate) struct Host {
    pub(crate) wasi: WasiP1Ctx,
    pub(crate) descriptors: Descriptors,
    pub(crate) limiter: Limiter,
}

impl Host {
    pub(crate) fn new(options: &RunOptions, limiter: Limiter) -> Result<Host, Error> {
        let given = options.dirs.iter().map(|dir| dir.guest.as_str());
        Ok(Host { wasi: context(options)?, descriptors: Descriptors::new(given), limiter })
    }
}

/// A linker with WASI in it.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    add_to_linker_sync(&mut linker, |host: &mut Host| &mut host.wasi)?;
    // Programs built before preview 1 are still about, and want the same under another name.
    p0::add_to_linker_sync(&mut linker, |host: &mut Host| &mut host.wasi)?;
    // wasmtime's own refuses codes from 126 up and loses them; a guest's code is what it says.
    linker.allow_shadowing(true);
    let exit = |code: i32| -> Result<()> { Err(I32Exit(code).into()) };
    linker.func_wrap("wasi_snapshot_preview1", "proc_exit", exit)?;
    linker.func_wrap("wasi_unstable", "proc_exit", exit)?;
    descriptors::define(&mut linker)?;
    linker.allow_shadowing(false);
    Ok(linker)
}

fn context(options: &RunOptions) -> Result<WasiP1Ctx, Error> {
    let mut builder = WasiCtxBuilder::new();
    // The guest has a thread of its own, so a file operation need not go through an executor.
    builder.allow_blocking_current_thread(true);
    for arg in &options.args {
        if arg.contains('\0') {
            return Err(Error::Nul { what: "an argument".into() });
        }
        builder.arg(arg);
    }
    for (name, value) in &options.env {
        if name.contains('\0') || value.contains('\0') {
            return Err(Error::Nul { what: format!("the variable {name:?}") });
        }
        builder.env(name, value);
    }
    for dir in &options.dirs {
        builder.preopened_dir(&dir.host, &dir.guest, FsPerms::ReadWrite).map_err(|error| {
            let path = dir.host.display().to_string();
            Error::Directory { path, error: error.root_cause().to_string() }
        })?;
    }
    match &options.stdin {
        Stdin::Inherit => builder.inherit_stdin(),
        Stdin::Bytes(bytes) => builder.stdin(MemoryInputPipe::new(bytes.clone())),
    };
    match &options.stdout {
        Output::Inherit => builder.inherit_stdout(),
        Output::Stderr => builder.stdout(std::io::stderr()),
        Output::Discard => builder.stdout(std::io::empty()),
        Output::Capture(capture) => builder.stdout(capture.pipe()),
    };
    match &options.stderr {
        Output::Inherit | Output::Stderr => builder.inherit_stderr(),
        Output::Discard => builder.stderr(std::io::empty()),
        Output::Capture(capture) => builder.stderr(capture.pipe()),
    };
    Ok(builder.build_p1())
}
