import Networks
import Torch
import Weights

// An element of a symmetry is a permutation for each of its groups. Applied to weights, it moves rows, columns and
// channels of the parameters, all that belong to a unit together.
extension Symmetry {
  /// The element that changes nothing.
  public var identity: [Permutation] { groups.map { Permutation(identity: $0.count) } }

  /// The weights with their units permuted, all parameters that belong to a unit together; no number changes, and no
  /// memory is shared.
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
        "permutations of \(permutations.map(\.count)) units, expected "
          + groups.map { "\($0.count) (\($0.name))" }.joined(separator: ", "))
    }
  }
}
