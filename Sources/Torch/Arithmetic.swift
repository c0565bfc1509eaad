// Element-wise arithmetic, with broadcasting as in PyTorch.

/// A plain number beside a tensor. As in PyTorch an `Int`, which a literal without a point is, leaves an integer tensor of its type,
/// while a `Double` makes it float32.
public protocol Scalar: OperatorArgument {}
extension Int: Scalar {}
extension Double: Scalar {}

public func + (a: Tensor, b: Tensor) throws -> Tensor { try call("aten::add.Tensor", a, b) }
public func + (a: Tensor, b: some Scalar) throws -> Tensor { try call("aten::add.Scalar", a, b) }
public func + (a: some Scalar, b: Tensor) throws -> Tensor { try call("aten::add.Scalar", b, a) }
public func - (a: Tensor, b: Tensor) throws -> Tensor { try call("aten::sub.Tensor", a, b) }
public func - (a: Tensor, b: some Scalar) throws -> Tensor { try call("aten::sub.Scalar", a, b) }
public func - (a: some Scalar, b: Tensor) throws -> Tensor { try call("aten::rsub.Scalar", b, a) }
public func * (a: Tensor, b: Tensor) throws -> Tensor { try call("aten::mul.Tensor", a, b) }
public func * (a: Tensor, b: some Scalar) throws -> Tensor { try call("aten::mul.Scalar", a, b) }
public func * (a: some Scalar, b: Tensor) throws -> Tensor { try call("aten::mul.Scalar", b, a) }
public func / (a: Tensor, b: Tensor) throws -> Tensor { try call("aten::div.Tensor", a, b) }
public func / (a: Tensor, b: Double) throws -> Tensor { try call("aten::div.Scalar", a, b) }
public func / (a: Double, b: Tensor) throws -> Tensor { try b.reciprocal() * a }
public prefix func - (a: Tensor) throws -> Tensor { try call("aten::neg", a) }

// Comparisons give boolean tensors.
extension Tensor {
  public func equals(_ other: Tensor) throws -> Tensor { try call("aten::eq.Tensor", self, other) }
  public func equals(_ value: some Scalar) throws -> Tensor { try call("aten::eq.Scalar", self, value) }
  public func less(_ other: Tensor) throws -> Tensor { try call("aten::lt.Tensor", self, other) }
  public func less(_ value: some Scalar) throws -> Tensor { try call("aten::lt.Scalar", self, value) }
  public func lessOrEqual(_ other: Tensor) throws -> Tensor { try call("aten::le.Tensor", self, other) }
  public func lessOrEqual(_ value: some Scalar) throws -> Tensor { try call("aten::le.Scalar", self, value) }
  public func greater(_ other: Tensor) throws -> Tensor { try call("aten::gt.Tensor", self, other) }
  public func greater(_ value: some Scalar) throws -> Tensor { try call("aten::gt.Scalar", self, value) }
  public func greaterOrEqual(_ other: Tensor) throws -> Tensor { try call("aten::ge.Tensor", self, other) }
  public func greaterOrEqual(_ value: some Scalar) throws -> Tensor { try call("aten::ge.Scalar", self, value) }
  public func and(_ other: Tensor) throws -> Tensor { try call("aten::logical_and", self, other) }
  public func or(_ other: Tensor) throws -> Tensor { try call("aten::logical_or", self, other) }
  public func not() throws -> Tensor { try call("aten::logical_not", self) }
  public func isFinite() throws -> Tensor { try call("aten::isfinite", self) }
  public func isNaN() throws -> Tensor { try call("aten::isnan", self) }

  /// Whether shape, type and every element are the same (NaN differs from everything).
  public func isIdentical(to other: Tensor) throws -> Bool {
    guard shape == other.shape, dtype == other.dtype else { return false }
    guard case .bool(let same) = try callMany("aten::equal", self, other).first else { return false }
    return same
  }

  /// Elements of this tensor where `mask` is true, of `other` elsewhere.
  public func selected(where mask: Tensor, otherwise other: Tensor) throws -> Tensor {
    try call("aten::where.self", mask, self, other)
  }
}

// Functions of each element.
extension Tensor {
  public func abs() throws -> Tensor { try call("aten::abs", self) }
  public func sign() throws -> Tensor { try call("aten::sign", self) }
  public func exp() throws -> Tensor { try call("aten::exp", self) }
  public func log() throws -> Tensor { try call("aten::log", self) }
  public func sqrt() throws -> Tensor { try call("aten::sqrt", self) }
  public func rsqrt() throws -> Tensor { try call("aten::rsqrt", self) }
  public func square() throws -> Tensor { try call("aten::square", self) }
  public func reciprocal() throws -> Tensor { try call("aten::reciprocal", self) }
  public func sin() throws -> Tensor { try call("aten::sin", self) }
  public func cos() throws -> Tensor { try call("aten::cos", self) }
  public func acos() throws -> Tensor { try call("aten::acos", self) }
  public func tanh() throws -> Tensor { try call("aten::tanh", self) }
  public func sigmoid() throws -> Tensor { try call("aten::sigmoid", self) }
  public func erf() throws -> Tensor { try call("aten::erf", self) }
  public func floor() throws -> Tensor { try call("aten::floor", self) }
  public func ceil() throws -> Tensor { try call("aten::ceil", self) }
  public func round() throws -> Tensor { try call("aten::round", self) }
  public func power(_ exponent: Double) throws -> Tensor { try call("aten::pow.Tensor_Scalar", self, exponent) }
  public func maximum(_ other: Tensor) throws -> Tensor { try call("aten::maximum", self, other) }
  public func minimum(_ other: Tensor) throws -> Tensor { try call("aten::minimum", self, other) }
  public func remainder(_ divisor: some Scalar) throws -> Tensor { try call("aten::remainder.Scalar", self, divisor) }
  public func floorDivide(_ divisor: some Scalar) throws -> Tensor {
    try call("aten::div.Scalar_mode", self, divisor, "floor")
  }
  public func clamp(min: Double? = nil, max: Double? = nil) throws -> Tensor {
    try call("aten::clamp", self, min, max)
  }

  /// (1 − `weight`) · self + `weight` · `other`, exact at both ends.
  public func lerp(_ other: Tensor, weight: Double) throws -> Tensor {
    try call("aten::lerp.Scalar", self, other, weight)
  }

  // MARK: In place

  /// self += `scale` · `other`
  @discardableResult public func addInPlace(_ other: Tensor, scale: Double = 1) throws -> Tensor {
    try call("aten::add_.Tensor", self, other, scale)
  }
  @discardableResult public func addInPlace(_ value: some Scalar) throws -> Tensor {
    try call("aten::add_.Scalar", self, value)
  }
  @discardableResult public func subtractInPlace(_ other: Tensor) throws -> Tensor {
    try call("aten::sub_.Tensor", self, other)
  }
  @discardableResult public func multiplyInPlace(_ other: Tensor) throws -> Tensor {
    try call("aten::mul_.Tensor", self, other)
  }
  @discardableResult public func multiplyInPlace(_ value: some Scalar) throws -> Tensor {
    try call("aten::mul_.Scalar", self, value)
  }
  @discardableResult public func divideInPlace(_ other: Tensor) throws -> Tensor {
    try call("aten::div_.Tensor", self, other)
  }
}
