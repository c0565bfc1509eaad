import Foundation

/// The datasets that Valley reads by name. `summary` says what each is.
public enum KnownDataset: String, Codable, CaseIterable, Hashable, Sendable {
  case glyphs, cifar10, cifar100
  case cifar10_1 = "cifar10.1"
  case cifar10_1v4 = "cifar10.1-v4"
  case svhn
  case svhnExtra = "svhn-extra"
  case mnist
  case fashionMNIST = "fashion-mnist"
  case tinyImageNet = "tiny-imagenet"
  case resisc45, fmow
  case fmowValidation = "fmow-val"
  case fmowOOD = "fmow-ood"
  case fmowOODValidation = "fmow-ood-val"
  case imageFolder = "image-folder"
  case parquet
  case tinyStories = "tinystories"
  case tinyShakespeare = "tinyshakespeare"
  case text

  /// Whether it is text, which `TextDataset` reads, and not pictures.
  public var isText: Bool { [.tinyStories, .tinyShakespeare, .text].contains(self) }

  /// What it holds, in one line.
  public var summary: String {
    switch self {
    case .glyphs: "synthetic stroke figures, drawn from a seed; nothing to download"
    case .cifar10: "photographs of 10 kinds of animals and vehicles"
    case .cifar100: "photographs of 100 kinds of things"
    case .cifar10_1: "a second test set for cifar10, version 6"
    case .cifar10_1v4: "the same, version 4"
    case .svhn: "house numbers, cropped digits"
    case .svhnExtra: "svhn with the extra examples for training"
    case .mnist: "handwritten digits"
    case .fashionMNIST: "photographs of clothes"
    case .tinyImageNet: "photographs of 200 kinds of things; tested on its validation split"
    case .resisc45: "aerial pictures of 45 kinds of places"
    case .fmow: "WILDS satellite pictures of 62 uses of land, before 2013; the in-distribution test"
    case .fmowValidation: "WILDS's in-distribution validation for fmow"
    case .fmowOOD: "WILDS's out-of-distribution test for fmow, from 2016 on"
    case .fmowOODValidation: "WILDS's out-of-distribution validation for fmow, 2013 to 2015"
    case .imageFolder: "your own: a folder of JPEG or PNG files for each class, given by its path"
    case .parquet: "an image dataset from Hugging Face, given by the path of its parquet files"
    case .tinyStories: "short stories for language models; its files, or one of them, in a folder you name"
    case .tinyShakespeare: "a megabyte of Shakespeare's plays for small language models; tested on its last tenth"
    case .text: "your own: a file of plain text, given by its path"
    }
  }

  /// The channels, height and width of its pictures as networks take them, unless another size is asked for; zeros for
  /// text.
  public var shape: (channels: Int, height: Int, width: Int) {
    switch self {
    case .glyphs: (3, 16, 16)
    case .cifar10, .cifar100, .cifar10_1, .cifar10_1v4, .svhn, .svhnExtra: (3, 32, 32)
    case .mnist, .fashionMNIST: (1, 28, 28)
    case .tinyImageNet: (3, 64, 64)
    case .resisc45, .fmow, .fmowValidation, .fmowOOD, .fmowOODValidation, .imageFolder, .parquet: (3, 224, 224)
    case .tinyStories, .tinyShakespeare, .text: (0, 0, 0)
    }
  }

  /// Whether it is whatever the user's folder holds, so that counts and classes are known only by looking there.
  public var isOwn: Bool { self == .imageFolder || self == .parquet }

  /// Whether its pictures are large, perhaps of many sizes, and are resized whenever a batch is made. The others are in
  /// memory, and are shrunk once if a smaller size is asked for.
  public var isResizedOnLoad: Bool { shape.height > Self.largestInMemory }

  /// The height in pixels up to which pictures are kept in memory.
  static let largestInMemory = 64

  /// The number of examples in the published files: 0 where there is no such split, nil where any number can be made or
  /// found.
  public func count(_ split: Split) -> Int? {
    let isTrain = split == .train
    return switch self {
    case .glyphs, .imageFolder, .parquet, .tinyStories, .tinyShakespeare, .text: nil
    case .cifar10, .cifar100: isTrain ? 50_000 : 10_000
    case .cifar10_1: isTrain ? 0 : 2000
    case .cifar10_1v4: isTrain ? 0 : 2021
    case .svhn: isTrain ? 73_257 : 26_032
    case .svhnExtra: isTrain ? 73_257 + 531_131 : 26_032
    case .mnist, .fashionMNIST: isTrain ? 60_000 : 10_000
    case .tinyImageNet: isTrain ? 100_000 : 10_000
    case .resisc45: isTrain ? 18_900 : 6300
    case .fmow, .fmowValidation, .fmowOOD, .fmowOODValidation: fmowPart(split)?.count ?? 0
    }
  }

