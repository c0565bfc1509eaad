import Support

/// A picture-classification task that is drawn from a seed: nothing to download, any number of examples, any picture
/// size.
///
/// Each class is a glyph of a few curved strokes. An example bends, turns, shears, scales and shifts the glyph of its
/// class, gives it a pen width and colours, and puts it among stray strokes on a mottled, noisy background. Example i
/// of a split depends only on (seed, split, i), so a larger set starts with the smaller one. The label of example i is
/// i modulo the number of classes.
///
/// Only integer arithmetic and the correctly rounded + − × ÷ √ of `Float` are used, so every machine draws the same
/// bytes.
public struct Glyphs: Hashable, Sendable {
  /// The number of classes, 2 … 100
  public var classes: Int
  /// Height and width in pixels, 8 … 128
  public var size: Int
  /// How far examples stray from the glyph of their class: 0 draws it clean, 1 is hard to read
  public var noise: Double
  /// What the glyphs and every example depend on
  public var seed: UInt64

  /// A task; `dataset` checks its numbers.
  public init(classes: Int = 10, size: Int = 16, noise: Double = 0.5, seed: UInt64 = 0) {
    self.classes = classes
    self.size = size
    self.noise = noise
    self.seed = seed
  }

  struct Point { var x: Float, y: Float }
  /// A quadratic Bézier curve in the unit square.
  struct Stroke { var start: Point, bend: Point, end: Point }

  private static func stroke(_ random: inout SplitMix64, shortest: Float, longest: Float) -> Stroke {
    while true {
      let start = Point(x: random.uniform(0.15, 0.85), y: random.uniform(0.15, 0.85))
      let end = Point(x: random.uniform(0.15, 0.85), y: random.uniform(0.15, 0.85))
      let (dx, dy) = (end.x - start.x, end.y - start.y)
      let square = dx * dx + dy * dy
      guard square > shortest * shortest, square < longest * longest else { continue }
      let bow = random.uniform(-0.5, 0.5)
      let bend = Point(x: (start.x + end.x) / 2 - bow * dy, y: (start.y + end.y) / 2 + bow * dx)
      return Stroke(start: start, bend: bend, end: end)
    }
  }

  /// The strokes of a class.
  func glyph(_ label: Int) -> [Stroke] {
    var random = SplitMix64(seed, 0x61F, UInt64(label))
    return (0..<3).map { _ in Self.stroke(&random, shortest: 0.35, longest: 0.8) }
  }

  /// "glyph 0", "glyph 1", …
  public var classNames: [String] { (0..<max(0, classes)).map { "glyph \($0)" } }

  /// Draws the first `count` examples of a split, pictures of three channels.
  ///
  /// - Throws: `DatasetError` when a number is out of range.
  public func dataset(_ split: Split, count: Int) throws -> ImageDataset {
    func require(_ holds: Bool, _ what: String, _ value: Any, _ range: String) throws {
      if !holds { throw DatasetError("glyphs: \(what) is \(value)", remedy: "choose \(range)") }
    }
    try require((2...100).contains(classes), "classes", classes, "2 to 100")
    try require((8...128).contains(size), "size", size, "8 to 128 pixels")
    try require((0...1).contains(noise), "noise", noise, "0 to 1")
    try require((1...10_000_000).contains(count), "the number of examples", count, "1 to 10,000,000")
    let glyphs = (0..<classes).map(glyph)
    let area = size * size
    let stream: UInt64 = split == .train ? 0 : 1
    var pixels = [UInt8](repeating: 0, count: count * 3 * area)
    var ink = [Float](repeating: 0, count: area)
    pixels.withUnsafeMutableBufferPointer { pixels in
      ink.withUnsafeMutableBufferPointer { ink in
        for i in 0..<count {
          var random = SplitMix64(seed, stream, UInt64(i))
          let picture = UnsafeMutableBufferPointer(rebasing: pixels[(i * 3 * area)..<((i + 1) * 3 * area)])
          draw(glyphs[i % classes], &random, ink, picture)
        }
      }
    }
    return ImageDataset(
      trusted: "glyphs", split: split, classNames: classNames, channels: 3, height: size, width: size, pixels: pixels,
      labels: (0..<count).map { $0 % classes })
  }

