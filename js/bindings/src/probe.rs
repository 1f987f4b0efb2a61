//! The engine that this module runs in itself, for a probe: JavaScript compiles what is probed and
//! calls it, `js/src/probe.ts`.

use seepage_instrumenter::probe::{self, Instance};

/// Bytes of an engine's words that are kept.
const MOST_WORDS: usize = 256;

#[link(wasm_import_module = "probe")]
unsafe extern "C" {
    /// Each that may fail answers whether it did not; else the engine's words are in the buffer,
    /// whose length is at `length`.
    fn compile(wasm: *const u8, size: usize, words: *mut u8, length: *mut usize) -> i32;
    /// The number of an instance; 0 if there is none.
    fn instantiate(words: *mut u8, length: *mut usize) -> u32;
    safe fn forget(instance: u32);
    /// The number of an export; 0 if it is none that can be called.
    fn find(instance: u32, name: *const u8, length: usize) -> u32;
    fn call(
        instance: u32,
        export: u32,
        arguments: *const u64,
        count: usize,
        answer: *mut u64,
        words: *mut u8,
        length: *mut usize,
    ) -> i32;
    safe fn size(instance: u32) -> u64;
    fn read(instance: u32, address: u64, bytes: *mut u8, length: usize) -> i32;
    fn write(instance: u32, address: u64, bytes: *const u8, length: usize) -> i32;
    safe fn fuel(instance: u32) -> i64;
    safe fn set_fuel(instance: u32, fuel: i64);
}

/// Whatever runs this.
pub(crate) struct Engine;

impl probe::Engine for Engine {
    fn compile(&mut self, wasm: &[u8]) -> Result<(), String> {
        // SAFETY: JavaScript reads what is passed, and writes no more words than there is room for.
        let compiled = words(|words, length| unsafe {
            compile(wasm.as_ptr(), wasm.len(), words, length) as u32
        });
        compiled.map(|_| ())
    }

    fn instantiate(&mut self) -> Result<Box<dyn Instance>, String> {
        // SAFETY: as above.
        let number = words(|words, length| unsafe { instantiate(words, length) })?;
        Ok(Box::new(Numbered { number, exports: Vec::new() }))
    }
}

/// What fails with 0 and words.
fn words(ask: impl FnOnce(*mut u8, *mut usize) -> u32) -> Result<u32, String> {
    let (mut words, mut length) = ([0; MOST_WORDS], MOST_WORDS);
    match ask(words.as_mut_ptr(), &mut length) {
        0 => Err(String::from_utf8_lossy(&words[..length.min(MOST_WORDS)]).into_owned()),
        answer => Ok(answer),
    }
}

/// An instance that JavaScript keeps.
struct Numbered {
    number: u32,
    /// Those that were looked for, with their numbers.
    exports: Vec<(String, u32)>,
}

impl Numbered {
    fn export(&mut self, name: &str) -> u32 {
        if let Some((_, export)) = self.exports.iter().find(|(known, _)| known == name) {
            return *export;
        }
        // SAFETY: JavaScript only reads the name.
        let export = unsafe { find(self.number, name.as_ptr(), name.len()) };
        self.exports.push((name.into(), export));
        export
    }
}

impl Instance for Numbered {
    fn call(&mut self, export: &str, arguments: &[u64]) -> Result<u64, String> {
        let export = self.export(export);
        if export == 0 {
            return Err("it is not exported".into());
        }
        let mut answer = 0;
        let (passed, count) = (arguments.as_ptr(), arguments.len());
        // SAFETY: JavaScript reads so many arguments, and writes one answer and no more words than
        // there is room for.
        words(|words, length| unsafe {
            call(self.number, export, passed, count, &mut answer, words, length) as u32
        })?;
        Ok(answer)
    }

    fn size(&mut self) -> u64 {
        size(self.number)
    }

    fn read(&mut self, address: u64, bytes: &mut [u8]) -> bool {
        // SAFETY: JavaScript writes as many bytes as there are.
        unsafe { read(self.number, address, bytes.as_mut_ptr(), bytes.len()) != 0 }
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        // SAFETY: JavaScript only reads them.
        unsafe { write(self.number, address, bytes.as_ptr(), bytes.len()) != 0 }
    }

    fn fuel(&mut self) -> i64 {
        fuel(self.number)
    }

    fn set_fuel(&mut self, fuel: i64) {
        set_fuel(self.number, fuel);
    }
}

impl Drop for Numbered {
    fn drop(&mut self) {
        forget(self.number);
    }
}
