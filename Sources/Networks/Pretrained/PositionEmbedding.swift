import Torch

/// What is added to the tokens of a picture's patches to say where each lies: rows by row of the picture, after those
/// of tokens that belong to no patch.
enum PositionEmbedding {
  /// An embedding [..., tokens, channels] for a square grid of `size` patches a side, interpolated from the square grid
  /// it was made for: bicubic with antialiasing, as timm's `resample_abs_pos_embed` and open_clip's `resize_pos_embed`
  /// do.
  ///
  /// - Parameter prefix: rows at the front that belong to no patch, and stay
  /// - Returns: nil when the rows are no square grid after the prefix
  static func resampled(_ embedding: Tensor, toGridOf size: Int, prefix: Int = 1) throws -> Tensor? {
    guard let former = gridSize(embedding, prefix: prefix) else { return nil }
    if former == size { return embedding }
    let (channels, rows) = (embedding.shape[embedding.rank - 1], embedding.rank - 2)
    let grid = try embedding.narrow(rows, from: prefix, count: former * former).to(.float32)
      .reshape([1, former, former, channels]).permute([0, 3, 1, 2]).contiguous()
    let resized = try grid.resizedBicubic(height: size, width: size).permute([0, 2, 3, 1])
      .reshape(Array(embedding.shape.dropLast(2)) + [size * size, channels]).to(embedding.dtype)
    return try .concatenate([embedding.narrow(rows, from: 0, count: prefix), resized], dimension: rows)
  }

  /// Patches a side of the square grid an embedding [..., tokens, channels] was made for; nil when it is none.
  static func gridSize(_ embedding: Tensor, prefix: Int = 1) -> Int? {
    guard embedding.rank >= 2 else { return nil }
    let patches = embedding.shape[embedding.rank - 2] - prefix
    guard patches > 0 else { return nil }
    let size = Int(Double(patches).squareRoot().rounded())
    return size * size == patches ? size : nil
  }
}
