import Foundation
import Support

/// Random changes to training pictures.
public struct Augmentation: Codable, Hashable, Sendable {
  /// Whether to mirror left and right with probability one half
  public var flip: Bool
  /// How many black pixels to add on every side before the picture is cut back to its size at a random place; 0: none
  public var crop: Int
  /// The random part that is cut out and resized; nil: the whole picture
  public var resizedCrop: ResizedCrop?

  /// The changes named; by default none.
  public init(flip: Bool = false, crop: Int = 0, resizedCrop: ResizedCrop? = nil) {
    self.flip = flip
    self.crop = crop
    self.resizedCrop = resizedCrop
  }

  /// No changes.
  public static let none = Augmentation()

  /// A random part of a picture as torchvision's `RandomResizedCrop` draws it: its area is a fraction uniform in
  /// `scale`, the logarithm of its shape (width / height) is uniform between those of `ratio`, and its place is
  /// uniform.
  public struct ResizedCrop: Codable, Hashable, Sendable {
    /// The smallest and the largest fraction of the area, above 0 and at most 1
    public var scale: [Double]
    /// The narrowest and the widest shape, width / height
    public var ratio: [Double]

    /// Ranges of the area and the shape; torchvision's by default.
    public init(scale: [Double] = [0.08, 1], ratio: [Double] = [0.75, 4.0 / 3]) {
      self.scale = scale
      self.ratio = ratio
    }

    /// What is wrong with the numbers, in a sentence; nil: nothing.
    public var problem: String? {
      guard scale.count == 2, scale[0] > 0, scale[0] <= scale[1], scale[1] <= 1 else {
        return "scale is \(scale); expected two numbers above 0 and at most 1, such as [0.08, 1]"
      }
      guard ratio.count == 2, ratio[0] > 0, ratio[0] <= ratio[1], ratio[1].isFinite else {
        return "ratio is \(ratio); expected two numbers above 0, such as [0.75, 1.333]"
      }
      return nil
    }

    /// A part of a picture of this size. If ten draws in a row do not fit into the picture, it is the largest part of
    /// an allowed shape.
    func box(height: Int, width: Int, by random: inout SplitMix64) -> PictureBox {
      func uniform(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * Double(random.next() >> 11) * 0x1p-53
      }
      let area = Double(height * width)
      for _ in 0..<10 {
        let part = area * uniform(scale[0], scale[1])
        let shape = exp(uniform(log(ratio[0]), log(ratio[1])))
        let boxWidth = Int((part * shape).squareRoot().rounded(.toNearestOrEven))
        let boxHeight = Int((part / shape).squareRoot().rounded(.toNearestOrEven))
        guard (1...width).contains(boxWidth), (1...height).contains(boxHeight) else { continue }
        return PictureBox(
          top: random.below(height - boxHeight + 1), left: random.below(width - boxWidth + 1), height: boxHeight,
          width: boxWidth)
      }
      // The largest part of an allowed shape, from the middle.
      let shape = Double(width) / Double(height)
      var box = PictureBox(top: 0, left: 0, height: height, width: width)
      if shape < ratio[0] { box.height = min(height, Int((Double(width) / ratio[0]).rounded(.toNearestOrEven))) }
      if shape > ratio[1] { box.width = min(width, Int((Double(height) * ratio[1]).rounded(.toNearestOrEven))) }
      (box.top, box.left) = ((height - box.height) / 2, (width - box.width) / 2)
      return box
    }
  }
}

/// A part of a picture, in pixels.
struct PictureBox: Hashable, Sendable {
  var top: Int
  var left: Int
  var height: Int
  var width: Int
}
