import AssignmentKernel
import Foundation
import Support
import TestSupport
import Testing
import Torch

@testable import Alignment

@Suite struct AssignmentTests {
  /// The totals of every permutation, from the least to the largest.
  private func all(_ matrix: [[Double]]) -> (least: Double, largest: Double) {
    var (least, largest) = (Double.infinity, -Double.infinity)
    func extend(_ row: Int, _ taken: Set<Int>, _ total: Double) {
      guard row < matrix.count else {
        (least, largest) = (min(least, total), max(largest, total))
        return
      }
      for column in matrix.indices where !taken.contains(column) {
        extend(row + 1, taken.union([column]), total + matrix[row][column])
      }
    }
    extend(0, [], 0)
    return (least, largest)
  }

  @Test(arguments: 1...7) func isTheBestOfAllPermutations(_ size: Int) throws {
    var random = SplitMix64(UInt64(size))
    for trial in 0..<(size < 7 ? 20 : 3) {
      // Every other matrix has many equal elements.
      let matrix = (0..<size).map { _ in
        (0..<size).map { _ in trial % 2 == 0 ? Double(random.uniform(-1, 1)) : Double(random.below(3)) }
      }
      let expected = all(matrix)
      let tensor = try Tensor(matrix.flatMap { $0 }, shape: [size, size])
      #expect(abs(try Assignment(of: tensor).total - expected.least) < 1e-12)
      #expect(abs(try Assignment(of: tensor, largest: true).total - expected.largest) < 1e-12)
    }
  }

  @Test func everySetOfInstructionsFindsWhatSciPyFinds() throws {
    let fixture = try Fixture("alignment")
    let keys = fixture.metadata.keys.filter { $0.hasPrefix("assignment/") }.sorted()
    #expect(keys.count == 28)
    for key in keys {
      let totals: [Double] = try fixture.setting(key)
      let matrix = try fixture[key]
      let (elements, size) = (try matrix.array(Double.self), matrix.shape[0])
      for (largest, expected) in [(false, totals[0]), (true, totals[1])] {
        let assignment = try Assignment(of: matrix, largest: largest)
        #expect(Set(assignment.columns).count == size)
        #expect(abs(assignment.total - expected) <= 1e-12 * max(1, abs(expected)), "\(key)")
        for set in 0..<3 {
          var columns = [Int32](repeating: -1, count: size)
          let code = va_assign_with(Int32(set), elements, size, largest, &columns)
          guard code >= 0 else { continue }
          let total = columns.enumerated().reduce(0) { $0 + elements[$1.offset * size + Int($1.element)] }
          #expect(Set(columns).count == size && abs(total - expected) <= 1e-12 * max(1, abs(expected)), "\(key) \(set)")
        }
      }
    }
  }

  @Test func ofOneValueAnyPermutationIsGood() throws {
    for value in [0.0, -3, 1e200] {
      let assignment = try Assignment(of: .full([50, 50], value, dtype: .float64), largest: true)
      #expect(Set(assignment.columns) == Set(0..<50))
      #expect(abs(assignment.total - 50 * value) <= 1e-12 * abs(50 * value))
    }
    #expect(try Assignment(of: .zeros([0, 0])).columns.isEmpty)
  }

  @Test func whatIsNoProblemIsRefused() throws {
    for value in [Double.nan, .infinity, 1e307] {
      var elements = [Double](repeating: 1, count: 9)
      elements[8] = value
      let error = #expect(throws: AlignmentError.self) { try Assignment(of: Tensor(elements, shape: [3, 3])) }
      #expect(error?.description.contains("needs finite numbers; the matrix [3, 3] float64 has others") == true)
    }
    let error = #expect(throws: AlignmentError.self) { try Assignment(of: .zeros([2, 3])) }
    #expect(error?.description == "an assignment needs a square matrix; this one is [2, 3] float32")
  }
}
