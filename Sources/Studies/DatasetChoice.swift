import Datasets
import Foundation

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

    /// Fills in what a dataset needs: glyphs get 4000 training and 2000 test pictures of 10 classes at noise 0.5.
    public init(
      name: Name, path: String? = nil, train: Int? = nil, test: Int? = nil, size: Int? = nil, classes: Int? = nil,
      noise: Double? = nil, seed: Int = 0
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
    }

    /// Training examples in use.
    public var trainingExamples: Int { train ?? name.count(.train) ?? 0 }
    /// Test examples in use.
    public var testExamples: Int { test ?? name.count(.test) ?? 0 }
    /// Pixels a side.
    public var pictureSize: Int { size ?? name.shape.height }
    public var classCount: Int { classes ?? name.classNames.count }
  }
}

extension RunConfiguration.Dataset {
  /// Reads or draws one split.
  public func load(_ split: Split) throws -> ImageDataset {
    let standard = Glyphs()
    return try name.load(
      split, from: path.map { URL(fileURLWithPath: $0) }, count: split == .train ? train : test, size: size,
      glyphs: Glyphs(
        classes: classes ?? standard.classes, noise: noise ?? standard.noise,
        seed: UInt64(bitPattern: Int64(seed))))
  }

  /// Such as `glyphs`, `CIFAR-10 at 16×16`.
  public var summary: String {
    let names: [Name: String] = [
      .cifar10: "CIFAR-10", .cifar100: "CIFAR-100", .mnist: "MNIST", .fashionMNIST: "Fashion-MNIST",
    ]
    return (names[name] ?? name.rawValue) + (size.map { " at \($0)×\($0)" } ?? "")
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
  }
}

extension KnownDataset {
  /// Flip and crop for photographs; none where left and right matter.
  public var usualAugmentation: Augmentation {
    switch self {
    case .cifar10, .cifar100: .init(flip: true, crop: 4)
    case .glyphs, .mnist, .fashionMNIST: .none
    }
  }
}
