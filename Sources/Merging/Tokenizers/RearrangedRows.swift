import Torch

/// An embedding (or head) with the rows of another vocabulary: its own where it has them, and others' where it lacks
/// them.
struct RearrangedRows: Operand {
  enum Row: Sendable, Hashable {
    case row(Place)
    case mean([Place])
    case zero
  }

  /// A row of one of the operands.
  struct Place: Sendable, Hashable {
    var operand: Int
    var row: Int
  }

  /// The embeddings of all models; this one's own at `own`.
  let operands: [any Operand]
  let own: Int
  let rows: [Row]

  var shape: [Int] { [rows.count] + operands[own].shape.dropFirst() }
  var dtype: DType { operands[own].dtype }
  var inputByteCount: Int { operands[own].inputByteCount }
  var workingByteCount: Int { rows.count * 32 + operands.reduce(0) { $0 + $1.workingByteCount } }

  /// The rows that are means over several models.
  private var means: [[Place]] {
    var seen: Set<[Place]> = []
    return rows.compactMap { if case .mean(let places) = $0, seen.insert(places).inserted { places } else { nil } }
  }

  /// The rows, which are read where they lie.
  func source(isCancelled: @escaping @Sendable () -> Bool) throws -> TensorSource {
    let sources = try operands.map { try $0.source(isCancelled: isCancelled) }
    let wide: DType = sources.contains { $0.dtype == .float64 } ? .float64 : .float32
    let means = means
    var places: [[Place]: Int] = [:]
    for (index, mean) in means.enumerated() { places[mean] = index }
    let table = try withoutGradients {
      let rows = try means.map { places in
        try Tensor.stack(
          places.map { try sources[$0.operand].tensor.select(0, $0.row).to(.float64) }
        ).mean([0]).to(wide)
      }
      return try rows.isEmpty ? nil : TensorSource(Tensor.stack(rows))
    }
    let width = max(1, sources[own].count / max(1, sources[own].shape.first ?? 1))
    let found = rows.map { row -> TensorSource.Row in
      switch row {
      case .zero: return .init(address: nil, dtype: dtype)
      case .row(let place):
        let source = sources[place.operand]
        return .init(address: source.address(of: place.row * width), dtype: source.dtype)
      case .mean(let mean):
        return .init(address: places[mean].flatMap { table?.address(of: $0 * width) }, dtype: wide)
      }
    }
    return TensorSource(
      rows: found, of: sources + (table.map { [$0] } ?? []), tensor: sources[own].tensor, dtype: sources[own].dtype)
  }
}
