import Networks
import Schema
import Support
import Training

/// Reads typed values out of a study's YAML and collects what is wrong instead of stopping at the first problem.
final class SchemaReader {
  /// The keys of each mapping, by its path. All that may be written (or swept) in a study.
  static let keys: [String: [String]] = [
    "": [
      "name", "figure", "title", "description", "scale", "scales", "start", "dataset", "evaluate", "model", "optimizer",
      "loss",
      "only", "freeze", "batch_size", "augmentation", "precision", "device", "schedule", "branch", "merge", "measure",
      "checkpoints", "predictions", "tasks", "sweep", "seeds",
    ],
    "dataset": datasetKeys, "dataset.corruption": corruptionKeys,
    "tasks": ["datasets", "learning_rates"], "tasks.datasets": ["name", "dataset"],
    "tasks.datasets.dataset": datasetKeys, "tasks.datasets.dataset.corruption": corruptionKeys,
    "evaluate": ["name", "dataset"], "evaluate.dataset": datasetKeys, "evaluate.dataset.corruption": corruptionKeys,
    "model": ["name"] + Architecture.Option.allCases.map(\.rawValue),
    "optimizer": optimizerKeys,
    "start": ["file", "pretrain"],
    "start.pretrain": ["dataset", "length", "optimizer", "batch_size", "augmentation", "seed"],
    "start.pretrain.dataset": datasetKeys, "start.pretrain.dataset.corruption": corruptionKeys,
    "start.pretrain.optimizer": optimizerKeys, "start.pretrain.augmentation": augmentationKeys,
    "loss": ["label_smoothing"],
    "augmentation": augmentationKeys,
    "augmentation.resized_crop": resizedCropKeys, "start.pretrain.augmentation.resized_crop": resizedCropKeys,
    "schedule": ["name", "warmup", "stable", "decay", "shape", "length", "final"],
    "branch": ["every", "from", "endpoints", "initialisation"],
    "merge": ["alphas", "batch_norm", "batch_norm_samples", "methods", "groups"],
    "measure": ["noise", "momentum_exponent", "landscape"],
    "measure.landscape": ["at", "examples", "path", "curvature", "similarity", "plane", "align"],
    "measure.noise": ["every", "microbatches"],
    "checkpoints": ["every", "keep"],
    "sweep": ["grid", "list", "zip"],
  ]

  private static let datasetKeys = [
    "name", "path", "train", "test", "size", "classes", "noise", "seed", "labels", "corruption", "resize",
    "interpolation", "normalisation", "tokenizer", "context", "validation",
  ]
  private static let corruptionKeys = ["noise", "seed"]
  private static let optimizerKeys = [
    "name", "learning_rate", "momentum", "nesterov", "weight_decay", "decoupled_weight_decay", "betas", "epsilon",
    "exempt_norms_and_biases", "clip",
  ]
  private static let augmentationKeys = ["flip", "crop", "resized_crop"]
  private static let resizedCropKeys = ["scale", "ratio"]

  /// What is about the study and not about a run of it.
  private static let aboutStudy = ["name", "figure", "title", "description", "scale", "scales", "sweep", "seeds"]
  /// Lists of mappings: a sweep varies them as a whole.
  private static let lists = ["evaluate", "tasks.datasets"]

  /// Every path that a sweep may vary.
  static let sweepable: [String] = keys.sorted { $0.key < $1.key }.flatMap { parent, names in
    let isInList = lists.contains { parent == $0 || parent.hasPrefix($0 + ".") }
    return names.filter { !isInList && parent != "sweep" && !(parent.isEmpty && aboutStudy.contains($0)) }
      .map { parent.isEmpty ? $0 : "\(parent).\($0)" }
  }

  private(set) var problems: [YAMLProblem] = []
  private var seen: Set<YAMLProblem> = []

  func report(_ place: YAMLNode.Place, _ keyPath: String, _ message: String) {
    let problem = YAMLProblem(place: place, keyPath: keyPath, message: message)
    // The same value is read again for every run of a sweep.
    if problems.count < 100, seen.insert(problem).inserted { problems.append(problem) }
  }

