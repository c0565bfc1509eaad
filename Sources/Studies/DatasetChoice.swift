import Datasets
import Foundation
import Networks

extension RunConfiguration {
  /// Which examples are trained and tested on.
  public struct Dataset: Codable, Hashable, Sendable {
    public typealias Name = KnownDataset
    public var name: Name
    /// The folder of the files; nil: the usual place for this dataset.
    public var path: String?
    /// How many training examples to use; nil: all.
    public var train: Int?
    /// How many test examples to use; nil: all.
    public var test: Int?
    /// Area-resize the pictures to this many pixels a side; nil: as they are.
    public var size: Int?
    /// Glyphs only.
    public var classes: Int?
    /// Glyphs only: the difficulty, 0 … 1.
    public var noise: Double?
    /// Glyphs only: fixes the glyphs and every example.
    public var seed: Int
    /// Only the examples of these classes, which become 0, 1, … in this order; nil: all.
    public var labels: [Int]?
    /// nil: pictures as they are.
    public var corruption: Corruption?

    /// What is done to pictures, in training and test alike, to get another distribution.
    public struct Corruption: Codable, Hashable, Sendable {
      /// The standard deviation of Gaussian noise on every sample, where 1 is the whole range.
      public var noise: Double
      public var seed: Int

      public init(noise: Double, seed: Int = 0) {
        self.noise = noise
        self.seed = seed
      }
    }

    /// Fills in what a dataset needs: glyphs get 4000 training and 2000 test pictures of 10 classes at noise 0.5.
    public init(
      name: Name, path: String? = nil, train: Int? = nil, test: Int? = nil, size: Int? = nil, classes: Int? = nil,
      noise: Double? = nil, seed: Int = 0, labels: [Int]? = nil, corruption: Corruption? = nil
    ) {
      let isGlyphs = name == .glyphs
      self.name = name
      self.path = path
      self.train = train ?? (isGlyphs ? 4000 : nil)
      self.test = test ?? (isGlyphs ? 2000 : nil)
      self.size = size
      self.classes = classes ?? (isGlyphs ? 10 : nil)
      self.noise = noise ?? (isGlyphs ? 0.5 : nil)
      self.seed = seed
      self.labels = labels
      self.corruption = corruption
    }

    /// Training examples in use; of some labels the number is known only after reading, and taken as their share of all labels.
    public var trainingExamples: Int { train ?? share(of: name.count(.train) ?? 0) }
    /// Test examples in use, as for training.
    public var testExamples: Int { test ?? share(of: name.count(.test) ?? 0) }
    /// Pixels a side.
    public var pictureSize: Int { size ?? name.shape.height }
    /// What a network is given.
    public var inputShape: InputShape {
      .picture(channels: name.shape.channels, height: pictureSize, width: size ?? name.shape.width)
    }
    public var classCount: Int { labels?.count ?? allClasses }
    var allClasses: Int { classes ?? name.classNames.count }
    private func share(of count: Int) -> Int { labels.map { count * $0.count / max(1, allClasses) } ?? count }
  }
}

extension RunConfiguration.Dataset {
  /// Reads or draws one split.
  public func load(_ split: Split) throws -> ImageDataset {
    let wanted = split == .train ? train : test
    guard let labels else { return try corrupted(read(split, count: wanted)) }
    // Glyphs go through their classes in turn, so a set of the right size can be drawn; files are read whole.
    let classes = classes ?? Glyphs().classes
    let drawn = name == .glyphs ? wanted.map { ($0 + labels.count - 1) / max(1, labels.count) * classes } : nil
    let kept = try read(split, count: drawn).keeping(labels: labels)
    return try corrupted(wanted.map { try kept.prefix($0) } ?? kept)
  }

  private func read(_ split: Split, count: Int?) throws -> ImageDataset {
    let standard = Glyphs()
    return try name.load(
      split, from: path.map { URL(fileURLWithPath: $0) }, count: count, size: size,
      glyphs: Glyphs(
        classes: classes ?? standard.classes, noise: noise ?? standard.noise,
        seed: UInt64(bitPattern: Int64(seed))))
  }

