import Foundation
import Support
import Testing

@testable import Reports
@testable import Studies

@Suite struct TableTests {
  @Test func fieldsAreQuotedAsRFC4180Asks() {
    let table = Table(
      columns: ["plain", "a,b", "_drawn"],
      rows: [
        ["x", 1.5, 9], ["say \"hi\"", 0.1, 9], ["two\r\nlines", nil, 9], ["α, β", .number(.nan), 9], [3, true, 9],
      ])
    let lines = [
      "plain,\"a,b\"", "x,1.5", "\"say \"\"hi\"\"\",0.1", "\"two\r\nlines\",", "\"α, β\",", "3,true",
    ]
    #expect(table.csv() == lines.map { $0 + "\r\n" }.joined())
  }

  @Test func numbersReadBackExactly() throws {
    var generator = SeededGenerator(state: 3)
    for _ in 0..<500 {
      let value = Double(bitPattern: generator.next())
      guard value.isFinite else { continue }
      let text = Table(columns: ["x"], rows: [[.number(value)]]).csv().split(separator: "\r\n")[1]
      #expect(Double(text) == value)
    }
  }

  @Test func numbersThatAreNotFiniteBecomeNull() throws {
    let value: JSON = ["a": .number(.infinity), "b": [.number(.nan), 1]]
    #expect(value.compact == #"{"a":null,"b":[null,1]}"#)
  }

  @Test func everyRunHasALine() throws {
    var results = Synthetic().results()
    results.runs[0].status = .failed(reason: "disk full,\nreally")
    let table = RunTable(analysis: try Analysis(results)).table
    #expect(table.rows.count == results.runs.count)
    #expect(table.csv().contains("\"failed: disk full,\nreally\""))
  }

  @Test func numbersAreShort() {
    #expect(
      [0.003, 0.3, 1.0 / 3, 1e-4, 3e-5, 1.5e-4, 0.00046875, 0, 128, 1e9, -2e-4].map { short($0) } == [
        "0.003", "0.3", "0.3333", "1e-4", "3e-5", "0.00015", "0.0004687", "0", "128", "1e+9", "-2e-4",
      ])
  }

  @Test func signsAndProbabilitiesReadAsPeopleWriteThem() {
    #expect(signed(-0.1234, digits: 2) == "−0.12")
    #expect(signed(-0.001, digits: 2) == "0.00")
    #expect(signed(0.5, digits: 1) == "+0.5")
    #expect(probability(0.00001) == "< 0.0001")
    #expect(probability(0.0123) == "= 0.012")
  }
}
