import Checkpoints
import Foundation
import Support
import Torch

/// A low-rank adapter in PEFT's layout: `adapter_config.json` and `adapter_model.safetensors`. It adds scale · B A to a
/// weight, or replaces it.
struct LoraAdapter {
  /// The change of one weight [out, in]: B [out, r] times A [r, in], transposed where the weight is stored so.
  struct Change: Sendable {
    let a: Tensor
    let b: Tensor
    let scale: Double
    let isTransposed: Bool

    var shape: [Int] {
      let shape = [b.shape[0], a.shape[1]]
      return isTransposed ? shape.reversed() : shape
    }
  }

  /// By the weight's name in the network.
  private(set) var changes: [String: Change] = [:]
  private(set) var replacements: [String: Tensor] = [:]

  private struct Configuration: Decodable {
    var peft_type: String?
    var r: Int
    var lora_alpha: Double?
    var use_rslora: Bool?
    var use_dora: Bool?
    var fan_in_fan_out: Bool?
    var rank_pattern: [String: Int]?
    var alpha_pattern: [String: Double]?

    /// A module's own value in a pattern: the pattern is the end of its name.
    static func value<T>(_ pattern: [String: T]?, _ module: String) -> T? {
      pattern?.first { module == $0.key || module.hasSuffix("." + $0.key) }?.value
    }

    func scale(_ module: String) -> Double {
      let rank = Double(Self.value(rank_pattern, module) ?? r)
      let alpha = Self.value(alpha_pattern, module) ?? lora_alpha ?? 8
      return alpha / (use_rslora == true ? rank.squareRoot() : rank)
    }
  }

  /// - Throws: `FileError` for an adapter of another kind, or one whose tensors do not fit together.
  init(folder: String) throws {
    let path = folder + "/adapter_config.json"
    let configuration: Configuration
    do {
      configuration = try JSONDecoder().decode(Configuration.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw FileError(path, "is missing or no adapter's configuration: it needs the rank r")
    }
    guard configuration.r > 0, configuration.peft_type ?? "LORA" == "LORA", configuration.use_dora != true else {
      throw FileError(path, "describes an adapter that is no plain LoRA; merge it with the library it comes from")
    }
    let file = folder + "/adapter_model.safetensors"
    let weights = try Safetensors.read(file).weights
    var rest = Set(weights.names)
    for name in weights.names {
      for (mark, partner, isEmbedding) in [
        (".lora_A.weight", ".lora_B.weight", false), (".lora_embedding_A", ".lora_embedding_B", true),
      ] where name.hasSuffix(mark) {
        let stem = String(name.dropLast(mark.count))
        guard let a = weights[name], let b = weights[stem + partner] else {
          throw FileError(file, "\(name) has no \(stem + partner) beside it")
        }
        guard a.rank == 2, b.rank == 2, a.shape[0] == b.shape[1] else {
          throw FileError(
            file, "\(name) is \(a.shape) and \(stem + partner) \(b.shape); expected [r, in] and [out, r]")
        }
        let module = Self.inner(stem)
        changes[module + ".weight"] = Change(
          a: a, b: b, scale: configuration.scale(module),
          isTransposed: isEmbedding || (configuration.fan_in_fan_out == true && Self.canBeTransposed(module)))
        rest.subtract([name, stem + partner])
      }
    }
    for name in rest {
      guard !name.contains("lora_") else {
        throw FileError(file, "\(name): is a part that no plain LoRA has")
      }
      let plain = Self.inner(name).replacingOccurrences(of: ".modules_to_save", with: "")
      replacements[plain.replacingOccurrences(of: ".base_layer", with: "")] = weights[name]
    }
    guard !weights.isEmpty else { throw FileError(file, "holds no weights") }
  }

  /// Heads keep [out, in] where other layers do not, and PEFT goes by the layer.
  static func canBeTransposed(_ module: String) -> Bool { !module.hasSuffix("lm_head") }

  /// The module's name in the network that was adapted.
  private static func inner(_ name: String) -> String {
    let prefix = "base_model.model."
    return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
  }
}

/// A weight with an adapter's change, made when it is needed.
struct AdaptedTensor: Operand {
  let weight: TensorSource
  let change: LoraAdapter.Change

  var shape: [Int] { weight.shape }
  var dtype: DType { weight.dtype }
  var inputByteCount: Int { weight.inputByteCount }
  var workingByteCount: Int { 3 * weight.count * 4 }

  /// In float32 (float64 where the weight is), not rounded to the weight's type.
  func source(isCancelled: @escaping @Sendable () -> Bool) throws -> TensorSource {
    try withoutGradients {
      let type: DType = weight.dtype == .float64 ? .float64 : .float32
      let product = try change.b.to(type).matmul(change.a.to(type)) * change.scale
      return try TensorSource(try weight.tensor.to(type) + (change.isTransposed ? product.transpose() : product))
    }
  }
}
