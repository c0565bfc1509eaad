import Datasets
import Support
import Torch

extension DataMerge {
  /// `count` places in a task's data, or all of them, spread by chance: files are often in the order of their classes.
  func examples(_ task: Int, _ count: Int) throws -> [Int] {
    let order = EpochOrder(task, seed, tasks[task].data.count)
    return Array(order.places.prefix(count)).sorted()
  }

  /// The inputs of a step's batch: `size` examples in an order by chance, over and over.
  func batch(_ task: Int, step: Int, size: Int) throws -> Tensor {
    let source = tasks[task].data
    let size = min(size, source.count)
    let perEpoch = source.count / size
    let order = EpochOrder(task, seed &+ 1 &+ UInt64(step / perEpoch), source.count)
    let places = order.places[(step % perEpoch) * size..<(step % perEpoch + 1) * size].sorted()
    return try source.inputs(at: places)
  }

  /// 0 ..< count in an order that depends on seed and task alone.
  private struct EpochOrder {
    let places: [Int]

    init(_ task: Int, _ seed: UInt64, _ count: Int) {
      var random = SplitMix64(seed, 0xDA7A, UInt64(task))
      var places = Array(0..<count)
      for place in places.indices.dropLast() { places.swapAt(place, place + random.below(count - place)) }
      self.places = places
    }
  }
}

extension ExampleSource {
  /// The inputs of the examples at `places`, in their order.
  func inputs(at places: [Int]) throws -> Tensor {
    if let first = places.first, places == Array(first..<first + places.count) {
      return try batch(first..<first + places.count).inputs
    }
    return try Tensor.concatenate(places.map { try batch($0..<$0 + 1).inputs })
  }
}
