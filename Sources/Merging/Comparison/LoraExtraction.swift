import Checkpoints
import Foundation
import Support
import Torch
import Weights

/// The difference of two models as a low-rank adapter in PEFT's layout: for each matrix the nearest one of that rank.
public struct LoraExtraction: Sendable {
  /// What became of one tensor.
  public struct Row: Sendable, Encodable {
    /// How the adapter changes it.
    public enum Kind: String, Sendable, Encodable {
      /// By a product of two small matrices.
      case adapted
      /// It is stored whole, since it is no matrix.
      case replaced
      /// Not at all.
      case unchanged
    }

    /// As the model calls it.
    public let name: String
    /// That of the weight.
    public let shape: [Int]
    /// How the adapter changes it.
    public let kind: Kind
    /// The rank of its change; 0 where it is not adapted.
    public let rank: Int
    /// ‖W − W₀‖
    public let change: Double
    /// ‖(W − W₀) − B A‖ / ‖W − W₀‖, with B and A as they are stored.
    public let error: Double
  }

  /// Every tensor of floating-point type, in the model's order.
  public private(set) var rows: [Row] = []
  private var tensors: [(String, Tensor)] = []
  private var targets: [(module: String, rank: Int)] = []
  private let rank: Int
  private let isTransposed: Bool

  /// ‖what the adapter leaves out‖ / ‖the whole difference‖
  public var error: Double {
    let whole = rows.reduce(0) { $0 + $1.change * $1.change }
    return whole > 0 ? (rows.reduce(0) { $0 + pow($1.change * $1.error, 2) } / whole).squareRoot() : 0
  }

  /// Finds the adapter.
  ///
  /// - Parameters:
  ///   - model: the fine-tuned weights
  ///   - base: what they were fine-tuned from
  ///   - rank: the adapter's rank, for each matrix at most its shorter side
  ///   - dtype: of the adapter's tensors
  ///   - isTransposed: whether linear layers keep their weights as [in, out], as GPT-2's do
  ///   - progress: told how many tensors are done
  /// - Throws: `MergeError` listing tensors that do not fit, or where nothing differs.
  public init(
    _ model: Weights, base: Weights, rank: Int, dtype: DType = .float32, isTransposed: Bool = false,
    progress: (Int) -> Void = { _ in }
  ) throws {
    guard rank > 0 else { throw MergeError("the rank is \(rank); it must be at least 1") }
    (self.rank, self.isTransposed) = (rank, isTransposed)
    let misfits = model.names.filter { base[$0]?.shape != model[$0]?.shape } + base.names.filter { model[$0] == nil }
    guard misfits.isEmpty else {
      throw MergeError(
        "the model is no fine-tune of the base; these are missing or of another shape in one of them: "
          + misfits.prefix(8).joined(separator: ", ") + (misfits.count > 8 ? " and \(misfits.count - 8) more" : ""))
    }
    for (index, (name, tensor)) in model.enumerated() {
      if let start = base[name] {
        try withoutGradients { try add(name, tensor, start, dtype) }
      }
      progress(index + 1)
    }
    guard !tensors.isEmpty else { throw MergeError("the model does not differ from the base") }
  }

  private mutating func add(_ name: String, _ tensor: Tensor, _ start: Tensor, _ dtype: DType) throws {
    guard tensor.dtype.isFloatingPoint, tensor.dtype.canBeMerged, start.dtype.canBeMerged else { return }
    let delta = try tensor.to(.float32) - start.to(.float32)
    let change = try delta.norm(dtype: .float64).item()
    guard change > 0 else {
      rows.append(Row(name: name, shape: tensor.shape, kind: .unchanged, rank: 0, change: 0, error: 0))
      return
    }
    guard change.isFinite else { throw MergeError("\(name): has NaN or infinite elements") }
    guard tensor.shape.count == 2, name.hasSuffix(".weight") else {
      tensors.append(("base_model.model.\(name)", try tensor.contiguous()))
      rows.append(Row(name: name, shape: tensor.shape, kind: .replaced, rank: 0, change: change, error: 0))
      return
    }
    let module = String(name.dropLast(7))
    let isEmbedding = ["embed", "wte", "wpe", "shared"].contains { module.contains($0) }
    // As [out, in].
    let isKeptTransposed = isTransposed && LoraAdapter.canBeTransposed(module)
    let matrix = isEmbedding || isKeptTransposed ? try delta.transpose() : delta
    let kept = min(rank, matrix.shape[0], matrix.shape[1])
    let (b, a) = try Self.factors(matrix, kept)
    let stored = (b: try b.to(dtype), a: try a.to(dtype))
    let rest = try matrix - stored.b.to(.float32).matmul(stored.a.to(.float32))
    let (nameA, nameB) =
      isEmbedding ? (".lora_embedding_A", ".lora_embedding_B") : (".lora_A.weight", ".lora_B.weight")
    tensors.append(("base_model.model.\(module)\(nameA)", try stored.a.contiguous()))
    tensors.append(("base_model.model.\(module)\(nameB)", try stored.b.contiguous()))
    targets.append((module, kept))
    rows.append(
      Row(
        name: name, shape: tensor.shape, kind: .adapted, rank: kept, change: change,
        error: try rest.norm(dtype: .float64).item() / change))
  }

