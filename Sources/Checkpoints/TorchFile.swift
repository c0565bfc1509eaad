import Foundation
import Support
import Torch
import Weights

/// Files of `torch.save`: the zip archives of PyTorch 1.6 and later, and the pickles of earlier versions.
///
/// Nothing in a file is executed; see `Unpickler`. Tensors that are contiguous in the file stay in a private mapping of
/// it.
enum TorchFile {
  struct Content {
    /// The tensors of the only dictionary that has any, or of the `part` asked for.
    var weights: Weights
    /// What was chosen or left out, in one sentence each.
    var notes: [String]
  }

  static func isTorch(_ mapping: MappedFile) -> Bool {
    ZipArchive.isZip(mapping.bytes) || mapping.starts(with: [0x80, 0x02]) || mapping.starts(with: [0x80, 0x03])
      || mapping.starts(with: [0x80, 0x04]) || mapping.starts(with: [0x80, 0x05])
  }

  /// - Parameter part: the path of a dictionary inside, with its keys joined by dots, such as `state_dict`; nil: the
  ///   obvious one
  static func read(_ mapping: MappedFile, part: String? = nil) throws -> Content {
    let path = mapping.path
    do {
      let file = try ZipArchive.isZip(mapping.bytes) ? zip(mapping) : legacy(mapping)
      return try withExtendedLifetime(file.unpickler) {
        let found = try StateDictionary.find(in: file.value, part: part)
        var tensors = TensorMaker(mapping: mapping, storages: file.storages)
        var notes = found.notes
        let entries = try found.tensors.map { name, tensor in (name, try tensors.make(tensor, named: name)) }
        if let note = tensors.note { notes.append(note) }
        return Content(weights: Weights(entries), notes: notes)
      }
    } catch let error as ZipArchive.Failure {
      throw FileError(path, error.message)
    } catch let error as Unpickler.Failure {
      throw FileError(path, "its pickle is refused at byte \(error.offset): \(error.message)")
    } catch let error as StateDictionary.Failure {
      throw FileError(path, error.message)
    } catch let error as Defect {
      throw FileError(path, error.message)
    }
  }

  struct Defect: Error { var message: String }

  /// The pickled value, its reader (which must outlive it), and where the bytes of the storages are.
  private struct Unpickled {
    let value: PickleValue
    let unpickler: Unpickler
    let storages: [String: Range<Int>]
  }

  private static func zip(_ mapping: MappedFile) throws -> Unpickled {
    let archive = try ZipArchive(mapping.bytes)
    // Everything is in one folder, which is named after the file.
    guard let pickle = archive.entries.first(where: { $0.name == "data.pkl" || $0.name.hasSuffix("/data.pkl") }) else {
      let names = archive.entries.prefix(3).map(\.name).joined(separator: ", ")
      throw Defect(
        message: "is a zip archive but not a file of torch.save: it has no data.pkl (its first entries: \(names))")
    }
    let folder = String(pickle.name.dropLast("data.pkl".count))
    if archive.entries.contains(where: { $0.name == folder + "constants.pkl" }) {
      throw Defect(
        message: "is a TorchScript program; save its weights instead: torch.save(torch.jit.load(…).state_dict(), …)")
    }
    var ranges: [String: Range<Int>] = [:]
    for entry in archive.entries where entry.name.hasPrefix(folder) {
      guard !entry.isCompressed else {
        throw Defect(
          message:
            "\(entry.name) is compressed, which torch.save never does; unpack the archive and pack it again with "
            + "`zip -0`")
      }
      guard ranges.updateValue(entry.range, forKey: entry.name) == nil else {
        throw Defect(message: "is damaged: it has two entries named \(entry.name)")
      }
    }
    if let order = ranges[folder + "byteorder"], mapping.bytes[order].elementsEqual("big".utf8) {
      throw Defect(message: "was written on a big-endian machine; load it in PyTorch and save it again")
    }
    let unpickler = Unpickler(UnsafeRawBufferPointer(rebasing: mapping.bytes[pickle.range]))
    let value: PickleValue
    do {
      value = try unpickler.read()
    } catch {
      throw Unpickler.Failure(offset: pickle.range.lowerBound + error.offset, message: error.message)
    }
    var storages: [String: Range<Int>] = [:]
    for key in unpickler.storages.keys { storages[key] = ranges["\(folder)data/\(key)"] }
    return Unpickled(value: value, unpickler: unpickler, storages: storages)
  }

