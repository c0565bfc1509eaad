import CTorch
import Synchronization

/// A value that can be passed to one of libtorch's operators.
public protocol OperatorArgument {
  /// Writes the value for libtorch. Memory that it needs until the call ends comes from `scratch`.
  func write(into value: inout VTValue, scratch: inout Scratch)
  /// The tensors in it, for the texts of errors.
  var tensors: [Tensor] { get }
}

extension OperatorArgument {
  /// None.
  public var tensors: [Tensor] { [] }
}

/// Memory that lives until one call of an operator ends.
public struct Scratch: ~Copyable {
  private var blocks: [UnsafeMutableRawPointer] = []

  mutating func copy<Element>(_ elements: [Element]) -> UnsafeRawPointer? {
    guard !elements.isEmpty else { return nil }
    let block = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
    block.initialize(from: elements, count: elements.count)
    blocks.append(UnsafeMutableRawPointer(block))
    return UnsafeRawPointer(block)
  }

  deinit { for block in blocks { block.deallocate() } }
}

extension Tensor: OperatorArgument {
  /// A tensor, for a parameter `Tensor`.
  public func write(into value: inout VTValue, scratch: inout Scratch) {
    value.kind = VT_TENSOR
    value.pointer = UnsafeRawPointer(reference.handle)
  }
  /// This tensor.
  public var tensors: [Tensor] { [self] }
}

extension Int: OperatorArgument {
  /// An integer, for a parameter `int` or `Scalar`.
  public func write(into value: inout VTValue, scratch: inout Scratch) {
    value.kind = VT_INT
    value.integer = Int64(self)
  }
}

extension Double: OperatorArgument {
  /// A number, for a parameter `float` or `Scalar`.
  public func write(into value: inout VTValue, scratch: inout Scratch) {
    value.kind = VT_DOUBLE
    value.real = self
  }
}

extension Bool: OperatorArgument {
  /// A truth value, for a parameter `bool`.
  public func write(into value: inout VTValue, scratch: inout Scratch) {
    value.kind = VT_BOOL
    value.integer = self ? 1 : 0
  }
}

extension String: OperatorArgument {
  /// A text, for a parameter `str`.
  public func write(into value: inout VTValue, scratch: inout Scratch) {
    value.kind = VT_STRING
    value.pointer = scratch.copy(Array(utf8CString))
  }
}

extension DType: OperatorArgument {
  /// libtorch's code of the type, for a parameter `ScalarType`.
  public func write(into value: inout VTValue, scratch: inout Scratch) {
    value.kind = VT_INT
    value.integer = Int64(rawValue)
  }
}

extension MemoryFormat: OperatorArgument {
  /// libtorch's code of the layout, for a parameter `MemoryFormat`.
  public func write(into value: inout VTValue, scratch: inout Scratch) {
    value.kind = VT_INT
    value.integer = rawValue
  }
}

extension Device: OperatorArgument {
  /// A device, for a parameter `Device`.
  public func write(into value: inout VTValue, scratch: inout Scratch) {
    value.kind = VT_DEVICE
    value.integer = code
  }
}

extension Generator: OperatorArgument {
  /// A generator, for a parameter `Generator`.
  public func write(into value: inout VTValue, scratch: inout Scratch) {
    value.kind = VT_GENERATOR
    value.pointer = UnsafeRawPointer(handle)
  }
}

extension Array: OperatorArgument where Element: OperatorArgument {
  /// A list, for a parameter `int[]`, `float[]`, `bool[]`, `Tensor[]` or `Tensor?[]`.
  public func write(into value: inout VTValue, scratch: inout Scratch) {
    value.count = Int64(count)
    // By the type of the elements: an empty array casts to an array of anything.
    switch Element.self {
    case is Int.Type:
      value.kind = VT_INTS
      value.pointer = scratch.copy(self)
    case is Double.Type:
      value.kind = VT_DOUBLES
      value.pointer = scratch.copy(self)
    case is Bool.Type:
      value.kind = VT_BOOLS
      value.pointer = scratch.copy((self as? [Bool] ?? []).map { $0 ? 1 : 0 as Int64 })
    case is Tensor.Type:
      value.kind = VT_TENSORS
      value.pointer = scratch.copy((self as? [Tensor] ?? []).map(\.reference.handle))
    case is Tensor?.Type:
      value.kind = VT_OPTIONAL_TENSORS
      value.pointer = scratch.copy((self as? [Tensor?] ?? []).map { $0?.reference.handle })
    default:
      value.kind = VT_NONE
    }
  }
  /// The tensors in all elements.
  public var tensors: [Tensor] { flatMap(\.tensors) }
}

extension Optional: OperatorArgument where Wrapped: OperatorArgument {
  /// The value, or an absent one, for a parameter whose type ends in `?`.
  public func write(into value: inout VTValue, scratch: inout Scratch) {
    guard let self else {
      value.kind = VT_NONE
      return
    }
    self.write(into: &value, scratch: &scratch)
  }
  /// The tensors in the value, if there is one.
  public var tensors: [Tensor] { self?.tensors ?? [] }
}

/// One value that an operator returned. A list of tensors counts as so many values.
enum OperatorResult {
  case none
  case tensor(Tensor)
  case int(Int)
  case double(Double)
  case bool(Bool)
}

