import Datasets
import Foundation
import Networks

/// Which examples are trained and tested on.
public struct DatasetChoice: Codable, Hashable, Sendable {
  public typealias Name = KnownDataset
  public var name: Name
  /// The folder of the files, or the file of a text; nil: the usual place for this dataset.
  public var path: String?
  /// How many training examples to use; nil: all.
  public var train: Int?
  /// How many test examples to use; nil: all.
  public var test: Int?
  /// Pixels a side that networks are given; nil: the dataset's usual number. Small pictures are shrunk by area, once.
  public var size: Int?
  /// Of pictures that are resized on load, the shorter side before the middle is cut out; nil: the usual one for the normalisation.
  public var resize: Int?
  /// nil: bicubic with CLIP's normalisation, otherwise bilinear.
  public var interpolation: Interpolation?
  /// nil: by the training split's own mean and standard deviation.
  public var normalisation: Normalisation?
  /// Of glyphs, and of folders of one's own.
  public var classes: Int?
  /// Glyphs only: the difficulty, 0 … 1.
  public var noise: Double?
  /// Glyphs only: fixes the glyphs and every example.
  public var seed: Int
  /// Only the examples of these classes, which become 0, 1, … in this order; nil: all.
  public var labels: [Int]?
  /// nil: pictures as they are.
  public var corruption: Corruption?
  /// Texts only: `bytes`, or the path of a `tokenizer.json`.
  public var tokenizer: String?
  /// Texts only: tokens of an example.
  public var context: Int?
  /// Texts only: the file of the text to test on; nil: the last tenth of the other, or what the dataset has.
  public var validation: String?

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

  /// Fills in what a dataset needs: glyphs get 4000 training and 2000 test pictures of 10 classes at noise 0.5, texts sequences of 256
  /// bytes.
  public init(
    name: Name, path: String? = nil, train: Int? = nil, test: Int? = nil, size: Int? = nil, classes: Int? = nil,
    noise: Double? = nil, seed: Int = 0, labels: [Int]? = nil, corruption: Corruption? = nil, resize: Int? = nil,
    interpolation: Interpolation? = nil, normalisation: Normalisation? = nil,
    tokenizer: String? = nil, context: Int? = nil, validation: String? = nil
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
    self.resize = resize
    self.interpolation = interpolation
    self.normalisation = normalisation == .dataset ? nil : normalisation
    self.tokenizer = tokenizer ?? (name.isText ? "bytes" : nil)
    self.context = context ?? (name.isText ? 256 : nil)
    self.validation = validation
  }

  /// Training examples in use; of some labels the number is known only after reading, and taken as their share of all labels.
  /// Of a text it is estimated.
  public var trainingExamples: Int { train ?? share(of: name.isText ? textSequences : name.count(.train) ?? 0) }
  /// Test examples in use, as for training.
  public var testExamples: Int { test ?? share(of: name.count(.test) ?? 0) }
  /// Pixels a side.
  public var pictureSize: Int { size ?? name.shape.height }
  /// What a network is given.
  public var inputShape: InputShape {
    if name.isText { return .tokens(vocabulary: classCount, context: context ?? 0) }
    return .picture(channels: name.shape.channels, height: pictureSize, width: size ?? name.shape.width)
  }
  public var classCount: Int { labels?.count ?? allClasses }
  /// Of a text with a tokenizer of its own it is known only after reading, and 0.
  var allClasses: Int {
    name.isText ? (tokenizer == "bytes" ? Tokenizer.bytes.vocabularySize : 0) : classes ?? name.classNames.count
  }
  /// Sequences to train on; a great many where the text is not there, so that only reading it complains.
  private var textSequences: Int {
    TextDataset.estimatedSequences(
      name, path: path.map { URL(fileURLWithPath: $0) }, validation: validation.map { URL(fileURLWithPath: $0) },
      isBytes: tokenizer == "bytes", context: context ?? 1) ?? ConfigurationCheck.most
  }
  private func share(of count: Int) -> Int { labels.map { count * $0.count / max(1, allClasses) } ?? count }
}

