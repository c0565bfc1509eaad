import Foundation
import Torch

/// A text to learn and a text to be tested on, tokenized: the datasets `text`, `tinyshakespeare` and `tinystories`.
///
/// Each is in a file of its own, or the second is the last tenth of the first.
public struct TextDataset: Sendable {
  /// How the texts became tokens.
  public let tokenizer: Tokenizer
  private let train: (file: TokenFile, range: Range<Int>, name: String)
  private let test: (file: TokenFile, range: Range<Int>, name: String)

  /// The part of a text that is kept for testing if there is no other file.
  public static let testFraction = 0.1

  /// Tokenizes the texts, or reads them from the cache.
  ///
  /// - Parameters:
  ///   - dataset: which text
  ///   - path: the file of the text; for TinyStories the folder of its files, or one file; nil: the usual folder
  ///   - validation: the file of the text to test on; nil: TinyStories' own, or the last tenth of any other text
  ///   - tokenizer: how the texts become tokens
  ///   - cache: the folder for tokenized texts; made if it does not exist
  /// - Throws: `DatasetError` when a file cannot be read, or the cache cannot be written.
  public init(
    _ dataset: KnownDataset, path: URL?, validation: URL? = nil, tokenizer: Tokenizer,
    cache: URL = TokenFile.usualCache
  ) throws {
    self.tokenizer = tokenizer
    let files = try Self.files(dataset, path: path, validation: validation)
    let text = try TokenFile(encoding: files.train, with: tokenizer, cache: cache)
    let name = files.train.lastPathComponent
    if let other = files.test {
      let file = try TokenFile(encoding: other, with: tokenizer, cache: cache)
      train = (text, 0..<text.count, name)
      test = (file, 0..<file.count, other.lastPathComponent)
    } else {
      let split = text.count - Int(Double(text.count) * Self.testFraction)
      train = (text, 0..<split, name)
      test = (text, split..<text.count, "the last tenth of \(name)")
    }
  }

  /// The number of tokens of a split.
  public func count(_ split: Split) -> Int { (split == .train ? train : test).range.count }

  /// Where a split's text comes from: a file's name, or which part of it.
  public func name(_ split: Split) -> String { (split == .train ? train : test).name }

  /// One split, divided into sequences.
  ///
  /// - Parameters:
  ///   - split: which part
  ///   - context: tokens in a sequence
  ///   - sequences: how many, from the first on; nil: all there are
  ///   - device: where batches are
  /// - Throws: `DatasetError` when there are fewer tokens than that takes.
  public func sequences(_ split: Split, context: Int, sequences: Int? = nil, on device: Device = .cpu) throws
    -> TokenDataset
  {
    let part = split == .train ? train : test
    return try TokenDataset(
      part.file, range: part.range, context: context, sequences: sequences, name: part.name, on: device)
  }

  /// How many sequences of `context` tokens there are to train on, without tokenizing the text. Exact for bytes; for
  /// other tokenizers it assumes four bytes for each token, which is usual in English. nil if there is no such file.
  public static func estimatedSequences(
    _ dataset: KnownDataset, path: URL?, validation: URL?, isBytes: Bool, context: Int
  ) -> Int? {
    guard let files = try? files(dataset, path: path, validation: validation),
      let bytes = (try? FileManager.default.attributesOfItem(atPath: files.train.resolvingSymlinksInPath().path))?[
        .size]
        as? Int
    else { return nil }
    let tokens = isBytes ? bytes : bytes / 4
    let kept = files.test == nil ? tokens - Int(Double(tokens) * testFraction) : tokens
    return max(0, kept - 1) / max(1, context)
  }

  private static func files(_ dataset: KnownDataset, path: URL?, validation: URL?) throws -> (train: URL, test: URL?) {
    func isFolder(_ place: URL) -> Bool {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) && isFolder.boolValue
    }
    if dataset == .tinyShakespeare, path.map(isFolder) ?? true {
      return ((path ?? dataset.usualFolder).appendingPathComponent("input.txt"), validation)
    }
    guard dataset == .tinyStories, path.map(isFolder) ?? true else {
      guard let path else {
        throw DatasetError("\(dataset.rawValue) needs the path of a text", remedy: "set dataset.path")
      }
      return (path, validation)
    }
    let folder = path ?? dataset.usualFolder
    for name in ["TinyStoriesV2-GPT4", "TinyStories"] {
      let train = folder.appendingPathComponent("\(name)-train.txt")
      guard FileManager.default.fileExists(atPath: train.path) else { continue }
      let published = folder.appendingPathComponent("\(name)-valid.txt")
      return (train, validation ?? (FileManager.default.fileExists(atPath: published.path) ? published : nil))
    }
    throw DatasetError(
      file: folder.path, "has neither TinyStoriesV2-GPT4-train.txt nor TinyStories-train.txt",
      remedy: "get them from https://huggingface.co/datasets/roneneldan/TinyStories, or name one file as dataset.path")
  }
}