// Looking up an operator takes a lock and a string comparison in libtorch, so each name is looked up once. The key is
// the address of the name's literal.
private let operators = Mutex<[UInt: SendableHandle]>([:])
private struct SendableHandle: @unchecked Sendable { let handle: VTOperator }

private func handle(_ name: StaticString) throws -> VTOperator {
  let key = UInt(bitPattern: name.utf8Start)
  if let known = operators.withLock({ $0[key] }) { return known.handle }
  let full = "\(name)"
  let dot = full.lastIndex(of: ".")
  var found: VTOperator?
  try check(
    libtorch.find_operator(
      String(full[..<(dot ?? full.endIndex)]), dot.map { String(full[full.index(after: $0)...]) } ?? "", &found),
    full)
  guard let found else { throw TorchError(operation: full, message: "no such operator") }
  let entry = SendableHandle(handle: found)
  operators.withLock { $0[key] = entry }
  return found
}

/// Whether this libtorch has an operator: some depend on the libraries it was built with.
func hasOperator(_ name: StaticString) -> Bool { (try? handle(name)) != nil }

/// Calls an operator by its dispatcher name, "aten::add.Tensor", with its leading arguments; the others take the
/// defaults of its schema.
private func invoke(
  _ name: StaticString, _ arguments: [any OperatorArgument], _ results: UnsafeMutableBufferPointer<VTValue>
)
  throws -> (count: Int, overflow: UnsafeMutablePointer<VTValue>?)
{
  let handle = try handle(name)
  var count = 0
  var overflow: UnsafeMutablePointer<VTValue>?
  let error = withUnsafeTemporaryAllocation(of: VTValue.self, capacity: arguments.count) { values -> VTError? in
    var scratch = Scratch()
    for (index, argument) in arguments.enumerated() {
      values[index] = VTValue()
      argument.write(into: &values[index], scratch: &scratch)
    }
    let error = withExtendedLifetime(arguments) {
      libtorch.call(handle, values.baseAddress, arguments.count, results.baseAddress, results.count, &count, &overflow)
    }
    _ = consume scratch
    return error
  }
  try check(error, "\(name)", arguments.flatMap(\.tensors))
  return (count, overflow)
}

/// Calls one of libtorch's operators that returns one tensor.
///
/// A new operator needs no more than this: `try call("aten::cumprod", x, 0)`.
///
/// - Parameters:
///   - name: the dispatcher's name with its overload, as in libtorch's `native_functions.yaml`: "aten::add.Tensor"
///   - arguments: the leading arguments, in the schema's order; those left out take its defaults. An absent optional is
///     written `Tensor?.none`.
/// - Throws: `TorchError` when there is no such operator, libtorch refuses the arguments, or it returns anything else.
@inline(never)
public func call(_ name: StaticString, _ arguments: any OperatorArgument...) throws -> Tensor {
  var value = VTValue()
  let (count, overflow) = try withUnsafeMutablePointer(to: &value) {
    try invoke(name, arguments, UnsafeMutableBufferPointer(start: $0, count: 1))
  }
  guard count == 1, overflow == nil, value.kind == VT_TENSOR, let pointer = value.pointer else {
    if let overflow { _ = take(UnsafeBufferPointer(start: overflow, count: count), freeing: overflow) }
    throw TorchError(operation: "\(name)", message: "returns \(count) values where one tensor was expected")
  }
  let result = Tensor(owning: UnsafeMutableRawPointer(mutating: pointer))
  OperatorTrace.note(name, arguments, [result])
  return result
}

/// Calls an operator that returns any number of values.
func callMany(_ name: StaticString, _ arguments: any OperatorArgument...) throws -> [OperatorResult] {
  try withUnsafeTemporaryAllocation(of: VTValue.self, capacity: 4) { buffer in
    let (count, overflow) = try invoke(name, arguments, buffer)
    return take(UnsafeBufferPointer(start: overflow ?? buffer.baseAddress, count: count), freeing: overflow)
  }
}

/// Calls one of libtorch's operators that returns several tensors, or a list of them; see ``call(_:_:)``.
///
/// - Returns: the tensors in order. Results of other types are left out.
/// - Throws: `TorchError` when there is no such operator, or libtorch refuses the arguments.
public func callTensors(_ name: StaticString, _ arguments: any OperatorArgument...) throws -> [Tensor] {
  try withUnsafeTemporaryAllocation(of: VTValue.self, capacity: 4) { buffer in
    let (count, overflow) = try invoke(name, arguments, buffer)
    let results = take(UnsafeBufferPointer(start: overflow ?? buffer.baseAddress, count: count), freeing: overflow)
      .compactMap { if case .tensor(let tensor) = $0 { tensor } else { nil } }
    OperatorTrace.note(name, arguments, results)
    return results
  }
}

private func take(_ values: UnsafeBufferPointer<VTValue>, freeing block: UnsafeMutablePointer<VTValue>?)
  -> [OperatorResult]
{
  defer { libtorch.free(block) }
  return values.map { value in
    switch value.kind {
    case VT_TENSOR: .tensor(Tensor(owning: UnsafeMutableRawPointer(mutating: value.pointer)))
    case VT_INT: .int(Int(value.integer))
    case VT_DOUBLE: .double(value.real)
    case VT_BOOL: .bool(value.integer != 0)
    default: .none
    }
  }
}
