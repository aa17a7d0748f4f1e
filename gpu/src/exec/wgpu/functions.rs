//! Functions of one and two numbers as text, for one number or four.

use crate::record::{Binary, Unary};
use crate::scalar::{Activation, RoundGradient};

/// The value of a function; `w` is 1 or 4.
pub(super) fn unary(f: Unary, x: &str, w: usize) -> String {
    match f {
        Unary::Copy | Unary::Detach => x.to_owned(),
        Unary::Neg => format!("-{x}"),
        Unary::Exp => format!("exp_{w}({x})"),
        Unary::Ln => format!("log({x})"),
        Unary::Sqrt => format!("sqrt({x})"),
        Unary::Tanh => format!("tanh_{w}({x})"),
        Unary::Sigmoid => format!("sigmoid_{w}({x})"),
        Unary::Softplus => format!("softplus_{w}({x})"),
        Unary::Silu => format!("{x} * sigmoid_{w}({x})"),
        Unary::Relu => format!("max({x}, {})", zero(w)),
        Unary::Erf => format!("erf_{w}({x})"),
        Unary::Abs => format!("abs({x})"),
        Unary::Positive => format!("positive_{w}({x})"),
        Unary::Round(_) => format!("round({x})"),
    }
}

fn zero(w: usize) -> &'static str {
    if w == 1 { "0.0" } else { "vec4<f32>()" }
}

/// What is needed of operand and result for the derivative.
pub(super) fn unary_reads(f: Unary) -> (bool, bool) {
    use Unary::{Abs, Erf, Exp, Ln, Relu, Sigmoid, Silu, Softplus, Sqrt, Tanh};
    let operand = matches!(f, Ln | Softplus | Silu | Relu | Erf | Abs);
    (operand, matches!(f, Exp | Sqrt | Tanh | Sigmoid | Silu))
}

/// The adjoint of the operand, of that of the result; none where there is no derivative.
pub(super) fn unary_adjoint(f: Unary, x: &str, y: &str, dy: &str, w: usize) -> Option<String> {
    Some(match f {
        Unary::Detach | Unary::Positive | Unary::Round(RoundGradient::Zero) => return None,
        Unary::Copy | Unary::Round(RoundGradient::StraightThrough) => dy.to_owned(),
        Unary::Neg => format!("-{dy}"),
        Unary::Exp => format!("{dy} * {y}"),
        Unary::Ln => format!("{dy} / {x}"),
        Unary::Sqrt => format!("{dy} / ({y} + {y})"),
        Unary::Tanh => format!("{dy} * (1.0 - {y} * {y})"),
        Unary::Sigmoid => format!("{dy} * ({y} * (1.0 - {y}))"),
        Unary::Softplus => format!("{dy} * sigmoid_{w}({x})"),
        Unary::Silu => format!("{dy} * silu_slope_{w}({x}, {y})"),
        Unary::Relu => format!("{dy} * positive_{w}({x})"),
        Unary::Erf => format!("{dy} * (1.1283791670955126f * exp_{w}(-({x} * {x})))"),
        Unary::Abs => format!("{dy} * sign({x})"),
    })
}

pub(super) fn binary(f: Binary, a: &str, b: &str) -> String {
    match f {
        Binary::Add => format!("{a} + {b}"),
        Binary::Sub => format!("{a} - {b}"),
        Binary::Mul => format!("{a} * {b}"),
        Binary::Div => format!("{a} / {b}"),
        Binary::Min => format!("min({a}, {b})"),
        Binary::Max => format!("max({a}, {b})"),
    }
}

/// The adjoint of one of two operands; at a tie of minimum and maximum the first has it all.
pub(super) fn binary_adjoint(
    f: Binary,
    second: bool,
    (a, b): (&str, &str),
    dy: &str,
    w: usize,
) -> String {
    match (f, second) {
        (Binary::Add, _) | (Binary::Sub, false) => dy.to_owned(),
        (Binary::Sub, true) => format!("-{dy}"),
        (Binary::Mul, false) => format!("{dy} * {b}"),
        (Binary::Mul, true) => format!("{dy} * {a}"),
        (Binary::Div, false) => format!("{dy} / {b}"),
        (Binary::Div, true) => format!("{dy} * (-({a} / {b}) / {b})"),
        (Binary::Min, false) => format!("{dy} * (1.0 - positive_{w}({a} - {b}))"),
        (Binary::Min, true) => format!("{dy} * positive_{w}({a} - {b})"),
        (Binary::Max, false) => format!("{dy} * (1.0 - positive_{w}({b} - {a}))"),
        (Binary::Max, true) => format!("{dy} * positive_{w}({b} - {a})"),
    }
}

/// Which operands' values the adjoint of one of two operands needs.
pub(super) fn binary_reads(f: Binary, second: bool) -> [bool; 2] {
    match f {
        Binary::Add | Binary::Sub => [false, false],
        Binary::Mul => [second, !second],
        Binary::Div => [second, true],
        Binary::Min | Binary::Max => [true, true],
    }
}

/// The value of an activation.
pub(super) fn activation(f: Activation, z: &str, w: usize) -> String {
    match f {
        Activation::Identity => z.to_owned(),
        Activation::Relu => format!("max({z}, {})", zero(w)),
        Activation::Silu => format!("{z} * sigmoid_{w}({z})"),
        Activation::Softplus => format!("softplus_{w}({z})"),
        Activation::Sigmoid => format!("sigmoid_{w}({z})"),
        Activation::Tanh => format!("tanh_{w}({z})"),
    }
}

/// The derivative of an activation, of its argument and its value.
pub(super) fn slope(f: Activation, z: &str, y: &str, w: usize) -> String {
    match f {
        Activation::Identity => "1.0".to_owned(),
        Activation::Relu => format!("positive_{w}({z})"),
        Activation::Silu => format!("silu_slope_{w}({z}, {y})"),
        Activation::Softplus => format!("sigmoid_{w}({z})"),
        Activation::Sigmoid => format!("{y} * (1.0 - {y})"),
        Activation::Tanh => format!("1.0 - {y} * {y}"),
    }
}
