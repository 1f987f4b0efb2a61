//! Objects of the host's language that own memory of a module.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// JavaScript objects that own memory of a module: who made them, and what became of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Objects {
    /// By class and place, those that were forgotten most often first.
    pub groups: Vec<ObjectGroup>,
    /// JavaScript values that modules hold.
    pub values: Vec<HeldValues>,
    /// Classes whose objects cannot be seen.
    pub unseen: Vec<UnseenClasses>,
    /// What is missing here.
    pub dropped: DroppedObjects,
    /// The directory in which the program ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
}

/// The objects of one class that were made at one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectGroup {
    /// What makes such objects.
    pub kind: ObjectKind,
    /// Their class.
    pub class: String,
    /// What the glue calls the class, where that is another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glue_name: Option<String>,
    /// The line of the program that made them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<ScriptFrame>,
    /// The stack on which they were made, innermost first.
    pub stack: Vec<ScriptFrame>,
    /// Whether an object that is held is one that the program should have freed.
    pub certain: bool,
    /// All that were made: the sum of the following.
    pub created: u64,
    /// Freed by the program.
    pub freed: u64,
    /// Passed by value: the module owns the memory again.
    pub moved: u64,
    /// Forgotten, and freed by the collector, whenever it came around.
    pub late: u64,
    /// Forgotten and collected, and nobody frees them any more.
    pub lost: u64,
    /// None of these yet.
    pub held: u64,
    /// Addresses of those that are held, as many as are listed.
    pub pointers: Vec<ObjectPointer>,
    /// Bytes of the wasm heap that would be free without those that are held, at least; absent where
    /// that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained: Option<u64>,
    /// What to do about it, where any was forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// What makes it worse than it looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What makes an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// A class of wasm-bindgen's glue.
    WasmBindgen,
    /// A class of Emscripten's embind.
    Embind,
    /// A closure of Rust that JavaScript can call.
    Closure,
}

/// A line of a script's stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptFrame {
    /// The function, `new Foo` for a constructor; absent for those without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// URL or path.
    pub file: String,
    /// The line, from 1. In a module: 1.
    pub line: u64,
    /// The column, from 1. In a module: the offset.
    pub column: u64,
}

/// The address that an object has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectPointer {
    /// The instance, counted from 1; absent where that is not certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<u64>,
    /// The address in its memory.
    pub ptr: u64,
}

/// JavaScript values that a module holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HeldValues {
    /// The instance, counted from 1.
    pub instance: u64,
    /// Where they stand: `externref table` or `heap array`.
    #[serde(rename = "where")]
    pub place: String,
    /// How many there are of each type.
    pub by_type: BTreeMap<String, u64>,
}

/// Classes of a module whose objects cannot be seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnseenClasses {
    /// The instance, counted from 1.
    pub instance: u64,
    /// The version of wasm-bindgen, where the module says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bindgen: Option<String>,
    /// Their names.
    pub classes: Vec<String>,
}

/// What the caps left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DroppedObjects {
    /// Objects whose address was not kept.
    pub pointers: u64,
    /// Objects whose stack was not kept.
    pub stacks: u64,
}