  /// B [out, r] and A [r, in] of the nearest matrix of rank r: U√σ and √σVᵀ.
  private static func factors(_ matrix: Tensor, _ rank: Int) throws -> (b: Tensor, a: Tensor) {
    let (u, s, vh) = try decomposed(matrix, rank)
    let root = try s.narrow(0, from: 0, count: rank).sqrt()
    return (
      try u.narrow(1, from: 0, count: rank) * root,
      try root.reshape([rank, 1]) * vh.narrow(0, from: 0, count: rank)
    )
  }

  /// The singular value decomposition, of large matrices only as far as it is needed (Halko, Martinsson and Tropp 2011,
  /// algorithm 4.4: a random range, sharpened by multiplying with the matrix again).
  private static func decomposed(_ matrix: Tensor, _ rank: Int) throws -> (u: Tensor, s: Tensor, vh: Tensor) {
    let width = rank + 32
    guard matrix.shape.min() ?? 0 > 4 * width else { return try matrix.svd() }
    let generator = try Generator(seed: 0)
    var range = try matrix.matmul(Tensor.normal([matrix.shape[1], width], generator: generator)).qr().q
    for _ in 0..<4 {
      let other = try matrix.transpose().matmul(range).qr().q
      range = try matrix.matmul(other).qr().q
    }
    let (u, s, vh) = try range.transpose().matmul(matrix).svd()
    return (try range.matmul(u), s, vh)
  }

  // MARK: Writing

  /// Writes `adapter_model.safetensors` and `adapter_config.json` for PEFT. The folder appears when it is whole.
  ///
  /// - Parameters:
  ///   - folder: where the adapter goes
  ///   - base: what the configuration names as the base model
  ///   - replaces: replace an adapter or model that is there
  /// - Throws: `FileError` where the folder cannot be written.
  public func write(to folder: String, base: String, replaces: Bool = false) throws {
    let target = MergeTarget(folder)
    try target.check(room: tensors.reduce(0) { $0 + $1.1.count * $1.1.dtype.byteCount }, replaces: replaces)
    try target.write { temporary in
      // PEFT keeps the biases of adapted modules below `base_layer`.
      let modules = Set(targets.map(\.module))
      let named = tensors.map { name, tensor in
        let module = name.dropFirst("base_model.model.".count).dropLast(".bias".count)
        let isAdapted = name.hasSuffix(".bias") && modules.contains(String(module))
        return (isAdapted ? name.dropLast(".bias".count) + ".base_layer.bias" : name, tensor)
      }
      try Safetensors.write(
        Weights(named), metadata: ["format": "pt"], to: temporary + "/adapter_model.safetensors")
      try writeAtomically(try configuration(base), to: temporary + "/adapter_config.json")
    }
  }

  private func configuration(_ base: String) throws -> Data {
    struct Configuration: Encodable {
      let peft_type = "LORA"
      let base_model_name_or_path: String
      let r, lora_alpha: Int
      let target_modules: [String]
      let rank_pattern, alpha_pattern: [String: Int]
      let modules_to_save: [String]?
      let fan_in_fan_out: Bool
      let bias: String
      let lora_dropout = 0.0
      let inference_mode = true
      let use_rslora = false
      let use_dora = false
    }
    let smaller = Dictionary(
      targets.filter { $0.rank < rank }.map { ($0.module, $0.rank) }, uniquingKeysWith: { $1 })
    // What is stored whole: biases of adapted modules, and other modules.
    let modules = Set(targets.map(\.module))
    let whole = Set(
      rows.filter { $0.kind == .replaced }.compactMap { row in
        row.name.lastIndex(of: ".").map { String(row.name[..<$0]) }
      })
    let (biases, saved) = (whole.intersection(modules), whole.subtracting(modules))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(
      Configuration(
        base_model_name_or_path: base, r: rank, lora_alpha: rank, target_modules: targets.map(\.module).sorted(),
        rank_pattern: smaller, alpha_pattern: smaller, modules_to_save: saved.isEmpty ? nil : saved.sorted(),
        fan_in_fan_out: isTransposed, bias: biases.isEmpty ? "none" : "all"))
      + Data("\n".utf8)
  }
}
