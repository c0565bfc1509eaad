import Datasets
import Training

extension SchemaReader {
  /// A run's configuration from the root of a study's YAML. Type errors are reported and the default stands in, so that reading goes on;
  /// impossible values are reported too, at the place where they are written.
  func configuration(_ root: StudyNode, seeds: RunConfiguration.Seeds) -> RunConfiguration {
    let top = fields(root, at: "")
    let dataset = dataset(top.fields("dataset"))
    let model = model(top.fields("model"))
    let schedule = schedule(top.fields("schedule"))
    let configuration = RunConfiguration(
      dataset: dataset, model: model, optimizer: optimizer(top.fields("optimizer")), loss: loss(top.fields("loss")),
      trained: trained(top),
      batchSize: top.integer("batch_size") ?? 128,
      augmentation: augmentation(top, usual: dataset.name.usualAugmentation),
      precision: top.choice("precision", RunConfiguration.Precision.self), device: top.text("device") ?? "cpu",
      schedule: schedule, branch: branch(top.fields("branch"), hasTrunk: schedule.name != .warmupCosine),
      merge: merge(top.fields("merge")), measure: measure(top.fields("measure")),
      checkpoints: checkpoints(top.fields("checkpoints")), seeds: seeds)
    // A value that could not be read stands at its default, which nobody wrote.
    let reported = Set(problems.map { SchemaKey.path($0.keyPath) })
    for problem in configuration.problems {
      let path = SchemaKey.path(problem.keyPath)
      if !reported.contains(path) { report(root.place(of: path[...]), problem.keyPath, problem.message) }
    }
    return configuration
  }

  private func dataset(_ fields: Fields) -> RunConfiguration.Dataset {
    .init(
      name: fields.choice("name", RunConfiguration.Dataset.Name.self) ?? .glyphs, path: fields.text("path"),
      train: fields.integer("train"), test: fields.integer("test"), size: fields.integer("size"),
      classes: fields.integer("classes"), noise: fields.number("noise"), seed: fields.integer("seed") ?? 0)
  }

  private func model(_ fields: Fields) -> RunConfiguration.Model {
    .init(
      name: fields.choice("name", RunConfiguration.Model.Name.self) ?? .resnet,
      blocks: fields.list("blocks", fields.integer), width: fields.integer("width"),
      stem: fields.choice("stem", RunConfiguration.Model.Stem.self), hidden: fields.list("hidden", fields.integer))
  }

  private func augmentation(_ top: Fields, usual: Augmentation) -> Augmentation {
    guard let node = top.node("augmentation") else { return usual }
    if node.isNone { return .none }
    let fields = top.fields("augmentation")
    return .init(flip: fields.truth("flip") ?? usual.flip, crop: fields.integer("crop") ?? usual.crop)
  }

  private func schedule(_ fields: Fields) -> RunConfiguration.ScheduleChoice {
    .init(
      name: fields.choice("name", RunConfiguration.ScheduleChoice.Name.self) ?? .warmupStableDecay,
      warmup: fields.length("warmup"), stable: fields.length("stable"), decay: fields.length("decay"),
      shape: fields.choice("shape", DecayShape.self), length: fields.length("length"), final: fields.number("final"))
  }

  private func branch(_ fields: Fields, hasTrunk: Bool) -> RunConfiguration.Branch {
    let usual: TrainingLength? = hasTrunk ? .epochs(5) : nil
    let every: TrainingLength? = fields.isNull("every") ? nil : fields.length("every") ?? usual
    return .init(
      every: every, from: fields.isNull("from") ? nil : fields.length("from"),
      endpoints: fields.integer("endpoints") ?? 2)
  }

  private func merge(_ fields: Fields) -> RunConfiguration.Merge {
    .init(
      alphas: fields.list("alphas", fields.number) ?? [0.5],
      batchNorm: fields.choice("batch_norm", RunConfiguration.Merge.BatchNorm.self) ?? .average,
      batchNormSamples: fields.integer("batch_norm_samples"))
  }

  private func measure(_ fields: Fields) -> RunConfiguration.Measure {
    let exponent = fields.integer("momentum_exponent") ?? 1
    if fields.isNull("noise") { return .init(noise: nil, momentumExponent: exponent) }
    let noise = fields.fields("noise")
    return .init(
      noise: .init(every: noise.length("every") ?? .steps(100), microbatches: noise.integer("microbatches") ?? 8),
      momentumExponent: exponent)
  }

  private func checkpoints(_ fields: Fields) -> RunConfiguration.CheckpointPolicy {
    .init(
      every: fields.length("every") ?? .epochs(1),
      keep: fields.choice("keep", RunConfiguration.CheckpointPolicy.Keep.self) ?? .endpoints)
  }
}
