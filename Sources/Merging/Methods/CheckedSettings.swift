import Schema
import Support

extension MergeSettings {
  /// Settings of `method` for `models` models. `given` has one value, or one for each model, by the parameter's name;
  /// the rest is default.
  ///
  /// - Throws: `MergeError` for a parameter that the method lacks, one missing, a value out of range, or another number
  ///   of values.
  public init(_ given: [String: [Double]] = [:], for method: MergeMethod, models: Int) throws {
    if let unknown = given.keys.sorted().first(where: { key in !method.parameters.contains { $0.name == key } }) {
      let names = method.parameters.map(\.name)
      let guess = closest(to: unknown, in: names).map { "; did you mean \($0)?" } ?? ""
      throw MergeError(
        "\(method.name) has no parameter \(unknown)"
          + (names.isEmpty ? "; it has none" : "; it has \(names.joined(separator: ", "))\(guess)"))
    }
    var values: [String: [Double]] = [:]
    for parameter in method.parameters {
      guard let found = given[parameter.name] ?? parameter.defaultValue.map({ [$0] }) else {
        throw MergeError("\(method.name) needs \(parameter.name), \(parameter.range): \(parameter.meaning)")
      }
      guard found.count == 1 || (parameter.perModel && found.count == models) else {
        throw MergeError(
          "\(method.name): \(parameter.name) has \(found.count) values"
            + (parameter.perModel ? " for \(models) models: give one for all, or one each" : "; it takes one"))
      }
      if let wrong = found.first(where: { !parameter.allows($0) }) {
        throw MergeError(
          "\(method.name): \(parameter.name) is \(MergeParameter.short(wrong)); it must be \(parameter.range) "
            + "(\(parameter.meaning))")
      }
      values[parameter.name] =
        found.count == 1 && parameter.perModel ? Array(repeating: found[0], count: models) : found
    }
    self.init(all: values)
    try method.check(self)
  }

  /// Settings spelled as on the command line: `["density": "0.5,0.7", "normalize": "false"]`.
  ///
  /// - Throws: `MergeError` as `init(_:for:models:)`, and for text that is no number.
  public init(texts: [String: String], for method: MergeMethod, models: Int) throws {
    var given: [String: [Double]] = [:]
    for (name, text) in texts {
      guard let parameter = method.parameters.first(where: { $0.name == name }) else {
        given[name] = []
        continue
      }
      given[name] = try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
        let part = part.drop { $0 == " " }
        guard let value = parameter.value(of: String(part)) else {
          throw MergeError(
            "\(method.name): \(name) is \"\(text)\"; it must be \(parameter.range)"
              + (parameter.perModel ? ", or one a model with commas between" : ""))
        }
        return value
      }
    }
    try self.init(given, for: method, models: models)
  }
}
