import Datasets
import Networks
import Torch
import Weights

/// Linear centred kernel alignment (Kornblith et al. 2019) between layers of two networks, in its unbiased minibatch
/// form (Nguyen et al. 2021): 0 for unrelated representations, 1 for those that are the same up to rotation and scale.
///
/// For representations X [n, p] and Y [n, q] of n examples, with K = X Xᵀ and L = Y Yᵀ without their diagonals,
///
///     HSIC₁(K, L) = [tr(K L) + (1ᵀK1)(1ᵀL1) / ((n − 1)(n − 2)) − 2/(n − 2) · 1ᵀK L1] / (n (n − 3))
///
/// estimates the Hilbert–Schmidt independence criterion without bias whatever n. Its values for xy, xx and yy are added
/// up over batches, and CKA = HSIC(x, y) / √(HSIC(x, x) · HSIC(y, y)) is taken once at the end. Averaging CKA over
/// batches, or the biased estimator, would give too much: .93 where .75 is true at 8 examples a batch.
public struct CKA: Codable, Hashable, Sendable {
  /// The layers at the first point, as the network's modules are named, or `penultimate`: what its classifier is given
  public var first: [String]
  /// The layers at the second point.
  public var second: [String]
  /// [first, second]; of corresponding layers only, where that was asked for, and nil elsewhere
  public var values: [[Double?]]
  /// How many were used.
  public var examples: Int
  /// Examples at a time.
  public var batchSize: Int

  /// The name that stands for what the classifier is given.
  public static let penultimate = "penultimate"

  /// The layers of a network that a forward pass shows, in order.
  ///
  /// - Parameter examples: the first of these is passed
  public static func layers(of network: any Module, on examples: any ExampleSource) throws -> [String] {
    var seen: Set<String> = []
    let names = network.observableModules.filter { !$0.isEmpty }
    try withoutGradients {
      try network.observing(names) {
        seen.insert($0.name)
      } during: {
        _ = try network(examples.batch(0..<1).inputs, .evaluation)
      }
    }
    return names.filter(seen.contains)
  }

  /// HSIC₁ on one batch, which CKA is made of once all batches are added up.
  public struct BatchSums: Codable, Sendable {
    /// Between the two points, of the pairs of layers that are compared
    var cross: [Double]
    /// At each point, of the layers with themselves
    var own: [[Double]]
  }

  /// The value of each layer with itself at the other point.
  public var diagonal: [(layer: String, value: Double)] {
    first.enumerated().compactMap { row, layer in
      second.firstIndex(of: layer).flatMap { values[row][$0] }.map { (layer, $0) }
    }
  }

  /// CKA between the layers of a network at two points of weight space.
  ///
  /// - Parameters:
  ///   - network: is put at both points in turn, and back where it stood
  ///   - layers: names of modules, or `penultimate`
  ///   - allPairs: every layer with every other, not only with itself
  ///   - batchSize: examples at a time, 4 or more; examples left over that are fewer than that are not used
  ///   - progress: is told the examples done
  ///   - sums: gives those of a batch, which `measure` works out; a later attempt may have them already
  /// - Throws: `LandscapeError` for fewer than 4 examples or representations that are constant over examples,
  ///   `TorchError` for a name that no module has.
  public init(
    of network: any Module, at first: Weights, _ second: Weights, layers: [String], allPairs: Bool = false,
    on examples: any ExampleSource, batchSize: Int = 250, progress: (Int) -> Void = { _ in },
    sums: @escaping (_ batch: Range<Int>, _ measure: () throws -> BatchSums) throws -> BatchSums = { try $1() }
  ) throws {
    guard batchSize >= 4, examples.count >= 4 else {
      throw LandscapeError(
        "CKA of \(examples.count) examples in batches of \(batchSize): the unbiased estimator needs 4 or more")
    }
    let names = layers
    var cross = [[Double]](repeating: [Double](repeating: 0, count: names.count), count: names.count)
    var own = [[Double]](repeating: [Double](repeating: 0, count: names.count), count: 2)
    var used = 0
    let same = names.indices.map { ($0, $0) }
    let pairs = allPairs ? names.indices.flatMap { row in names.indices.map { (row, $0) } } : same
    try withoutGradients {
      for range in examples.ranges(ofAtMost: batchSize) where range.count >= 4 {
        let batch = try sums(range) {
          let inputs = try examples.batch(range).inputs
          let x = try network.at(first) { try Representations(network, inputs, layers: names) }
          let y = try network.at(second) { try Representations(network, inputs, layers: names) }
          return try BatchSums(
            cross: x.criteria(with: y, pairs), own: [x, y].map { try $0.criteria(with: $0, same) })
        }
        guard batch.cross.count == pairs.count, batch.own.map(\.count) == [names.count, names.count] else {
          throw LandscapeError("what was kept of examples \(range) is not of these layers; measure into another folder")
        }
        for (place, value) in zip(pairs, batch.cross) { cross[place.0][place.1] += value }
        for (index, side) in batch.own.enumerated() {
          for (place, value) in side.enumerated() { own[index][place] += value }
        }
        used += range.count
        progress(used)
      }
    }
    for (index, side) in own.enumerated() {
      for (layer, value) in zip(names, side) where !(value > 0) {
        let whose = "\(layer) of the \(index == 0 ? "first" : "second") network"
        throw LandscapeError(
          value.isNaN
            ? "\(whose) is not finite on these examples"
            : "\(whose) gives the same for every example; its CKA is not defined")
      }
    }
    (self.first, self.second) = (names, names)
    values = names.indices.map { row in
      names.indices.map { column in
        guard allPairs || row == column else { return nil }
        return cross[row][column] / (own[0][row] * own[1][column]).squareRoot()
      }
    }
    (self.examples, self.batchSize) = (used, min(batchSize, examples.count))
  }
}

