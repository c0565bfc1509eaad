/// The last pass over a tensor, when what has to be known of the whole tensor is known.
struct MergePass {
  /// A chunk holds whole groups of this many elements (rows, for methods that work on rows).
  var group = 1
  /// Writes the merged elements at `range` to `result`. Called once for each chunk, in order.
  let write: (_ range: Range<Int>, _ result: Vector) throws -> Void
}
