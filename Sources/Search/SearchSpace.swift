/// What is searched: a box of numbers, each with a name.
public struct SearchSpace: Sendable, Hashable {
  public struct Dimension: Sendable, Hashable {
    public let name: String
    public let range: ClosedRange<Double>

    public init(_ name: String, _ range: ClosedRange<Double>) { (self.name, self.range) = (name, range) }
  }

  public let dimensions: [Dimension]

  public init(_ dimensions: [Dimension]) { self.dimensions = dimensions }
}
