import Foundation
import Search
import Schema

/// A recipe with ranges in place of values: what a search for the best merge goes through.
///
/// Wherever a parameter has a value, `{from: 0, to: 1}` says that it is searched, `{from: 1e-3, to: 1, scale: log}`
/// that it is searched in ratios, and `{choices: [true, false]}` that it is one of these. `merge_method: {choices:
/// [ties, task_arithmetic]}` searches methods; parameters that only the others have are then left out.
public struct RecipeSpace: Sendable {
  /// The ranges in the order of the recipe.
  public let space: SearchSpace
  private let ranges: [RecipeRange]
  private let root: YAMLNode
  private let file: String
  private let methods: [MergeMethod]

  /// Reads a recipe and tries it at the ends of every range and with every choice.
  ///
  /// - Parameters:
  ///   - text: the recipe
  ///   - file: what messages call it
  ///   - methods: the methods that may be named
  /// - Throws: `YAMLFileError` with every mistake: no ranges, empty ones, ends that a parameter may not have, and
  ///   everything that `Recipe` refuses.
  public init(yaml text: String, file: String, methods: [MergeMethod] = MergeMethod.all) throws {
    let root: YAMLNode
    do { root = try YAMLNode.parse(text) } catch { throw YAMLFileError(file: file, problems: [error]) }
    var finder = RecipeRangeFinder(methods)
    finder.search(root, "", [], label: [])
    func refuse(_ problems: [YAMLProblem]) -> YAMLFileError {
      YAMLFileError(file: file, problems: problems.sorted { $0.place < $1.place })
    }
    guard finder.problems.isEmpty else { throw refuse(finder.problems) }
    guard !finder.ranges.isEmpty else {
      // What is wrong with the recipe itself comes first.
      _ = try Recipe(yaml: text, file: file, methods: methods)
      throw refuse([
        YAMLProblem(
          place: .start, keyPath: "",
          message:
            "there is nothing to search: no parameter has a range such as {from: 0, to: 1} or {choices: [true, false]}")
      ])
    }
    ranges = finder.ranges
    space = try SearchSpace(ranges.map(\.dimension))
    (self.root, self.file, self.methods) = (root, file, methods)
    try check()
  }

  /// Tries both ends of all ranges with every choice.
  private func check() throws {
    func corner(_ isUpper: Bool) -> [Double] {
      ranges.map { range in
        switch range.dimension.kind {
        case .number(let lower, let upper, _): isUpper ? upper : lower
        case .integer(let lower, let upper, _): Double(isUpper ? upper : lower)
        case .choice: 0
        }
      }
    }
    var points = [corner(false), corner(true)]
    for (index, range) in ranges.enumerated() {
      guard case .choice(let count) = range.dimension.kind else { continue }
      for choice in 1..<count {
        for isUpper in [false, true] {
          var point = corner(isUpper)
          point[index] = Double(choice)
          points.append(point)
        }
      }
    }
    var problems: [YAMLProblem] = []
    for point in points {
      do { _ = try recipe(at: point) } catch let error as YAMLFileError {
        problems += error.problems.filter { !problems.contains($0) }
      }
    }
    guard problems.isEmpty else {
      throw YAMLFileError(file: file, problems: problems.sorted { $0.place < $1.place })
    }
  }

  /// The recipe at a point of the space.
  public func recipe(at point: [Double]) throws -> Recipe {
    var reader = RecipeReader(methods)
    let recipe = reader.recipe(tree(at: point), "", earlier: [])
    guard var recipe, reader.problems.isEmpty else { throw YAMLFileError(file: file, problems: reader.problems) }
    recipe.text = yaml(at: point)
    return recipe
  }

  /// The same in YAML with plain values, comments lost.
  ///
  /// - Parameter locate: another spelling of a model's path
  public func yaml(at point: [Double], locate: @escaping (String) -> String = { $0 }) -> String {
    RecipeText(locate: locate).text(tree(at: point))
  }

  /// The value of each range as it is written into the recipe.
  public func values(at point: [Double]) -> [(name: String, value: String)] {
    zip(ranges, point).map { ($0.dimension.name, $0.text($1)) }
  }

  private func tree(at point: [Double]) -> YAMLNode {
    var tree = root
    for (range, value) in zip(ranges, point) { tree = tree.replacing(range.path[...], by: range.node(value)) }
    for range in ranges where range.isMethod {
      let choices = methods.filter { range.choices.contains($0.name) }
      tree = tree.droppingParameters(at: range.path.dropLast(), ofOthersAmong: choices)
    }
    return tree
  }
}

extension YAMLNode {
  fileprivate func replacing(_ path: ArraySlice<Int>, by node: YAMLNode) -> YAMLNode {
    guard let index = path.first else { return node }
    var result = self
    switch content {
    case .mapping(var entries) where entries.indices.contains(index):
      entries[index].value = entries[index].value.replacing(path.dropFirst(), by: node)
      result.content = .mapping(entries)
    case .sequence(var elements) where elements.indices.contains(index):
      elements[index] = elements[index].replacing(path.dropFirst(), by: node)
      result.content = .sequence(elements)
    default: break
    }
    return result
  }

  /// The tree without parameters that the merge at `path` does not have and another of `methods` has.
  fileprivate func droppingParameters(at path: ArraySlice<Int>, ofOthersAmong methods: [MergeMethod]) -> YAMLNode {
    if let index = path.first {
      let inner: YAMLNode? =
        switch content {
        case .mapping(let entries): entries.indices.contains(index) ? entries[index].value : nil
        case .sequence(let elements): elements.indices.contains(index) ? elements[index] : nil
        case .scalar: nil
        }
      guard let inner else { return self }
      return replacing([index], by: inner.droppingParameters(at: path.dropFirst(), ofOthersAmong: methods))
    }
    guard case .scalar(let chosen, _)? = entries?.first(where: { $0.name == "merge_method" })?.value.content else {
      return self
    }
    let names = methods.flatMap { $0.parameters.map(\.name) }
    let own = methods.first { $0.name == chosen }?.parameters.map(\.name) ?? []
    return without(Set(names).subtracting(own))
  }

  private func without(_ names: Set<String>) -> YAMLNode {
    var result = self
    switch content {
    case .scalar: break
    case .sequence(let elements): result.content = .sequence(elements.map { $0.without(names) })
    case .mapping(let entries):
      result.content = .mapping(
        entries.map { entry in
          var entry = entry
          if entry.name == "parameters", let inner = entry.value.entries {
            entry.value.content = .mapping(inner.filter { !names.contains($0.name) })
          } else if entry.name != "merges" {
            entry.value = entry.value.without(names)
          }
          return entry
        })
    }
    return result
  }
}
