import Support
import Torch

/// Pictures of any sizes as networks take them: resized and normalised whenever a batch is asked for, by several threads.
///
/// An example unchanged is torchvision's evaluation recipe: the shorter side is resized to `resize`, antialiased, and a square of
/// `size` cut from the middle.
public struct PictureDataset: ExampleSource {
  public let pictures: PictureStore
  /// Pixels a side of what comes out.
  public let size: Int
  /// The shorter side before the middle is cut out.
  public let resize: Int
  public let interpolation: Interpolation
  public let device: Device
  /// Threads that make a batch.
  public let threads: Int
  public var count: Int { pictures.count }
  public var channels: Int { pictures.channels }
  public var classes: Int { pictures.classNames.count }
  /// By channel: byte · scale + offset.
  private let scale: [Float]
  private let offset: [Float]

  /// - Parameters:
  ///   - resize: at least `size`; nil: `size`.
  ///   - statistics: those of the training split, or of a network's pretraining.
  ///   - threads: nil: as many as libtorch uses.
  /// - Throws: `DatasetError`.
  public init(
    _ pictures: PictureStore, size: Int, resize: Int? = nil, interpolation: Interpolation = .bilinear,
    normalisedBy statistics: ChannelStatistics, on device: Device = .cpu, threads: Int? = nil
  ) throws {
    guard statistics.mean.count == pictures.channels, statistics.standardDeviation.count == pictures.channels else {
      throw DatasetError(
        "\(pictures.name): statistics of \(statistics.mean.count) channels for pictures of \(pictures.channels)",
        remedy: "normalise by the dataset's own")
    }
    let resize = resize ?? size
    guard (1...4096).contains(size), (size...8192).contains(resize) else {
      throw DatasetError(
        "\(pictures.name): a size of \(size) cut from pictures resized to \(resize)",
        remedy: "choose a size of 1 to 4096 pixels, and resize to that or more, at most 8192")
    }
    (self.pictures, self.size, self.resize, self.interpolation) = (pictures, size, resize, interpolation)
    self.device = device
    self.threads = max(1, threads ?? Libtorch.threads)
    scale = statistics.standardDeviation.map { Float(1 / (255 * $0)) }
    offset = zip(statistics.mean, statistics.standardDeviation).map { Float(-$0 / $1) }
  }

  public func batch(_ range: Range<Int>) throws -> ExampleBatch {
    try batch(examples: Array(range)) { _, example in middle(of: example) }
  }

  /// The examples with these indices, each resized as `resampler` says of its place in the batch and its index.
  func batch(
    examples: [Int], _ resampler: @Sendable (_ place: Int, _ example: Int) -> PictureResampler
  ) throws -> ExampleBatch {
    let numbers = size * size * channels
    let inputs = try Tensor.empty([examples.count, size, size, channels])
    try inputs.withUnsafeBytes { bytes in
      // The tensor is ours alone until it is returned.
      nonisolated(unsafe) let memory = UnsafeMutableRawBufferPointer(mutating: bytes).bindMemory(to: Float.self)
      try inParallel(examples.count, threads: threads, worker: { [Float]() }) { scratch, place in
        let example = examples[place]
        let resampler = resampler(place, example)
        pictures.withPixels(example) { source in
          resampler.run(
            source, width: pictures.size(example).width, channels: channels, scratch: &scratch, scale: scale,
            offset: offset,
            to: UnsafeMutableBufferPointer(rebasing: memory[(place * numbers)..<((place + 1) * numbers)]))
        }
      }
    }
    let labels = try Tensor(examples.map { pictures.labels[$0] })
    return ExampleBatch(inputs: try inputs.to(device).permute([0, 3, 1, 2]), labels: try labels.to(device))
  }

  /// The square in the middle of the picture resized to `resize`.
  func middle(of example: Int, isMirrored: Bool = false) -> PictureResampler {
    let (height, width) = pictures.size(example)
    // torchvision rounds the longer side down, and the place of the square to the nearest, halves to even.
    let newHeight = height <= width ? resize : max(resize, resize * height / width)
    let newWidth = height <= width ? max(resize, resize * width / height) : resize
    func start(_ length: Int) -> Int { Int((Double(length - size) / 2).rounded(.toNearestOrEven)) }
    let (top, left) = (start(newHeight), start(newWidth))
    return PictureResampler(
      rows: ResamplingAxis(from: 0, old: height, to: newHeight, wanted: top..<(top + size), by: interpolation),
      columns: ResamplingAxis(
        from: 0, old: width, to: newWidth, wanted: left..<(left + size), by: interpolation,
        isMirrored: isMirrored),
      clamps: interpolation == .bicubic)
  }

  /// A part of a picture, resized to `size`, perhaps mirrored.
  func part(_ box: PictureBox, isMirrored: Bool) -> PictureResampler {
    PictureResampler(
      rows: ResamplingAxis(from: box.top, old: box.height, to: size, wanted: 0..<size, by: interpolation),
      columns: ResamplingAxis(
        from: box.left, old: box.width, to: size, wanted: 0..<size, by: interpolation, isMirrored: isMirrored),
      clamps: interpolation == .bicubic)
  }
}
