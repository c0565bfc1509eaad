/// What the workbench cannot do.
///
/// Names of settings stand in backticks, as they are in Swift or in a study's file: `batchNorm`, `model.name`. A
/// program whose users know them by other names, such as options on a command line, can replace them.
public struct WorkbenchError: Error, CustomStringConvertible, Hashable, Sendable {
  /// What cannot be done, why, and how to mend it.
  public let description: String
  /// An error in these words.
  public init(_ description: String) { self.description = description }

  /// - Throws: `WorkbenchError` that names the setting, its value and the range, unless the value lies in it.
  static func require(_ setting: String, _ value: Int, in range: ClosedRange<Int>) throws {
    guard range.contains(value) else {
      let expected =
        range.upperBound == .max ? "\(range.lowerBound) or more" : "\(range.lowerBound) … \(range.upperBound)"
      throw WorkbenchError("`\(setting)` is \(value); expected \(expected)")
    }
  }

  /// - Throws: `WorkbenchError` unless the value is finite and above 0.
  static func requirePositive(_ setting: String, _ value: Double) throws {
    guard value > 0, value.isFinite else {
      throw WorkbenchError("`\(setting)` is \(value); expected a number above 0")
    }
  }
}
