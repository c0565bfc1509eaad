import Schema
import Support

/// The studies that come with Valley: the paper's experiments by figure, one file each in `Figures/`.
public enum Catalogue {
  /// Every study, in the order of the figures. A file added to the folder is added here.
  public static let studies: [StudyDeclaration] = [
    entry("fig1", PackageResources.fig1_yaml),
    entry("fig2a", PackageResources.fig2a_yaml),
    entry("fig2b", PackageResources.fig2b_yaml),
    entry("fig2c", PackageResources.fig2c_yaml),
    entry("fig3a", PackageResources.fig3a_yaml),
    entry("fig3b", PackageResources.fig3b_yaml),
    entry("fig3c", PackageResources.fig3c_yaml),
    entry("fig4a", PackageResources.fig4a_yaml),
    entry("fig4b", PackageResources.fig4b_yaml),
    entry("fig5a", PackageResources.fig5a_yaml),
    entry("fig5b", PackageResources.fig5b_yaml),
    entry("fig6", PackageResources.fig6_yaml),
    entry("fig8", PackageResources.fig8_yaml),
    entry("fig9a", PackageResources.fig9a_yaml),
    entry("fig9b", PackageResources.fig9b_yaml),
    entry("fig9c", PackageResources.fig9c_yaml),
    entry("fig10a", PackageResources.fig10a_yaml),
    entry("fig10b", PackageResources.fig10b_yaml),
    entry("fig10c", PackageResources.fig10c_yaml),
    entry("fig11", PackageResources.fig11_yaml),
    entry("fig12", PackageResources.fig12_yaml),
    entry("fig15a", PackageResources.fig15a_yaml),
    entry("fig15b", PackageResources.fig15b_yaml),
    entry("fig15c", PackageResources.fig15c_yaml),
    entry("fig16a", PackageResources.fig16a_yaml),
    entry("fig16b", PackageResources.fig16b_yaml),
    entry("fig16c", PackageResources.fig16c_yaml),
    entry("fig22", PackageResources.fig22_yaml),
    entry("fig24", PackageResources.fig24_yaml),
    entry("fig25", PackageResources.fig25_yaml),
    entry("fig26", PackageResources.fig26_yaml),
    entry("fig27", PackageResources.fig27_yaml),
    entry("momentum", PackageResources.momentum_yaml),
    entry("rebasin", PackageResources.rebasin_yaml),
    entry("cka", PackageResources.cka_yaml),
  ]

  private static func entry(_ name: String, _ bytes: [UInt8]) -> StudyDeclaration {
    StudyDeclaration(text: String(decoding: bytes, as: UTF8.self), file: "\(name).yaml", name: name)
  }

  /// The study called `name`, or all that stand for that figure of the paper: `fig2` is `fig2a`, `fig2b`, `fig2c`, and
  /// `fig14` is the same, since figure 14 shows the runs of figure 2. Empty for an unknown name.
  public static func named(_ name: String) -> [StudyDeclaration] {
    let name = name.lowercased()
    if let study = studies.first(where: { $0.name == name }) { return [study] }
    guard name.hasPrefix("fig"), name.dropFirst(3).first?.isNumber ?? false else { return [] }
    let wanted = name.dropFirst(3)
    return studies.filter { declaration in
      let figures = (try? declaration.study().figures) ?? []
      return figures.contains { figure in
        figure == wanted || (wanted.last?.isNumber ?? false) && figure.prefix { $0.isNumber } == wanted
      }
    }
  }

  /// The study whose name is nearest to `name`, if any is near.
  public static func nearest(to name: String) -> String? { closest(to: name, in: studies.map(\.name)) }
}
