import Foundation

/// The datasets Valley can read by name.
public enum KnownDataset: String, Codable, CaseIterable, Hashable, Sendable {
  case glyphs, cifar10, cifar100, mnist
  case fashionMNIST = "fashion-mnist"

  /// A file on the official server.
  public struct Archive: Hashable, Sendable {
    /// The address, whose last part is the file's name.
    public var address: String
    /// The MD5 the publisher states, in hexadecimal.
    public var md5: String
    /// Its size in bytes.
    public var bytes: Int
    /// The members to unpack; empty when the file is used as it is.
    public var members: [Member]

    /// A file inside an archive.
    public struct Member: Hashable, Sendable {
      public var name: String
      /// The most it may have.
      public var bytes: Int
    }
  }

  public var summary: String {
    switch self {
    case .glyphs: "synthetic stroke figures, drawn from a seed; nothing to download"
    case .cifar10: "photographs of 10 kinds of animals and vehicles"
    case .cifar100: "photographs of 100 kinds of things"
    case .mnist: "handwritten digits"
    case .fashionMNIST: "photographs of clothes"
    }
  }

  /// Channels, height, width.
  public var shape: (channels: Int, height: Int, width: Int) {
    switch self {
    case .glyphs: (3, 16, 16)
    case .cifar10, .cifar100: (3, 32, 32)
    case .mnist, .fashionMNIST: (1, 28, 28)
    }
  }

  /// Examples in the published files; nil where any number can be made.
  public func count(_ split: Split) -> Int? {
    switch self {
    case .glyphs: nil
    case .cifar10, .cifar100: split == .train ? 50_000 : 10_000
    case .mnist, .fashionMNIST: split == .train ? 60_000 : 10_000
    }
  }

  /// Names by label.
  public var classNames: [String] {
    switch self {
    case .glyphs: Glyphs().classNames
    case .cifar10: "airplane automobile bird cat deer dog frog horse ship truck".split(separator: " ").map(String.init)
    case .cifar100: (0..<100).map(String.init)
    case .mnist: (0..<10).map(String.init)
    case .fashionMNIST:
      ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
    }
  }

  /// What `fetch` downloads, from the publishers' servers (MNIST: from the mirror torchvision uses, its publisher's
  /// refuses programs). Checksums as stated by the publishers for CIFAR and by torchvision for the others.
  public var archives: [Archive] {
    func idx(_ server: String, _ files: [(String, String, Int)]) -> [Archive] {
      files.map { Archive(address: server + $0.0 + "-ubyte.gz", md5: $0.1, bytes: $0.2, members: []) }
    }
    func cifar(_ layout: CIFAR.Layout, _ file: String, md5: String, bytes: Int, names: [String]) -> [Archive] {
      let data = Split.allCases.flatMap { split in
        layout.files(split).map {
          Archive.Member(name: "\(layout.folder)/\($0)", bytes: layout.records(split) * layout.recordBytes)
        }
      }
      return [
        Archive(
          address: "https://www.cs.toronto.edu/~kriz/\(file)", md5: md5, bytes: bytes,
          members: data + names.map { Archive.Member(name: "\(layout.folder)/\($0)", bytes: 1 << 16) })
      ]
    }
    switch self {
    case .glyphs: return []
    case .cifar10:
      return cifar(
        CIFAR.ten, "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530", bytes: 170_052_171,
        names: ["batches.meta.txt"])
    case .cifar100:
      return cifar(
        CIFAR.hundred, "cifar-100-binary.tar.gz", md5: "03b5dce01913d631647c71ecec9e9cb8", bytes: 168_513_733,
        names: ["coarse_label_names.txt", "fine_label_names.txt"])
    case .mnist:
      return idx(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        [
          ("train-images-idx3", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
          ("train-labels-idx1", "d53e105ee54ea40749a09fcbcd1e9432", 28_881),
          ("t10k-images-idx3", "9fb629c4189551a2d022fa330f9573f3", 1_648_877),
          ("t10k-labels-idx1", "ec29112dd5afa0611ce80d1b7f02629c", 4_542),
        ])
    case .fashionMNIST:
      return idx(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        [
          ("train-images-idx3", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
          ("train-labels-idx1", "25c81989df183df01b3e8a0aad5dffbe", 29_515),
          ("t10k-images-idx3", "bef4ecab320f06d8554ea6380940ec79", 4_422_102),
          ("t10k-labels-idx1", "bb300cfdad3c16e7a12a480ee83cd310", 5_148),
        ])
    }
  }

  /// The folder for all data: `$VALLEY_DATA`, or `~/.cache/valley/data`.
  public static var usualFolder: URL {
    if let set = ProcessInfo.processInfo.environment["VALLEY_DATA"], !set.isEmpty { return URL(fileURLWithPath: set) }
    return FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache/valley/data")
  }

  /// Where this dataset's files go inside `usualFolder`.
  public var usualFolder: URL { Self.usualFolder.appendingPathComponent(rawValue) }

  /// Reads one split from `folder` (nil: the usual one), or draws it.
  ///
  /// - Parameters:
  ///   - count: how many examples, from the first on; nil: all there are (of glyphs 4000 to train, 2000 to test).
  ///   - size: shrink the pictures to this many pixels a side; nil: as they are. Glyphs are drawn at that size.
  ///   - glyphs: the glyphs' parameters; ignored by the others.
  /// - Throws: `DatasetError`.
  public func load(
    _ split: Split, from folder: URL? = nil, count: Int? = nil, size: Int? = nil, glyphs: Glyphs = Glyphs()
  ) throws -> ImageDataset {
    if self == .glyphs {
      var glyphs = glyphs
      if let size { glyphs.size = size }
      return try glyphs.dataset(split, count: count ?? (split == .train ? 4000 : 2000))
    }
    let folder = folder ?? usualFolder
    var dataset =
      switch self {
      case .cifar10: try CIFAR.read(CIFAR.ten, split, in: folder)
      case .cifar100: try CIFAR.read(CIFAR.hundred, split, in: folder)
      case .mnist, .fashionMNIST, .glyphs:
        try IDX.read(name: rawValue, classNames: classNames, split, in: folder)
      }
    if let count { dataset = try dataset.prefix(count) }
    if let size { dataset = try dataset.resized(to: size) }
    return dataset
  }

  /// The dataset whose files are in `folder`, told by their names; nil when there are none.
  public static func recognise(_ folder: URL) -> KnownDataset? {
    func has(_ path: String) -> Bool {
      FileManager.default.fileExists(atPath: folder.appendingPathComponent(path).path)
    }
    if has(CIFAR.ten.folder) || has("data_batch_1.bin") || has("test_batch.bin") { return .cifar10 }
    if has(CIFAR.hundred.folder) || has("train.bin") || has("test.bin") { return .cifar100 }
    for split in ["train", "t10k"] {
      for name in ["images-idx3-ubyte", "images-idx3-ubyte.gz", "labels-idx1-ubyte", "labels-idx1-ubyte.gz"]
      where has("\(split)-\(name)") { return folder.lastPathComponent.contains("fashion") ? .fashionMNIST : .mnist }
    }
    return nil
  }
}
