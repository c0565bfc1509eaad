/// The studies that come with Valley: the paper's experiments by figure, one file each in `Figures/`.
public enum Catalogue {
  /// Every study, in the order of the figures. A file added to the folder is added here.
  public static let studies: [StudyDeclaration] = [
    entry("fig1", PackageResources.fig1_yaml)
  ]

  private static func entry(_ name: String, _ bytes: [UInt8]) -> StudyDeclaration {
    StudyDeclaration(text: String(decoding: bytes, as: UTF8.self), file: "\(name).yaml", name: name)
  }

  /// The study called `name`, or, for a figure with panels, all of them: `fig2` is `fig2a`, `fig2b`, `fig2c`. Empty for an unknown name.
  public static func named(_ name: String) -> [StudyDeclaration] {
    let name = name.lowercased()
    if let study = studies.first(where: { $0.name == name }) { return [study] }
    guard name.last?.isNumber ?? false else { return [] }
    return studies.filter {
      $0.name.hasPrefix(name) && $0.name.dropFirst(name.count).first.map { !$0.isNumber } ?? false
    }
  }

  /// The study whose name is nearest to `name`, if any is near.
  public static func nearest(to name: String) -> String? { closest(to: name, in: studies.map(\.name)) }
}
