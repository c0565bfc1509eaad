import Foundation
import Support
import Torch
import Weights

/// The weights of a network, from any of the files people have them in.
///
/// `read` takes a safetensors file, the index of a sharded one, a file of `torch.save` (`.pt`, `.pth`, `.bin`), a checkpoint of a run of
/// Valley, or a folder as Hugging Face's libraries write it. Which it is, is told by the content, not by the name.
public struct Checkpoint: Sendable {
  public enum Format: String, Sendable, Encodable {
    case safetensors
    case pyTorch = "PyTorch"
  }

  /// As it was given.
  public let path: String
  public let format: Format
  /// The files the tensors lie in: one, or the shards.
  public let files: [String]
  public let weights: Weights
  /// Text by key, of a safetensors file.
  public let metadata: [String: String]
  /// The `config.json` beside the weights, of a Hugging Face folder.
  public let configuration: Data?
  /// What was chosen or left out, one sentence each.
  public let notes: [String]

  /// Reads weights. Tensors lie in private mappings of the files, so that little is read before it is used.
  ///
  /// - Parameter path: a file or folder. `FILE.pt#state_dict_ema` names one of several dictionaries in a PyTorch file.
  /// - Throws: `CheckpointError` naming the file, the tensor, what is wrong and how to mend it.
  public static func read(_ path: String) throws -> Checkpoint {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      if let mark = path.lastIndex(of: "#"), FileManager.default.fileExists(atPath: String(path[..<mark])) {
        return try Checkpoint(
          path, content: Content(file: String(path[..<mark]), part: String(path[path.index(after: mark)...])))
      }
      throw CheckpointError(path, "cannot be read: there is no such file")
    }
    if isFolder.boolValue { return try folder(path) }
    if path.hasSuffix(".index.json") { return try Checkpoint(path, content: ShardIndex.read(path)) }
    return try Checkpoint(path, content: Content(file: path))
  }

  /// What one file, or all shards together, hold.
  struct Content {
    var format: Format
    var files: [String]
    var weights: Weights
    var metadata: [String: String] = [:]
    var notes: [String] = []
  }

  private init(_ path: String, content: Content, configuration: Data? = nil) throws {
    var content = content
    content.keepNetwork()
    guard !content.weights.isEmpty else { throw CheckpointError(path, "holds no weights") }
    self.path = path
    self.configuration = configuration
    (format, files, weights) = (content.format, content.files, content.weights)
    (metadata, notes) = (content.metadata, content.notes)
  }

  // MARK: Folders

  /// What a folder's weights are called, first what is read when several are there: transformers, diffusers and timm, open_clip.
  private static let usualNames = [
    "model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors",
    "diffusion_pytorch_model.safetensors", "adapter_model.safetensors", "pytorch_model.bin",
    "pytorch_model.bin.index.json", "open_clip_pytorch_model.bin", "consolidated.safetensors",
  ]

  private static func folder(_ path: String) throws -> Checkpoint {
    let names = try contents(of: path)
    let isWeights = { (name: String) in
      [".safetensors", ".bin", ".pt", ".pth", ".ckpt"].contains { name.hasSuffix($0) }
    }
    guard let name = usualNames.first(where: names.contains) ?? only(names.filter(isWeights)) else {
      let found = names.filter { isWeights($0) || $0.hasSuffix(".index.json") }
      throw CheckpointError(
        path,
        found.isEmpty
          ? "is a folder without weights; expected model.safetensors, an index of shards, or pytorch_model.bin in it"
          : "is a folder with several files of weights; name one of them: \(found.prefix(8).joined(separator: ", "))")
    }
    let file = URL(fileURLWithPath: path).appendingPathComponent(name).path
    var content = try name.hasSuffix(".index.json") ? ShardIndex.read(file) : Content(file: file)
    if usualNames.filter(names.contains).count > 1 {
      content.notes.append("of several files of weights, \(name) was read")
    }
    return try Checkpoint(path, content: content, configuration: names.contains("config.json") ? config(path) : nil)
  }

  private static func only(_ names: [String]) -> String? { names.count == 1 ? names[0] : nil }

  private static func contents(of path: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }.sorted()
    } catch { throw CheckpointError(path, "cannot be read: \(error.localizedDescription)") }
  }

  private static func config(_ folder: String) throws -> Data {
    let mapping = try MappedFile(URL(fileURLWithPath: folder).appendingPathComponent("config.json").path)
    guard mapping.bytes.count <= 16 << 20 else {
      throw CheckpointError(mapping.path, "is too large for a configuration")
    }
    return Data(mapping.bytes)
  }
}

extension Checkpoint.Content {
  /// Reads one file, by what its first bytes say it is.
  init(file path: String, part: String? = nil) throws {
    let mapping = try MappedFile(path)
    let isSafetensors = Safetensors.hasHeader(mapping)
    if !isSafetensors, TorchFile.isTorch(mapping) {
      let content = try TorchFile.read(mapping, part: part)
      self.init(format: .pyTorch, files: [path], weights: content.weights, notes: content.notes)
      return
    }
    for (magic, name) in Self.foreign where !isSafetensors && mapping.starts(with: Array(magic)) {
      throw CheckpointError(path, "is \(name); expected safetensors or a file of torch.save")
    }
    guard part == nil else { throw CheckpointError(path, "is no PyTorch file, so that it has no parts after a #") }
    let content = try Safetensors.read(mapping)
    self.init(format: .safetensors, files: [path], weights: content.weights, metadata: content.metadata)
  }

  /// How files start that people might take for weights.
  private static let foreign: [([UInt8], String)] = [
    (Array("GGUF".utf8), "a GGUF file, as llama.cpp has them"),
    ([0x89] + Array("HDF".utf8), "an HDF5 file, as Keras has them"),
    ([0x93] + Array("NUMPY".utf8), "a numpy array"), ([0x1F, 0x8B], "compressed with gzip: unpack it first"),
    (Array("version https://git-lfs".utf8), "a placeholder of Git LFS: run `git lfs pull`"),
    (Array("<!DOCTYPE".utf8), "a web page: the download went wrong"),
    (Array("<html".utf8), "a web page: the download went wrong"),
  ]

  /// Of the state of a training, which names its step and may hold what any optimizer remembers, keeps the weights.
  mutating func keepNetwork() {
    let prefix = "weights/"
    guard metadata["step"] != nil, weights.names.contains(where: { $0.hasPrefix(prefix) }) else { return }
    weights = Weights(
      weights.filter { $0.0.hasPrefix(prefix) }
        .map { (String($0.0.dropFirst(prefix.count)), $0.1) })
  }
}
