import Synchronization
import Torch

/// What a network is made of, layer by layer in the order of a forward pass: found by running one and looking at the
/// operators it calls.
///
/// A layer is what holds parameters; its work is that of the operators that take them. Matrix products between
/// activations, as in attention, count as layers of their own. Multiply-adds are those of convolutions, linear layers,
/// matrix products and attention; other work is left out, as fvcore does. `torch.utils.flop_counter` counts each
/// multiply-add as two.
public struct LayerTable: Sendable, Encodable {
  /// A row of the table.
  public struct Layer: Sendable, Encodable, Equatable {
    /// `layer1.0.conv1`
    public var name: String
    /// Of one example, without the batch's dimension; nil for parameters that enter another layer's work.
    public var output: [Int]?
    /// Elements of trained parameters.
    public var parameters: Int
    /// Elements of buffers.
    public var buffers: Int
    /// For one example.
    public var multiplyAdds: Int
  }

  /// In the order in which they first work; one that works within another stands before it.
  public var layers: [Layer]
  /// Elements of trained parameters, over all layers.
  public var parameters: Int { layers.reduce(0) { $0 + $1.parameters } }
  /// Elements of buffers, over all layers.
  public var buffers: Int { layers.reduce(0) { $0 + $1.buffers } }
  /// For one example, over all layers.
  public var multiplyAdds: Int { layers.reduce(0) { $0 + $1.multiplyAdds } }

  /// Runs the network once on one example of zeros, on the CPU.
  public init(_ network: any Module, input: InputShape) throws {
    let recorder = try Recorder(network)
    let example: Tensor =
      switch input {
      case .picture(let channels, let height, let width): try .zeros([1, channels, height, width])
      case .tokens(_, let context): try .zeros([1, context], dtype: .int64)
      }
    _ = try withoutGradients {
      try tracingOperators({ recorder.note($0) }) { try network(example, .evaluation) }
    }
    layers = recorder.layers
  }
}

/// Attributes operators to the layers whose parameters they take.
private final class Recorder: Sendable {
  private struct State {
    var layers: [LayerTable.Layer] = []
    var places: [String: Int] = [:]
    /// The layer of each parameter, and of what is computed from parameters alone, by the tensor's identity.
    var owners: [UInt: String] = [:]
    /// Keeps what is in `owners` alive, so that no other tensor gets its place in memory.
    var retained: [Tensor] = []
    var ran: [String] = []
  }
  private let state: Mutex<State>

  init(_ network: any Module) throws {
    var state = State()
    for (name, parameter) in network.parameters() {
      let layer = Self.layer(of: name)
      let count = parameter.value.count
      let place = state.places[layer] ?? state.layers.count
      if place == state.layers.count {
        state.layers.append(.init(name: layer, output: nil, parameters: 0, buffers: 0, multiplyAdds: 0))
        state.places[layer] = place
      }
      if parameter.isTrainable { state.layers[place].parameters += count } else { state.layers[place].buffers += count }
      state.owners[parameter.value.identity] = layer
      state.retained.append(parameter.value)
    }
    self.state = Mutex(state)
  }

  /// `conv1` of `conv1.weight`; a parameter with a name of its own, such as `cls_token`, is a layer of its own.
  private static func layer(of name: String) -> String {
    let usual = [
      "weight", "bias", "in_proj_weight", "in_proj_bias", "running_mean", "running_var", "num_batches_tracked",
    ]
    guard let dot = name.lastIndex(of: "."), usual.contains(String(name[name.index(after: dot)...])) else {
      return name
    }
    return String(name[..<dot])
  }

  func note(_ call: OperatorCall) {
    state.withLock { state in
      let owners = call.arguments.map { state.owners[$0.identity] }
      guard let result = call.results.first else { return }
      if !owners.isEmpty, owners.allSatisfy({ $0 != nil }), let owner = owners.first ?? nil {
        // Computed from parameters alone: it stands for them.
        for result in call.results {
          state.owners[result.identity] = owner
          state.retained.append(result)
        }
        return
      }
      let work = Self.multiplyAdds(call)
      let name: String
      if let owner = owners.compactMap({ $0 }).first {
        name = owner
      } else if work > 0 {
        // A product of activations stands beside the layer that ran before it.
        let last = state.ran.last ?? ""
        let parent = last.lastIndex(of: ".").map { String(last[..<$0]) + "." } ?? ""
        let kind = call.name.contains("attention") ? "(attention)" : "(product)"
        name = parent + kind
      } else {
        return
      }
      if state.places[name] == nil {
        state.places[name] = state.layers.count
        state.layers.append(.init(name: name, output: nil, parameters: 0, buffers: 0, multiplyAdds: 0))
      }
      let place = state.places[name] ?? 0
      state.layers[place].output = Array(result.shape.dropFirst())
      state.layers[place].multiplyAdds += work
      if !state.ran.contains(name) { state.ran.append(name) }
    }
  }

  /// In the order of the first use; parameters that were not used come last.
  var layers: [LayerTable.Layer] {
    state.withLock { state in
      let ran = Set(state.ran)
      // A layer that enters another's work stands before what follows it in the declaration.
      var result = state.ran.compactMap { name in state.places[name].map { state.layers[$0] } }
      for (index, layer) in state.layers.enumerated() where !ran.contains(layer.name) {
        let followers = Set(state.layers[(index + 1)...].map(\.name))
        let place = result.firstIndex { followers.contains($0.name) } ?? result.count
        result.insert(layer, at: place)
      }
      return result
    }
  }

  private static func multiplyAdds(_ call: OperatorCall) -> Int {
    guard let output = call.results.first else { return 0 }
    let arguments = call.arguments
    func count(_ sizes: some Sequence<Int>) -> Int { sizes.reduce(1, *) }
    switch call.name {
    case "aten::conv2d": return arguments.count > 1 ? output.count * count(arguments[1].shape.dropFirst()) : 0
    case "aten::linear", "aten::matmul", "aten::mm", "aten::bmm":
      return output.count * (arguments.first?.shape.last ?? 0)
    case "aten::addmm", "aten::baddbmm": return arguments.count > 1 ? output.count * (arguments[1].shape.last ?? 0) : 0
    case "aten::scaled_dot_product_attention":
      // Queries [..., T, d] with keys [..., S, d], then T × S weights with values [..., S, e].
      guard arguments.count >= 3, let tokens = arguments[0].shape.dropLast().last else { return 0 }
      let rows = count(arguments[0].shape.dropLast(2)) * tokens * (arguments[1].shape.dropLast().last ?? 0)
      return rows * ((arguments[0].shape.last ?? 0) + (arguments[2].shape.last ?? 0))
    default: return 0
    }
  }
}