/// What the layers of one network give for one batch, ready for HSIC₁ with another's.
struct Representations {
  /// Either n × n or n × p numbers a layer.
  private enum Form {
    /// U-centred Gram matrices, [layers, n²]: without diagonal, rows and columns adding up to 0. HSIC₁ is their dot
    /// product over n (n − 3) (Székely and Rizzo 2014).
    case grams(Tensor)
    /// Centred features [n, p] by layer
    case features([Tensor])
  }
  private let form: Form
  private let count: Int

  /// - Parameter layers: modules of the network, or `CKA.penultimate`
  init(_ network: any Module, _ inputs: Tensor, layers: [String]) throws {
    let count = try inputs.size(0)
    var found: [String: Tensor] = [:]
    // A Gram matrix at once, so that not all activations of a batch are kept; for a single narrow layer, its features.
    var isNarrow = false
    let head = network.classifierName
    let wanted = Set(layers.map { $0 == CKA.penultimate ? head.name : $0 })
    try network.observing(wanted) { seen in
      func keep(_ name: String, _ tensor: Tensor) throws {
        guard layers.contains(name) else { return }
        let rows = try Self.rows(tensor)
        // A constant vector added to all examples changes nothing but how well float32 holds the products.
        let centred = try rows - rows.mean([0], keep: true)
        isNarrow = layers.count == 1 && 2 * centred.shape[1] < count
        found[name] = isNarrow ? centred : try Self.centredGram(centred).flatten()
      }
      try keep(seen.name, seen.output)
      if seen.name == head.name { try keep(CKA.penultimate, head.isClassifier ? seen.input : seen.output) }
    } during: {
      _ = try network(inputs, .evaluation)
    }
    let features = try layers.map { layer in
      guard let features = found[layer] else {
        throw LandscapeError("the network left out \(layer) in its forward pass; choose another layer")
      }
      return features
    }
    form = isNarrow ? .features(features) : .grams(try .stack(features))
    self.count = count
  }

  /// From features [n, p] of each layer.
  init(_ features: [Tensor], usesGrams: Bool) throws {
    count = try features[0].size(0)
    form =
      usesGrams ? .grams(try .stack(features.map { try Self.centredGram($0).flatten() })) : .features(features)
  }

  /// [n, p] in float32; the order of features does not matter, so that of memory will do.
  private static func rows(_ tensor: Tensor) throws -> Tensor {
    let isInterleaved = tensor.rank == 4 && tensor.isContiguous(.channelsLast)
    return try (isInterleaved ? tensor.permute([0, 2, 3, 1]) : tensor).flatten(from: 1).to(.float32)
  }

  private static func centredGram(_ features: Tensor) throws -> Tensor {
    let n = features.shape[0]
    let gram = try features.matmul(features.transpose())
    try gram.diagonal().zero()
    let sums = try gram.sum([1], keep: true)
    let centred = try gram - (sums + sums.transpose()) * (1 / Double(n - 2))
    let shifted = try centred + sums.sum() * (1 / Double((n - 1) * (n - 2)))
    try shifted.diagonal().zero()
    return shifted
  }

  /// HSIC₁ of this one's layer `pair.0` with the other's layer `pair.1`, for each pair.
  func criteria(with other: Representations, _ pairs: [(Int, Int)]) throws -> [Double] {
    let n = Double(count)
    switch (form, other.form) {
    case (.grams(let own), .grams(let others)):
      if pairs.count > own.shape[0] {
        let all = try own.matmul(others.transpose())
        let values = try all.array(Float.self)
        return pairs.map { Double(values[$0.0 * others.shape[0] + $0.1]) / (n * (n - 3)) }
      }
      return try pairs.map { try (own[$0.0] * others[$0.1]).sum(dtype: .float64).item() / (n * (n - 3)) }
    case (.features(let own), .features(let others)):
      return try pairs.map { try Self.criterion(own[$0.0], others[$0.1]) }
    default:
      throw LandscapeError("the two networks' layers have different widths; CKA compares networks of one architecture")
    }
  }

  /// The same without Gram matrices: with k the squared norms of rows, s the sum of rows and r = X s − k,
  /// [‖XᵀY‖² − Σ k_x k_y + Σ r_x Σ r_y / ((n − 1)(n − 2)) − 2/(n − 2) · r_x · r_y] / (n (n − 3)).
  private static func criterion(_ x: Tensor, _ y: Tensor) throws -> Double {
    let (x, y) = (try x.to(.float64), try y.to(.float64))
    let n = Double(try x.size(0))
    func rows(_ x: Tensor) throws -> (k: Tensor, r: Tensor) {
      let k = try x.square().sum([1])
      return (k, try x.matmul(x.sum([0])) - k)
    }
    let (a, b) = (try rows(x), try rows(y))
    let product = try x.transpose().matmul(y).square().sum().item()
    let diagonal = try (a.k * b.k).sum().item()
    let sums = try a.r.sum().item() * b.r.sum().item() / ((n - 1) * (n - 2))
    let cross = try (a.r * b.r).sum().item() * 2 / (n - 2)
    return (product - diagonal + sums - cross) / (n * (n - 3))
  }
}

extension Module {
  /// The module that makes logits, whose input is the penultimate representation; where that is no module of its own,
  /// the one before it, whose output is.
  var classifierName: (name: String, isClassifier: Bool) {
    let names = observableModules
    let head = String(headPrefix.dropLast())
    if names.contains(head) { return (head, true) }
    // A language model's table of embeddings, or a stack of layers whose last is the classifier.
    return (names.last { $0.hasSuffix("ln_f") || $0.hasSuffix("norm") } ?? names.last ?? "", false)
  }
}
