import TestSupport
import Testing

@testable import Torch

@Suite struct TensorTests {
  @Test func arithmeticBroadcasts() throws {
    let a = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    let b = try Tensor([10, 20, 30] as [Float])
    #expect(try (a + b).array(Float.self) == [11, 22, 33, 14, 25, 36])
    #expect(try (2 * a - 1).array(Float.self) == [1, 3, 5, 7, 9, 11])
    #expect(try (6 / a).array(Double.self)[2] == 2)
    #expect(try a.less(4).and(a.greater(1)).array(Bool.self) == [false, true, true, false, false, false])
  }

  @Test func integersStayIntegersBesideIntegers() throws {
    let a = try Tensor([3, 1 << 60] as [Int64])
    #expect(try (2 * a - 1).array(Int64.self) == [5, 1 << 61 - 1])
    #expect(try a.remainder(2).dtype == .int64)
    #expect(try a.clone().addInPlace(1).equals(1 << 60 + 1).array(Bool.self) == [false, true])
    #expect(try (a * 0.5).array(Double.self) == [1.5, 0x1p59])
  }

  @Test func whatLiesInAFileIsATensorOnceItIsUsed() async throws {
    let values = (0..<6).map(Float.init)
    let owner = Memory(values)
    func borrowed(_ shape: [Int]) throws -> Tensor {
      try Tensor(borrowing: UnsafeRawBufferPointer(owner.memory), dtype: .float32, shape: shape, owner: owner)
    }
    let tensor = try borrowed([2, 3])
    func describe(_ tensor: Tensor) throws -> String {
      let bytes = try tensor.withUnsafeBytes { Array($0) }
      return try
        "\(tensor.shapeDescription) \(tensor.rank) \(tensor.count) \(tensor.size(-1)) \(tensor.isContiguous()) "
        + "\(tensor.device) \(tensor.requiresGradient) \(bytes)"
    }
    let before = try describe(tensor)
    #expect(tensor.reference.unmade != nil)
    #expect(failure(of: TorchError.self) { try tensor.size(2) } == "size([2, 3] float32): no dimension 2")
    // Many tasks are the first to use it, and yet there is only one tensor.
    let handles = await withTaskGroup(of: UInt.self) { group in
      for _ in 0..<16 { group.addTask { UInt(bitPattern: tensor.reference.handle) } }
      return await group.reduce(into: Set<UInt>()) { $0.insert($1) }
    }
    #expect(handles.count == 1 && tensor.reference.unmade == nil)
    #expect(try describe(tensor) == before)
    #expect(tensor.strides == [3, 1])
    #expect(try (tensor + 1).array(Float.self) == values.map { $0 + 1 })
    // Their strides overflow, although they hold nothing.
    for shape in [[0, .max], [0, 1 << 40, 1 << 40]] {
      let words = failure(of: TorchError.self) {
        try Tensor(borrowing: UnsafeRawBufferPointer(start: nil, count: 0), dtype: .float32, shape: shape, owner: owner)
      }
      #expect(words == "Tensor: \(shape) is not a shape")
    }
  }

  /// Elements that do not belong to a tensor.
  private final class Memory: @unchecked Sendable {
    let memory: UnsafeMutableRawBufferPointer
    init(_ values: [Float]) {
      memory = .allocate(byteCount: values.count * 4, alignment: 16)
      values.withUnsafeBytes { memory.copyMemory(from: $0) }
    }
    deinit { memory.deallocate() }
  }

