import Torch

/// Units of a network that can change places: hidden neurons, the channels of a stage, heads of an attention.
public struct UnitGroup: Sendable, Hashable, Codable {
  /// That of the layer that first makes the units: `layer1.0.conv1`
  public let name: String
  /// How many units there are.
  public let count: Int

  /// A group of `count` units.
  public init(name: String, count: Int) { (self.name, self.count) = (name, count) }
}

/// The ways in which units of a network can change places without changing its function, as data: which axis of which
/// parameter moves with which group of units.
///
/// A network declares its symmetry by the functions below, in `SymmetricNetwork.declare`; `init(of:)` checks that the
/// declaration fits the network's parameters. What is done with it (matching, permuting, pruning) knows nothing else of
/// the network.
public struct Symmetry: Sendable {
  /// A run of indices of an axis.
  public struct Segment: Sendable, Hashable {
    /// Place in `groups`.
    public let group: Int
    /// Of that group, all.
    public let units: Int
    /// Consecutive indices that belong to one unit: the channels of a head, the pixels of a flattened channel.
    public let block: Int

    /// Indices in all.
    public var length: Int { units * block }
  }

  /// Segments one after the other; none where an axis stays as it is.
  public struct Axis: Sendable, Hashable {
    /// In the order of their indices.
    public let segments: [Segment]

    /// The network's inputs, its outputs, and what else stays in place.
    public static let fixed = Axis(segments: [])

    /// Indices in all; 0 where the axis is fixed.
    public var length: Int { segments.reduce(0) { $0 + $1.length } }

    /// Units side by side, as channels are when maps are concatenated.
    public static func + (a: Axis, b: Axis) -> Axis { Axis(segments: a.segments + b.segments) }

    /// Each unit with `size` times as many consecutive indices.
    public func inBlocks(of size: Int) -> Axis {
      Axis(segments: segments.map { Segment(group: $0.group, units: $0.units, block: $0.block * size) })
    }

    /// The same units so many times, one run after the other.
    public func repeated(_ times: Int) -> Axis {
      Axis(segments: Array(repeating: segments, count: times).flatMap { $0 })
    }
  }

  /// A linear layer or convolution, whose outputs are its units.
  public struct Layer: Sendable, Hashable {
    /// The name of its weight.
    public let weight: String
    /// The name of its bias; nil: it has none.
    public let bias: String?
    /// The module whose input the layer reads.
    public let reader: String
    /// Whether that module's output is the layer's.
    public let isModule: Bool
    /// Dimension of the weight along which inputs are read.
    public let input: Int
    /// Dimension of the weight along which outputs are made.
    public let output: Int
  }

  /// In the order in which they were declared.
  public private(set) var groups: [UnitGroup] = []
  /// By parameter, an axis for each dimension; parameters that stay as they are have no entry.
  public private(set) var axes: [String: [Axis]] = [:]
  /// In the order in which they were declared.
  public private(set) var layers: [Layer] = []
  /// Names of buffers: they move with their units, and say nothing about which units belong together.
  public let buffers: Set<String>
  /// Of each parameter and buffer.
  public let shapes: [String: [Int]]
  /// Of parameters and buffers, in the network's order.
  public let names: [String]
  /// What is wrong with the declaration so far.
  private var problems: [String] = []

  /// The symmetry that a network declares.
  ///
  /// - Throws: `SymmetryError` for a network that declares none, or none that fits its parameters.
  public init(of network: any Module) throws {
    guard let symmetric = network as? any SymmetricNetwork else {
      throw SymmetryError(
        "\(type(of: network)) declares no symmetry, so nothing of it can be permuted; "
          + "let it conform to SymmetricNetwork")
    }
    let parameters = network.parameters()
    names = parameters.map(\.name)
    shapes = Dictionary(parameters.map { ($0.name, $0.parameter.value.shape) }, uniquingKeysWith: { first, _ in first })
    buffers = Set(parameters.filter { !$0.parameter.isTrainable }.map(\.name))
    try symmetric.declare(&self)
    check()
    guard problems.isEmpty else { throw SymmetryError(problems.joined(separator: "\n")) }
  }

  // MARK: Declaring

  /// A new group of units, and the axis that is these units in order.
  public mutating func units(_ name: String, _ count: Int) -> Axis {
    groups.append(UnitGroup(name: name, count: count))
    return Axis(segments: [Segment(group: groups.count - 1, units: count, block: 1)])
  }

