//! Readable names.

use std::borrow::Cow;

/// The name as its author wrote it, without Rust's hashes; the name itself when it is not mangled.
pub(crate) fn demangle(name: &str) -> Cow<'_, str> {
    // LLVM appends `.llvm.<hash>` to what it promotes out of a unit.
    let name = name.split_once(".llvm.").map_or(name, |(front, _)| front);
    if let Ok(demangled) = rustc_demangle::try_demangle(name) {
        return format!("{demangled:#}").into();
    }
    if name.starts_with("_Z")
        && let Ok(symbol) = cpp_demangle::Symbol::new(name)
        && let Ok(text) = symbol.demangle()
    {
        return text.into();
    }
    without_hash(name).into()
}

/// Linkers and wasm-bindgen demangle the name section themselves, and leave Rust's hash.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((front, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            front
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::demangle;

    #[test]
    fn names_of_all_compilers() {
        for (mangled, expected) in [
            ("malloc", "malloc"),
            ("_Znwm", "operator new(unsigned long)"),
            ("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"),
            ("core::fmt::write::h0123456789abcdef", "core::fmt::write"),
            ("_RNvCsdBezzDwma51_7___rustc12___rust_alloc", "__rustc::__rust_alloc"),
            ("helper.llvm.123456789", "helper"),
            ("_Znot_mangled_at_all", "_Znot_mangled_at_all"),
        ] {
            assert_eq!(demangle(mangled), expected);
        }
    }
}
