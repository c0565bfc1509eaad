/// What is wrong with a data file, a download or a request for data, and how to mend it.
public struct DatasetError: Error, CustomStringConvertible, Hashable, Sendable {
  /// The file, folder or address concerned.
  public var file: String?
  /// The offset in `file` of the first wrong byte, counted from 0.
  public var byte: Int?
  /// What was found and what was expected.
  public var problem: String
  /// What to do about it.
  public var remedy: String?

  public init(file: String? = nil, byte: Int? = nil, _ problem: String, remedy: String? = nil) {
    self.file = file
    self.byte = byte
    self.problem = problem
    self.remedy = remedy
  }

  public var description: String {
    var text = file.map { "\($0): " } ?? ""
    if let byte { text += "byte \(byte): " }
    text += problem
    if let remedy { text += "; \(remedy)" }
    return text
  }
}
