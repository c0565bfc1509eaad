import Foundation

/// Checks that pictures can be decoded on this machine.
public enum PictureSelfTest {
  /// Decodes a JPEG and a PNG of a few bytes.
  ///
  /// - Throws: `DatasetError` when one of them does not decode to the grey that it holds.
  public static func run() throws {
    let decoder = PictureDecoder()
    for (name, text) in [("a JPEG", jpeg), ("a PNG", png)] {
      let picture = try decoder.decode([UInt8](Data(base64Encoded: text) ?? Data()), file: name)
      guard picture.height == 8, picture.width == 8, picture.pixels.allSatisfy({ abs(Int($0) - 100) < 3 }) else {
        throw DatasetError("\(name) of 8 × 8 grey pixels was decoded to something else")
      }
    }
  }

  private static let jpeg = """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PT\
    gyPC4zNDL/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8ADf/Z
    """

  private static let png = """
    iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEElEQVR42mNMYYAAJgaKGAAeRAB0dpKPgAAAAABJRU5ErkJggg==
    """
}
