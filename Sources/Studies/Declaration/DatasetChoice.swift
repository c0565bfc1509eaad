import Datasets
import Foundation
import Networks
import Schema

/// Which examples are trained and tested on.
public struct DatasetChoice: Codable, Hashable, Sendable {
  /// The datasets there are.
  public typealias Name = KnownDataset
  /// Which dataset.
  public var name: Name
  /// The folder of the files, or the file of a text; nil: the usual place for this dataset.
  public var path: String?
  /// How many training examples to use; nil: all.
  public var train: Int?
  /// How many test examples to use; nil: all.
  public var test: Int?
  /// Pixels a side that networks are given; nil: the dataset's usual number. Small pictures are shrunk by area, once.
  public var size: Int?
  /// Of pictures that are resized on load, the shorter side before the middle is cut out; nil: the usual one for the
  /// normalisation.
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
    /// What the noise is drawn from.
    public var seed: Int

    /// - Parameter noise: above 0, at most 1
    public init(noise: Double, seed: Int = 0) {
      self.noise = noise
      self.seed = seed
    }
  }

  /// Fills in what a dataset needs: glyphs get 4000 training and 2000 test pictures of 10 classes at noise 0.5, texts
  /// sequences of 256 bytes.
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

  /// Training examples in use; of some labels the number is known only after reading, and taken as their share of all
  /// labels. Of a text it is estimated.
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
  /// Classes that are told apart.
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
  static let section = Section(
    DatasetChoice(name: .glyphs), variants: Name.allCases.map { DatasetChoice(name: $0) },
    variant: { $0.name.rawValue },
    finish: survey
  ) {
    Key(
      "name", get: { $0.name }, set: { if let name = $1 { $0 = .init(name: name) } }, .choice,
      "the dataset; see `valley data list`")
    Key(
      "path", \.path, .text, words: "the usual place for the dataset",
      "the folder of its files, or the file of a text; glyphs have none")
    Key(
      "train", \.train, .integer(.within(1...10_000_000)), unit: "examples", words: "4000 with glyphs, otherwise all",
      "how many training examples to use")
    Key(
      "test", \.test, .integer(.within(1...10_000_000)), unit: "examples", words: "2000 with glyphs, otherwise all",
      "how many test examples to use")
    Key(
      "size", \.size, .integer(), unit: "pixels", words: "the dataset's own",
      "the side of the pictures that networks are given")
    Key("classes", \.classes, .integer(), "how many classes there are, with glyphs and folders of your own")
    Key("noise", \.noise, .number(.within(0...1), "0 … 1"), "how hard glyphs are to tell apart")
    Key("seed", \.seed, .integer(.atLeast(0)), "what glyphs and all their examples are drawn from")
    Key(
      "labels", \.labels, .list(of: .integer(), "a list of whole numbers"), words: "all",
      "the classes to use, which become 0, 1, … in this order")
    Key(
      "corruption", \.corruption, .section(Corruption.section),
      "what is done to pictures, in training and test alike, to get another distribution")
    Key(
      "resize", \.resize, .integer(), unit: "pixels", words: "the normalisation's usual",
      "the shorter side of pictures that are resized on load, before the middle is cut out")
    Key(
      "interpolation", \.interpolation, .choice, words: "bicubic with CLIP's normalisation, otherwise bilinear",
      "how pictures are resized on load")
    Key(
      "normalisation", \.normalisation, .choice, absent: .dataset,
      "whose mean and deviation normalise the channels")
    Key("tokenizer", \.tokenizer, .text, "what makes tokens of a text: bytes, or the path of a tokenizer.json")
    Key("context", \.context, .integer(.within(1...65_536)), unit: "tokens", "the length of an example of a text")
    Key(
      "validation", \.validation, .text, words: "the last tenth of the text, or what the dataset has",
      "the file of the text to test on")
  }

  /// Fills in what the files say; that they cannot be read is reported at their path.
  @Sendable private static func survey(_ dataset: inout DatasetChoice, _ fields: Fields) {
    do { dataset = try dataset.surveyed() } catch {
      if let node = fields["path"] { fields.reader.report(node.place, fields.keyPath("path"), "\(error)") }
    }
  }
}

extension DatasetChoice.Corruption {
  static let section = Section(DatasetChoice.Corruption(noise: 0.1)) {
    Key(
      "noise", \.noise, .number(.above(0, upTo: 1), "a number above 0 and at most 1, the whole range of a sample"),
      "the standard deviation of Gaussian noise on every sample")
    Key("seed", \.seed, .integer(.atLeast(0)), "what the noise is drawn from")
  }
}