  /// The name of each label. For the user's own datasets there are none, and for CIFAR-100 and TinyImageNet they are
  /// numbers: the files hold the names.
  public var classNames: [String] {
    switch self {
    case .glyphs: Glyphs().classNames
    case .cifar10, .cifar10_1, .cifar10_1v4:
      "airplane automobile bird cat deer dog frog horse ship truck".split(separator: " ").map(String.init)
    case .cifar100: (0..<100).map(String.init)
    case .svhn, .svhnExtra, .mnist: (0..<10).map(String.init)
    case .fashionMNIST:
      ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
    case .tinyImageNet: (0..<200).map(String.init)
    case .resisc45: RESISC45.classNames
    case .fmow, .fmowValidation, .fmowOOD, .fmowOODValidation: FMoW.classNames
    case .imageFolder, .parquet, .tinyStories, .tinyShakespeare, .text: []
    }
  }

  /// FMoW's official part that serves as this split; nil if there is none.
  func fmowPart(_ split: Split) -> FMoW.Part? {
    switch (self, split) {
    case (.fmow, .train): .train
    case (.fmow, .test): .idTest
    case (.fmowValidation, .test): .idValidation
    case (.fmowOOD, .test): .oodTest
    case (.fmowOODValidation, .test): .oodValidation
    default: nil
    }
  }

  /// The folder for all data: `$VALLEY_DATA`, or `~/.cache/valley/data`.
  public static var usualFolder: URL {
    if let set = ProcessInfo.processInfo.environment["VALLEY_DATA"], !set.isEmpty { return URL(fileURLWithPath: set) }
    return FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache/valley/data")
  }

  /// Datasets that share files have one folder.
  private var folderName: String {
    switch self {
    case .svhnExtra: "svhn"
    case .cifar10_1v4: "cifar10.1"
    case .fmowValidation, .fmowOOD, .fmowOODValidation: "fmow"
    default: rawValue
    }
  }

  /// Where this dataset's files go inside `usualFolder`.
  public var usualFolder: URL { Self.usualFolder.appendingPathComponent(folderName) }

  /// Reads one split of a dataset of small pictures into memory, or draws it. `pictures` reads every dataset.
  ///
  /// - Parameters:
  ///   - split: which part
  ///   - folder: where its files are; nil: the usual folder
  ///   - count: how many examples, from the first on; nil: all there are, or 4000 glyphs for training and 2000 for the
  ///     test
  ///   - size: the height and width to which pictures are shrunk, and at which glyphs are drawn; nil: as they are
  ///   - glyphs: the glyphs' settings, ignored by other datasets
  /// - Throws: `DatasetError` when files are missing or damaged, there are too few examples, or the dataset's pictures
  ///   are not read into memory.
  public func load(
    _ split: Split, from folder: URL? = nil, count: Int? = nil, size: Int? = nil, glyphs: Glyphs = Glyphs()
  ) throws -> ImageDataset {
    if self == .glyphs {
      var glyphs = glyphs
      if let size { glyphs.size = size }
      return try glyphs.dataset(split, count: count ?? (split == .train ? 4000 : 2000))
    }
    guard !isText else {
      throw DatasetError("\(rawValue) is text and has no pictures", remedy: "choose another, or a language model")
    }
    let folder = folder ?? usualFolder
    var dataset: ImageDataset
    switch self {
    case .cifar10: dataset = try CIFAR.read(CIFAR.ten, split, in: folder)
    case .cifar100: dataset = try CIFAR.read(CIFAR.hundred, split, in: folder)
    case .cifar10_1, .cifar10_1v4:
      dataset = try CIFAR10_1.read(
        name: rawValue, version: self == .cifar10_1 ? "v6" : "v4", classNames: classNames, in: folder)
    case .svhn, .svhnExtra: dataset = try SVHN.read(name: rawValue, extra: self == .svhnExtra, split, in: folder)
    case .mnist, .fashionMNIST: dataset = try IDX.read(name: rawValue, classNames: classNames, split, in: folder)
    default:
      throw DatasetError("\(rawValue) is read as pictures of any size", remedy: "use `pictures`, not `load`")
    }
    if let count { dataset = try dataset.prefix(count) }
    if let size { dataset = try dataset.resized(to: size) }
    return dataset
  }

  /// The dataset whose files are in `folder`, recognised by their names; nil if there is none.
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
    if has("train_32x32.mat") || has("test_32x32.mat") { return .svhn }
    if has("cifar10.1_v6_data.npy") { return .cifar10_1 }
    if has("cifar10.1_v4_data.npy") { return .cifar10_1v4 }
    if has(TinyImageNet.folder) || has("val/val_annotations.txt") { return .tinyImageNet }
    if has("rgb_metadata.csv") || has("fmow_v1.1/rgb_metadata.csv") { return .fmow }
    if has("NWPU-RESISC45") || has("resisc45-train.txt") || has("thermal_power_station") { return .resisc45 }
    guard let names = try? PictureListing.names(in: folder) else { return nil }
    if names.contains(where: { $0.hasSuffix(".parquet") }) || has("data") && folder.path != usualFolder.path {
      return Parquet.hasFiles(folder) ? .parquet : nil
    }
    let isFolder = names.prefix(1000).contains { PictureListing.isFolder(folder.appendingPathComponent($0)) }
    return isFolder && (try? ImageFolder.list(name: "image-folder", .test, in: folder)) != nil ? .imageFolder : nil
  }
}
