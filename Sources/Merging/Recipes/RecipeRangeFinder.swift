import Foundation
import Schema
import Search
import Support

/// Goes through a recipe and finds its ranges.
struct RecipeRangeFinder {
  private(set) var ranges: [RecipeRange] = []
  private let reader = SchemaReader()

  private let methods: [MergeMethod]

  init(_ methods: [MergeMethod]) { self.methods = methods }

  var problems: [YAMLProblem] { reader.problems }

  /// - Parameters:
  ///   - keyPath: as messages have it
  ///   - label: what the range's name is made of: model, parameter, filter
  ///   - parameter: the parameter whose value the node is or is in
  mutating func search(
    _ node: YAMLNode, _ keyPath: String, _ path: [Int], label: [String], parameter: String? = nil
  ) {
    switch node.content {
    case .scalar: break
    case .sequence(let elements):
      for (index, element) in elements.enumerated() {
        search(
          element, "\(keyPath)[\(index)]", path + [index],
          label: label + Self.name(element, index, isValue: parameter != nil), parameter: parameter)
      }
    case .mapping(let entries):
      if parameter != nil, entries.contains(where: { ["from", "to", "choices"].contains($0.name) }) {
        return add(node, entries, keyPath, path, label, parameter ?? "")
      }
      for (index, entry) in entries.enumerated() {
        let place = keyPath.isEmpty ? entry.name : "\(keyPath).\(entry.name)"
        if entry.name == "parameters", parameter == nil {
          for (inner, value) in (entry.value.entries ?? []).enumerated() {
            search(
              value.value, "\(place).\(value.name)", path + [index, inner], label: label + [value.name],
              parameter: value.name)
          }
        } else if entry.name == "merge_method", parameter == nil {
          guard case .mapping(let inner) = entry.value.content else { continue }
          add(entry.value, inner, place, path + [index], label + [entry.name], entry.name)
        } else {
          // A merge's or module's own name tells its ranges from those of others.
          let isNamed = keyPath == "merges" || keyPath == "modules"
          search(
            entry.value, place, path + [index], label: label + (isNamed ? [entry.name] : []), parameter: parameter)
        }
      }
    }
  }

  /// What tells an element of a list from the others: its model, its filter, or its number.
  private static func name(_ node: YAMLNode, _ index: Int, isValue: Bool) -> [String] {
    func text(_ key: String) -> String? {
      guard case .scalar(let text, _)? = node.entries?.first(where: { $0.name == key })?.value.content else {
        return nil
      }
      return text
    }
    if isValue {
      if node.entries?.contains(where: { $0.name == "value" }) == true { return [text("filter") ?? "rest"] }
      return ["\(index + 1)"]
    }
    if let model = text("model") {
      let last = URL(fileURLWithPath: model).lastPathComponent
      return [last.hasSuffix(".safetensors") ? String(last.dropLast(12)) : last]
    }
    return node.entries?.contains { $0.name == "sources" } == true ? ["slice \(index + 1)"] : []
  }

  private mutating func add(
    _ node: YAMLNode, _ entries: [YAMLNode.Entry], _ keyPath: String, _ path: [Int], _ label: [String],
    _ parameter: String
  ) {
    let before = problems.count
    func report(_ place: YAMLNode.Place, _ key: String, _ message: String) {
      reader.report(place, key.isEmpty ? keyPath : "\(keyPath).\(key)", message)
    }
    let isMethod = parameter == "merge_method"
    let keys = RangeForm.section.declarations
    for entry in entries where !keys.contains(where: { $0.name == entry.name }) {
      reader.refuse(
        entry, "\(keyPath).\(entry.name)", known: keys.map(\.name),
        hint: "a range has from and to, and scale, or choices",
        is: "is no key of a range")
    }
    guard problems.count == before else { return }
    let fields = Fields(node, at: keyPath, keys: keys, reader: reader)
    let kinds = methods.flatMap(\.parameters).filter { $0.name == parameter }.map(\.kind)
    let plain = label.joined(separator: " ")
    // A name can only be given twice where a model is listed twice.
    let uses = ranges.filter { $0.dimension.name == plain || $0.dimension.name.hasPrefix(plain + " #") }.count
    let name = uses == 0 ? plain : "\(plain) #\(uses + 1)"
    var choices: [String] = []
    let dimension: SearchSpace.Dimension
    if let list = fields["choices"] {
      if fields.values.count > 1 { report(node.place, "", "has choices beside from, to or scale; keep one of them") }
      choices = (list.elements ?? []).compactMap { if case .scalar(let text, _) = $0.content { text } else { nil } }
      if choices.count < 2 || choices.count != list.elements?.count || Set(choices).count != choices.count {
        report(list.place, "choices", "is \(list.kind); expected a list of two or more different values")
      }
      dimension = .choice(name, of: choices.count)
    } else if isMethod || !kinds.contains(where: { $0 == .number || $0 == .integer }) && !kinds.isEmpty {
      let form = isMethod ? "[ties, task_arithmetic]" : "[true, false]"
      return report(node.place, "", "has no order in which to search; write {choices: \(form)}")
    } else {
      let range = RangeForm.section.read(fields)
      for key in ["from", "to"] where fields[key] == nil {
        report(node.place, "", "has no \(key); a range is {from: 0, to: 1}")
      }
      guard let from = range.from, let to = range.to, problems.count == before else { return }
      if kinds.contains(.integer), !kinds.contains(.number), abs(from) < 1e15, abs(to) < 1e15 {
        guard from == from.rounded(), to == to.rounded() else {
          return report(node.place, "", "is of whole numbers; from and to are none")
        }
        dimension = .integer(name, from: Int(from), to: Int(to), scale: range.scale)
      } else {
        dimension = .number(name, from: from, to: to, scale: range.scale)
      }
      if let problem = dimension.problem { report(node.place, "", problem) }
    }
    guard problems.count == before else { return }
    ranges.append(
      RecipeRange(dimension: dimension, path: path, place: node.place, choices: choices, isMethod: isMethod))
  }
}
