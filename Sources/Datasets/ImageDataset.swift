/// A part of a dataset: the examples to learn from, or those to be tested on.
public enum Split: String, Codable, CaseIterable, Hashable, Sendable { case train, test }

/// Labelled pictures of one size in main memory, one byte for each sample, as their files hold them.
public struct ImageDataset: Hashable, Sendable {
  /// The dataset's name, for messages.
  public let name: String
  /// Which part it is.
  public let split: Split
  /// The name of each label.
  public let classNames: [String]
  /// The number of colour channels, 1 or 3.
  public let channels: Int
  /// Pixels from top to bottom.
  public let height: Int
  /// Pixels from left to right.
  public let width: Int
  /// The samples, 0 … 255, of the sizes `shape` in row-major order.
  public let pixels: [UInt8]
  /// The class of each example, below `classNames.count`.
  public let labels: [Int]

  /// A dataset of pictures that are at hand.
  ///
  /// - Throws: `DatasetError` when the pixels do not fill the shape, or a label has no class.
  public init(
    name: String, split: Split, classNames: [String], channels: Int, height: Int, width: Int, pixels: [UInt8],
    labels: [Int]
  ) throws {
    let name = name.isEmpty ? "dataset" : name
    guard channels > 0, height > 0, width > 0 else {
      throw DatasetError("\(name) \(split): pictures of \(channels) × \(height) × \(width) have no pixels")
    }
    guard pixels.count == labels.count * channels * height * width else {
      throw DatasetError(
        "\(name) \(split): \(pixels.count) bytes of pixels where \(labels.count) pictures of \(channels) × \(height) × "
          + "\(width) take \(labels.count * channels * height * width)")
    }
    if let wrong = labels.firstIndex(where: { !classNames.indices.contains($0) }) {
      throw DatasetError("\(name) \(split): example \(wrong) has label \(labels[wrong]) of \(classNames.count) classes")
    }
    self.init(
      trusted: name, split: split, classNames: classNames, channels: channels, height: height, width: width,
      pixels: pixels, labels: labels)
  }

  /// For parts that agree by construction.
  init(
    trusted name: String, split: Split, classNames: [String], channels: Int, height: Int, width: Int, pixels: [UInt8],
    labels: [Int]
  ) {
    self.name = name
    self.split = split
    self.classNames = classNames
    self.channels = channels
    self.height = height
    self.width = width
    self.pixels = pixels
    self.labels = labels
  }

  /// The number of examples.
  public var count: Int { labels.count }

  /// [count, channels, height, width]
  public var shape: [Int] { [count, channels, height, width] }

  /// The bytes of one picture.
  public var exampleSize: Int { channels * height * width }

  /// The number of examples of each label.
  public var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: classNames.count)
    for label in labels { counts[label] += 1 }
    return counts
  }

  /// The first `count` examples.
  ///
  /// - Throws: `DatasetError` when there are fewer.
  public func prefix(_ count: Int) throws -> ImageDataset {
    guard (1...max(1, self.count)).contains(count), self.count > 0 else {
      throw DatasetError(
        "\(name) \(split) has \(self.count) examples, \(count) were asked for", remedy: "ask for 1 to \(self.count)")
    }
    return ImageDataset(
      trusted: name, split: split, classNames: classNames, channels: channels, height: height, width: width,
      pixels: Array(pixels[..<(count * exampleSize)]), labels: Array(labels[..<count]))
  }

  /// The mean and the standard deviation of each channel over all pixels, on the scale 0 … 1.
  public func channelStatistics() -> ChannelStatistics {
    let area = height * width
    // Integer sums, so that the order of summation does not matter.
    var sums = [Int](repeating: 0, count: channels)
    var squares = sums
    pixels.withUnsafeBufferPointer { pixels in
      for plane in 0..<(count * channels) {
        var sum = 0
        var square = 0
        for p in (plane * area)..<((plane + 1) * area) {
          let value = Int(pixels[p])
          sum += value
          square += value * value
        }
        sums[plane % channels] += sum
        squares[plane % channels] += square
      }
    }
    return ChannelStatistics(sums: sums, squares: squares, samples: count * area)
  }
}

/// The mean and the standard deviation of each channel, for pixels scaled to 0 … 1. Before a network sees a picture,
/// the mean is subtracted and the rest divided by the deviation.
public struct ChannelStatistics: Codable, Hashable, Sendable {
  /// By channel, 0 … 1.
  public var mean: [Double]
  /// By channel, above 0.
  public var standardDeviation: [Double]

  /// Statistics that are known, one number for each channel.
  public init(mean: [Double], standardDeviation: [Double]) {
    self.mean = mean
    self.standardDeviation = standardDeviation
  }

  /// From each channel's sums of bytes and of their squares over `samples` pixels.
  init(sums: [Int], squares: [Int], samples: Int) {
    let samples = Double(max(1, samples))
    let means = sums.map { Double($0) / samples }
    let deviations = zip(squares, means).map { max(0, Double($0) / samples - $1 * $1).squareRoot() }
    // A channel of one colour would otherwise be divided by zero.
    self.init(mean: means.map { $0 / 255 }, standardDeviation: deviations.map { $0 > 0 ? $0 / 255 : 1 })
  }
}
