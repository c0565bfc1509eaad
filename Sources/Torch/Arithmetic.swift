// Element-wise arithmetic. Operands broadcast and types promote as in PyTorch: `TorchError` is thrown for shapes that
// do not broadcast.

/// A plain number beside a tensor. An `Int`, which is what a literal without a point is, leaves an integer tensor's
/// type alone; a `Double` turns it into float32. Both leave a floating-point tensor's type alone.
public protocol Scalar: OperatorArgument {}
extension Int: Scalar {}
extension Double: Scalar {}

/// aᵢ + bᵢ, broadcast; `torch.add`.
public func + (a: Tensor, b: Tensor) throws -> Tensor { try call("aten::add.Tensor", a, b) }

/// aᵢ + b; `torch.add`. For what becomes of the type, see ``Scalar``.
public func + (a: Tensor, b: some Scalar) throws -> Tensor { try call("aten::add.Scalar", a, b) }

/// a + bᵢ; `torch.add`. For what becomes of the type, see ``Scalar``.
public func + (a: some Scalar, b: Tensor) throws -> Tensor { try call("aten::add.Scalar", b, a) }

/// aᵢ − bᵢ, broadcast; `torch.sub`. Throws `TorchError` for boolean tensors.
public func - (a: Tensor, b: Tensor) throws -> Tensor { try call("aten::sub.Tensor", a, b) }

/// aᵢ − b; `torch.sub`. For what becomes of the type, see ``Scalar``.
public func - (a: Tensor, b: some Scalar) throws -> Tensor { try call("aten::sub.Scalar", a, b) }

/// a − bᵢ; `torch.rsub`. For what becomes of the type, see ``Scalar``.
public func - (a: some Scalar, b: Tensor) throws -> Tensor { try call("aten::rsub.Scalar", b, a) }

/// aᵢ bᵢ, broadcast; `torch.mul`. For the product of matrices, see ``Tensor/matmul(_:)``.
public func * (a: Tensor, b: Tensor) throws -> Tensor { try call("aten::mul.Tensor", a, b) }

/// aᵢ b; `torch.mul`. For what becomes of the type, see ``Scalar``.
public func * (a: Tensor, b: some Scalar) throws -> Tensor { try call("aten::mul.Scalar", a, b) }

/// a bᵢ; `torch.mul`. For what becomes of the type, see ``Scalar``.
public func * (a: some Scalar, b: Tensor) throws -> Tensor { try call("aten::mul.Scalar", b, a) }

/// aᵢ / bᵢ, broadcast; `torch.div`. The quotient of integers is float32, and dividing by 0 gives ±∞ or NaN.
public func / (a: Tensor, b: Tensor) throws -> Tensor { try call("aten::div.Tensor", a, b) }

/// aᵢ / b; `torch.div`. An integer tensor becomes float32.
public func / (a: Tensor, b: Double) throws -> Tensor { try call("aten::div.Scalar", a, b) }

/// a · (1 / bᵢ): the reciprocal is rounded before the product is. An integer tensor becomes float32.
public func / (a: Double, b: Tensor) throws -> Tensor { try b.reciprocal() * a }

/// −aᵢ, in the same type; `torch.neg`. Throws `TorchError` for boolean tensors.
public prefix func - (a: Tensor) throws -> Tensor { try call("aten::neg", a) }

// Comparisons.
extension Tensor {
  /// Whether each element equals its counterpart, broadcast; boolean. NaN equals nothing. `torch.eq`.
  public func equals(_ other: Tensor) throws -> Tensor { try call("aten::eq.Tensor", self, other) }

  /// Whether each element equals `value`; boolean. `torch.eq`.
  public func equals(_ value: some Scalar) throws -> Tensor { try call("aten::eq.Scalar", self, value) }

  /// selfᵢ < otherᵢ, broadcast; boolean, false for NaN. `torch.lt`.
  public func less(_ other: Tensor) throws -> Tensor { try call("aten::lt.Tensor", self, other) }

  /// selfᵢ < value; boolean, false for NaN. `torch.lt`.
  public func less(_ value: some Scalar) throws -> Tensor { try call("aten::lt.Scalar", self, value) }

  /// selfᵢ ≤ otherᵢ, broadcast; boolean, false for NaN. `torch.le`.
  public func lessOrEqual(_ other: Tensor) throws -> Tensor { try call("aten::le.Tensor", self, other) }

  /// selfᵢ ≤ value; boolean, false for NaN. `torch.le`.
  public func lessOrEqual(_ value: some Scalar) throws -> Tensor { try call("aten::le.Scalar", self, value) }

