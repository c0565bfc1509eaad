import Foundation
import MergeKernels

/// Elements in working precision: a part of a tensor in a thread's own memory, and the arithmetic on it.
struct Vector {
  let elements: UnsafeMutableRawPointer
  let count: Int
  let kernels: UnsafePointer<VMKernels>

  /// Kernels of the widest registers that this processor has.
  static func kernels(wide: Bool) -> UnsafePointer<VMKernels> {
    for set in (1..<Int32(VMInstructionSets)).reversed() {
      if let found = vm_kernels(wide, set) { return found }
    }
    // The plain kernels run everywhere.
    return vm_kernels(wide, 0).unsafelyUnwrapped
  }

  /// The elements at `range`, sharing memory.
  subscript(range: Range<Int>) -> Vector {
    Vector(elements: elements + range.lowerBound * kernels.pointee.width, count: range.count, kernels: kernels)
  }

  func clear() { memset(elements, 0, count * kernels.pointee.width) }

  func copy(_ x: Vector) { memcpy(elements, x.elements, count * kernels.pointee.width) }

  /// Takes stored elements.
  func load(_ stored: UnsafeRawPointer, _ type: Int32) { kernels.pointee.load(type, stored, elements, count) }

  /// Rounds to the stored type; false where an element is not finite.
  func store(_ stored: UnsafeMutableRawPointer, _ type: Int32) -> Bool {
    kernels.pointee.store(type, elements, stored, count)
  }

  func scale(by factor: Double) { if factor != 1 { kernels.pointee.scale(elements, factor, count) } }

  func add(_ x: Vector, scale: Double = 1) { kernels.pointee.add(elements, x.elements, scale, count) }

  func subtract(_ x: Vector) { kernels.pointee.subtract(elements, x.elements, count) }

  func dot(_ x: Vector) -> Double { kernels.pointee.dot(elements, x.elements, count) }

  /// Σ |x|
  var absoluteSum: Double { kernels.pointee.absoluteSum(elements, count) }
}
