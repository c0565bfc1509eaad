extension Architecture.Name: CaseIterable, RawRepresentable, Codable {
  /// The networks there are. To add one, declare it in a file of its own, and give it its place here.
  public static let allCases: [Self] = [
    .mlp, .resnet, .resnet18, .resnet34, .resnet50, .resnet20, .vgg11, .vgg16, .densenet121, .vgg11BatchNorm,
    .vgg16BatchNorm, .vit, .vitSmall16, .clip, .clipBase16, .convnext, .convnextTiny, .gpt, .gpt2,
  ]

  /// The network of that name; nil: there is none.
  public init?(rawValue: String) {
    guard let name = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = name
  }
}
