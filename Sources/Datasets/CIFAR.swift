import Foundation

/// The binary layouts of CIFAR-10 and CIFAR-100: records of one label byte (two for CIFAR-100: coarse, then fine) and
/// 3 × 32 × 32 bytes of pixels, red plane first. <https://www.cs.toronto.edu/~kriz/cifar.html>
enum CIFAR {
  static let side = 32
  static let pictureBytes = 3 * side * side

  struct Layout {
    var name: String
    /// The folder inside the archive.
    var folder: String
    var trainFiles: [String]
    var testFiles: [String]
    /// The file of class names.
    var metaFile: String
    /// How many classes each label byte distinguishes. The last byte is the label that is kept.
    var labels: [Int]
    /// Records in a whole file.
    var trainRecords: Int
    var testRecords: Int

    var recordBytes: Int { labels.count + pictureBytes }
    func files(_ split: Split) -> [String] { split == .train ? trainFiles : testFiles }
    func records(_ split: Split) -> Int { split == .train ? trainRecords : testRecords }
  }

  static let ten = Layout(
    name: "cifar10", folder: "cifar-10-batches-bin", trainFiles: (1...5).map { "data_batch_\($0).bin" },
    testFiles: ["test_batch.bin"], metaFile: "batches.meta.txt", labels: [10], trainRecords: 10_000,
    testRecords: 10_000)

  static let hundred = Layout(
    name: "cifar100", folder: "cifar-100-binary", trainFiles: ["train.bin"], testFiles: ["test.bin"],
    metaFile: "fine_label_names.txt", labels: [20, 100], trainRecords: 50_000, testRecords: 10_000)

  /// Reads one split from the layout's own folder or the one around it. Training files are read in the order of their
  /// numbers.
  static func read(_ layout: Layout, _ split: Split, in folder: URL) throws -> ImageDataset {
    let inner = folder.appendingPathComponent(layout.folder)
    let place = FileManager.default.fileExists(atPath: inner.path) ? inner : folder
    guard FileManager.default.fileExists(atPath: place.path) else {
      throw DatasetError(
        file: folder.path, "no such folder",
        remedy: "run `valley data fetch \(layout.name)` or name the folder that has \(layout.folder)")
    }
    let classNames = try names(layout, in: place)
    var pixels: [UInt8] = []
    var labels: [Int] = []
    for name in layout.files(split) {
      let file = place.appendingPathComponent(name)
      let bytes = try FileBytes.read(
        file, atMost: layout.records(split) * layout.recordBytes, from: layout.name)
      try parse(bytes, layout, file: file.path, pixels: &pixels, labels: &labels)
    }
    return try ImageDataset(
      name: layout.name, split: split, classNames: classNames, channels: 3, height: side, width: side, pixels: pixels,
      labels: labels)
  }

  /// Appends the records of one file.
  static func parse(
    _ bytes: Data, _ layout: Layout, file: String, pixels: inout [UInt8], labels: inout [Int]
  ) throws {
    let size = layout.recordBytes
    let records = bytes.count / size
    guard records > 0, bytes.count % size == 0 else {
      throw DatasetError(
        file: file, byte: bytes.count,
        "the file ends inside record \(records), which takes bytes \(records * size) to "
          + "\((records + 1) * size - 1) (\(layout.name) records have \(size) bytes)",
        remedy: "it is truncated or not a \(layout.name) file: fetch it again")
    }
    pixels.reserveCapacity(pixels.count + records * pictureBytes)
    try bytes.withUnsafeBytes { bytes in
      for record in 0..<records {
        let start = record * size
        for (k, classes) in layout.labels.enumerated() where Int(bytes[start + k]) >= classes {
          throw DatasetError(
            file: file, byte: start + k,
            "label \(bytes[start + k]) in record \(record) where \(layout.name) has 0 to \(classes - 1)",
            remedy: "the file is damaged or has another layout: fetch it again")
        }
        labels.append(Int(bytes[start + layout.labels.count - 1]))
        pixels.append(contentsOf: bytes[(start + layout.labels.count)..<(start + size)])
      }
    }
  }

  /// Class names from the layout's text file, one a line. Without the file they are the usual ones.
  private static func names(_ layout: Layout, in folder: URL) throws -> [String] {
    let classes = layout.labels[layout.labels.count - 1]
    let file = folder.appendingPathComponent(layout.metaFile)
    guard FileManager.default.fileExists(atPath: file.path) else {
      return KnownDataset(rawValue: layout.name)?.classNames ?? (0..<classes).map(String.init)
    }
    let text = String(decoding: try FileBytes.read(file, atMost: 1 << 16, from: layout.name), as: UTF8.self)
    let names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter {
      !$0.isEmpty
    }
    guard names.count == classes else {
      throw DatasetError(
        file: file.path, byte: 0, "\(names.count) class names, one a line, where \(layout.name) has \(classes)",
        remedy: "correct the file, or delete it to use the usual names")
    }
    return names
  }
}
