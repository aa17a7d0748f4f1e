//! What an entry point takes, as naga's module of its shader says: this is what a driver is given.

use wgpu::naga::front::wgsl;
use wgpu::naga::{
    AddressSpace, Block, Expression, Function, Handle, MathFunction, Module, Statement,
};

/// What a shader takes of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Measured {
    /// Bytes of a workgroup's memory.
    pub(super) workgroup: u32,
    /// Bytes of the variables that a thread has while an entry point runs: scopes within it share none.
    pub(super) variables: u32,
    /// Of each loop that multiplies vectors, without those within it: loads from a workgroup's or the device's memory, products.
    pub(super) loops: Vec<[usize; 2]>,
}

/// Measures an entry point.
pub(super) fn measured(text: &str, entry: &str) -> Measured {
    let module = wgsl::parse_str(text).unwrap();
    let size = |ty| module.types[ty].inner.size(module.to_ctx());
    let globals = module.global_variables.iter();
    let workgroup = globals
        .filter(|(_, variable)| variable.space == AddressSpace::WorkGroup)
        .map(|(_, variable)| size(variable.ty))
        .sum();
    let own = module.entry_points.iter().find(|e| e.name == entry);
    let function = &own.unwrap().function;
    let variables = function.local_variables.iter();
    let variables = variables.map(|(_, variable)| size(variable.ty)).sum();
    let mut loops = Vec::new();
    count(&module, function, &function.body, &mut [0; 2], &mut loops);
    loops.retain(|&[_, products]| products > 0);
    Measured {
        workgroup,
        variables,
        loops,
    }
}

/// Counts loads and products of a block in `own`, and those of each loop within it apart.
fn count(
    module: &Module,
    function: &Function,
    block: &Block,
    own: &mut [usize; 2],
    loops: &mut Vec<[usize; 2]>,
) {
    for statement in block {
        match statement {
            Statement::Emit(range) => {
                for handle in range.clone() {
                    match &function.expressions[handle] {
                        Expression::Load { pointer } if is_memory(module, function, *pointer) => {
                            own[0] += 1;
                        }
                        Expression::Math {
                            fun: MathFunction::Fma | MathFunction::Dot,
                            ..
                        } => own[1] += 1,
                        _ => {}
                    }
                }
            }
            Statement::Block(block) => count(module, function, block, own, loops),
            Statement::If { accept, reject, .. } => {
                count(module, function, accept, own, loops);
                count(module, function, reject, own, loops);
            }
            Statement::Loop {
                body, continuing, ..
            } => {
                let mut inner = [0; 2];
                count(module, function, body, &mut inner, loops);
                count(module, function, continuing, &mut inner, loops);
                loops.push(inner);
            }
            _ => {}
        }
    }
}

/// Whether a pointer is to what threads share, and not to a variable of their own or the numbers of a run.
fn is_memory(module: &Module, function: &Function, pointer: Handle<Expression>) -> bool {
    match function.expressions[pointer] {
        Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => {
            is_memory(module, function, base)
        }
        Expression::GlobalVariable(variable) => matches!(
            module.global_variables[variable].space,
            AddressSpace::WorkGroup | AddressSpace::Storage { .. }
        ),
        _ => false,
    }
}