extension DatasetChoice {
  /// Reads or draws one split.
  public func load(_ split: Split) throws -> Pictures {
    let wanted = split == .train ? train : test
    if name.hasPictureFiles {
      return try name.pictures(split, from: folder, labels: labels, count: wanted, size: size)
    }
    // What is larger than its files is resized on load.
    let enlarged = name != .glyphs && (size ?? 0) > name.shape.height
    func finished(_ pictures: ImageDataset) throws -> Pictures {
      let pictures = try corruption.map { try pictures.withNoise($0.noise, seed: $0.seed) } ?? pictures
      return enlarged ? .stored(PictureStore(pictures)) : .inMemory(pictures)
    }
    let read = { try self.read(split, count: $0, size: enlarged ? nil : size) }
    guard let labels else { return try finished(read(wanted)) }
    // Glyphs go through their classes in turn, so a set of the right size can be drawn; files are read whole.
    let classes = classes ?? Glyphs().classes
    let drawn = name == .glyphs ? wanted.map { ($0 + labels.count - 1) / max(1, labels.count) * classes } : nil
    let kept = try read(drawn).keeping(labels: labels)
    return try finished(wanted.map { try kept.prefix($0) } ?? kept)
  }

  var folder: URL? { path.map { URL(fileURLWithPath: ($0 as NSString).expandingTildeInPath) } }

  private func read(_ split: Split, count: Int?, size: Int?) throws -> ImageDataset {
    let standard = Glyphs()
    return try name.load(
      split, from: folder, count: count, size: size,
      glyphs: Glyphs(
        classes: classes ?? standard.classes, noise: noise ?? standard.noise,
        seed: UInt64(bitPattern: Int64(seed))))
  }

  /// How pictures that are resized on load come to the size that networks are given.
  var view: PictureView {
    let usual = name.usualView(size: size, normalisation: normalisation ?? .dataset)
    return PictureView(
      size: usual.size, resize: resize ?? usual.resize, interpolation: interpolation ?? usual.interpolation)
  }

  /// Whether batches are made from pictures of other sizes, and not from a dataset on the device.
  var isResizedOnLoad: Bool { name.isResizedOnLoad || name != .glyphs && (size ?? 0) > name.shape.height }

  /// Flip and crop for photographs; none where left and right matter.
  var usualAugmentation: Augmentation {
    let usual = name.usualAugmentation
    return usual.crop > 0 && isResizedOnLoad ? .init(flip: usual.flip, resizedCrop: .init()) : usual
  }

  /// Such as `glyphs`, `CIFAR-10 at 16×16`.
  public var summary: String {
    let names: [Name: String] = [
      .cifar10: "CIFAR-10", .cifar100: "CIFAR-100", .cifar10_1: "CIFAR-10.1", .cifar10_1v4: "CIFAR-10.1 (v4)",
      .svhn: "SVHN", .svhnExtra: "SVHN with extra", .mnist: "MNIST", .fashionMNIST: "Fashion-MNIST",
      .tinyImageNet: "TinyImageNet", .resisc45: "RESISC45", .fmow: "WILDS-FMoW", .fmowOOD: "WILDS-FMoW (OOD)",
      .tinyStories: "TinyStories", .tinyShakespeare: "Tiny Shakespeare",
    ]
    return (names[name] ?? name.rawValue) + (size.map { " at \($0)×\($0)" } ?? "")
      + (labels.map { ", \($0.count) classes" } ?? "") + (corruption.map { ", noise \($0.noise)" } ?? "")
  }
}

