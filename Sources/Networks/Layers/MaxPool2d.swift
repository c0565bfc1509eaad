import Torch

/// The largest element of each window of `kernel` × `kernel` pixels: [N, channels, H, W] to [N, channels, H', W'].
public struct MaxPool2d: Module {
  let kernel: Int
  let stride: Int
  let padding: Int

  /// - Parameters:
  ///   - stride: pixels from one window to the next; nil: windows lie side by side
  ///   - padding: pixels added on each side, which never are the largest
  public init(_ kernel: Int, stride: Int? = nil, padding: Int = 0) {
    (self.kernel, self.stride, self.padding) = (kernel, stride ?? kernel, padding)
  }

  /// The largest element of each window.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try input.maxPool2d(kernel, stride: stride, padding: padding)
  }
}
