/// A data file, a download or a request for data that is wrong, and what to do about it.
public struct DatasetError: Error, CustomStringConvertible, Hashable, Sendable {
  /// The file, folder or address concerned.
  public var file: String?
  /// The offset in `file` of the first wrong byte, counted from 0.
  public var byte: Int?
  /// What was found and what was expected.
  public var problem: String
  /// What to do about it.
  public var remedy: String?

  /// An error about `file`, if it concerns one, and the place in it.
  public init(file: String? = nil, byte: Int? = nil, _ problem: String, remedy: String? = nil) {
    self.file = file
    self.byte = byte
    self.problem = problem
    self.remedy = remedy
  }

  /// "FILE: byte N: problem; remedy", without the parts that there are not.
  public var description: String {
    var text = file.map { "\($0): " } ?? ""
    if let byte { text += "byte \(byte): " }
    text += problem
    if let remedy { text += "; \(remedy)" }
    return text
  }
}
