import Schema

/// Values given beside a study's file, such as on the command line.
extension YAMLNode {
  /// The names that decide which other keys may stand beside them, with their defaults.
  static let choices = [
    "model.name": "resnet", "dataset.name": "glyphs", "optimizer.name": "sgd", "schedule.name": "warmup-stable-decay",
  ]

  /// The settings with names first: another name drops what the file has beside it, and not what else is set.
  static func inOrder(_ settings: [Setting]) -> [Setting] {
    func isChoice(_ setting: Setting) -> Bool { choices[StudyKeys.path(setting.key).joined(separator: ".")] != nil }
    return settings.filter(isChoice) + settings.filter { !isChoice($0) }
  }

  /// This tree with a setting's value in the place of what stands at its key. Its value is YAML. Another name of a
  /// model, dataset, optimizer or schedule drops the keys beside it, which belong to the one named before.
  func fixing(_ setting: Setting) throws(YAMLProblem) -> YAMLNode {
    func problem(_ message: String) -> YAMLProblem {
      YAMLProblem(place: .outside, keyPath: setting.key, message: message)
    }
    let path = StudyKeys.path(setting.key)
    guard !path.contains("") else { throw problem("is no key; expected one such as optimizer.lr or batch_size") }
    var value: YAMLNode
    do {
      value = try YAMLNode.parse(setting.value)
    } catch {
      throw problem("is \"\(setting.value.shortened)\": \(error.message)")
    }
    value =
      setting.value.allSatisfy(\.isWhitespace) ? YAMLNode(content: .scalar("", isPlain: true), place: .start) : value
    value.move(to: .outside)
    var root = self
    if let usual = Self.choices[path.joined(separator: ".")], root.differs(at: path, from: value, usual: usual) {
      root = root.setting(path[..<1], to: .emptyMapping) ?? root
    }
    guard let changed = root.setting(path[...], to: value) else {
      throw problem("cannot be set, since \(path.dropLast().joined(separator: ".")) is no mapping here")
    }
    return changed
  }

  func differs(at path: [String], from value: YAMLNode, usual: String) -> Bool {
    var node: YAMLNode? = self
    for key in path { node = node?.entries?.first { $0.key == key }?.value }
    guard case .scalar(let old, _) = node?.content ?? .scalar(usual, isPlain: true),
      case .scalar(let new, _) = value.content
    else { return false }
    return old.lowercased() != new.lowercased()
  }

  private mutating func move(to place: Place) {
    self.place = place
    switch content {
    case .scalar: break
    case .sequence(var elements):
      for index in elements.indices { elements[index].move(to: place) }
      content = .sequence(elements)
    case .mapping(let entries):
      content = .mapping(
        entries.map { entry in
          var value = entry.value
          value.move(to: place)
          return Entry(name: entry.name, place: place, value: value)
        })
    }
  }
}
