import Checkpoints
import Datasets
import Foundation
import Networks
import Torch
import Training
import Weights

/// Which network of a branch point a prediction is of.
enum PredictionName {
  case single(Int)
  case base
  case merged(MergeChoice.Method, [Int], alpha: Double?)

  fileprivate var text: String {
    switch self {
    case .single(let endpoint): return "single/\(endpoint)"
    case .base: return "base"
    case .merged(let method, let endpoints, let alpha):
      let parameters = (method.parameters ?? [:]).sorted { $0.key < $1.key }.map { ",\($0.key)=\($0.value)" }.joined()
      let parts = endpoints.map(String.init).joined(separator: "+")
      return "merged/\(method.name)\(parameters)/\(parts)" + (alpha.map { "/\($0)" } ?? "")
    }
  }
}

/// What the networks of one branch point predicted for every test example, kept so that ensembles and paired
/// comparisons need no network: a safetensors file with the tensors
///
///     test/labels                       int16 [n]
///     test/single/0                     float16 [n, classes], log-probabilities
///     test/merged/linear/0+1/0.5/class  int16 [n], the largest
///     test/merged/linear/0+1/0.5/loss   float32 [n], nats
///
/// and the same for every further test set under its name in the place of `test`. Of sequences there is `loss` alone,
/// whatever network.
public struct Predictions: Sendable {
  private var tensors: Weights
  /// The name of the run's own test set.
  private static let ownTest = "test"

  init() { tensors = Weights() }

  /// Reads a file of `predictions/`.
  public init(_ path: String) throws { tensors = try Safetensors.read(path).weights }

  func write(to path: String, metadata: [String: String]) throws {
    try Safetensors.write(tensors, metadata: metadata, to: path)
  }

  private static func key(_ test: String?, _ rest: String) -> String { "\(test ?? ownTest)/\(rest)" }

  /// Evaluates a network and keeps what it predicts.
  mutating func evaluate(
    _ network: any Module, on source: any ExampleSource, named test: String?, as name: PredictionName
  ) throws -> Evaluation {
    var (probabilities, classes, labels): ([Tensor], [Tensor], [Tensor]) = ([], [], [])
    var isSequence = false
    var isSingle = false
    if case .single = name { isSingle = true }
    let evaluation = try Evaluation(network, on: source) { logits, target in
      isSequence = logits.rank != 2
      guard !isSequence else { return }
      if isSingle {
        probabilities.append(try logits.to(.float32).logSoftmax(-1).to(.float16).to(.cpu))
      } else {
        classes.append(try logits.argmax(-1).to(.int16).to(.cpu))
      }
      labels.append(try target.to(.int16).to(.cpu))
    }
    let key = Self.key(test, name.text)
    if !labels.isEmpty { tensors[Self.key(test, "labels")] = try Tensor.concatenate(labels) }
    if !probabilities.isEmpty { tensors[key] = try Tensor.concatenate(probabilities) }
    if !classes.isEmpty { tensors[key + "/class"] = try Tensor.concatenate(classes) }
    if isSequence || !isSingle { tensors[key + "/loss"] = try Tensor(evaluation.losses) }
    return evaluation
  }

  /// The test sets, by the name that rows of results have; nil is the run's own.
  public var tests: [String?] {
    tensors.names.filter { $0.hasSuffix("/labels") }.map { name in
      let test = String(name.dropLast("/labels".count))
      return test == Self.ownTest ? nil : test
    }
  }

  /// The endpoints whose probabilities are kept.
  public var endpoints: [Int] {
    let prefix = Self.key(nil, "single/")
    return tensors.names.filter { $0.hasPrefix(prefix) }.compactMap { Int($0.dropFirst(prefix.count)) }.sorted()
  }

  /// The mean of the probabilities that `endpoints` predict, compared with the labels; of one endpoint that endpoint
  /// itself, as exactly as float16 has kept it. nil where they are not kept, as of sequences.
  public func ensemble(_ endpoints: [Int], on test: String? = nil) throws -> Evaluation? {
    guard let labels = tensors[Self.key(test, "labels")], let first = endpoints.first else { return nil }
    let members = try endpoints.compactMap { try tensors[Self.key(test, "single/\($0)")]?.to(.float32).exp() }
    guard members.count == endpoints.count else { return nil }
    for (endpoint, member) in zip(endpoints, members)
    where member.rank != 2 || member.shape != members[0].shape || labels.shape != [member.shape[0]] {
      throw RunFolderError(
        path: Self.key(test, "single/\(endpoint)"),
        message: "is \(member.shapeDescription) beside labels \(labels.shapeDescription) and endpoint \(first)'s "
          + members[0].shapeDescription)
    }
    return try withoutGradients {
      let mean = try members.dropFirst().reduce(members[0]) { try $0 + $1 } * (1 / Double(members.count))
      // No probability is less than float16 can tell from 0.
      let logits = try mean.clamp(min: 1e-8).log()
      let target = try labels.to(.int64)
      return try Evaluation(
        losses: logits.crossEntropy(target, reduction: .none).array(Float.self),
        scores: logits.argmax(-1).equals(target).to(.float32).array(Float.self))
    }
  }
}
