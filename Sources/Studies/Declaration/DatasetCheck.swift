import Datasets
import Schema

extension DatasetChoice {
  /// Reports what is impossible about the dataset that stands at `keyPath`.
  func check(_ check: inout ConfigurationCheck, at keyPath: String) {
    let label = name.rawValue
    for (key, isGiven) in [
      ("tokenizer", tokenizer != nil), ("context", context != nil), ("validation", validation != nil),
    ]
    where !name.isText {
      check.require(!isGiven, "\(keyPath).\(key)", "belongs to texts; \(label) has no such setting")
    }
    for (key, asked, held) in [
      ("train", train, name.count(.train)), ("test", test, name.count(.test)),
    ] {
      guard let asked, let held else { continue }
      check.require(asked <= held, "\(keyPath).\(key)", "is \(asked), but \(label) has only \(held) examples")
    }
    if name.isText {
      checkText(&check, at: keyPath)
    } else if name == .glyphs {
      check.range(size, 8...128, "\(keyPath).size")
      check.range(classes, 2...100, "\(keyPath).classes")
      check.require(
        path == nil, "\(keyPath).path",
        "is given, but glyphs are made from the seed and read no files; leave it out"
      )
    } else {
      check.range(size, 4...1024, "\(keyPath).size")
      check.require(
        classes == nil || name.isOwn, "\(keyPath).classes", "belongs to glyphs; \(label) has its own")
      check.require(noise == nil, "\(keyPath).noise", "belongs to glyphs; \(label) has no such setting")
      check.require(seed == 0, "\(keyPath).seed", "belongs to glyphs; \(label) has no such setting")
    }
    check.require(
      !name.isOwn || path != nil, "\(keyPath).path", "is missing: \(label) is whatever lies in the folder given here")
    check.range(resize, view.size...max(view.size, 8192), "\(keyPath).resize")
    check.require(
      isResizedOnLoad || resize == nil, "\(keyPath).resize",
      "is for pictures that are resized on load, not for \(label)")
    check.require(
      normalisation == nil || name.shape.channels == 3, "\(keyPath).normalisation",
      "is for three channels, and \(label) has \(name.shape.channels)")
    if let labels {
      check.require(
        (2...65_536).contains(labels.count), "\(keyPath).labels", "names \(labels.count) classes; expected 2 or more")
      check.require(
        labels.allSatisfy { (0..<allClasses).contains($0) }, "\(keyPath).labels",
        "expected labels from 0 to \(allClasses - 1)")
      check.require(Set(labels).count == labels.count, "\(keyPath).labels", "names the same label more than once")
    }
    check.require(
      corruption == nil || !name.hasPictureFiles, "\(keyPath).corruption",
      "is for pictures in memory, and \(label) has files of its own for each")
  }

  private func checkText(_ check: inout ConfigurationCheck, at keyPath: String) {
    let label = name.rawValue
    check.require(
      path != nil || name != .text, "\(keyPath).path",
      "is missing; expected the file of the text, as \(label) names none")
    check.require(
      tokenizer?.isEmpty == false, "\(keyPath).tokenizer", "is empty; expected bytes or the path of a tokenizer.json")
    for (key, isGiven) in [
      ("size", size != nil), ("classes", classes != nil), ("noise", noise != nil), ("seed", seed != 0),
      ("labels", labels != nil), ("corruption", corruption != nil),
    ] {
      check.require(!isGiven, "\(keyPath).\(key)", "belongs to pictures; \(label) has no such setting")
    }
  }
}
