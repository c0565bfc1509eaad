import Datasets
import Merging
import Networks
import Schema
import Support
import Training

extension SchemaReader {
  /// A run's configuration from the root of a study's YAML. Type errors are reported and the default stands in, so that reading goes on;
  /// impossible values are reported too, at the place where they are written.
  func configuration(_ root: YAMLNode, seeds: RunConfiguration.Seeds) -> RunConfiguration {
    let top = fields(root, at: "")
    let tasks = tasks(top)
    // The trunk of a run with tasks is often of no length and needs no dataset of its own.
    let dataset =
      top.node("dataset") == nil
      ? tasks?.datasets.first?.dataset ?? .init(name: .glyphs) : dataset(top.fields("dataset"))
    let model = model(top.fields("model"))
    let schedule = schedule(top.fields("schedule"))
    let optimizer = optimizer(top.fields("optimizer"))
    let batchSize = top.integer("batch_size") ?? 128
    let configuration = RunConfiguration(
      dataset: dataset, model: model, optimizer: optimizer, loss: loss(top.fields("loss")),
      trained: trained(top),
      batchSize: batchSize,
      augmentation: augmentation(top, usual: dataset.usualAugmentation),
      precision: top.choice("precision", RunConfiguration.Precision.self), device: top.text("device") ?? "cpu",
      schedule: schedule,
      branch: branch(
        top.fields("branch"), hasTrunk: schedule.name != .warmupCosine, usualEndpoints: tasks?.endpoints ?? 2),
      merge: merge(top.fields("merge")), measure: measure(top.fields("measure")),
      checkpoints: checkpoints(top.fields("checkpoints")), seeds: seeds,
      evaluate: top.list("evaluate") { node, _ in namedDataset(node, at: "evaluate") }, tasks: tasks,
      predictions: top.truth("predictions") ?? false,
      start: start(top, optimizer: optimizer, batchSize: batchSize))
    // A value that could not be read stands at its default, which nobody wrote.
    let reported = Set(problems.map { SchemaKey.path($0.keyPath) })
    for problem in configuration.problems {
      let path = SchemaKey.path(problem.keyPath)
      if !reported.contains(path) { report(root.place(of: path[...]), problem.keyPath, problem.message) }
    }
    return configuration
  }

  func dataset(_ fields: Fields) -> DatasetChoice {
    let dataset = DatasetChoice(
      name: fields.choice("name", DatasetChoice.Name.self) ?? .glyphs, path: fields.text("path"),
      train: fields.integer("train"), test: fields.integer("test"), size: fields.integer("size"),
      classes: fields.integer("classes"), noise: fields.number("noise"), seed: fields.integer("seed") ?? 0,
      labels: fields.list("labels", fields.integer),
      corruption: fields.node("corruption") == nil ? nil : corruption(fields.fields("corruption")),
      resize: fields.integer("resize"), interpolation: fields.choice("interpolation", Interpolation.self),
      normalisation: fields.choice("normalisation", Normalisation.self), tokenizer: fields.text("tokenizer"),
      context: fields.integer("context"), validation: fields.text("validation"))
    do {
      return try dataset.surveyed()
    } catch {
      if let node = fields.node("path") { report(node.place, fields.keyPath("path"), "\(error)") }
      return dataset
    }
  }

  private func tasks(_ top: Fields) -> TaskChoice? {
    guard let node = top.node("tasks") else { return nil }
    let fields = top.fields("tasks")
    guard node.entries != nil else { return nil }
    return .init(
      datasets: fields.list("datasets") { node, _ in namedDataset(node, at: "tasks.datasets") } ?? [],
      learningRates: fields.list("learning_rates", fields.number))
  }

  private func corruption(_ fields: Fields) -> DatasetChoice.Corruption {
    .init(noise: fields.number("noise") ?? 0.1, seed: fields.integer("seed") ?? 0)
  }

  /// An entry of a list of datasets with names.
  private func namedDataset(_ node: YAMLNode, at path: String) -> NamedDataset? {
    let fields = fields(node, at: path)
    guard node.entries != nil else { return nil }
    return .init(name: fields.text("name") ?? "", dataset: dataset(fields.fields("dataset")))
  }

  private func model(_ fields: Fields) -> Architecture {
    let name = fields.choice("name", Architecture.Name.self) ?? .resnet
    var options: [Architecture.Option: Architecture.Value] = [:]
    for option in Architecture.Option.allCases {
      let key = option.rawValue
      options[option] =
        switch option.kind {
        case .integer: fields.integer(key).map(Architecture.Value.integer)
        case .integers: fields.list(key, fields.integer).map(Architecture.Value.integers)
        case .number: fields.number(key).map(Architecture.Value.number)
        case .text:
          fields.node(key).flatMap { fields.choice($0, key, name.declaration.choice(option)?.names ?? []) }
            .map(Architecture.Value.text)
        }
    }
    return Architecture(name: name, options: options)
  }

  func augmentation(_ top: Fields, usual: Augmentation) -> Augmentation {
    guard let node = top.node("augmentation") else { return usual }
    if node.isNone { return .none }
    let fields = top.fields("augmentation")
    // One crop takes the place of the other unless both are asked for.
    var resizedCrop = fields.isNull("resized_crop") ? nil : usual.resizedCrop
    if let node = fields.node("resized_crop") { resizedCrop = self.resizedCrop(node, fields) }
    let crop = fields.integer("crop") ?? (resizedCrop == nil ? usual.crop : 0)
    return .init(flip: fields.truth("flip") ?? usual.flip, crop: crop, resizedCrop: resizedCrop)
  }

