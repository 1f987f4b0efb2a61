//! Tables, globals and exports lead to the wrappers too; and what the host calls starts a context
//! of its own.
//!
//! ```text
//! (export "f" (func $f))   →   (export "f" (func $seepage:enter f))
//!                              (func $seepage:enter f (param …) (result …)
//!                                (global.set $context <entry of f>)
//!                                (call $f …))
//! ```
//!
//! A function that nobody but the host calls needs no such door: its prologue begins with the
//! entry's number (see [`super::context`]).

use super::{Replacements, context::entry_number, has_plain_type};
use crate::graph::{CallGraph, Reaching, index_of};
use std::collections::BTreeMap;
use walrus::{
    ConstExpr, ConstOp, ElementItems, ExportId, ExportItem, FunctionBuilder, FunctionId,
    FunctionKind, GlobalId, GlobalKind, Module,
    ir::{RefFunc, VisitorMut, dfs_pre_order_mut},
};

/// Puts the wrappers into tables, globals and `ref.func`s.
pub(crate) fn tables(module: &mut Module, replacements: &Replacements, ids: &[FunctionId]) {
    let replace = |function: &mut FunctionId| {
        if let Some(&wrapper) = replacements.wrappers.get(function) {
            *function = wrapper;
        }
    };
    let replace_in = |value: &mut ConstExpr| match value {
        ConstExpr::RefFunc(function) => replace(function),
        ConstExpr::Extended(operations) => operations.iter_mut().for_each(|operation| {
            if let ConstOp::RefFunc(function) = operation {
                replace(function);
            }
        }),
        _ => {}
    };
    for element in module.elements.iter_mut() {
        match &mut element.items {
            ElementItems::Functions(functions) => functions.iter_mut().for_each(replace),
            ElementItems::Expressions(_, items) => items.iter_mut().for_each(replace_in),
        }
    }
    let globals: Vec<GlobalId> = module.globals.iter().map(|global| global.id()).collect();
    for global in globals {
        if let GlobalKind::Local(value) = &mut module.globals.get_mut(global).kind {
            replace_in(value);
        }
    }
    for table in module.tables.iter_mut() {
        table.init.iter_mut().for_each(replace_in);
    }
    for &id in ids {
        if let FunctionKind::Local(function) = &mut module.funcs.get_mut(id).kind {
            let entry = function.entry_block();
            dfs_pre_order_mut(&mut References { replacements }, function, entry);
        }
    }
}

struct References<'a> {
    replacements: &'a Replacements,
}

impl VisitorMut for References<'_> {
    fn visit_ref_func_mut(&mut self, reference: &mut RefFunc) {
        if let Some(&wrapper) = self.replacements.wrappers.get(&reference.func) {
            reference.func = wrapper;
        }
    }
}

/// Leads exports to the wrappers, through doors that begin a context.
pub(crate) fn exports(
    module: &mut Module,
    graph: &CallGraph,
    reaching: &Reaching,
    replacements: &Replacements,
    context: Option<GlobalId>,
) {
    let exported: Vec<(ExportId, FunctionId)> = module
        .exports
        .iter()
        .filter_map(|export| match export.item {
            ExportItem::Function(function) => Some((export.id(), function)),
            _ => None,
        })
        .collect();
    let mut doors: BTreeMap<FunctionId, FunctionId> = BTreeMap::new();
    for (export, function) in exported {
        let index = index_of(function);
        let wrapper = replacements.wrappers.get(&function).copied();
        if wrapper.is_none() && (!reaching.contains(index) || graph.is_only_exported(index)) {
            continue;
        }
        let mut target = wrapper.unwrap_or(function);
        if let Some(context) = context
            && has_plain_type(module, module.funcs.get(function).ty())
        {
            target = *doors
                .entry(function)
                .or_insert_with(|| door(module, target, entry_number(index), context));
        }
        module.exports.get_mut(export).item = ExportItem::Function(target);
    }
}

fn door(module: &mut Module, target: FunctionId, entry: u64, context: GlobalId) -> FunctionId {
    let (parameters, results) = module.types.params_results(module.funcs.get(target).ty());
    let (parameters, results) = (parameters.to_vec(), results.to_vec());
    let arguments: Vec<_> = parameters.iter().map(|&ty| module.locals.add(ty)).collect();
    let name = module.funcs.get(target).name.clone().unwrap_or_default();
    let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
    builder.name(format!("seepage:enter {name}"));
    let body = &mut builder.func_body();
    body.i64_const(entry as i64).global_set(context);
    for &argument in &arguments {
        body.local_get(argument);
    }
    body.call(target);
    builder.finish(arguments, &mut module.funcs)
}
