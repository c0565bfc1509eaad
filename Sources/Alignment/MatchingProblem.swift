import Networks
import Torch
import Weights

/// Two weights in float64, and where the permutations between them stand.
final class MatchingProblem {
  /// A part of a parameter that a group moves along one dimension.
  private struct Term {
    let name: String
    let dimension: Int
    /// The part's first index along the dimension.
    let start: Int
    let segment: Symmetry.Segment
    /// What else moves the parameter.
    let others: [(dimension: Int, axis: Symmetry.Axis)]
    let dependencies: [Int]
    /// A's part, where unfolding takes a copy.
    var unfolded: Tensor?
    /// ⟨A's unit, B's unit⟩ for all pairs, and how often each dependency had changed when it was computed.
    var products: Tensor?
    var versions: [Int] = []
  }

  private let symmetry: Symmetry
  private var a: [String: Tensor]
  private let b: [String: Tensor]
  private var terms: [[Term]]
  /// Of parameters that only the group moves: the sum of their products, which never changes.
  private var fixedProducts: [Tensor?]
  /// By group, how often its permutation changed.
  private var versions: [Int]
  /// By group, the dependencies' versions when it was last matched.
  private var matched: [[Int]?]

  var permutations: [Permutation] {
    didSet {
      for (index, former) in oldValue.enumerated() where former != permutations[index] {
        versions[index] += 1
        matched[index] = nil
      }
    }
  }

  init(_ b: Weights, to a: Weights, _ symmetry: Symmetry) throws {
    (self.symmetry, self.a) = (symmetry, [:])
    self.b = try Self.wide(b, "B", symmetry)
    terms = symmetry.groups.map { _ in [] }
    fixedProducts = symmetry.groups.map { _ in nil }
    permutations = symmetry.identity
    versions = symmetry.groups.map { _ in 0 }
    matched = symmetry.groups.map { _ in nil }
    for name in symmetry.names where !symmetry.buffers.contains(name) {
      for (dimension, axis) in (symmetry.axes[name] ?? []).enumerated() {
        let others = (symmetry.axes[name] ?? []).enumerated().filter { $0 != dimension && !$1.segments.isEmpty }
          .map { (dimension: $0, axis: $1) }
        let dependencies = Set(others.flatMap { $0.axis.segments.map(\.group) }).sorted()
        var start = 0
        for segment in axis.segments {
          terms[segment.group].append(
            Term(
              name: name, dimension: dimension, start: start, segment: segment, others: others,
              dependencies: dependencies))
          start += segment.length
        }
      }
    }
    try setReference(a)
  }

  /// Puts other weights in the place of A.
  func setReference(_ weights: Weights) throws {
    a = try Self.wide(weights, "A", symmetry)
    matched = symmetry.groups.map { _ in nil }
    for group in terms.indices {
      // Side by side, what nothing else moves is one product of matrices.
      let fixed = terms[group].filter(\.others.isEmpty)
      let sides = try [a, b].map { side in
        try fixed.compactMap { term in try side[term.name].map { try Self.unfold($0, term) } }
      }
      fixedProducts[group] =
        fixed.isEmpty
        ? nil
        : try Tensor.concatenate(sides[0], dimension: 1)
          .matmul(Tensor.concatenate(sides[1], dimension: 1).transpose())
      for index in terms[group].indices {
        terms[group][index].products = nil
        let term = terms[group][index]
        // A matrix is unfolded by a view; a convolution is not.
        guard term.dimension > 0, !term.others.isEmpty, let tensor = a[term.name], tensor.rank > 2 else { continue }
        terms[group][index].unfolded = try Self.unfold(tensor, term)
      }
    }
  }

  /// The trained parameters in float64.
  private static func wide(_ weights: Weights, _ side: String, _ symmetry: Symmetry) throws -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for name in symmetry.names where !symmetry.buffers.contains(name) {
      guard let tensor = weights[name], tensor.shape == symmetry.shapes[name] else {
        throw AlignmentError(
          "\(side)'s \(name) is \(weights[name]?.shapeDescription ?? "missing"), "
            + "expected \(symmetry.shapes[name] ?? [])")
      }
      let wide = try tensor.detach().to(.cpu).to(.float64).contiguous()
      guard try wide.isFinite().all().intItem() == 1 else {
        throw AlignmentError("\(side)'s \(name) has elements that are not finite: there is nothing to match them by")
      }
      result[name] = wide
    }
    return result
  }

  /// A group's units by everything else: [units, …].
  private static func unfold(_ tensor: Tensor, _ term: Term) throws -> Tensor {
    var part = tensor
    if term.segment.length < part.shape[term.dimension] {
      part = try part.narrow(term.dimension, from: term.start, count: term.segment.length)
    }
    if term.dimension > 0 {
      part = try part.permute([term.dimension] + (0..<part.rank).filter { $0 != term.dimension })
    }
    return try part.reshape([term.segment.units, -1])
  }

  /// Matches a group while the others stand. Returns by how much the objective rose.
  func improve(_ group: Int) throws -> Double {
    let dependencies = Set(terms[group].flatMap(\.dependencies)).sorted().map { versions[$0] }
    // What was the best still is.
    if matched[group] == dependencies { return 0 }
    let former = permutations[group]
    let gains = try products(group)
    let assignment = try Assignment(of: gains, largest: true)
    let total = try gains.contiguous().withUnsafeBytes { bytes in
      let elements = bytes.bindMemory(to: Double.self)
      return former.indices.enumerated().reduce(0) { $0 + elements[$1.offset * former.count + $1.element] }
    }
    // Beyond the error of the sums: among equals the former one stays.
    let isBetter = assignment.total - total > 1e-12 * (abs(assignment.total) + abs(total))
    if isBetter { permutations[group] = Permutation(trusted: assignment.columns) }
    matched[group] = dependencies
    return isBetter ? assignment.total - total : 0
  }

  /// [units of A, units of B]: what each pair adds to the objective.
  private func products(_ group: Int) throws -> Tensor {
    let count = symmetry.groups[group].count
    let sum = try fixedProducts[group]?.clone() ?? Tensor.zeros([count, count], dtype: .float64)
    for index in terms[group].indices where !terms[group][index].others.isEmpty {
      let current = terms[group][index].dependencies.map { versions[$0] }
      if terms[group][index].products == nil || terms[group][index].versions != current {
        terms[group][index].products = try products(terms[group][index])
        terms[group][index].versions = current
      }
      if let products = terms[group][index].products { try sum.addInPlace(products) }
    }
    return sum
  }

  private func products(_ term: Term) throws -> Tensor? {
    guard let a = a[term.name], var moved = b[term.name] else { return nil }
    for (dimension, axis) in term.others {
      if let indices = try symmetry.indices(axis, permutations) { moved = try moved.indexSelect(dimension, indices) }
    }
    return try (term.unfolded ?? Self.unfold(a, term)).matmul(Self.unfold(moved, term).transpose())
  }

  /// Σ⟨A, πB⟩ where the permutations stand.
  func objective() throws -> Double {
    let moved = try symmetry.apply(permutations, to: Weights(b.map { ($0.key, $0.value) }))
    return try symmetry.names.reduce(0) { sum, name in
      guard let ours = a[name], let theirs = moved[name] else { return sum }
      return try sum + ours.flatten().dot(theirs.flatten()).item()
    }
  }
}
