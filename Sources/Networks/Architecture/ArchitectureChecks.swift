// What several networks check about their options and their input.
extension Architecture {
  /// Pictures of at least so many pixels a side.
  func requirePixels(_ least: Int, in input: InputShape) throws -> [Problem] {
    let (_, height, width) = try input.picture()
    let size = min(height, width)
    let message = "is \(name.rawValue), which needs pictures of at least \(least) pixels; these have \(size)"
    return size < least ? [Problem(key: "name", message: message)] : []
  }

  /// Square pictures that the patches divide.
  func requirePatches(in input: InputShape) throws -> [Problem] {
    let (_, height, width) = try input.picture()
    let patch = try value(.patch, \.integer)
    guard height == width else {
      return [Problem(key: "name", message: "is \(name.rawValue), which needs square pictures; these are \(input)")]
    }
    return height % patch == 0
      ? [] : [Problem(key: "patch", message: "is \(patch), which does not divide the pictures' \(height) pixels")]
  }

  /// Heads that divide the width.
  func requireHeads() throws -> [Problem] {
    let (width, heads) = (try value(.width, \.integer), try value(.heads, \.integer))
    return width % heads == 0
      ? [] : [Problem(key: "heads", message: "is \(heads), which does not divide the width \(width)")]
  }
}
