/// How pictures enter a convolutional network.
public enum Stem: String, Codable, CaseIterable, Sendable {
  /// A 3×3 convolution, for pictures of 32 pixels or so.
  case cifar
  /// A 7×7 convolution with stride 2, and 3×3 max pooling with stride 2.
  case imagenet
}
