import Foundation

/// Street View House Numbers, cropped digits of 32 × 32: `train_32x32.mat`, `test_32x32.mat`, `extra_32x32.mat`, each
/// with X [32, 32, 3, n] and y [n, 1], where 10 stands for the digit 0. Netzer et al. 2011.
/// <http://ufldl.stanford.edu/housenumbers>
enum SVHN {
  static let side = 32

  /// Reads one split. With `extra`, the extra examples follow those of the training split.
  static func read(name: String, extra: Bool, _ split: Split, in folder: URL) throws -> ImageDataset {
    var pixels: [UInt8] = []
    var labels: [Int] = []
    for part in split == .test ? ["test"] : extra ? ["train", "extra"] : ["train"] {
      let file = folder.appendingPathComponent("\(part)_32x32.mat")
      let bytes = try FileBytes.read(file, atMost: 4 << 30, from: name)
      try bytes.withUnsafeBytes { try parse($0, file: file.path, pixels: &pixels, labels: &labels) }
    }
    return try ImageDataset(
      name: name, split: split, classNames: (0..<10).map(String.init), channels: 3, height: side, width: side,
      pixels: pixels, labels: labels)
  }

  /// Appends the examples of one file.
  static func parse(
    _ bytes: UnsafeRawBufferPointer, file: String, pixels: inout [UInt8], labels: inout [Int]
  ) throws {
    let arrays = try MATFile.parse(bytes, file: file, atMost: 3 << 30)
    guard let pictures = arrays["X"], let classes = arrays["y"] else {
      throw DatasetError(
        file: file, "has \(arrays.keys.sorted().joined(separator: ", ")) where SVHN has X and y",
        remedy: "it is not an SVHN file: fetch it again")
    }
    guard pictures.element == .uint8, pictures.shape.count == 4, Array(pictures.shape[..<3]) == [side, side, 3] else {
      throw DatasetError(
        file: file, "X is \(pictures.description) where SVHN has 32 × 32 × 3 × n uint8",
        remedy: "it is not an SVHN file of cropped digits: fetch it again")
    }
    let digits = try classes.integers(file: file)
    guard digits.count == pictures.shape[3] else {
      throw DatasetError(
        file: file, "y is \(classes.description) for \(pictures.shape[3]) pictures", remedy: "fetch it again")
    }
    if let wrong = digits.firstIndex(where: { !(1...10).contains($0) }) {
      throw DatasetError(
        file: file, "the label of example \(wrong) is \(digits[wrong]) where SVHN has 1 to 10", remedy: "fetch it again"
      )
    }
    labels += digits.map { $0 % 10 }
    // The first index, the row, runs fastest, so every plane is the transpose of ours.
    let start = pixels.count
    let area = side * side
    pixels.append(contentsOf: repeatElement(0, count: pictures.range.count))
    pictures.storage[pictures.range].withUnsafeBufferPointer { source in
      pixels.withUnsafeMutableBufferPointer { target in
        for plane in stride(from: 0, to: source.count, by: area) {
          for row in 0..<side {
            for column in 0..<side { target[start + plane + row * side + column] = source[plane + column * side + row] }
          }
        }
      }
    }
  }
}