  private static func legacy(_ mapping: MappedFile) throws -> Unpickled {
    let bytes = mapping.bytes
    let unpickler = Unpickler(bytes)
    // torch.save writes the number 0x1950a86a20f9469cfc6c, a version, and facts about the machine before the object.
    guard case .opaque("int") = try unpickler.read(), try unpickler.read().integer == 1001 else {
      throw Defect(message: "is a pickle but not a file of torch.save")
    }
    if case .container(let machine) = try unpickler.read() {
      for (key, value) in machine.entries where key == "little_endian" {
        if case .bool(false) = value {
          throw Defect(message: "was written on a big-endian machine; load it in PyTorch and save it again")
        }
      }
    }
    let value = try unpickler.read()
    guard let keys = try unpickler.read().elements?.compactMap({ $0.text ?? $0.integer.map(String.init) }) else {
      throw Defect(message: "is damaged: the list of its storages is missing")
    }
    var storages: [String: Range<Int>] = [:]
    var position = unpickler.position
    for key in keys {
      guard let storage = unpickler.storages[key] else {
        throw Defect(message: "is damaged: storage \(key) belongs to no tensor")
      }
      // The number of elements, then the elements.
      guard position <= bytes.count - 8 else { throw Defect(message: "is cut off before storage \(key)") }
      let count = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int64.self))
      position += 8
      let (size, overflow) = Int(count).multipliedReportingOverflow(by: storage.dtype?.byteCount ?? 1)
      guard count == storage.count, !overflow, size <= bytes.count - position else {
        throw Defect(
          message:
            "is cut off or damaged at storage \(key): it has \(storage.count) elements, the file \(count) or fewer")
      }
      storages[key] = position..<(position + size)
      position += size
    }
    return Unpickled(value: value, unpickler: unpickler, storages: storages)
  }
}

/// Makes tensors from the views that a pickle describes, and copies as little as possible.
private struct TensorMaker {
  let mapping: MappedFile
  let storages: [String: Range<Int>]
  /// The byte up to which each storage is viewed by the tensors made so far. Tensors that view the same bytes again are
  /// copies, because weights are independent of each other here.
  private var used: [String: Int] = [:]
  /// How many bytes may still be copied. The views of a hostile file could take any number.
  private var allowance: Int
  private var shared = 0

  init(mapping: MappedFile, storages: [String: Range<Int>]) {
    (self.mapping, self.storages) = (mapping, storages)
    allowance = 4 * mapping.bytes.count + 64 << 20
  }

  var note: String? {
    shared == 0 ? nil : "\(shared) \(shared == 1 ? "tensor shares its" : "tensors share their") bytes with others there"
  }

  mutating func make(_ tensor: TorchTensor, named name: String) throws -> Tensor {
    let size = tensor.dtype.byteCount
    guard let range = storages[tensor.storage.key] else {
      throw TorchFile.Defect(message: "\(name): the bytes of its storage \(tensor.storage.key) are not in the file")
    }
    let view = "\(tensor.shape) \(tensor.dtype) with strides \(tensor.strides) from element \(tensor.offset)"
    // The number of elements, and the number from the first one viewed to the last.
    func product(_ a: Int, _ b: Int) throws -> Int {
      let (result, overflow) = a.multipliedReportingOverflow(by: b)
      guard !overflow else { throw TorchFile.Defect(message: "\(name): \(view) is impossibly large") }
      return result
    }
    var count = 1
    var span = 1
    for (length, stride) in zip(tensor.shape, tensor.strides) {
      count = try product(count, max(length, 1))
      let reach = try product(max(length, 1) - 1, stride)
      guard reach <= Int.max / 16 - span else {
        throw TorchFile.Defect(message: "\(name): \(view) is impossibly large")
      }
      span += reach
    }
    guard count <= Int.max / 16, tensor.offset <= Int.max / 16 else {
      throw TorchFile.Defect(message: "\(name): \(view) is impossibly large")
    }
    let isEmpty = tensor.shape.contains(0)
    guard isEmpty || (tensor.offset + span) * size <= range.count else {
      throw TorchFile.Defect(
        message: "\(name): \(view) reaches beyond its storage of \(range.count) bytes; the file is cut off or damaged")
    }
    if isEmpty { return try .zeros(tensor.shape, dtype: tensor.dtype) }
    let start = range.lowerBound + tensor.offset * size
    let end = start + span * size
    let isNew = start >= used[tensor.storage.key] ?? 0
    used[tensor.storage.key] = max(used[tensor.storage.key] ?? 0, end)
    if !isNew { shared += 1 }
    if isContiguous(tensor) {
      let isAligned = Int(bitPattern: mapping.bytes.baseAddress) + start
      if !isNew || isAligned % size != 0 { try spend(count * size, name) }
      let made = try mapping.tensor(start..<end, dtype: tensor.dtype, shape: tensor.shape)
      return isNew ? made : try made.clone()
    }
    // What is viewed may have to be copied for its alignment before the elements are.
    try spend(count * size + span * size, name)
    return try mapping.tensor(start..<end, dtype: tensor.dtype, shape: [span])
      .strided(tensor.shape, strides: tensor.strides).clone(format: .contiguous)
  }

  private mutating func spend(_ bytes: Int, _ name: String) throws {
    guard bytes <= allowance else {
      throw TorchFile.Defect(
        message: "\(name): the file's tensors are views that would take far more memory than the file has bytes")
    }
    allowance -= bytes
  }

  private func isContiguous(_ tensor: TorchTensor) -> Bool {
    var expected = 1
    for (length, stride) in zip(tensor.shape, tensor.strides).reversed() where length != 1 {
      guard stride == expected else { return false }
      expected *= length
    }
    return true
  }
}