  /// selfᵢ > otherᵢ, broadcast; boolean, false for NaN. `torch.gt`.
  public func greater(_ other: Tensor) throws -> Tensor { try call("aten::gt.Tensor", self, other) }

  /// selfᵢ > value; boolean, false for NaN. `torch.gt`.
  public func greater(_ value: some Scalar) throws -> Tensor { try call("aten::gt.Scalar", self, value) }

  /// selfᵢ ≥ otherᵢ, broadcast; boolean, false for NaN. `torch.ge`.
  public func greaterOrEqual(_ other: Tensor) throws -> Tensor { try call("aten::ge.Tensor", self, other) }

  /// selfᵢ ≥ value; boolean, false for NaN. `torch.ge`.
  public func greaterOrEqual(_ value: some Scalar) throws -> Tensor { try call("aten::ge.Scalar", self, value) }

  /// Whether both elements are non-zero, broadcast; boolean. `torch.logical_and`.
  public func and(_ other: Tensor) throws -> Tensor { try call("aten::logical_and", self, other) }

  /// Whether at least one of the elements is non-zero, broadcast; boolean. `torch.logical_or`.
  public func or(_ other: Tensor) throws -> Tensor { try call("aten::logical_or", self, other) }

  /// Whether each element is zero; boolean. `torch.logical_not`.
  public func not() throws -> Tensor { try call("aten::logical_not", self) }

  /// Whether each element is neither infinite nor NaN; boolean, true for every integer. `torch.isfinite`.
  public func isFinite() throws -> Tensor { try call("aten::isfinite", self) }

  /// Whether each element is NaN; boolean, false for every integer. `torch.isnan`.
  public func isNaN() throws -> Tensor { try call("aten::isnan", self) }

  /// Whether shape, type and every element are the same. NaN differs from everything, and −0 equals 0. `torch.equal`.
  public func isIdentical(to other: Tensor) throws -> Bool {
    guard shape == other.shape, dtype == other.dtype else { return false }
    guard case .bool(let same) = try callMany("aten::equal", self, other).first else { return false }
    return same
  }

  /// Elements of this tensor where the boolean `mask` is true, of `other` elsewhere; the three are broadcast.
  /// `torch.where`.
  public func selected(where mask: Tensor, otherwise other: Tensor) throws -> Tensor {
    try call("aten::where.self", mask, self, other)
  }
}

// Functions of each element.
extension Tensor {
  /// |xᵢ|, in the same type; `torch.abs`.
  public func abs() throws -> Tensor { try call("aten::abs", self) }

  /// −1, 0 or 1 by the sign of each element, in the same type; `torch.sign`.
  public func sign() throws -> Tensor { try call("aten::sign", self) }

  /// e^xᵢ; integers become float32. `torch.exp`.
  public func exp() throws -> Tensor { try call("aten::exp", self) }

  /// The natural logarithm of each element: −∞ at 0, NaN below. Integers become float32. `torch.log`.
  public func log() throws -> Tensor { try call("aten::log", self) }

  /// √xᵢ, NaN below 0; integers become float32. `torch.sqrt`.
  public func sqrt() throws -> Tensor { try call("aten::sqrt", self) }

  /// 1 / √xᵢ: ∞ at 0, NaN below. Integers become float32. `torch.rsqrt`.
  public func rsqrt() throws -> Tensor { try call("aten::rsqrt", self) }

  /// xᵢ², in the same type; `torch.square`.
  public func square() throws -> Tensor { try call("aten::square", self) }

  /// 1 / xᵢ, ±∞ at 0; integers become float32. `torch.reciprocal`.
  public func reciprocal() throws -> Tensor { try call("aten::reciprocal", self) }

  /// sin xᵢ of an angle in radians; integers become float32. `torch.sin`.
  public func sin() throws -> Tensor { try call("aten::sin", self) }

  /// cos xᵢ of an angle in radians; integers become float32. `torch.cos`.
  public func cos() throws -> Tensor { try call("aten::cos", self) }

  /// arccos xᵢ in radians, from 0 to π; NaN outside −1 … 1. Integers become float32. `torch.acos`.
  public func acos() throws -> Tensor { try call("aten::acos", self) }

  /// tanh xᵢ; integers become float32. `torch.tanh`.
  public func tanh() throws -> Tensor { try call("aten::tanh", self) }

  /// The logistic function 1 / (1 + e^−xᵢ); integers become float32. `torch.sigmoid`.
  public func sigmoid() throws -> Tensor { try call("aten::sigmoid", self) }

