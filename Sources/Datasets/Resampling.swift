/// How pictures are resized, as in Pillow and in torchvision's antialiased resizing: where a picture shrinks, the
/// filter is widened by the ratio, so that every old pixel counts.
public enum Interpolation: String, Codable, CaseIterable, Hashable, Sendable {
  /// A linear filter over two pixels.
  case bilinear
  /// A cubic filter over four pixels, Keys's with a = −½.
  case bicubic

  /// How far the filter reaches at ratio 1, in pixels.
  var support: Double { self == .bilinear ? 1 : 2 }

  func weight(_ distance: Double) -> Double {
    let x = abs(distance)
    switch self {
    case .bilinear: return max(0, 1 - x)
    case .bicubic:
      if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
    }
  }
}

/// One axis of a resize: which old pixels each new one is mixed from, and by how much.
struct ResamplingAxis {
  /// How many old pixels each new one is mixed from.
  let taps: Int
  /// The first old pixel of each new one.
  private(set) var first: [Int] = []
  /// [new pixels, taps] in row-major order. The weights of one new pixel sum to 1.
  private(set) var weights: [Float] = []

  /// - Parameters:
  ///   - start: where the part that is resized begins.
  ///   - old: its length.
  ///   - new: its length after resizing.
  ///   - wanted: which of the new pixels are needed.
  ///   - isMirrored: whether they come in reverse order.
  init(
    from start: Int, old: Int, to new: Int, wanted: Range<Int>, by interpolation: Interpolation,
    isMirrored: Bool = false
  ) {
    let ratio = Double(old) / Double(new)
    let width = max(1, ratio)
    let support = interpolation.support * width
    func reach(_ index: Int) -> Range<Int> {
      let centre = (Double(index) + 0.5) * ratio
      return max(0, Int(centre - support + 0.5))..<min(old, Int(centre + support + 0.5))
    }
    taps = wanted.reduce(1) { max($0, reach($1).count) }
    first.reserveCapacity(wanted.count)
    weights.reserveCapacity(wanted.count * taps)
    for place in wanted {
      let index = isMirrored ? wanted.upperBound - 1 - place + wanted.lowerBound : place
      let range = reach(index)
      let centre = (Double(index) + 0.5) * ratio
      func weight(_ pixel: Int) -> Double { interpolation.weight((Double(pixel) + 0.5 - centre) / width) }
      var sum = 0.0
      for pixel in range { sum += weight(pixel) }
      // All have the same number of taps, and none reaches over the edge. Taps without weight may lie on either side.
      let from = min(range.lowerBound, old - taps)
      first.append(start + from)
      for pixel in from..<(from + taps) { weights.append(range.contains(pixel) ? Float(weight(pixel) / sum) : 0) }
    }
  }
}

/// Resizes a part of a picture and turns it into the numbers that a network takes.
struct PictureResampler {
  let rows: ResamplingAxis
  let columns: ResamplingAxis
  /// Cubic filters overshoot.
  let clamps: Bool

  /// Writes [rows, columns, channels] float32.
  /// - Parameters:
  ///   - source: [height, width, channels] bytes in row-major order.
  ///   - scratch: room for one row of the source and four more numbers.
  ///   - scale, offset: by channel; what is written is byte · scale + offset.
  func run(
    _ source: UnsafeRawBufferPointer, width: Int, channels: Int, scratch: inout [Float],
    scale: [Float], offset: [Float], to target: UnsafeMutableBufferPointer<Float>
  ) {
    guard let source = source.baseAddress?.assumingMemoryBound(to: UInt8.self), let target = target.baseAddress,
      let left = columns.first.min(), let right = columns.first.max()
    else { return }
    // Only these columns are needed.
    let range = left * channels..<(right + columns.taps) * channels
    if scratch.count < width * channels + 4 { scratch = [Float](repeating: 0, count: width * channels + 4) }
    let outputs = columns.first.count
    scratch.withUnsafeMutableBufferPointer { scratch in
      rows.weights.withUnsafeBufferPointer { weights in
        guard let row = scratch.baseAddress, let weights = weights.baseAddress else { return }
        for y in rows.first.indices {
          mix(
            source + rows.first[y] * width * channels, stride: width * channels, range, weights + y * rows.taps,
            into: row)
          let isLast = y == rows.first.count - 1
          let line = target + y * outputs * channels
          if channels == 3 {
            spread(row, scale, offset, isLast: isLast, into: line)
          } else {
            spread(row, channels, scale, offset, into: line)
          }
        }
      }
    }
  }

  /// One new row at the old width: the weighted sum of `rows.taps` old ones.
  @inline(__always)
  private func mix(
    _ source: UnsafePointer<UInt8>, stride: Int, _ range: Range<Int>, _ weights: UnsafePointer<Float>,
    into row: UnsafeMutablePointer<Float>
  ) {
    if rows.taps == 2 {
      let (a, b) = (source, source + stride)
      let (v, w) = (weights[0], weights[1])
      for i in range { row[i] = v * Float(a[i]) + w * Float(b[i]) }
      return
    }
    for i in range { row[i] = weights[0] * Float(source[i]) }
    for tap in 1..<max(1, rows.taps) where weights[tap] != 0 {
      let line = source + tap * stride
      let weight = weights[tap]
      for i in range { row[i] += weight * Float(line[i]) }
    }
  }

  /// The new columns of one row of red, green and blue, which are computed together, with one unused lane.
  @inline(__always)
  private func spread(
    _ row: UnsafePointer<Float>, _ scale: [Float], _ offset: [Float], isLast: Bool,
    into line: UnsafeMutablePointer<Float>
  ) {
    let scale = SIMD4(scale[0], scale[1], scale[2], 0)
    let offset = SIMD4(offset[0], offset[1], offset[2], 0)
    let taps = columns.taps
    let count = columns.first.count
    columns.first.withUnsafeBufferPointer { first in
      columns.weights.withUnsafeBufferPointer { weights in
        for x in 0..<count {
          let start = UnsafeRawPointer(row + first[x] * 3)
          var sum = weights[x * taps] * start.loadUnaligned(as: SIMD4<Float>.self)
          for tap in 1..<max(1, taps) {
            sum += weights[x * taps + tap] * start.loadUnaligned(fromByteOffset: 12 * tap, as: SIMD4<Float>.self)
          }
          if clamps { sum.clamp(lowerBound: SIMD4(repeating: 0), upperBound: SIMD4(repeating: 255)) }
          let value = sum * scale + offset
          // The fourth lane lands on the next pixel, which is written later. After the last one another picture begins.
          if isLast && x == count - 1 {
            for channel in 0..<3 { line[x * 3 + channel] = value[channel] }
          } else {
            UnsafeMutableRawPointer(line + x * 3).storeBytes(of: value, as: SIMD4<Float>.self)
          }
        }
      }
    }
  }

  /// The same for any number of channels.
  private func spread(
    _ row: UnsafePointer<Float>, _ channels: Int, _ scale: [Float], _ offset: [Float],
    into line: UnsafeMutablePointer<Float>
  ) {
    for x in columns.first.indices {
      for channel in 0..<channels {
        var sum: Float = 0
        for tap in 0..<columns.taps {
          sum += columns.weights[x * columns.taps + tap] * row[(columns.first[x] + tap) * channels + channel]
        }
        if clamps { sum = min(max(sum, 0), 255) }
        line[x * channels + channel] = sum * scale[channel] + offset[channel]
      }
    }
  }
}