  /// The fields of the mapping at `path`. A missing or null node has none; unknown and repeated keys are reported.
  func fields(_ node: YAMLNode?, at path: String) -> Fields {
    guard let node, !node.isNull else { return Fields(reader: self, path: path, values: [:]) }
    guard let entries = node.entries else {
      let names = (Self.keys[path] ?? []).joined(separator: ", ")
      report(node.place, path, "is \(node.kind); expected a mapping with the keys \(names)")
      return Fields(reader: self, path: path, values: [:])
    }
    let known = Self.keys[path] ?? []
    var values: [String: YAMLNode] = [:]
    for entry in entries {
      let full = path.isEmpty ? entry.name : "\(path).\(entry.name)"
      if !known.contains(entry.key) {
        let names = known + SchemaKey.synonyms(of: known, like: entry.key)
        let guess = closest(to: entry.key, in: names).map { "did you mean `\($0)`?" }
        report(entry.place, full, "is not a key here; " + (guess ?? "expected one of \(known.joined(separator: ", "))"))
      } else if values.updateValue(entry.value, forKey: entry.key) != nil {
        report(entry.place, full, "is given more than once (as `\(entry.key)` or another spelling of it)")
      }
    }
    return Fields(reader: self, path: path, values: values)
  }

  /// The typed values of one mapping. Each reader gives nil where the key is absent, null or (then reported) wrong.
  struct Fields {
    let reader: SchemaReader
    let path: String
    let values: [String: YAMLNode]

    func node(_ key: String) -> YAMLNode? {
      guard let node = values[key], !node.isNull else { return nil }
      return node
    }

    func isNull(_ key: String) -> Bool { values[key]?.isNone ?? false }

    func keyPath(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func fields(_ key: String) -> Fields { reader.fields(values[key], at: keyPath(key)) }

    func text(_ key: String) -> String? { node(key).flatMap { text($0, key) } }

    func text(_ node: YAMLNode, _ key: String) -> String? {
      guard case .scalar(let text, _) = node.content else { return wrong(node, key, "a text") }
      return text
    }

    func integer(_ key: String) -> Int? { node(key).flatMap { integer($0, key) } }

    func integer(_ node: YAMLNode, _ key: String) -> Int? {
      guard case .scalar(let text, isPlain: true) = node.content, let number = Int(text) else {
        return wrong(node, key, "a whole number")
      }
      return number
    }

    func number(_ key: String) -> Double? { node(key).flatMap { number($0, key) } }

    func number(_ node: YAMLNode, _ key: String) -> Double? {
      guard case .scalar(let text, isPlain: true) = node.content, let number = Double(text), number.isFinite,
        !text.lowercased().contains("x")
      else { return wrong(node, key, "a finite number such as 0.1 or 5e-4") }
      return number
    }

    func truth(_ key: String) -> Bool? { node(key).flatMap { truth($0, key) } }

    func truth(_ node: YAMLNode, _ key: String) -> Bool? {
      if case .scalar(let text, isPlain: true) = node.content {
        switch text.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: break
        }
      }
      return wrong(node, key, "true or false")
    }

    func length(_ key: String) -> TrainingLength? {
      guard let node = node(key) else { return nil }
      guard case .scalar(let text, _) = node.content, let length = TrainingLength(text) else {
        return wrong(node, key, "a length such as `5 epochs`, `200 steps` or 5 (epochs)")
      }
      return length
    }

    func choice<T: RawRepresentable & CaseIterable>(_ key: String, _ type: T.Type) -> T? where T.RawValue == String {
      node(key).flatMap { choice($0, key, type) }
    }

    func choice<T: RawRepresentable & CaseIterable>(_ node: YAMLNode, _ key: String, _ type: T.Type) -> T?
    where T.RawValue == String {
      choice(node, key, T.allCases.map(\.rawValue)).flatMap(T.init)
    }

    /// One of `names`, in any case; without names any text.
    func choice(_ node: YAMLNode, _ key: String, _ names: [String]) -> String? {
      guard case .scalar(let text, _) = node.content else {
        return wrong(node, key, names.isEmpty ? "a text" : "one of \(names.joined(separator: ", "))")
      }
      if let name = [text, text.lowercased()].first(where: names.contains) ?? (names.isEmpty ? text : nil) {
        return name
      }
      let guess = closest(to: text, in: names).map { "; did you mean `\($0)`?" } ?? ""
      return wrong(node, key, "one of \(names.joined(separator: ", "))\(guess)")
    }

    /// A list, or one value standing for a list of one.
    func list<T>(_ key: String, _ element: (YAMLNode, String) -> T?) -> [T]? {
      guard let node = node(key) else { return nil }
      let nodes = node.elements ?? [node]
      let values = nodes.compactMap { element($0, key) }
      return values.count == nodes.count ? values : nil
    }

    private func wrong<T>(_ node: YAMLNode, _ key: String, _ expected: String) -> T? {
      reader.report(node.place, keyPath(key), "is \(node.kind); expected \(expected)")
      return nil
    }
  }
}
