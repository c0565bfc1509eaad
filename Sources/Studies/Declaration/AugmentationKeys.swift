import Datasets
import Schema

extension Augmentation {
  static let section = Section(Augmentation.none) {
    Key("flip", \.flip, .flag, words: "the dataset's usual", "whether pictures are mirrored, one in two")
    // One crop takes the place of the other unless both are asked for.
    Key(
      "crop", \.crop, .integer(), unit: "pixels", usual: { $0.resizedCrop == nil ? $0.crop : 0 },
      words: "the dataset's usual", "how far pictures are padded before they are cut back at a random place")
    Key(
      "resized_crop", get: \.resizedCrop, set: { $0.resizedCrop = $1 ?? nil }, .resizedCrop, takesNone: true,
      words: "the dataset's usual", "whether a random part is cut out and resized: true, false, or the numbers for it")
  }
}

extension Augmentation.ResizedCrop {
  static let section = Section(Augmentation.ResizedCrop()) {
    Key(
      "scale", \.scale, .list(of: .number(), "two numbers above 0 and at most 1"),
      "the least and the largest part of the picture's area")
    Key(
      "ratio", \.ratio, .list(of: .number(), "two numbers above 0"),
      "the narrowest and the widest shape, width by height")
  }
}

extension Kind where Value == Augmentation.ResizedCrop? {
  /// `true` for the usual numbers, `false` for none, or a mapping.
  fileprivate static var resizedCrop: Kind {
    let section = Kind<Augmentation.ResizedCrop>.section(Augmentation.ResizedCrop.section)
    return Kind("true, false or a mapping", keys: Augmentation.ResizedCrop.section.declarations) {
      node, reader, keyPath in
      if node.entries != nil { return section.read(node, reader, at: keyPath) }
      guard let isWanted = Kind<Bool>.flag.read(node, reader, at: keyPath) else { return nil }
      return .some(isWanted ? .init() : nil)
    }
  }
}
