import Datasets
import Foundation

/// The bytes of a file.
/// - Throws: `CommandError` for one that cannot be read.
func textFile(_ path: String) throws -> Data {
  do {
    return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
  } catch {
    throw CommandError("\(path): cannot be read: \(error.localizedDescription)")
  }
}

/// The ids of a text.
func encoded(_ text: Data, _ tokenizer: Tokenizer) -> [Int] {
  var encoder = Tokenizer.Encoder(tokenizer)
  var ids: [Int32] = []
  text.withUnsafeBytes { encoder.encode($0.bindMemory(to: UInt8.self), into: &ids) }
  return ids.map(Int.init)
}