  private func draw(
    _ glyph: [Stroke], _ random: inout SplitMix64, _ ink: UnsafeMutableBufferPointer<Float>,
    _ out: UnsafeMutableBufferPointer<UInt8>
  ) {
    let amount = Float(noise)
    let n = size * size
    for p in 0..<n { ink[p] = 0 }
    // A turn by angle 2·atan(t), without sine and cosine.
    let t = random.uniform(-0.4, 0.4) * amount
    let (cosine, sine) = ((1 - t * t) / (1 + t * t), 2 * t / (1 + t * t))
    let (sx, sy) = (1 + random.uniform(-0.5, 0.4) * amount, 1 + random.uniform(-0.5, 0.4) * amount)
    let shear = random.uniform(-0.5, 0.5) * amount
    let (mx, my) = (0.5 + random.uniform(-0.3, 0.3) * amount, 0.5 + random.uniform(-0.3, 0.3) * amount)
    let halfWidth = random.uniform(0.035, 0.035 + 0.05 * amount)
    for stroke in glyph {
      func place(_ p: Point) -> Point {
        let x = (p.x - 0.5) * sx + random.uniform(-0.15, 0.15) * amount
        let y = (p.y - 0.5) * sy + random.uniform(-0.15, 0.15) * amount
        let u = x + shear * y
        return Point(x: mx + cosine * u - sine * y, y: my + sine * u + cosine * y)
      }
      let placed = Stroke(start: place(stroke.start), bend: place(stroke.bend), end: place(stroke.end))
      trace(placed, halfWidth: halfWidth, strength: 1, ink)
    }
    let stray = Int(random.uniform(0, 5.99) * amount)
    for _ in 0..<stray {
      let strength = random.uniform(0.4, 1)
      let s = Self.stroke(&random, shortest: 0.15, longest: 0.5)
      trace(s, halfWidth: halfWidth, strength: strength, ink)
    }
    // Colours: paper, then ink lighter than it by a contrast; mottling on a coarse lattice.
    let contrast = random.uniform(0.75 - 0.5 * amount, 0.8)
    let grain = random.uniform(0.0, 0.5) * amount
    for channel in 0..<3 {
      let paper = random.uniform(0.1, 0.1 + 0.4 * amount)
      let tint = contrast * random.uniform(1 - amount, 1)
      var lattice = [Float](repeating: 0, count: 25)
      for k in 0..<25 { lattice[k] = random.uniform(-0.4, 0.4) * amount }
      for y in 0..<size {
        let v = Float(y) * 4 / Float(size)
        let r = Int(v), fy = v - Float(r)
        for x in 0..<size {
          let u = Float(x) * 4 / Float(size)
          let c = Int(u), fx = u - Float(c)
          let top = lattice[r * 5 + c] * (1 - fx) + lattice[r * 5 + c + 1] * fx
          let bottom = lattice[r * 5 + 5 + c] * (1 - fx) + lattice[r * 5 + 6 + c] * fx
          let bits = random.next()
          let g =
            Float((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48)) * 0x1p-16 - 2
          let value = paper + top * (1 - fy) + bottom * fy + tint * ink[y * size + x] + grain * g
          out[channel * n + y * size + x] = UInt8(max(0, min(255, value * 255 + 0.5)))
        }
      }
    }
  }

  /// Draws a stroke with an edge that is one pixel soft. `ink` is 0 … 1 and keeps the larger of old and new.
  private func trace(_ s: Stroke, halfWidth: Float, strength: Float, _ ink: UnsafeMutableBufferPointer<Float>) {
    let scale = Float(size)
    let reach = halfWidth * scale + 0.5
    let pieces = 6
    var (ax, ay) = (s.start.x * scale, s.start.y * scale)
    for k in 1...pieces {
      let t = Float(k) / Float(pieces)
      let (w0, w1, w2) = ((1 - t) * (1 - t), 2 * t * (1 - t), t * t)
      let bx = (w0 * s.start.x + w1 * s.bend.x + w2 * s.end.x) * scale
      let by = (w0 * s.start.y + w1 * s.bend.y + w2 * s.end.y) * scale
      let (dx, dy) = (bx - ax, by - ay)
      let square = max(dx * dx + dy * dy, 1e-6)
      let left = Int(max(0, min(scale, min(ax, bx) - reach))), right = Int(max(-1, min(scale - 1, max(ax, bx) + reach)))
      let top = Int(max(0, min(scale, min(ay, by) - reach))), bottom = Int(max(-1, min(scale - 1, max(ay, by) + reach)))
      if left <= right, top <= bottom {
        for y in top...bottom {
          for x in left...right {
            let (px, py) = (Float(x) + 0.5 - ax, Float(y) + 0.5 - ay)
            let along = max(0, min(1, (px * dx + py * dy) / square))
            let (ex, ey) = (px - along * dx, py - along * dy)
            let cover = min(1, reach - (ex * ex + ey * ey).squareRoot()) * strength
            if cover > ink[y * size + x] { ink[y * size + x] = cover }
          }
        }
      }
      (ax, ay) = (bx, by)
    }
  }
}
