//! Books what the program says of its own heap, and marks moments.
//!
//! ```text
//! (func $__lsan_ignore_object (param $block i32)      (import "env" "seepage_mark" (func $mark))
//!   (call $seepage:ignore_object (local.get $block))                      ↓
//!   <its own body>)                                   (func $mark (call $seepage.mark (i32.const N)))
//!
//! (export "f" (func $f))   →   (export "f" (func $seepage:mark f))
//!                              (func $seepage:mark f (param …) (result …)
//!                                (call $f …)
//!                                (call $seepage.mark (i32.const N)))
//! ```
//!
//! An import becomes a function of the module: nobody has to provide it.

use super::{
    Original,
    context::entry_number,
    record::{Fields, Recorder},
};
use crate::annotations::Annotation;
use seepage_trace::{Role, TracepointId, abi, abi::RecordKind};
use walrus::{
    ExportItem, FunctionBuilder, FunctionId, FunctionKind, InstrSeqBuilder, LocalId, Module,
    ValType,
    ir::{Call, Const, Instr, InstrLocId, LocalGet, Value},
};

/// What the functions are made with.
pub(crate) struct Annotator<'a> {
    pub(crate) original: &'a Original<'a>,
    pub(crate) recorder: &'a Recorder,
    /// The number of the first tracepoint.
    pub(crate) first: usize,
}

impl Annotator<'_> {
    /// Changes all functions and exports that there are. The functions of the original, by index,
    /// are `ids`.
    pub(crate) fn annotate(&self, module: &mut Module, ids: &[FunctionId]) {
        let annotations = self.original.annotations;
        let mark = annotations.marks().then(|| {
            let ty = module.types.add(&[ValType::I32], &[]);
            module.add_import_func(abi::IMPORT_MODULE, abi::IMPORT_MARK, ty).0
        });
        let mut numbers = (self.first..).map(|number| TracepointId(number as u16));
        for (annotation, number) in annotations.functions.iter().zip(numbers.by_ref()) {
            let Some(&function) = ids.get(annotation.function as usize) else { continue };
            let listener = match mark {
                Some(mark) if annotation.role == Role::Mark => Listener::Mark(mark, number),
                _ => Listener::Book(self.book(module, function, annotation, number)),
            };
            listen(module, function, &listener);
        }
        for (export, number) in annotations.marked.iter().zip(numbers) {
            if let Some(mark) = mark {
                mark_return(module, &export.name, mark, number);
            }
        }
        let suppressions = annotations.suppressions.and_then(|index| ids.get(index as usize));
        if let Some(&function) = suppressions {
            module.exports.add(abi::SUPPRESSIONS, function);
        }
    }

    /// The function that writes the record, with the parameters of the one that calls it.
    fn book(
        &self,
        module: &mut Module,
        function: FunctionId,
        annotation: &Annotation,
        tracepoint: TracepointId,
    ) -> FunctionId {
        let recorder = self.recorder;
        let (parameters, _) = module.types.params_results(module.funcs.get(function).ty());
        let parameters = parameters.to_vec();
        let arguments: Vec<LocalId> = parameters.iter().map(|&ty| module.locals.add(ty)).collect();
        let scratch = recorder.begin(module);
        let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &[]);
        builder.name(format!("seepage:{}", annotation.role.name()));
        let body = &mut builder.func_body();
        if let Some(context) = recorder.context
            && self.original.graph.is_only_exported(annotation.function)
        {
            body.i64_const(entry_number(annotation.function) as i64).global_set(context);
        }
        recorder.save_context(body, scratch);
        let push = |body: &mut InstrSeqBuilder<'_>, place: usize, is_there: bool| match (
            arguments.get(place),
            parameters.get(place),
        ) {
            (Some(&local), Some(&ty)) if is_there => recorder.push_local(body, local, ty),
            _ => recorder.push_zero(body),
        };
        let is_region = matches!(annotation.role, Role::RegisterRegion | Role::UnregisterRegion);
        let has_addr = is_region || annotation.role == Role::IgnoreObject;
        recorder.write(
            body,
            scratch,
            &Fields {
                kind: RecordKind::Annotation,
                tracepoint,
                align: None,
                size: &|body| push(body, 1, is_region),
                addr: &|body| push(body, 0, has_addr),
                old: None,
            },
        );
        builder.finish(arguments.clone(), &mut module.funcs)
    }
}

/// Who is told first of a call.
enum Listener {
    /// A function with the same parameters.
    Book(FunctionId),
    /// The import that marks the moment.
    Mark(FunctionId, TracepointId),
}

impl Listener {
    fn call(&self, arguments: &[LocalId]) -> Vec<Instr> {
        match *self {
            Listener::Book(func) => {
                let arguments = arguments.iter().map(|&local| LocalGet { local }.into());
                arguments.chain([Call { func }.into()]).collect()
            }
            Listener::Mark(func, number) => {
                let value = Value::I32(number.0.into());
                vec![Const { value }.into(), Call { func }.into()]
            }
        }
    }
}

fn listen(module: &mut Module, function: FunctionId, listener: &Listener) {
    let (_, results) = module.types.params_results(module.funcs.get(function).ty());
    let results = results.to_vec();
    if let FunctionKind::Local(local) = &mut module.funcs.get_mut(function).kind {
        let (entry, arguments) = (local.entry_block(), local.args.clone());
        let added = listener.call(&arguments).into_iter().map(|it| (it, InstrLocId::default()));
        local.block_mut(entry).instrs.splice(0..0, added);
        return;
    }
    let replaced = module.replace_imported_func(function, |(body, arguments)| {
        for instr in listener.call(arguments) {
            body.instr(instr);
        }
        for result in results {
            match result {
                ValType::I32 => body.i32_const(0),
                ValType::I64 => body.i64_const(0),
                ValType::F32 => body.f32_const(0.0),
                ValType::F64 => body.f64_const(0.0),
                _ => body.unreachable(),
            };
        }
    });
    debug_assert!(replaced.is_ok(), "what is not local is imported");
}

/// Leads an export through a function that marks its return.
fn mark_return(module: &mut Module, name: &str, mark: FunctionId, number: TracepointId) {
    let exported = module.exports.iter().find_map(|export| match export.item {
        ExportItem::Function(function) if export.name == name => Some((export.id(), function)),
        _ => None,
    });
    let Some((export, target)) = exported else { return };
    let (parameters, results) = module.types.params_results(module.funcs.get(target).ty());
    let (parameters, results) = (parameters.to_vec(), results.to_vec());
    let arguments: Vec<LocalId> = parameters.iter().map(|&ty| module.locals.add(ty)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
    builder.name(format!("seepage:mark {name}"));
    let body = &mut builder.func_body();
    for &argument in &arguments {
        body.local_get(argument);
    }
    body.call(target).i32_const(number.0.into()).call(mark);
    let door = builder.finish(arguments, &mut module.funcs);
    module.exports.get_mut(export).item = ExportItem::Function(door);
}
