//! What the JavaScript beside a module tells: under which export, however short its name, it calls
//! the module's allocator, and which import is which of its functions.
//!
//! Emscripten binds `_malloc = wasmExports["x"]` in a dozen ways, minified or not; wasm-bindgen
//! passes `wasm.__wbindgen_export_0` to `passStringToWasm0` where it means its malloc. The text is
//! searched, never run.

use regex_lite::Regex;
use std::collections::BTreeSet;

/// An export that the glue uses as an allocator's function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GlueName {
    pub(crate) export: String,
    /// The name by which the glue knows it.
    pub(crate) name: &'static str,
}

const EMSCRIPTEN: [&str; 7] =
    ["malloc", "free", "calloc", "realloc", "memalign", "aligned_alloc", "posix_memalign"];

/// No minified import has a longer name.
const MAX_NAME: usize = 64;

/// How exports are read from the instance: `wasmExports["x"]`, `Module["asm"].x`, `asm["x"]`.
const EXPORTS: &str = r#"(?:wasmExports|asm|exports|Module\["asm"\]|[A-Za-z_$][\w$]?)(?:\["([^"]{1,64})"\]|\.([\w$]{1,64}))"#;

/// Reads the allocator's exports from a JavaScript text.
pub(crate) fn read(text: &str) -> Vec<GlueName> {
    let mut names = Vec::new();
    let text = text.replace('\'', "\"");
    for name in EMSCRIPTEN {
        // Between the name and the export stand at most other names for the same thing.
        let pattern = format!(
            r#"\b_{name}\s*=\s*(?:(?:Module|[A-Za-z_$]{{1,2}})\["_{name}"\]\s*=\s*)?(?:\([\w$,\s]*\)\s*=>\s*)?\(?(?:_{name}\s*=\s*)?(?:(?:Module|[A-Za-z_$]{{1,2}})\["_{name}"\]\s*=\s*)?{EXPORTS}"#
        );
        let Ok(regex) = Regex::new(&pattern) else { continue };
        if let Some(found) = regex.captures(&text)
            && let Some(export) = found.get(1).or_else(|| found.get(2))
        {
            names.push(GlueName { export: export.as_str().into(), name });
        }
    }
    let bindgen =
        r"passStringToWasm0\([^;()]{1,200},\s*wasm\.([\w$]{1,64}),\s*wasm\.([\w$]{1,64})\)";
    if let Ok(regex) = Regex::new(bindgen)
        && let Some(found) = regex.captures(&text)
    {
        for (group, name) in [(1, "__wbindgen_malloc"), (2, "__wbindgen_realloc")] {
            if let Some(export) = found.get(group) {
                names.push(GlueName { export: export.as_str().into(), name });
            }
        }
    }
    names
}

/// The names under which the glue gives the module functions whose own names begin with `function`,
/// but for underscores: `p` in `{ o: _abort, p: _emscripten_resize_heap }`.
pub(crate) fn imports(text: &str, function: &str) -> BTreeSet<String> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$');
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices(function) {
        // A property's value, and nothing more.
        let behind = text[at..].trim_start_matches(is_word).trim_start();
        let before = text[..at].trim_end_matches('_').trim_end().strip_suffix(':');
        let Some(before) = before.filter(|_| behind.starts_with([',', '}'])) else { continue };
        let before = before.trim_end().trim_end_matches(['"', '\'']);
        let name = &before[before.trim_end_matches(is_word).len()..];
        if (1..=MAX_NAME).contains(&name.len()) {
            names.insert(name.into());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export_of(text: &str, name: &str) -> Option<String> {
        read(text).into_iter().find(|found| found.name == name).map(|found| found.export)
    }

    #[test]
    fn the_ways_of_emscripten() {
        for text in [
            r#"var _malloc=wasmExports["x"];"#,
            r#"_malloc=Module["_malloc"]=wasmExports["x"]"#,
            r#"var _malloc = Module['_malloc'] = wasmExports['x'];"#,
            r#"var _malloc=Module["_malloc"]=(a0)=>(_malloc=Module["_malloc"]=wasmExports["x"])(a0)"#,
            r#"_malloc=a=>(_malloc=asm.x)(a)"#,
            r#"_malloc=g.x;_free=g.y"#,
        ] {
            let text = text.replace("a=>", "(a)=>");
            assert_eq!(export_of(&text, "malloc").as_deref(), Some("x"), "{text}");
        }
        assert_eq!(export_of("_malloc=g.x;_free=g.y", "free").as_deref(), Some("y"));
    }

    #[test]
    fn the_way_of_wasm_bindgen() {
        let text =
            "const p = passStringToWasm0(s, wasm.__wbindgen_export_0, wasm.__wbindgen_export_1);";
        assert_eq!(export_of(text, "__wbindgen_malloc").as_deref(), Some("__wbindgen_export_0"));
        assert_eq!(export_of(text, "__wbindgen_realloc").as_deref(), Some("__wbindgen_export_1"));
    }

    #[test]
    fn what_imports_stand_for() {
        for text in [
            "var wasmImports={b:_abort,p:_emscripten_resize_heap};",
            "var wasmImports = {\n  /** @export */\n  p: _emscripten_resize_heap,\n  q: _exit };",
            r#"var asmLibraryArg={"b":_abort,"p":_emscripten_resize_heap}"#,
        ] {
            assert!(imports(text, "emscripten_resize_heap").into_iter().eq(["p"]), "{text}");
        }
        let text = "{c:__embind_register_class,\nd:__embind_register_class_function}";
        assert!(imports(text, "embind_register_").into_iter().eq(["c", "d"]));
        for text in [
            "a ? b : _emscripten_resize_heap(c)",
            "var p=_emscripten_resize_heap,q",
            "{:_emscripten_resize_heap,",
            ":_emscripten_resize_heap",
            "\u{e9}:_emscripten_resize_heap}",
        ] {
            assert!(imports(text, "emscripten_resize_heap").is_empty(), "{text}");
        }
    }

    #[test]
    fn other_text_says_nothing() {
        assert_eq!(read("function malloc_stats() { return my_malloc = 3 }"), []);
    }
}
