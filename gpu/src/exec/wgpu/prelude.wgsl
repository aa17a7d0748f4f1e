fn exp_N(x: T) -> T { return exp(min(x, T(88.0))); }
fn sigmoid_N(x: T) -> T { return 1.0 / (1.0 + exp(min(-x, T(88.0)))); }
fn positive_N(x: T) -> T { return select(T(0.0), T(1.0), x > T(0.0)); }
fn silu_N(x: T) -> T { return x * sigmoid_N(x); }
fn silu_slope_N(x: T, y: T) -> T { let s = sigmoid_N(x); return s + y * (1.0 - s); }
// The logarithm of one plus a number in [0, 1], as a series of the inverse hyperbolic tangent.
fn ln_1p_N(u: T) -> T {
  let s = u / (2.0 + u);
  let z = s * s;
  var p = T(0.06666666666666667f);
  p = fma(p, z, T(0.07692307692307693f));
  p = fma(p, z, T(0.09090909090909091f));
  p = fma(p, z, T(0.1111111111111111f));
  p = fma(p, z, T(0.14285714285714285f));
  p = fma(p, z, T(0.2f));
  p = fma(p, z, T(0.3333333333333333f));
  p = fma(p, z, T(1.0));
  return 2.0 * s * p;
}
fn softplus_N(x: T) -> T { return max(x, T(0.0)) + ln_1p_N(exp(-abs(x))); }
// Near zero a polynomial, which does not cancel.
fn tanh_N(x: T) -> T {
  let e = exp(-2.0 * abs(x));
  let far = sign(x) * ((1.0 - e) / (1.0 + e));
  let z = x * x;
  var p = T(-0.008863235529902197f);
  p = fma(p, z, T(0.021869488536155203f));
  p = fma(p, z, T(-0.05396825396825397f));
  p = fma(p, z, T(0.13333333333333333f));
  p = fma(p, z, T(-0.3333333333333333f));
  let near = fma(p * z, x, x);
  return select(far, near, abs(x) < T(0.3));
}
// Below one the series of Maclaurin, above it the approximation 7.1.28 of Abramowitz and Stegun.
fn erf_N(x: T) -> T {
  let a = abs(x);
  let z = min(a, T(1.0)) * min(a, T(1.0));
  var p = T(-1.2290555301717928e-9f);
  p = fma(p, z, T(1.480719281587922e-8f));
  p = fma(p, z, T(-1.6365844691234924e-7f));
  p = fma(p, z, T(1.6462114365889248e-6f));
  p = fma(p, z, T(-1.4925650358406252e-5f));
  p = fma(p, z, T(1.2055332981789665e-4f));
  p = fma(p, z, T(-8.548327023450853e-4f));
  p = fma(p, z, T(5.223977625442188e-3f));
  p = fma(p, z, T(-2.6866170645131252e-2f));
  p = fma(p, z, T(0.11283791670955128f));
  p = fma(p, z, T(-0.37612638903183754f));
  p = fma(p, z, T(1.1283791670955126f));
  let c = min(a, T(6.0));
  var d = T(0.0000430638f);
  d = fma(d, c, T(0.0002765672f));
  d = fma(d, c, T(0.0001520143f));
  d = fma(d, c, T(0.0092705272f));
  d = fma(d, c, T(0.0422820123f));
  d = fma(d, c, T(0.0705230784f));
  d = fma(d, c, T(1.0));
  let d2 = d * d;
  let d4 = d2 * d2;
  let d8 = d4 * d4;
  let far = sign(x) * (1.0 - 1.0 / (d8 * d8));
  return select(far, p * x, a < T(1.0));
}
