import Foundation
import MergeKernels

/// Elements in working precision: a part of a tensor in a thread's own memory, and the arithmetic on it.
struct Vector {
  /// The right to use a slot of the workspace, until somebody asks for the slot again.
  final class Lease {
    var isOver = false
  }

  private var start: UnsafeMutableRawPointer
  private(set) var count: Int
  let kernels: UnsafePointer<VMKernels>
  #if DEBUG
    private let lease: Lease?
  #endif

  /// - Parameter lease: who may use the memory and for how long; nil where the caller sees to that.
  init(
    elements: UnsafeMutableRawPointer, count: Int, kernels: UnsafePointer<VMKernels>, lease: Lease? = nil
  ) {
    (start, self.count, self.kernels) = (elements, count, kernels)
    #if DEBUG
      self.lease = lease
    #endif
  }

  /// Where the elements are. In debug builds, using a vector after its slot was taken again stops the program.
  var elements: UnsafeMutableRawPointer {
    #if DEBUG
      assert(lease?.isOver != true, "this vector's slot of the workspace has been taken again")
    #endif
    return start
  }

  /// The kernels for the widest registers of this processor.
  static func kernels(wide: Bool) -> UnsafePointer<VMKernels> {
    for set in (1..<Int32(VMInstructionSets)).reversed() {
      if let found = vm_kernels(wide, set) { return found }
    }
    // The plain kernels run everywhere.
    return vm_kernels(wide, 0).unsafelyUnwrapped
  }

  /// The elements at `range`, sharing memory.
  subscript(range: Range<Int>) -> Vector {
    var part = self
    (part.start, part.count) = (start + range.lowerBound * kernels.pointee.width, range.count)
    return part
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
