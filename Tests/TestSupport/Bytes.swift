import Foundation
import Torch

/// The elements' bytes in row-major order: equal for tensors that agree bit for bit, NaN and −0 included.
public func bytes(_ tensor: Tensor) throws -> [UInt8] {
  try tensor.detach().contiguous().withUnsafeBytes { Array($0) }
}
