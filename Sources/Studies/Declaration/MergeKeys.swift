import Merging
import Schema
import Support

extension MergeChoice {
  static let section = Section(MergeChoice()) {
    Key(
      "alphas", \.alphas, .list(of: .number(), "a list of numbers"),
      "the values of α: the second endpoint's part in a linear merge, the factor of methods on task vectors")
    Key(
      "batch_norm", \.batchNorm, .choice, synonyms: ["batchnorm", "bn"],
      "what becomes of BatchNorm's statistics: they are averaged, or measured anew on training examples")
    Key(
      "batch_norm_samples", \.batchNormSamples, .integer(.atLeast(2, upTo: ConfigurationCheck.most)),
      synonyms: ["batchnorm_samples"], unit: "examples", words: "all", "how many training examples `reestimate` takes")
    Key(
      "methods", \.methods, .list(of: .method, "a list of names and mappings"), absent: [.usual],
      "how endpoints are merged: a name, or a mapping with `name`, `alphas` and parameters; see `valley merge methods`")
    Key(
      "groups", \.groups, .list(of: .choice, "a list of pairs and all"), absent: [.pairs],
      "which endpoints are merged: every two, all of a branch point at once, or both")
  }
}

extension Kind where Value == MergeChoice.Method {
  /// `ties`, or `{name: ties, density: 0.2, alphas: [0.5, 1]}`: beside name and alphas whatever parameters the method
  /// has.
  fileprivate static var method: Kind {
    Kind("a method's name, or a mapping such as {name: ties, density: 0.2}", text: \.name) { node, reader, keyPath in
      let entries = node.entries ?? [.init(name: "name", place: node.place, value: node)]
      guard let named = entries.first(where: { $0.key == "name" })?.value else {
        reader.report(
          node.place, keyPath, "has an entry without a name; expected one such as {name: ties, density: 0.2}")
        return nil
      }
      let names = MergeMethod.all.map(\.name)
      guard case .scalar(let name, _) = named.content, let method = MergeMethod.all.first(where: { $0.name == name })
      else {
        let guess = closest(to: named.kind, in: names).map { "; did you mean `\($0)`?" } ?? ""
        return reader.refuse(named, keyPath, expected: "one of \(names.joined(separator: ", "))\(guess)")
      }
      // In run.json the parameters are one mapping.
      let nested = entries.first { $0.key == "parameters" }?.value.entries ?? []
      var (alphas, parameters): ([Double]?, [String: Double]) = (nil, [:])
      for entry in entries + nested where entry.key != "name" && entry.key != "parameters" {
        let path = "\(keyPath).\(entry.key)"
        if entry.key == "alphas" {
          if !entry.value.isNull {
            alphas = Kind<[Double]>.list(of: .number(), "").read(entry.value, reader, at: path)
          }
        } else if let parameter = method.parameters.first(where: { $0.name == entry.key }) {
          parameters[entry.key] = parameter.value(entry.value, reader, at: path)
        } else {
          let known = ["name", "alphas", "parameters"] + method.parameters.map(\.name)
          reader.refuse(
            entry, "\(keyPath).\(entry.name)", known: known, hint: "\(name) has \(known.joined(separator: ", "))")
        }
      }
      return .init(name: name, alphas: alphas, parameters: parameters)
    }
  }
}

extension MergeParameter {
  /// The value of a node: a number, a word of a choice, or, of a flag, true or false.
  fileprivate func value(_ node: YAMLNode, _ reader: SchemaReader, at keyPath: String) -> Double? {
    if case .scalar(let word, _) = node.content, let place = words.firstIndex(of: word) { return Double(place) }
    if kind == .flag, let truth = node.truth { return truth ? 1 : 0 }
    return Schema.Kind<Double>.number().read(node, reader, at: keyPath)
  }
}
