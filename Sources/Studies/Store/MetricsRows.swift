/// A training step in `metrics.jsonl`.
struct StepRow: Encodable {
  let phase: String
  let branch: Int?
  let endpoint: Int?
  let step: Int
  let epoch: Double
  let learningRate: Double
  let loss: Double
}

/// A noise measurement in `metrics.jsonl`.
struct MetricsNoiseRow: Encodable {
  let row: NoiseRow
  init(_ row: NoiseRow) { self.row = row }

  private enum Key: String, CodingKey { case kind, phase }

  func encode(to encoder: any Encoder) throws {
    try row.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode("noise", forKey: .kind)
    try container.encode("trunk", forKey: .phase)
  }
}
