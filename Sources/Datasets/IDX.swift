import Foundation

/// The IDX format of MNIST and its relatives: a big-endian header (two zero bytes, the element type, the number of
/// dimensions, then each dimension in four bytes) and the elements. Files may be gzipped.
/// <http://yann.lecun.com/exdb/mnist/>
enum IDX {
  /// Bytes: room for 340,000 pictures of 28 × 28, where MNIST has 60,000.
  static let largestFile = 256 << 20

  /// Reads one split from `folder`: `train-` or `t10k-` images and labels, with `.gz` or without.
  static func read(name: String, classNames: [String], _ split: Split, in folder: URL) throws -> ImageDataset {
    guard FileManager.default.fileExists(atPath: folder.path) else {
      throw DatasetError(
        file: folder.path, "no such folder", remedy: "run `valley data fetch \(name)` or name the folder of the files")
    }
    let prefix = split == .train ? "train" : "t10k"
    let (imageFile, imageBytes) = try open("\(prefix)-images-idx3-ubyte", in: folder, dataset: name)
    let (labelFile, labelBytes) = try open("\(prefix)-labels-idx1-ubyte", in: folder, dataset: name)
    let images = try parse(imageBytes, dimensions: 3, file: imageFile)
    let labels = try parse(labelBytes, dimensions: 1, file: labelFile)
    guard images.shape[0] == labels.shape[0] else {
      throw DatasetError(
        file: labelFile, byte: 4, "\(labels.shape[0]) labels for the \(images.shape[0]) pictures of \(imageFile)",
        remedy: "the two files do not belong together: fetch them again")
    }
    if let wrong = labels.elements.firstIndex(where: { Int($0) >= classNames.count }) {
      throw DatasetError(
        file: labelFile, byte: 8 + wrong,
        "label \(labels.elements[wrong]) of example \(wrong) where \(name) has 0 to \(classNames.count - 1)",
        remedy: "the file is damaged or belongs to another dataset: fetch it again")
    }
    return try ImageDataset(
      name: name, split: split, classNames: classNames, channels: 1, height: images.shape[1], width: images.shape[2],
      pixels: images.elements, labels: labels.elements.map { Int($0) })
  }

  private static func open(_ name: String, in folder: URL, dataset: String) throws -> (String, Data) {
    let plain = folder.appendingPathComponent(name)
    let packed = folder.appendingPathComponent(name + ".gz")
    if !FileManager.default.fileExists(atPath: plain.path), FileManager.default.fileExists(atPath: packed.path) {
      return (packed.path, try FileBytes.unpackGzip(packed, atMost: largestFile))
    }
    return (plain.path, try FileBytes.read(plain, atMost: largestFile, from: dataset))
  }

  /// The shape and the elements of a file of unsigned bytes.
  static func parse(_ bytes: Data, dimensions: Int, file: String) throws -> (shape: [Int], elements: [UInt8]) {
    let header = 4 + 4 * dimensions
    guard bytes.count >= header else {
      throw DatasetError(
        file: file, byte: bytes.count, "the file ends inside its header of \(header) bytes", remedy: "fetch it again")
    }
    return try bytes.withUnsafeBytes { bytes in
      let expected: [UInt8] = [0, 0, 8, UInt8(truncatingIfNeeded: dimensions)]
      if let wrong = (0..<4).first(where: { bytes[$0] != expected[$0] }) {
        throw DatasetError(
          file: file, byte: wrong,
          "the file starts with \(Array(bytes[..<4])) where an IDX file of \(dimensions)-dimensional bytes starts "
            + "with \(expected)",
          remedy: wrong < 2
            ? "it is not an IDX file, perhaps still packed: its name should then end in .gz" : "fetch it again")
      }
      let shape = (0..<dimensions).map { k in
        bytes[(4 + 4 * k)..<(8 + 4 * k)].reduce(0) { $0 << 8 | Int($1) }
      }
      for (k, size) in shape.enumerated() where size == 0 || (k > 0 && size > 4096) {
        throw DatasetError(
          file: file, byte: 4 + 4 * k, "dimension \(k) is \(size)" + (k > 0 ? " where 1 to 4096 is allowed" : ""),
          remedy: "the file is damaged: fetch it again")
      }
      // Below 2³² · 2¹² · 2¹², so the product cannot overflow.
      let total = header + shape.reduce(1, *)
      guard bytes.count == total else {
        throw DatasetError(
          file: file, byte: min(bytes.count, total),
          "the header promises \(shape.map(String.init).joined(separator: " × ")) elements, \(total) bytes with the "
            + "header, the file has \(bytes.count)",
          remedy: bytes.count < total ? "it is truncated: fetch it again" : "fetch it again")
      }
      return (shape, Array(bytes[header...]))
    }
  }
}