  private func corrupted(_ pictures: ImageDataset) throws -> ImageDataset {
    try corruption.map { try pictures.withNoise($0.noise, seed: $0.seed) } ?? pictures
  }

  /// Such as `glyphs`, `CIFAR-10 at 16×16`.
  public var summary: String {
    let names: [Name: String] = [
      .cifar10: "CIFAR-10", .cifar100: "CIFAR-100", .mnist: "MNIST", .fashionMNIST: "Fashion-MNIST",
    ]
    return (names[name] ?? name.rawValue) + (size.map { " at \($0)×\($0)" } ?? "")
      + (labels.map { ", \($0.count) classes" } ?? "") + (corruption.map { ", noise \($0.noise)" } ?? "")
  }
}

extension RunConfiguration.Dataset {
  /// Reports what is impossible about the dataset that stands at `keyPath`.
  func check(_ check: inout ConfigurationCheck, at keyPath: String) {
    let label = name.rawValue
    for (key, asked, held) in [
      ("train", train, name.count(.train)), ("test", test, name.count(.test)),
    ] {
      check.range(asked, 1...10_000_000, "\(keyPath).\(key)")
      guard let asked, let held else { continue }
      check.require(asked <= held, "\(keyPath).\(key)", "is \(asked), but \(label) has only \(held) examples")
    }
    if name == .glyphs {
      check.range(size, 8...128, "\(keyPath).size")
      check.range(classes, 2...100, "\(keyPath).classes")
      let noise = noise ?? 0
      check.require(noise.isFinite && noise >= 0 && noise <= 1, "\(keyPath).noise", "is \(noise); expected 0 … 1")
      check.require(
        path == nil, "\(keyPath).path",
        "is given, but glyphs are made from the seed and read no files; leave it out"
      )
    } else {
      check.range(size, 4...name.shape.height, "\(keyPath).size")
      check.require(classes == nil, "\(keyPath).classes", "belongs to glyphs; \(label) has its own")
      check.require(noise == nil, "\(keyPath).noise", "belongs to glyphs; \(label) has no such setting")
      check.require(seed == 0, "\(keyPath).seed", "belongs to glyphs; \(label) has no such setting")
    }
    check.require(seed >= 0, "\(keyPath).seed", "is \(seed); expected 0 or more")
    if let labels {
      check.require(
        (2...256).contains(labels.count), "\(keyPath).labels", "names \(labels.count) classes; expected 2 … 256")
      check.require(
        labels.allSatisfy { (0..<allClasses).contains($0) }, "\(keyPath).labels",
        "expected labels from 0 to \(allClasses - 1)")
      check.require(Set(labels).count == labels.count, "\(keyPath).labels", "names the same label more than once")
    }
    if let corruption {
      check.require(
        corruption.noise.isFinite && corruption.noise > 0 && corruption.noise <= 1, "\(keyPath).corruption.noise",
        "is \(corruption.noise); expected a number above 0 and at most 1, the whole range of a sample")
      check.require(corruption.seed >= 0, "\(keyPath).corruption.seed", "is \(corruption.seed); expected 0 or more")
    }
  }
}

extension KnownDataset {
  /// Flip and crop for photographs; none where left and right matter.
  public var usualAugmentation: Augmentation {
    switch self {
    case .cifar10, .cifar100, .cifar10_1, .cifar10_1v4: .init(flip: true, crop: 4)
    case .tinyImageNet: .init(flip: true, crop: 8)
    case .resisc45, .fmow, .fmowValidation, .fmowOOD, .fmowOODValidation, .imageFolder, .parquet:
      .init(flip: true, resizedCrop: .init())
    case .glyphs, .svhn, .svhnExtra, .mnist, .fashionMNIST: .none
    }
  }
}
