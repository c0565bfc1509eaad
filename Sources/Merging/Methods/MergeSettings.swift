/// Values for all parameters of one method, checked against its declaration.
public struct MergeSettings: Sendable, Hashable {
  /// Every value by name, one or one for each model. A flag is 1 for true and 0 for false, a choice its word's place.
  public let all: [String: [Double]]

  init(all: [String: [Double]]) { self.all = all }

  /// The values of a parameter that may differ between models, one for each.
  ///
  /// - Throws: `MergeError` for a name that the method does not declare.
  public func numbers(_ name: String) throws -> [Double] {
    guard let found = all[name] else { throw MergeError("the method does not declare a parameter \(name)") }
    return found
  }

  /// The value of a parameter that has one.
  ///
  /// - Throws: `MergeError` for a name that the method does not declare.
  public func number(_ name: String) throws -> Double { try numbers(name)[0] }

  /// Whether a flag is set.
  ///
  /// - Throws: `MergeError` for a name that the method does not declare.
  public func flag(_ name: String) throws -> Bool { try number(name) == 1 }
}