  /// `true` for the usual numbers, `false` for none, or a mapping.
  private func resizedCrop(_ node: YAMLNode, _ fields: Fields) -> Augmentation.ResizedCrop? {
    if node.entries == nil { return fields.truth("resized_crop") == true ? .init() : nil }
    let numbers = fields.fields("resized_crop")
    let usual = Augmentation.ResizedCrop()
    return .init(
      scale: numbers.list("scale", numbers.number) ?? usual.scale,
      ratio: numbers.list("ratio", numbers.number) ?? usual.ratio)
  }

  private func schedule(_ fields: Fields) -> ScheduleChoice {
    .init(
      name: fields.choice("name", ScheduleChoice.Name.self) ?? .warmupStableDecay,
      warmup: fields.length("warmup"), stable: fields.length("stable"), decay: fields.length("decay"),
      shape: fields.choice("shape", DecayShape.self), length: fields.length("length"), final: fields.number("final"))
  }

  private func branch(_ fields: Fields, hasTrunk: Bool, usualEndpoints: Int) -> BranchChoice {
    let usual: TrainingLength? = hasTrunk ? .epochs(5) : nil
    let every: TrainingLength? = fields.isNull("every") ? nil : fields.length("every") ?? usual
    return .init(
      every: every, from: fields.isNull("from") ? nil : fields.length("from"),
      endpoints: fields.integer("endpoints") ?? usualEndpoints,
      initialisation: fields.choice("initialisation", BranchChoice.Initialisation.self) ?? .shared)
  }

  private func merge(_ fields: Fields) -> MergeChoice {
    .init(
      alphas: fields.list("alphas", fields.number) ?? [0.5],
      batchNorm: fields.choice("batch_norm", MergeChoice.BatchNorm.self) ?? .average,
      batchNormSamples: fields.integer("batch_norm_samples"),
      methods: fields.list("methods") { node, _ in mergeMethod(node) },
      groups: fields.list("groups") { fields.choice($0, $1, MergeChoice.Group.self) })
  }

  /// `ties`, or `{name: ties, density: 0.2, alphas: [0.5, 1]}`: beside name and alphas whatever parameters the method has.
  private func mergeMethod(_ node: YAMLNode) -> MergeChoice.Method? {
    let path = "merge.methods"
    let entries = node.entries ?? [.init(name: "name", place: node.place, value: node)]
    guard let named = entries.first(where: { $0.key == "name" })?.value else {
      report(node.place, path, "has an entry without a name; expected one such as {name: ties, density: 0.2}")
      return nil
    }
    let names = MergeMethod.all.map(\.name)
    guard case .scalar(let name, _) = named.content, let method = MergeMethod.all.first(where: { $0.name == name })
    else {
      let guess = closest(to: named.kind, in: names).map { "; did you mean `\($0)`?" } ?? ""
      report(named.place, path, "is \(named.kind); expected one of \(names.joined(separator: ", "))\(guess)")
      return nil
    }
    let known = ["name", "alphas", "parameters"] + method.parameters.map(\.name)
    // In run.json the parameters are one mapping.
    let nested = entries.first { $0.key == "parameters" }?.value.entries ?? []
    var (alphas, parameters): ([Double]?, [String: Double]) = (nil, [:])
    let fields = Fields(reader: self, path: path, values: Dictionary(entries.map { ($0.key, $0.value) }) { $1 })
    for entry in entries + nested where entry.key != "name" && entry.key != "parameters" {
      if entry.key == "alphas" {
        alphas = fields.list("alphas", fields.number)
      } else if let parameter = method.parameters.first(where: { $0.name == entry.key }) {
        if case .scalar(let word, _) = entry.value.content, let place = parameter.words.firstIndex(of: word) {
          parameters[entry.key] = Double(place)
          continue
        }
        parameters[entry.key] =
          parameter.kind == .flag && entry.value.isTruth
          ? fields.truth(entry.value, entry.key).map { $0 ? 1 : 0 } : fields.number(entry.value, entry.key)
      } else {
        let guess = closest(to: entry.key, in: known).map { "did you mean `\($0)`?" }
        report(
          entry.place, "\(path).\(entry.name)",
          "is not a key here; " + (guess ?? "\(name) has \(known.joined(separator: ", "))"))
      }
    }
    return .init(name: name, alphas: alphas, parameters: parameters)
  }

  private func measure(_ fields: Fields) -> MeasureChoice {
    let exponent = fields.integer("momentum_exponent") ?? 1
    let landscape = landscape(fields)
    if fields.isNull("noise") { return .init(noise: nil, momentumExponent: exponent, landscape: landscape) }
    let noise = fields.fields("noise")
    return .init(
      noise: .init(every: noise.length("every") ?? .steps(100), microbatches: noise.integer("microbatches") ?? 8),
      momentumExponent: exponent, landscape: landscape)
  }

  private func checkpoints(_ fields: Fields) -> CheckpointChoice {
    .init(
      every: fields.length("every") ?? .epochs(1),
      keep: fields.choice("keep", CheckpointChoice.Keep.self) ?? .endpoints)
  }
}
