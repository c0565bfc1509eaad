import Schema

/// What is measured of the loss around and between the endpoints of a branch point. What is nil or false is not
/// measured.
public struct LandscapeChoice: Codable, Hashable, Sendable {
  /// Branch points whose landscape is measured.
  public enum At: String, Codable, CaseIterable, Sendable { case last, all }

  /// How a pair's second endpoint is permuted onto its first before the path between them is measured a second time.
  public enum Alignment: String, Codable, CaseIterable, Sendable { case weight, activation }

  /// Which branch points.
  public var at: At
  /// The first so many training examples, and test examples, are what is measured on; nil: all.
  public var examples: Int?
  /// Points along the straight line between the endpoints of every pair, the ends included.
  public var path: Int?
  /// How many of the Hessian's largest eigenvalues are found at the first endpoint, of the training loss.
  public var curvature: Int?
  /// Whether the penultimate activations of every pair are compared.
  public var similarity: Bool?
  /// Points a side of the plane through the trunk and the first two endpoints.
  public var plane: Int?
  /// nil: paths are measured between endpoints as they were trained only.
  public var align: Alignment?

  /// By default nothing, at the last branch point.
  public init(
    at: At = .last, examples: Int? = nil, path: Int? = nil, curvature: Int? = nil, similarity: Bool? = nil,
    plane: Int? = nil, align: Alignment? = nil
  ) {
    (self.at, self.examples, self.path, self.curvature) = (at, examples, path, curvature)
    (self.similarity, self.plane, self.align) = (similarity, plane, align)
  }
}

extension LandscapeChoice {
  static let section = Section(LandscapeChoice()) {
    Key("at", \.at, .choice, "the branch points that are measured")
    Key(
      "examples", \.examples, .integer(.atLeast(2, upTo: ConfigurationCheck.most)), words: "all",
      "how many training examples, and test examples, to measure on: the first ones")
    Key(
      "path", \.path, .integer(.within(3...1001)), unit: "points",
      "how finely to measure the line between the endpoints of every pair, ends included")
    Key(
      "curvature", \.curvature, .integer(.within(1...64)),
      "how many of the Hessian's largest eigenvalues to find at the first endpoint")
    Key(
      "similarity", \.similarity, .flag, words: "false",
      "whether to compare the penultimate activations of every pair by CKA")
    Key(
      "plane", \.plane, .integer(.within(3...201)), unit: "points a side",
      "how finely to measure the plane through the trunk and the first two endpoints")
    Key(
      "align", \.align, .choice,
      "how to permute the second endpoint of a pair onto the first before its path is measured a second time")
  }

  func check(_ check: inout ConfigurationCheck, hasTasks: Bool) {
    let path = "measure.landscape"
    check.require(
      self.path ?? curvature ?? plane != nil || similarity == true, path,
      "measures nothing; expected some of path, curvature, similarity and plane")
    check.require(!hasTasks, path, "is not for runs with tasks, whose endpoints have heads of their own")
    check.require(align == nil || self.path != nil, "\(path).align", "is about paths; set `path` too")
  }
}
