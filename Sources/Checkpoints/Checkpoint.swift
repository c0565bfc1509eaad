import Foundation
import Support
import Torch
import Weights

/// A network's weights, read from any of the usual kinds of files.
///
/// `read` takes a safetensors file, the index of one in shards, a file of `torch.save` (`.pt`, `.pth`, `.bin`), a
/// checkpoint of a run of Valley, or a folder as Hugging Face's libraries write it. The content decides which it is,
/// not the name.
public struct Checkpoint: Sendable {
  /// The formats that weights are read from.
  public enum Format: String, Sendable, Encodable {
    /// safetensors, in one file or in shards
    case safetensors
    /// What `torch.save` writes
    case pyTorch = "PyTorch"
  }

  /// The path as it was given.
  public let path: String
  /// The format of the files.
  public let format: Format
  /// The files that hold the tensors: one, or the shards.
  public let files: [String]
  /// The tensors by name, in the order of the file.
  public let weights: Weights
  /// Text by key from a safetensors file; empty for other formats.
  public let metadata: [String: String]
  /// The contents of the `config.json` in a Hugging Face folder; nil without one.
  public let configuration: Data?
  /// What was chosen or left out, in one sentence each.
  public let notes: [String]

  /// Reads weights. Tensors are in private mappings of the files, so little is read before it is used, and writing to a
  /// tensor does not change a file.
  ///
  /// - Parameter path: a file or a folder. `FILE.pt#state_dict_ema` names one of several dictionaries in a PyTorch
  ///   file.
  /// - Throws: `FileError` naming the file, the tensor, what is wrong and what to do about it.
  public static func read(_ path: String) throws -> Checkpoint {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      if let mark = path.lastIndex(of: "#"), FileManager.default.fileExists(atPath: String(path[..<mark])) {
        return try Checkpoint(
          path, content: Content(file: String(path[..<mark]), part: String(path[path.index(after: mark)...])))
      }
      throw FileError(path, "cannot be read: there is no such file")
    }
    if isFolder.boolValue { return try folder(path) }
    if path.hasSuffix(".index.json") { return try Checkpoint(path, content: ShardIndex.read(path)) }
    return try Checkpoint(path, content: Content(file: path))
  }

  /// What one file holds, or all shards together.
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
    guard !content.weights.isEmpty else { throw FileError(path, "holds no weights") }
    self.path = path
    self.configuration = configuration
    (format, files, weights) = (content.format, content.files, content.weights)
    (metadata, notes) = (content.metadata, content.notes)
  }

  // MARK: Folders

  /// The usual names for weights in a folder, of transformers, diffusers, timm and open_clip. If there are several, the
  /// first of these is read.
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
      throw FileError(
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
    } catch { throw FileError(path, "cannot be read: \(error.localizedDescription)") }
  }

  private static func config(_ folder: String) throws -> Data {
    let mapping = try MappedFile(URL(fileURLWithPath: folder).appendingPathComponent("config.json").path)
    guard mapping.bytes.count <= 16 << 20 else {
      throw FileError(mapping.path, "is too large for a configuration")
    }
    return Data(mapping.bytes)
  }
}

extension Checkpoint.Content {
  /// Reads one file as what its first bytes say it is.
  init(file path: String, part: String? = nil) throws {
    let mapping = try MappedFile(path)
    let isSafetensors = Safetensors.hasHeader(mapping)
    if !isSafetensors, TorchFile.isTorch(mapping) {
      let content = try TorchFile.read(mapping, part: part)
      self.init(format: .pyTorch, files: [path], weights: content.weights, notes: content.notes)
      return
    }
    for (magic, name) in Self.foreign where !isSafetensors && mapping.starts(with: Array(magic)) {
      throw FileError(path, "is \(name); expected safetensors or a file of torch.save")
    }
    guard part == nil else { throw FileError(path, "is not a PyTorch file, so it has no parts for a #") }
    let content = try Safetensors.read(mapping)
    self.init(format: .safetensors, files: [path], weights: content.weights, metadata: content.metadata)
  }

  /// The first bytes of files that might be mistaken for weights.
  private static let foreign: [([UInt8], String)] = [
    (Array("GGUF".utf8), "a GGUF file, as llama.cpp has them"),
    ([0x89] + Array("HDF".utf8), "an HDF5 file, as Keras has them"),
    ([0x93] + Array("NUMPY".utf8), "a numpy array"), ([0x1F, 0x8B], "compressed with gzip: unpack it first"),
    (Array("version https://git-lfs".utf8), "a placeholder of Git LFS: run `git lfs pull`"),
    (Array("<!DOCTYPE".utf8), "a web page: the download went wrong"),
    (Array("<html".utf8), "a web page: the download went wrong"),
  ]

  /// Keeps only the weights of a training state, which names its step and may hold whatever an optimizer remembers.
  mutating func keepNetwork() {
    let prefix = "weights/"
    guard metadata["step"] != nil, weights.names.contains(where: { $0.hasPrefix(prefix) }) else { return }
    weights = Weights(
      weights.filter { $0.0.hasPrefix(prefix) }
        .map { (String($0.0.dropFirst(prefix.count)), $0.1) })
  }
}
