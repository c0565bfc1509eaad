import TestSupport
import Testing
import Torch

/// Compares each operator with PyTorch's values and gradients in `ops.safetensors`. Fixtures/README.md lists its cases
/// and settings.
@Suite struct OperatorOracleTests {
  typealias Results = [String: Tensor]

  /// A case's arguments by name.
  struct Inputs {
    var tensors: [String: Tensor]
    subscript(name: String) -> Tensor { get throws { try #require(tensors[name], "no argument \(name)") } }
  }

  static let single: [String: @Sendable (Inputs) throws -> Tensor] = [
    "add_broadcast": { try $0["a"] + $0["b"] },
    "div": { try $0["a"] / $0["b"] },
    "sum": { try $0["input"].sum([0, 2]) },
    "mean": { try $0["input"].mean([1], keep: true) },
    "var": { try $0["input"].variance([1]) },
    "var_biased": { try $0["input"].variance([1], correction: 0) },
    "norm": { try $0["input"].norm() },
    "logsumexp": { try $0["input"].logSumExp([1]) },
    "cumsum": { try $0["input"].cumulativeSum(1) },
    "amax": { try $0["input"].max([0]) },
    "argmax": { try $0["input"].argmax(1) },
    "index_select": { try $0["input"].indexSelect(1, $0["index"]) },
    "gather": { try $0["input"].gather(1, $0["index"]) },
    "where": { try $0["a"].selected(where: $0["condition"], otherwise: $0["b"]) },
    "flip": { try $0["input"].flip([3]) },
    "pad": { try $0["input"].pad([2, 2, 1, 1]) },
    "tril": { try $0["input"].lowerTriangle(-1) },
    "relu": { try $0["input"].relu() },
    "gelu": { try $0["input"].gelu() },
    "gelu_tanh": { try $0["input"].gelu(approximate: true) },
    "silu": { try $0["input"].silu() },
    "sigmoid": { try $0["input"].sigmoid() },
    "tanh": { try $0["input"].tanh() },
    "erf": { try $0["input"].erf() },
    "softmax": { try $0["input"].softmax(1) },
    "log_softmax": { try $0["input"].logSoftmax(1) },
    "matmul": { try $0["input"].matmul($0["other"]) },
    "matmul_batched": { try $0["input"].matmul($0["other"]) },
    "linear": { try $0["input"].linear($0["weight"], $0["bias"]) },
    "einsum": { try Tensor.einsum("bij,bkj->bik", [$0["a"], $0["b"]]) },
    "svd": { try $0["input"].singularValues() },
    "eigh": { try $0["input"].symmetricEigen().values },
    "cholesky": { try $0["input"].cholesky() },
    "qr": { try $0["input"].qr().r.diagonal().abs() },
    "slogdet": { try $0["input"].signedLogDeterminant().logarithm },
    "solve": { try $0["input"].solve($0["other"]) },
    "conv2d": { try $0["input"].conv2d($0["weight"], $0["bias"], stride: 2, padding: 1) },
    "conv2d_grouped": { try $0["input"].conv2d($0["weight"], padding: 2, dilation: 2, groups: 2) },
    "max_pool2d": { try $0["input"].maxPool2d(3, stride: 2, padding: 1) },
    "avg_pool2d": { try $0["input"].averagePool2d(2) },
    "adaptive_avg_pool2d": { try $0["input"].globalAveragePool().reshape([2, 4, 1, 1]) },
    "layer_norm": { try $0["input"].layerNorm([6], weight: $0["weight"], bias: $0["bias"]) },
    "group_norm": { try $0["input"].groupNorm(2, weight: $0["weight"], bias: $0["bias"]) },
    "attention": { try Tensor.attention($0["query"], $0["key"], $0["value"]) },
    "attention_causal": { try Tensor.attention($0["query"], $0["key"], $0["value"], causal: true) },
    "embedding": { try Tensor.embedding($0["weight"], $0["input"]) },
    "chunk": { try $0["input"].chunk(3, dimension: 1)[1] },
    "unbind": { try $0["input"].unbind(1)[2] },
    "resize_bicubic_smaller": { try $0["input"].resizedBicubic(height: 3, width: 4) },
    "resize_bicubic_larger": { try $0["input"].resizedBicubic(height: 9, width: 12) },
    "cross_entropy": { try $0["input"].crossEntropy($0["target"]) },
    "cross_entropy_smoothing": { try $0["input"].crossEntropy($0["target"], labelSmoothing: 0.1) },
    "cross_entropy_none": { try $0["input"].crossEntropy($0["target"], reduction: .none) },
    "mse_loss": { try $0["input"].meanSquaredError($0["target"]) },
  ]

  static let several: [String: @Sendable (Inputs) throws -> Results] = [
    "sort": {
      let (values, indices) = try $0["input"].sorted(1, descending: true)
      return ["expected": values, "indices": indices]
    },
    "topk": {
      let (values, indices) = try $0["input"].top(3, dimension: 1)
      return ["expected": values, "indices": indices]
    },
    "batch_norm_train": { try batchNorm($0, training: true) },
    "batch_norm_eval": { try batchNorm($0, training: false) },
  ]

  private static func batchNorm(_ inputs: Inputs, training: Bool) throws -> Results {
    let (mean, variance) = (try inputs["running_mean"].clone(), try inputs["running_var"].clone())
    let output = try inputs["input"].batchNorm(
      weight: inputs["weight"], bias: inputs["bias"], runningMean: mean, runningVariance: variance, training: training)
    return ["expected": output, "running_mean_after": mean, "running_var_after": variance]
  }

  @Test func everyCaseIsCovered() throws {
    let cases: [String: String] = try Fixture("ops").setting("arguments")
    #expect(Set(cases.keys) == Set(Self.single.keys).union(Self.several.keys).union(["hvp"]))
  }

  @Test(arguments: (Array(single.keys) + several.keys).sorted())
  func valuesAndGradientsAgreeWithPyTorch(_ name: String) throws {
    let stored = try Fixture("ops").part("\(name)/")
    var inputs = Inputs(tensors: [:])
    for (key, tensor) in stored { inputs.tensors[key] = try tensor.clone() }
    let differentiated = stored.names.filter { $0.hasPrefix("gradient.") }.map { String($0.dropFirst(9)) }
    for key in differentiated { try inputs[key].setRequiresGradient(true) }

    var ours = try Self.several[name]?(inputs) ?? [:]
    if let operation = Self.single[name] { ours["expected"] = try operation(inputs) }
    let output = try #require(ours["expected"])
    if !differentiated.isEmpty {
      let found = try gradients(
        of: output, withRespectTo: differentiated.map { try inputs[$0] }, outputGradient: inputs["cotangent"])
      for (key, gradient) in zip(differentiated, found) { ours["gradient.\(key)"] = gradient }
    }
    for (key, tensor) in ours {
      let expected = try #require(stored[key], "\(name) has no \(key)")
      #expect(tensor.dtype == expected.dtype, "\(name)/\(key)")
      #expect(try relativeError(tensor, expected) <= 1e-5, "\(name)/\(key)")
    }
  }

  @Test func hessianTimesVectorAgreesWithPyTorch() throws {
    let fixture = try Fixture("ops")
    let weights = try fixture.part("hvp/weights/").clone()
    for tensor in weights.tensors { try tensor.setRequiresGradient(true) }
    var x = try fixture["hvp/input"]
    for layer in 0..<3 {
      let weight = try #require(weights["layers.\(layer).weight"])
      x = try x.linear(weight, weights["layers.\(layer).bias"])
      if layer < 2 { x = try x.relu() }
    }
    let loss = try x.crossEntropy(fixture["hvp/labels"])
    #expect(try relativeError(loss, fixture["hvp/loss"]) <= 1e-5)
    let first = try gradients(of: loss, withRespectTo: weights.tensors, createGraph: true)
    let along = try zip(weights.names, first).map { try ($1 * fixture["hvp/v/\($0)"]).sum() }
    let second = try gradients(of: Tensor.stack(along).sum(), withRespectTo: weights.tensors)
    for (index, name) in weights.names.enumerated() {
      #expect(try relativeError(first[index], fixture["hvp/gradients/\(name)"]) <= 1e-5, "\(name)")
      #expect(try relativeError(second[index], fixture["hvp/Hv/\(name)"]) <= 1e-5, "\(name)")
    }
  }
}