  /// The error function (2 / √π) ∫₀^xᵢ e^−t² dt; integers become float32. `torch.erf`.
  public func erf() throws -> Tensor { try call("aten::erf", self) }

  /// The largest whole number not above each element, in the same type; `torch.floor`.
  public func floor() throws -> Tensor { try call("aten::floor", self) }

  /// The smallest whole number not below each element, in the same type; `torch.ceil`.
  public func ceil() throws -> Tensor { try call("aten::ceil", self) }

  /// The nearest whole number, halves to the even one, in the same type; `torch.round`.
  public func round() throws -> Tensor { try call("aten::round", self) }

  /// xᵢ^exponent; integers become float32. `torch.pow`.
  public func power(_ exponent: Double) throws -> Tensor { try call("aten::pow.Tensor_Scalar", self, exponent) }

  /// The larger of each two elements, broadcast; NaN where either is. `torch.maximum`.
  public func maximum(_ other: Tensor) throws -> Tensor { try call("aten::maximum", self, other) }

  /// The smaller of each two elements, broadcast; NaN where either is. `torch.minimum`.
  public func minimum(_ other: Tensor) throws -> Tensor { try call("aten::minimum", self, other) }

  /// xᵢ − divisor · ⌊xᵢ / divisor⌋, which has the divisor's sign; `torch.remainder`.
  public func remainder(_ divisor: some Scalar) throws -> Tensor { try call("aten::remainder.Scalar", self, divisor) }

  /// ⌊xᵢ / divisor⌋; an integer tensor divided by an `Int` keeps its type. `torch.div(rounding_mode="floor")`.
  public func floorDivide(_ divisor: some Scalar) throws -> Tensor {
    try call("aten::div.Scalar_mode", self, divisor, "floor")
  }

  /// Each element held between `min` and `max`; nil: no bound on that side. Integers become float32. `torch.clamp`.
  ///
  /// - Throws: `TorchError` without either bound.
  public func clamp(min: Double? = nil, max: Double? = nil) throws -> Tensor {
    try call("aten::clamp", self, min, max)
  }

  /// (1 − `weight`) · self + `weight` · `other`, exact at both ends. The tensors have one floating-point type.
  /// `torch.lerp`.
  public func lerp(_ other: Tensor, weight: Double) throws -> Tensor {
    try call("aten::lerp.Scalar", self, other, weight)
  }

  // MARK: In place

  /// self += `scale` · `other`, which is broadcast to this tensor's shape; `torch.Tensor.add_`.
  ///
  /// - Returns: this tensor.
  /// - Throws: `TorchError` for an integer tensor, since `scale` is a floating-point number.
  @discardableResult public func addInPlace(_ other: Tensor, scale: Double = 1) throws -> Tensor {
    try call("aten::add_.Tensor", self, other, scale)
  }

  /// self += `value`, in this tensor's type; `torch.Tensor.add_`.
  ///
  /// - Returns: this tensor.
  /// - Throws: `TorchError` for an integer tensor and a `Double`.
  @discardableResult public func addInPlace(_ value: some Scalar) throws -> Tensor {
    try call("aten::add_.Scalar", self, value)
  }

  /// self −= `other`, which is broadcast to this tensor's shape; `torch.Tensor.sub_`.
  ///
  /// - Returns: this tensor.
  @discardableResult public func subtractInPlace(_ other: Tensor) throws -> Tensor {
    try call("aten::sub_.Tensor", self, other)
  }

  /// self ∗= `other`, element by element; `other` is broadcast to this tensor's shape. `torch.Tensor.mul_`.
  ///
  /// - Returns: this tensor.
  @discardableResult public func multiplyInPlace(_ other: Tensor) throws -> Tensor {
    try call("aten::mul_.Tensor", self, other)
  }

  /// self ∗= `value`, in this tensor's type; `torch.Tensor.mul_`.
  ///
  /// - Returns: this tensor.
  /// - Throws: `TorchError` for an integer tensor and a `Double`.
  @discardableResult public func multiplyInPlace(_ value: some Scalar) throws -> Tensor {
    try call("aten::mul_.Scalar", self, value)
  }

  /// self /= `other`, element by element; `other` is broadcast to this tensor's shape. `torch.Tensor.div_`.
  ///
  /// - Returns: this tensor.
  /// - Throws: `TorchError` for an integer tensor.
  @discardableResult public func divideInPlace(_ other: Tensor) throws -> Tensor {
    try call("aten::div_.Tensor", self, other)
  }
}
