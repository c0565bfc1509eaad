import Checkpoints
import Networks
import Torch
import Weights

/// Units of a network that can change places: hidden neurons, the channels of a stage, heads of an attention.
public struct UnitGroup: Sendable, Hashable, Codable {
  /// After the layer that first makes the units: `layer1.0.conv1`
  public let name: String
  public let count: Int
}

/// The ways in which units of a network can change places without changing its function, as data: which axis of which parameter moves with
/// which group of units.
///
/// An element of the symmetry is a permutation for each group. Applied to weights, it moves rows, columns and channels of the parameters, all
/// that belong to a unit together.
public struct Symmetry: Sendable {
  /// A run of indices of an axis.
  public struct Segment: Sendable, Hashable {
    /// Place in `groups`.
    public let group: Int
    public let units: Int
    /// Consecutive indices that belong to one unit: the channels of a head, the pixels of a flattened channel.
    public let block: Int

    public var length: Int { units * block }
  }

  /// Segments one after the other; none where an axis stays as it is.
  public struct Axis: Sendable, Hashable, ExpressibleByArrayLiteral {
    public let segments: [Segment]

    init(segments: [Segment]) { self.segments = segments }
    public init(arrayLiteral elements: Segment...) { segments = elements }

    /// The network's inputs, its outputs, and what else stays in place.
    public static let fixed = Axis(segments: [])

    public var length: Int { segments.reduce(0) { $0 + $1.length } }

    /// Units side by side, as channels are when maps are concatenated.
    static func + (a: Axis, b: Axis) -> Axis { Axis(segments: a.segments + b.segments) }

    /// Each unit with so many indices instead of one.
    func inBlocks(of size: Int) -> Axis {
      Axis(segments: segments.map { Segment(group: $0.group, units: $0.units, block: $0.block * size) })
    }

    func repeated(_ times: Int) -> Axis { Axis(segments: Array(repeating: segments, count: times).flatMap { $0 }) }
  }

  /// A linear layer or convolution, whose outputs are its units.
  public struct Layer: Sendable, Hashable {
    public let weight: String
    public let bias: String?
    /// The module whose input the layer reads.
    public let reader: String
    /// Whether that module's output is the layer's.
    public let isModule: Bool
    /// Dimensions of the weight.
    public let input, output: Int
  }

  public private(set) var groups: [UnitGroup] = []
  /// By parameter, an axis for each dimension; parameters that stay as they are have no entry.
  public private(set) var axes: [String: [Axis]] = [:]
  /// In the order of declaration.
  public private(set) var layers: [Layer] = []
  /// Names of buffers: they move with their units, and say nothing about which units belong together.
  public let buffers: Set<String>
  let shapes: [String: [Int]]
  /// Names in the network's order.
  let names: [String]

  /// The symmetry that a network declares.
  ///
  /// - Throws: `AlignmentError` for a network that declares none, or none that fits its parameters.
  public init(of network: any Module) throws {
    guard let symmetric = network as? any SymmetricNetwork else {
      throw AlignmentError(
        "\(type(of: network)) declares no symmetry, so nothing of it can be permuted; let it conform to SymmetricNetwork"
      )
    }
    self.init(parametersOf: network)
    symmetric.declare(&self)
    try check()
  }

  init(parametersOf network: any Module) {
    let parameters = network.parameters()
    names = parameters.map(\.name)
    shapes = Dictionary(parameters.map { ($0.name, $0.parameter.value.shape) }, uniquingKeysWith: { first, _ in first })
    buffers = Set(parameters.filter { !$0.parameter.isTrainable }.map(\.name))
  }

  // MARK: Declaring

  /// A new group of units, and the axis that is these units in order.
  mutating func units(_ name: String, _ count: Int) -> Axis {
    groups.append(UnitGroup(name: name, count: count))
    return [Segment(group: groups.count - 1, units: count, block: 1)]
  }

  /// A new group of units, as many as `layer` has outputs.
  mutating func units(_ layer: String, outputs dimension: Int = 0) -> Axis {
    units(layer, shapes[layer + ".weight"]?[dimension] ?? 0)
  }

  /// The axes of a parameter by dimension; further dimensions stay. Networks without the parameter are left alone.
  mutating func parameter(_ name: String, _ axes: Axis...) {
    guard let rank = shapes[name]?.count, axes.count <= rank else { return }
    self.axes[name] = axes + Array(repeating: .fixed, count: rank - axes.count)
  }

