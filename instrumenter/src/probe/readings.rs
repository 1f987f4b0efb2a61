//! What the parameters of a function to try may mean, by their number.

use crate::allocators::shape::{Answer, Parameter, Shape};
use seepage_probe::{Meaning, Service};
use seepage_trace::Role;

/// One way to take a function: what it does, and what its parameters are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(super) role: Role,
    pub(super) parameters: Vec<Parameter>,
    pub(super) answer: Answer,
    may_refuse: bool,
}

impl Reading {
    /// What the function must do.
    pub(super) fn service(&self) -> Service {
        match (self.role, self.answer) {
            (Role::Realloc, Answer::InPlace) => Service::ResizeInPlace,
            (Role::Realloc, _) if self.may_refuse => Service::ResizeOrRefuse,
            (Role::Realloc, _) => Service::Resize,
            (Role::Free, _) => Service::Free,
            (Role::Calloc, _) => Service::AllocateZeroed,
            (Role::Memalign | Role::AlignedAlloc, _) => Service::AllocateAligned,
            _ => Service::Allocate,
        }
    }

    /// As a probe takes it.
    pub(super) fn tried(&self) -> seepage_probe::Reading {
        seepage_probe::Reading { service: self.service(), parameters: self.meanings().collect() }
    }

    fn meanings(&self) -> impl Iterator<Item = Meaning> + '_ {
        self.parameters.iter().enumerate().map(|(index, parameter)| match parameter {
            Parameter::Other if index == 0 => Meaning::Own,
            Parameter::Size => Meaning::Size,
            Parameter::Count => Meaning::Count,
            Parameter::Pointer => Meaning::Pointer,
            Parameter::OldSize => Meaning::OldSize,
            Parameter::Align => Meaning::Align,
            Parameter::Out | Parameter::Other => Meaning::Other,
        })
    }

    /// The reading of a function that is known already, if a probe can try it.
    pub(super) fn known(shape: &Shape) -> Option<Reading> {
        let is_tried = shape.offset == 0
            && !matches!(shape.role, Role::PosixMemalign | Role::UsableSize | Role::Grow);
        is_tried.then(|| Reading {
            role: shape.role,
            parameters: shape.parameters.clone(),
            answer: shape.answer,
            may_refuse: false,
        })
    }

    /// The readings of a `malloc` or a `free`.
    pub(super) fn of(role: Role, parameters: usize) -> Vec<Reading> {
        let lists: &[&str] = match (role, parameters) {
            (Role::Malloc, 1) => &["size"],
            (Role::Malloc, 2) => &["size align", "align size", "_ size"],
            (Role::Malloc, 3) => &["_ size align", "size align _", "_ align size"],
            (Role::Malloc, _) => &["_ size _ _"],
            (_, 1) => &["ptr"],
            (_, 2) => &["ptr size", "_ ptr", "ptr align"],
            (_, 3) => &["ptr size align", "_ ptr size"],
            (_, 4) => &["_ ptr size align", "_ ptr align size"],
            (_, _) => &["_ ptr size _ _"],
        };
        let answer = if role == Role::Free { Answer::None } else { Answer::Address };
        list(role, answer, false, lists)
    }

    /// The readings of a function that may be any of an allocator's others. One that stands beside
    /// `malloc` in a table of functions may be Zig's: those resize only where there is room.
    pub(super) fn of_others(parameters: usize, is_in_table: bool) -> Vec<Reading> {
        let (resize, zeroed, aligned): (&[&str], &[&str], &[&str]) = match parameters {
            2 => (&["ptr size"], &["count size", "size align"], &["align size", "size align"]),
            3 => (
                &["ptr old size", "_ ptr size"],
                &["_ count size", "_ size align"],
                &["_ align size", "_ size align"],
            ),
            4 => (&["ptr old align size", "ptr old size align", "_ ptr old size"], &[], &[]),
            5 => (&["_ ptr old align size", "_ ptr old size align"], &[], &[]),
            _ => (&[], &[], &[]),
        };
        let mut readings = list(Role::Realloc, Answer::Address, false, resize);
        readings.extend(list(Role::Calloc, Answer::Address, false, zeroed));
        readings.extend(list(Role::Memalign, Answer::Address, false, aligned));
        if is_in_table && parameters == 6 {
            let zig = &["_ ptr old _ size _"];
            readings.extend(list(Role::Realloc, Answer::InPlace, true, zig));
            readings.extend(list(Role::Realloc, Answer::Address, true, zig));
        }
        readings
    }
}

fn list(role: Role, answer: Answer, may_refuse: bool, lists: &[&str]) -> Vec<Reading> {
    let lists = lists.iter().filter_map(|list| Parameter::list(list).ok());
    lists.map(|parameters| Reading { role, parameters, answer, may_refuse }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reading_has_as_many_parameters_as_the_function() {
        for parameters in 1..=6 {
            let mut all = Reading::of_others(parameters, true);
            if parameters <= 4 {
                all.extend(Reading::of(Role::Malloc, parameters));
            }
            if parameters <= 5 {
                all.extend(Reading::of(Role::Free, parameters));
            }
            for reading in all {
                assert_eq!(reading.parameters.len(), parameters, "{reading:?}");
                assert_eq!(Shape::lacks(reading.role, &reading.parameters), None, "{reading:?}");
            }
        }
    }
}
