import Foundation
import TestSupport
import Testing

@testable import Support

@Suite struct RowFileTests {
  struct Row: Codable, Equatable { var step: Int, loss: Double }

  @Test func rowsComeBack() throws {
    let scratch = try Scratch()
    let url = scratch.url("rows.jsonl")
    let file = try RowFile(url)
    for step in 0..<3 { try file.append(Row(step: step, loss: step == 2 ? .infinity : 0.5)) }
    try file.synchronise()
    #expect(
      try String(contentsOf: url, encoding: .utf8).hasPrefix("{\"loss\":0.5,\"step\":0}\n{\"loss\":0.5,\"step\":1}\n"))
    let rows = try RowFile.rows(Row.self, in: url)
    #expect(rows.map(\.step) == [0, 1, 2])
    #expect(rows[2].loss == .infinity)
    #expect(try RowFile.rows(Row.self, in: scratch.url("none")).isEmpty)
  }

  @Test func tornLastLineIsDropped() throws {
    let scratch = try Scratch()
    let url = scratch.url("rows.jsonl")
    try Data("{\"loss\":1,\"step\":0}\n{\"loss\":1,\"st".utf8).write(to: url)
    #expect(try RowFile.rows(Row.self, in: url).count == 1)
    let file = try RowFile(url)
    #expect(file.length == 20)
    try file.append(Row(step: 1, loss: 2))
    #expect(try RowFile.rows(Row.self, in: url).map(\.step) == [0, 1])
    try Data("torn".utf8).write(to: url)
    #expect(try RowFile(url).length == 0)
  }

  @Test func truncationGivesTheSameBytes() throws {
    let scratch = try Scratch()
    let file = try RowFile(scratch.url("rows.jsonl"))
    try file.append(Row(step: 0, loss: 1))
    let recorded = file.length
    for step in 1..<5 { try file.append(Row(step: step, loss: 1)) }
    let whole = try Data(contentsOf: file.url)
    try file.truncate(to: recorded)
    for step in 1..<5 { try file.append(Row(step: step, loss: 1)) }
    #expect(try Data(contentsOf: file.url) == whole)
    for length in [whole.count + 1, recorded - 1] {
      #expect(
        failure(of: FileError.self) { try file.truncate(to: length) }
          == "\(file.url.path): has \(whole.count) bytes and cannot be cut to the \(length) its checkpoint recorded; "
          + "the file was changed by hand")
    }
    #expect(file.length == whole.count)
  }

  @Test func aBadLineIsNamed() throws {
    let scratch = try Scratch()
    let url = scratch.url("rows.jsonl")
    try Data("{\"loss\":1,\"step\":0}\n{\"loss\":1}\n".utf8).write(to: url)
    let error = try #require(throws: FileError.self) { try RowFile.rows(Row.self, in: url) }
    #expect(error.description.contains("rows.jsonl: line 2 is not a Row: the key step is missing"))
  }

  #if os(Linux)
    @Test func fullDiskIsNamed() throws {
      let file = try RowFile(URL(fileURLWithPath: "/dev/full"))
      let error = try #require(throws: FileError.self) { try file.append(Row(step: 0, loss: 1)) }
      #expect(error.description.contains("cannot write /dev/full: No space left on device; free some space"))
      #expect(file.length == 0)
    }
  #endif
}
