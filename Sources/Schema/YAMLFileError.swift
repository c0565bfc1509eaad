/// A YAML file that cannot be used, with everything that is wrong with it.
public struct YAMLFileError: Error, CustomStringConvertible, Sendable {
  /// As it was named when it was read.
  public let file: String
  /// Everything that is wrong, in the order of the file.
  public let problems: [YAMLProblem]

  package init(file: String, problems: [YAMLProblem]) { (self.file, self.problems) = (file, problems) }

  /// One `file:line:column: key: message` for each problem, as compilers print them.
  public var description: String {
    problems.map {
      ($0.place == .outside ? "" : "\(file):\($0.line):\($0.column): ")
        + "\($0.keyPath.isEmpty ? "" : "\($0.keyPath): ")\($0.message)"
    }.joined(separator: "\n")
  }
}
