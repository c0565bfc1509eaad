import Training

extension RunConfiguration {
  /// What the pretraining does, as a run whose one endpoint it is; nil without one.
  public var pretraining: RunConfiguration? {
    guard let pretrain = start?.pretrain else { return nil }
    let warmup: TrainingLength =
      switch pretrain.length {
      case .epochs(let epochs): .epochs(epochs / 10)
      case .steps(let steps): .steps(steps / 10)
      }
    return RunConfiguration(
      dataset: pretrain.dataset, model: model, optimizer: pretrain.optimizer, batchSize: pretrain.batchSize,
      augmentation: pretrain.augmentation, precision: precision, device: device,
      schedule: .init(name: .warmupCosine, warmup: warmup, length: pretrain.length), branch: .init(every: nil),
      measure: .init(noise: nil), checkpoints: .init(every: checkpoints.every), seeds: .init(pretrain.seed))
  }
}
