import Foundation

/// CIFAR-10.1, a second test set for CIFAR-10: `cifar10.1_<version>_data.npy` [n, 32, 32, 3] and `…_labels.npy` [n].
/// Recht et al. 2018. <https://github.com/modestyachts/CIFAR-10.1>
enum CIFAR10_1 {
  static func read(name: String, version: String, classNames: [String], in folder: URL) throws -> ImageDataset {
    func array(_ part: String) throws -> (NumberArray, String) {
      let file = folder.appendingPathComponent("cifar10.1_\(version)_\(part).npy")
      let bytes = try FileBytes.read(file, atMost: 64 << 20, from: name)
      return (try bytes.withUnsafeBytes { try NPYFile.parse($0, file: file.path) }, file.path)
    }
    let (pictures, file) = try array("data")
    let (classes, labelFile) = try array("labels")
    guard pictures.element == .uint8, !pictures.isColumnMajor, pictures.shape.count == 4,
      Array(pictures.shape[1...]) == [CIFAR.side, CIFAR.side, 3]
    else {
      throw DatasetError(
        file: file, "is \(pictures.description) where CIFAR-10.1 has n × 32 × 32 × 3 uint8", remedy: "fetch it again")
    }
    let labels = try classes.integers(file: labelFile)
    guard labels.count == pictures.shape[0] else {
      throw DatasetError(
        file: labelFile, "\(labels.count) labels for the \(pictures.shape[0]) pictures of \(file)",
        remedy: "fetch both again")
    }
    // From channels innermost to one plane after the other.
    let area = CIFAR.side * CIFAR.side
    var pixels = [UInt8](repeating: 0, count: pictures.range.count)
    for (index, value) in pictures.storage[pictures.range].enumerated() {
      let (picture, place) = index.quotientAndRemainder(dividingBy: 3 * area)
      pixels[picture * 3 * area + place % 3 * area + place / 3] = value
    }
    return try ImageDataset(
      name: name, split: .test, classNames: classNames, channels: 3, height: CIFAR.side, width: CIFAR.side,
      pixels: pixels, labels: labels)
  }
}