  @Test func wrongShapesNameTheOperatorAndTheShapes() throws {
    let a = try Tensor.zeros([2, 3]), b = try Tensor.zeros([4])
    #expect {
      _ = try a + b
    } throws: { error in
      let text = String(describing: error)
      return text.contains("aten::add") && text.contains("[2, 3] float32") && text.contains("[4] float32")
    }
    func expect(_ words: String..., from body: () throws -> some Any) {
      let text = failure(of: TorchError.self, body)
      #expect(words.allSatisfy(text.contains), "\(text)")
    }
    expect("aten::matmul([2, 3] float32, [4] float32)") { try a.matmul(b) }
    expect("aten::reshape([2, 3] float32)", "[5]") { try a.reshape([5]) }
    expect("item([2, 3] float32)") { try a.item() }
    expect("size([2, 3] float32): no dimension 2") { try a.size(2) }
    expect("3 elements do not fill the shape [2]") { try Tensor([1, 2, 3] as [Float], shape: [2]) }
    expect("[-1] is not a shape") { try Tensor([1] as [Float], shape: [-1]) }
    expect("aten::zeros") { try Tensor.zeros([1 << 60]) }
    expect("aten::no_such_operator") { try call("aten::no_such_operator", a) }
  }

  @Test(arguments: DType.allCases) func everyTypeRoundTrips(_ dtype: DType) throws {
    let ones = try Tensor.ones([3], dtype: dtype)
    #expect(ones.dtype == dtype)
    #expect(try ones.withUnsafeBytes(\.count) == 3 * dtype.byteCount)
    #expect(try ones.array(Double.self) == [1, 1, 1])
    #expect(DType(name: dtype.description) == dtype)
  }

  @Test func viewsShareAndClonesDoNot() throws {
    let a = try Tensor.zeros([2, 4])
    try a[1].fill(1)
    #expect(try a.sum().item() == 4)
    let copy = try a.clone()
    try copy.zero()
    #expect(try a.sum().item() == 4)
    #expect(try a.transpose().shape == [4, 2])
    #expect(try a.slice(1, 1..<4, step: 2).shape == [2, 2])
    #expect(try Tensor.concatenate([a, a], dimension: 1).shape == [2, 8])
    #expect(try a.index([Tensor([1, 1] as [Int64]), Tensor([0, 3] as [Int64])]).array(Float.self) == [1, 1])
  }

  @Test func channelsLastChangesTheStridesAlone() throws {
    let a = try Tensor.range(2 * 3 * 4 * 5, dtype: .float32).reshape([2, 3, 4, 5])
    let b = try a.contiguous(.channelsLast)
    #expect(b.strides == [60, 1, 15, 3])
    #expect(b.isContiguous(.channelsLast) && !b.isContiguous())
    #expect(try a.isIdentical(to: b))
  }

  @Test func borrowedMemoryLivesAsLongAsTheTensor() throws {
    final class Owner {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 16)
      let onDeath: () -> Void
      init(_ onDeath: @escaping () -> Void) {
        memory.copyBytes(from: [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0])
        self.onDeath = onDeath
      }
      deinit {
        memory.deallocate()
        onDeath()
      }
    }
    nonisolated(unsafe) var dead = false
    var owner: Owner? = Owner { dead = true }
    var tensor: Tensor? = try Tensor(
      borrowing: UnsafeRawBufferPointer(owner!.memory), dtype: .int32, shape: [4], owner: owner!)
    owner = nil
    #expect(!dead)
    #expect(try tensor?.array(Int32.self) == [1, 2, 3, 4])
    tensor = nil
    #expect(dead)
  }

  @Test func generatorsResumeWhereTheyWereSaved() throws {
    let generator = try Generator(seed: 7)
    let first = try Tensor.normal([5], generator: generator)
    let state = try generator.state()
    let second = try Tensor.uniform([5], generator: generator)
    let order = try Tensor.permutation(100, generator: generator)
    try generator.restore(state)
    #expect(try Tensor.uniform([5], generator: generator).isIdentical(to: second))
    #expect(try Tensor.permutation(100, generator: generator).isIdentical(to: order))
    try generator.reseed(7)
    #expect(try Tensor.normal([5], generator: generator).isIdentical(to: first))
  }

  @Test func autocastAppliesInsideItsScopeOnly() throws {
    let a = try Tensor.ones([4, 4])
    #expect(try withAutocast(.bfloat16) { try a.matmul(a).dtype } == .bfloat16)
    #expect(try withAutocast(nil) { try a.matmul(a).dtype } == .float32)
    #expect(try a.matmul(a).dtype == .float32)
  }

  @Test func threadCountIsSetAndRead() {
    let former = Libtorch.threads
    defer { Libtorch.setThreads(former) }
    Libtorch.setThreads(1)
    #expect(Libtorch.threads == 1)
  }

  @Test func devicesThatAreNotThereAreRefused() {
    #expect(failure(of: TorchError.self) { try Device("cuda:99") }.contains("there is no cuda:99: "))
    #expect(
      failure(of: TorchError.self) { try Device("tpu") } == "device: 'tpu' is not a device; use cpu, cuda or cuda:N")
    #expect((try? Device("cpu")) == .cpu)
  }
}

@Suite struct AutogradTests {
  @Test func backwardAccumulates() throws {
    let x = try Tensor([3] as [Double])
    try x.setRequiresGradient(true)
    for expected in [6.0, 12.0] {
      try x.square().sum().backward()
      #expect(try x.gradient()?.item() == expected)
    }
    try x.setGradient(nil)
    #expect(try x.gradient() == nil)
    #expect(try withoutGradients { try x.square().requiresGradient } == false)
    #expect(try x.square().requiresGradient)
  }

  /// f = Σ xᵢ³: the Hessian is diag(6x), so Hv = 6xv.
  @Test func hessianVectorProductByDoubleBackward() throws {
    let x = try Tensor([1, 2, 3] as [Double]), v = try Tensor([1, -1, 2] as [Double])
    try x.setRequiresGradient(true)
    let gradient = try gradients(of: x.power(3).sum(), withRespectTo: [x], createGraph: true)[0]
    let product = try gradients(of: gradient, withRespectTo: [x], outputGradient: v)[0]
    #expect(try product.array(Double.self) == [6, -12, 36])
  }

  @Test func anInputTheOutputDoesNotDependOnIsAnError() throws {
    let x = try Tensor.ones([2]), y = try Tensor.ones([2])
    try x.setRequiresGradient(true)
    try y.setRequiresGradient(true)
    let words = failure(of: TorchError.self) { try gradients(of: x.sum(), withRespectTo: [y]) }
    #expect(words.contains("gradients([] float32)") && words.contains("not have been used in the graph"), "\(words)")
  }
}

@Suite(.serialized) struct ResourceTests {
  @Test func manyOperationsDoNotLeak() throws {
    let a = try Tensor.ones([64, 64])
    func work(_ count: Int) throws {
      for _ in 0..<count / 4 {
        let b = try a + a
        _ = try b.split(16)
        _ = try? b.reshape([7])
        _ = try b.sorted(0)
      }
    }
    let limit = 2 << 20
    let growths = try growths(limit: limit) { try work(25_000) }
    #expect(growths.contains { $0 < limit }, "bytes left behind by each 25,000 operations: \(growths)")
  }

  @Test func oneTensorServesManyTasks() async throws {
    let shared = try Tensor.range(1000, dtype: .float64)
    let sums = try await withThrowingTaskGroup(of: Double.self) { group in
      for task in 0..<8 {
        group.addTask {
          var total = 0.0
          for _ in 0..<200 { total += try withoutGradients { try (shared * Double(task)).sum().item() } }
          return total
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(sums == 200 * 28 * 499_500)
  }
}
