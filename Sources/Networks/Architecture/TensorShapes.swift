/// The names of some weights with their shapes, by which a network is told.
struct TensorShapes {
  private let shapes: [String: [Int]]

  init(_ shapes: [String: [Int]]) { self.shapes = shapes }

  /// nil: there is no tensor of that name.
  subscript(name: String) -> [Int]? { shapes[name] }

  /// How many numbers in a row, from 0, complete a name: the blocks of a stage.
  func count(_ name: (Int) -> String) -> Int {
    var count = 0
    while shapes[name(count)] != nil { count += 1 }
    return count
  }

  /// The first dimension of the first of these tensors that is there: classes, for the classifier's weight.
  func rows(_ names: String...) -> Int? { names.lazy.compactMap { shapes[$0]?.first }.first }

  /// How many tensors have so many dimensions.
  func count(ofRank rank: Int) -> Int { shapes.values.count { $0.count == rank } }
}
