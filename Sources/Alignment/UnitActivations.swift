import Networks
import Torch

extension Symmetry {
  /// A place where the activations of a group's units are seen.
  struct Site: Hashable {
    let group: Int
    /// Of a layer and the part of its input; where no layer is seen reading the units, of the layer that makes them.
    let name: String
  }

  /// The activations of every group of units in a forward pass: [block, units, observations] float64 by site. A unit is
  /// seen where a layer reads it, after what norms and activation functions do to it.
  func activations(of network: any Module, _ input: Tensor) throws -> [Site: Tensor] {
    let known = Set(network.observableModules)
    let readers = Dictionary(grouping: layers.filter { known.contains($0.reader) }, by: \.reader)
    var (read, made): ([Site: Tensor], [Site: Tensor]) = ([:], [:])
    // What several layers read is looked at once; it is kept so that no other tensor gets its place in memory.
    var seen: [Tensor] = []
    try network.observing(Array(readers.keys)) { observation in
      for layer in readers[observation.name] ?? [] {
        guard let axes = axes[layer.weight], let rank = shapes[layer.weight]?.count else { continue }
        if !seen.contains(where: { $0.identity == observation.input.identity }) {
          seen.append(observation.input)
          try collect(observation.input, axes[layer.input], isPicture: rank == 4, layer.weight, &read)
        }
        if layer.isModule {
          try collect(observation.output, axes[layer.output], isPicture: rank == 4, layer.weight, &made)
        }
      }
    } during: {
      _ = try network(input, .evaluation)
    }
    let isRead = Set(read.keys.map(\.group))
    return read.merging(made.filter { !isRead.contains($0.key.group) }) { first, _ in first }
  }

  private func collect(
    _ tensor: Tensor, _ axis: Axis, isPicture: Bool, _ name: String, _ found: inout [Site: Tensor]
  ) throws {
    guard !axis.segments.isEmpty else { return }
    let last = isPicture && tensor.rank == 4 ? try tensor.permute([0, 2, 3, 1]) : tensor
    guard last.shape.last == axis.length else { return }
    let rows = try last.reshape([-1, axis.length])
    var start = 0
    for (index, segment) in axis.segments.enumerated() {
      let part = try rows.narrow(1, from: start, count: segment.length)
      start += segment.length
      found[Site(group: segment.group, name: "\(name)#\(index)")] =
        try part.reshape([-1, segment.units, segment.block]).permute([2, 1, 0]).to(.float64).contiguous()
    }
  }
}