extension DatasetChoice {
  /// Reports what is impossible about the dataset that stands at `keyPath`.
  func check(_ check: inout ConfigurationCheck, at keyPath: String) {
    let label = name.rawValue
    for (key, isGiven) in [
      ("tokenizer", tokenizer != nil), ("context", context != nil), ("validation", validation != nil),
    ]
    where !name.isText {
      check.require(!isGiven, "\(keyPath).\(key)", "belongs to texts; \(label) has no such setting")
    }
    for (key, asked, held) in [
      ("train", train, name.count(.train)), ("test", test, name.count(.test)),
    ] {
      check.range(asked, 1...10_000_000, "\(keyPath).\(key)")
      guard let asked, let held else { continue }
      check.require(asked <= held, "\(keyPath).\(key)", "is \(asked), but \(label) has only \(held) examples")
    }
    if name.isText {
      checkText(&check, at: keyPath)
    } else if name == .glyphs {
      check.range(size, 8...128, "\(keyPath).size")
      check.range(classes, 2...100, "\(keyPath).classes")
      let noise = noise ?? 0
      check.require(noise.isFinite && noise >= 0 && noise <= 1, "\(keyPath).noise", "is \(noise); expected 0 … 1")
      check.require(
        path == nil, "\(keyPath).path",
        "is given, but glyphs are made from the seed and read no files; leave it out"
      )
    } else {
      check.range(size, 4...1024, "\(keyPath).size")
      check.require(
        classes == nil || name.isOwn, "\(keyPath).classes", "belongs to glyphs; \(label) has its own")
      check.require(noise == nil, "\(keyPath).noise", "belongs to glyphs; \(label) has no such setting")
      check.require(seed == 0, "\(keyPath).seed", "belongs to glyphs; \(label) has no such setting")
    }
    check.require(seed >= 0, "\(keyPath).seed", "is \(seed); expected 0 or more")
    check.require(
      !name.isOwn || path != nil, "\(keyPath).path", "is missing: \(label) is whatever lies in the folder given here")
    check.range(resize, view.size...max(view.size, 8192), "\(keyPath).resize")
    check.require(
      isResizedOnLoad || resize == nil, "\(keyPath).resize",
      "is for pictures that are resized on load, not for \(label)")
    check.require(
      normalisation == nil || name.shape.channels == 3, "\(keyPath).normalisation",
      "is for three channels, and \(label) has \(name.shape.channels)")
    if let labels {
      check.require(
        (2...65_536).contains(labels.count), "\(keyPath).labels", "names \(labels.count) classes; expected 2 or more")
      check.require(
        labels.allSatisfy { (0..<allClasses).contains($0) }, "\(keyPath).labels",
        "expected labels from 0 to \(allClasses - 1)")
      check.require(Set(labels).count == labels.count, "\(keyPath).labels", "names the same label more than once")
    }
    if let corruption {
      check.require(
        !name.hasPictureFiles, "\(keyPath).corruption",
        "is for pictures in memory, and \(label) has files of its own for each")
      check.require(
        corruption.noise.isFinite && corruption.noise > 0 && corruption.noise <= 1, "\(keyPath).corruption.noise",
        "is \(corruption.noise); expected a number above 0 and at most 1, the whole range of a sample")
      check.require(corruption.seed >= 0, "\(keyPath).corruption.seed", "is \(corruption.seed); expected 0 or more")
    }
  }
}

extension DatasetChoice {
  private func checkText(_ check: inout ConfigurationCheck, at keyPath: String) {
    let label = name.rawValue
    check.range(context, 1...65_536, "\(keyPath).context")
    check.require(
      path != nil || name != .text, "\(keyPath).path",
      "is missing; expected the file of the text, as \(label) names none")
    check.require(
      tokenizer?.isEmpty == false, "\(keyPath).tokenizer", "is empty; expected bytes or the path of a tokenizer.json")
    for (key, isGiven) in [
      ("size", size != nil), ("classes", classes != nil), ("noise", noise != nil), ("seed", seed != 0),
      ("labels", labels != nil), ("corruption", corruption != nil),
    ] {
      check.require(!isGiven, "\(keyPath).\(key)", "belongs to pictures; \(label) has no such setting")
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
    case .glyphs, .svhn, .svhnExtra, .mnist, .fashionMNIST, .tinyStories, .tinyShakespeare, .text: .none
    }
  }
}