  /// A new group of units, as many as `layer` has outputs.
  ///
  /// - Parameter dimension: along which its weight makes them
  public mutating func units(_ layer: String, outputs dimension: Int = 0) -> Axis {
    guard let shape = requiredShape(layer + ".weight"), shape.indices.contains(dimension) else { return .fixed }
    return units(layer, shape[dimension])
  }

  /// The heads of an attention as a new group of units, each with its share of the channels.
  public mutating func heads(_ name: String, _ count: Int, of channels: Axis) -> Axis {
    units("\(name) heads", count).inBlocks(of: channels.length / max(1, count))
  }

  /// The axes of a parameter by dimension; further dimensions stay.
  public mutating func parameter(_ name: String, _ axes: Axis...) {
    if requiredShape(name) != nil { place(name, axes) }
  }

  /// A linear layer or convolution with PyTorch's layout, [outputs, inputs, …].
  public mutating func layer(_ name: String, from input: Axis = .fixed, to output: Axis = .fixed) {
    layer(weight: name + ".weight", bias: name + ".bias", of: name, from: input, to: output)
  }

  /// The same with names of its own, as a part of a module.
  ///
  /// - Parameter isModule: whether the module's output is the layer's
  public mutating func layer(
    weight: String, bias: String, of module: String, isModule: Bool = true, from input: Axis, to output: Axis
  ) {
    guard requiredShape(weight) != nil else { return }
    place(weight, [output, input])
    place(bias, [output])
    layers.append(
      Layer(
        weight: weight, bias: shapes[bias] == nil ? nil : bias, reader: module, isModule: isModule, input: 1,
        output: 0))
  }

  /// A linear layer with GPT-2's layout, [inputs, outputs].
  public mutating func transposedLayer(_ name: String, from input: Axis, to output: Axis) {
    parameter(name + ".weight", input, output)
    parameter(name + ".bias", output)
    layers.append(
      Layer(weight: name + ".weight", bias: name + ".bias", reader: name, isModule: true, input: 0, output: 1))
  }

  /// A convolution of each channel by itself.
  public mutating func depthwise(_ name: String, _ channels: Axis) {
    parameter(name + ".weight", channels)
    place(name + ".bias", [channels])
  }

  /// A norm over channels, such as BatchNorm or LayerNorm, with its running statistics where it has any.
  public mutating func norm(_ name: String, _ channels: Axis) {
    for kind in ["weight", "bias", "running_mean", "running_var"] { place("\(name).\(kind)", [channels]) }
  }

  // MARK: Checking

  /// The shape of a parameter that has to be there.
  private mutating func requiredShape(_ name: String) -> [Int]? {
    if shapes[name] == nil { problems.append("the symmetry names \(name), and the network has no such parameter") }
    return shapes[name]
  }

  /// Does nothing where there is no such parameter.
  private mutating func place(_ name: String, _ axes: [Axis]) {
    guard let shape = shapes[name] else { return }
    guard axes.count <= shape.count else {
      return problems.append("\(name) \(shape): the symmetry has \(axes.count) axes for it")
    }
    self.axes[name] = axes + Array(repeating: .fixed, count: shape.count - axes.count)
  }

  /// Notes where axes and parameters do not fit each other.
  private mutating func check() {
    for name in names {
      guard let axes = axes[name], let shape = shapes[name] else { continue }
      for (axis, size) in zip(axes, shape) where !axis.segments.isEmpty && axis.length != size {
        problems.append("\(name) \(shape): the symmetry moves an axis of \(axis.length) where it has \(size)")
      }
      let moved = axes.flatMap { Set($0.segments.map(\.group)) }
      if Set(moved).count != moved.count {
        problems.append("\(name) \(shape): a group of units moves two of its axes, which cannot be matched")
      }
    }
  }
}

/// A network that says which of its units can change places.
public protocol SymmetricNetwork: Module {
  /// Declares groups of units and what moves with them.
  func declare(_ symmetry: inout Symmetry) throws
}

/// A network without a declared symmetry, or a declaration that does not fit it.
public struct SymmetryError: Error, CustomStringConvertible, Sendable, Equatable {
  /// Every mistake, one a line.
  public let description: String
  init(_ description: String) { self.description = description }
}