  /// A linear layer or convolution with PyTorch's layout, [outputs, inputs, …].
  mutating func layer(_ name: String, from input: Axis = .fixed, to output: Axis = .fixed) {
    layer(weight: name + ".weight", bias: name + ".bias", of: name, from: input, to: output)
  }

  /// The same with names of its own, as a part of a module.
  mutating func layer(
    weight: String, bias: String, of module: String, isModule: Bool = true, from input: Axis, to output: Axis
  ) {
    parameter(weight, output, input)
    parameter(bias, output)
    layers.append(
      Layer(
        weight: weight, bias: shapes[bias] == nil ? nil : bias, reader: module, isModule: isModule, input: 1,
        output: 0))
  }

  /// A linear layer with GPT-2's layout, [inputs, outputs].
  mutating func transposedLayer(_ name: String, from input: Axis, to output: Axis) {
    parameter(name + ".weight", input, output)
    parameter(name + ".bias", output)
    layers.append(
      Layer(weight: name + ".weight", bias: name + ".bias", reader: name, isModule: true, input: 0, output: 1))
  }

  /// A convolution of each channel by itself.
  mutating func depthwise(_ name: String, _ channels: Axis) {
    parameter(name + ".weight", channels)
    parameter(name + ".bias", channels)
  }

  /// BatchNorm or LayerNorm.
  mutating func norm(_ name: String, _ channels: Axis) {
    for kind in ["weight", "bias", "running_mean", "running_var"] { parameter("\(name).\(kind)", channels) }
  }

  /// Throws where axes and parameters do not fit each other.
  private func check() throws {
    for name in names {
      guard let axes = axes[name], let shape = shapes[name] else { continue }
      for (axis, size) in zip(axes, shape) where !axis.segments.isEmpty {
        guard axis.length == size, axis.segments.allSatisfy({ $0.units == groups[$0.group].count }) else {
          throw AlignmentError("\(name) \(shape): the symmetry moves an axis of \(axis.length) where it has \(size)")
        }
      }
      let moved = axes.flatMap { Set($0.segments.map(\.group)) }
      guard Set(moved).count == moved.count else {
        throw AlignmentError("\(name) \(shape): a group of units moves two of its axes, which cannot be matched")
      }
    }
  }

  // MARK: Elements

  /// The element that changes nothing.
  public var identity: [Permutation] { groups.map { Permutation(identity: $0.count) } }

  /// The weights with their units permuted, all parameters that belong to a unit together; no number changes, and no memory is shared.
  ///
  /// - Parameters:
  ///   - permutations: one for each of `groups`
  ///   - weights: with this network's names; other names are copied
  /// - Throws: `AlignmentError` for permutations or weights of other sizes.
  public func apply(_ permutations: [Permutation], to weights: Weights) throws -> Weights {
    try require(permutations)
    return try withoutGradients {
      try weights.mapTensors { name, tensor in
        var moved = tensor
        if let axes = axes[name] {
          guard tensor.shape == shapes[name] else {
            throw AlignmentError("\(name) is \(tensor.shape), expected \(shapes[name] ?? [])")
          }
          for (dimension, axis) in axes.enumerated() {
            guard let indices = try indices(axis, permutations) else { continue }
            moved = try moved.indexSelect(dimension, indices.to(tensor.device))
          }
        }
        return moved.identity == tensor.identity ? try tensor.detach().clone() : moved
      }
    }
  }

  /// Which index of an axis comes to each place, [length] int64; nil where all stay.
  func indices(_ axis: Axis, _ permutations: [Permutation]) throws -> Tensor? {
    guard axis.segments.contains(where: { !permutations[$0.group].isIdentity }) else { return nil }
    var result: [Int] = []
    result.reserveCapacity(axis.length)
    var start = 0
    for segment in axis.segments {
      for unit in permutations[segment.group].indices {
        result.append(contentsOf: (start + unit * segment.block)..<(start + (unit + 1) * segment.block))
      }
      start += segment.length
    }
    return try Tensor(result)
  }

  func require(_ permutations: [Permutation]) throws {
    guard permutations.map(\.count) == groups.map(\.count) else {
      throw AlignmentError(
        "permutations of \(permutations.map(\.count)) units, expected \(groups.map { "\($0.count) (\($0.name))" }.joined(separator: ", "))"
      )
    }
  }
}

/// A network that says which of its units can change places.
public protocol SymmetricNetwork: Module {
  /// Declares groups of units and what moves with them.
  func declare(_ symmetry: inout Symmetry)
}
