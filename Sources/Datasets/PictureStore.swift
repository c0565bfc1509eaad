import Foundation
import Support

/// Labelled pictures of any size, one byte for each sample, in main memory or in a mapped file.
public struct PictureStore: Sendable {
  /// Where a picture is, and the sums of its pixels.
  struct Entry: Hashable, Sendable {
    /// The first byte.
    var offset: Int
    var height: Int
    var width: Int
    /// The sums of each channel's bytes and of their squares.
    var sums: [Int]
    var squares: [Int]
  }

  /// The dataset's name, for messages.
  public let name: String
  /// Which part of the dataset it is.
  public let split: Split
  /// The name of each label.
  public let classNames: [String]
  /// The number of colour channels, 1 or 3.
  public let channels: Int
  /// The class of each example, below `classNames.count`.
  public let labels: [Int]
  /// Each [height, width, channels] in row-major order.
  let entries: [Entry]
  private let memory: PictureMemory

  /// The number of examples.
  public var count: Int { labels.count }

  /// Entries that lie within the memory, one for each label. `channels` is the length of their sums.
  init(
    name: String, split: Split, classNames: [String], channels: Int, labels: [Int], entries: [Entry],
    memory: PictureMemory
  ) {
    (self.name, self.split, self.classNames, self.channels) = (name, split, classNames, channels)
    (self.labels, self.entries, self.memory) = (labels, entries, memory)
  }

  /// A copy of a dataset in main memory, with channels innermost.
  public init(_ dataset: ImageDataset) {
    let (size, channels) = (dataset.exampleSize, dataset.channels)
    let area = dataset.height * dataset.width
    var entries: [Entry] = []
    let memory = PictureMemory(count: dataset.count * size) { target in
      dataset.pixels.withUnsafeBufferPointer { source in
        for example in 0..<dataset.count {
          let start = example * size
          var sums = [Int](repeating: 0, count: channels)
          var squares = sums
          for channel in 0..<channels {
            for pixel in 0..<area {
              let value = source[start + channel * area + pixel]
              target[start + pixel * channels + channel] = value
              sums[channel] += Int(value)
              squares[channel] += Int(value) * Int(value)
            }
          }
          entries.append(
            Entry(offset: start, height: dataset.height, width: dataset.width, sums: sums, squares: squares))
        }
      }
    }
    self.init(
      name: dataset.name, split: dataset.split, classNames: dataset.classNames, channels: channels,
      labels: dataset.labels, entries: entries, memory: memory)
  }

  /// The height and width of one picture, in pixels.
  public func size(_ example: Int) -> (height: Int, width: Int) { (entries[example].height, entries[example].width) }

  /// Calls `body` with the pixels of one picture, [height, width, channels], which are valid only until it returns.
  func withPixels<Result>(_ example: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    let entry = entries[example]
    return try withExtendedLifetime(memory) {
      let size = entry.height * entry.width * channels
      return try body(UnsafeRawBufferPointer(rebasing: memory.bytes[entry.offset..<(entry.offset + size)]))
    }
  }

  /// The mean and the standard deviation of each channel over all pixels of all pictures, on the scale 0 … 1.
  public func channelStatistics() -> ChannelStatistics {
    var sums = [Int](repeating: 0, count: channels)
    var squares = sums
    var samples = 0
    for entry in entries {
      for channel in 0..<channels {
        sums[channel] += entry.sums[channel]
        squares[channel] += entry.squares[channel]
      }
      samples += entry.height * entry.width
    }
    return ChannelStatistics(sums: sums, squares: squares, samples: samples)
  }

  /// A copy in main memory of pictures that all have one size.
  ///
  /// - Throws: `DatasetError` naming the first picture whose size differs.
  public func imageDataset() throws -> ImageDataset {
    guard let first = entries.first else { throw DatasetError("\(name) \(split) has no pictures") }
    if let other = entries.firstIndex(where: { $0.height != first.height || $0.width != first.width }) {
      throw DatasetError(
        "\(name) \(split): picture \(other) has \(entries[other].height) × \(entries[other].width) pixels, those "
          + "before it \(first.height) × \(first.width)")
    }
    let (area, channels) = (first.height * first.width, channels)
    let pixels = [UInt8](unsafeUninitializedCapacity: count * area * channels) { target, filled in
      for example in 0..<count {
        let start = example * area * channels
        withPixels(example) { source in
          for channel in 0..<channels {
            for pixel in 0..<area { target[start + channel * area + pixel] = source[pixel * channels + channel] }
          }
        }
      }
      filled = count * area * channels
    }
    return try ImageDataset(
      name: name, split: split, classNames: classNames, channels: channels, height: first.height, width: first.width,
      pixels: pixels, labels: labels)
  }
}

/// Bytes that no longer change, and are freed with the last reference.
final class PictureMemory: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
  private let file: MappedFile?

  /// Memory of its own, filled once.
  init(count: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Void) {
    let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: count)
    fill(memory)
    (bytes, file) = (UnsafeRawBufferPointer(memory), nil)
  }

  /// A whole file, which must not be changed.
  init(_ file: MappedFile) { (bytes, self.file) = (file.bytes, file) }

  deinit { if file == nil { bytes.deallocate() } }
}
