import Foundation
import Landscape
import Testing

@testable import Reports

@Suite struct LandscapeFigureTests {
  private static func path(_ height: Double) -> PathMeasure {
    let positions = (0...8).map { Double($0) / 8 }
    return PathMeasure(
      shape: .line, positions: positions,
      points: positions.map {
        PointMeasure(test: .init(loss: 1 + height * 4 * $0 * (1 - $0), accuracy: 0.8 - 0.1 * height))
      })
  }

  @Test func contoursAreWhereTheValueIs() {
    let axis = (0...20).map { -1 + Double($0) / 10 }
    let cone = ContourLines(
      xs: axis, ys: axis, values: axis.flatMap { y in axis.map { x in (x * x + y * y).squareRoot() } })
    let segments = cone.segments(at: 0.47)
    #expect(!segments.isEmpty)
    for segment in segments {
      for (x, y) in [(segment.x1, segment.y1), (segment.x2, segment.y2)] {
        #expect(abs((x * x + y * y).squareRoot() - 0.47) < 0.01)
      }
    }
    // A closed line: every end meets another.
    let ends = segments.flatMap { [[$0.x1, $0.y1], [$0.x2, $0.y2]] }.map { $0.map { ($0 * 1e9).rounded() + 0 } }
    #expect(Dictionary(grouping: ends) { $0 }.allSatisfy { $0.value.count == 2 })
    #expect(cone.segments(at: 9).isEmpty)
    let levels = cone.levels(4)
    #expect(levels.count == 4 && levels == levels.sorted() && levels[0] > 0)
    #expect(ContourLines(xs: [0, 1], ys: [0, 1], values: [1, 1, 1, 1]).levels(4).isEmpty)
    #expect(ContourLines(xs: [0, 1], ys: [0, 1], values: [0, 1, .nan, 0]).segments(at: 0.5).isEmpty)
    #expect(ContourLines(xs: [0, 1], ys: [0, 1], values: [1, 0, 0, 1]).segments(at: 0.4).count == 2)
  }

  @Test func pathsHaveAPanelForEachMeasure() throws {
    let figure = PathFigure(
      curves: [
        .init(series: "1", measures: [Self.path(1), Self.path(1.2)]), .init(series: "8", measures: [Self.path(-0.2)]),
      ], quantity: "branch epoch", isOrdered: true, setting: "mlp on glyphs")
    #expect(figure.table.rows.count == 27 && figure.caption.contains("mlp on glyphs"))
    guard case .array(let panels)? = figure.spec.view["concat"] else { return #expect(Bool(false), "no panels") }
    #expect(panels.count == 2)
    // Loss of 2 in the middle of the first, and its interval.
    #expect(figure.table.csv().contains("1,0,0.5,,2.0,,"))
  }

  @Test func planesShowCellsContoursAndPoints() throws {
    let axis = PlaneMeasure.coordinates(from: -0.2, to: 1.2, count: 5)
    let plane = PlaneMeasure(
      alphas: axis, betas: axis, alphaLength: 8, betaLength: 4,
      marks: [
        .init(name: "A", alpha: 0, beta: 0), .init(name: "B", alpha: 1, beta: 0), .init(name: "C", alpha: 0.5, beta: 1),
      ],
      points: axis.flatMap { beta in
        axis.map { alpha in
          PointMeasure(
            test: .init(loss: alpha > 1 && beta > 1 ? .nan : 0.1 + alpha * alpha + beta * beta, accuracy: 0.5))
        }
      })
    let figure = PlaneFigure(
      panels: [.init(title: "low", plane: plane), .init(title: "high", plane: plane)], setting: "x")
    guard case .array(let panels)? = figure.spec.view["concat"] else { return #expect(Bool(false), "no panels") }
    #expect(panels.count == 4 && figure.table.rows.count == 50)
    #expect(figure.table.csv().contains("low,-0.2,-0.2,-1.6,-0.8,,,"))
    let text = figure.document(.file).compact
    #expect(text.contains("\"log\"") && text.contains("\"name\":\"C\"") && !text.contains("nan"))

    // A third point beyond the grid is told, not drawn where it would stretch the picture.
    var far = plane
    far.marks[2].alpha = 300
    let other = PlaneFigure(panels: [.init(plane: far)], setting: "x")
    #expect(other.caption.contains("C lies beyond the grid, at α = 300, β = 1."), "\(other.caption)")
    let drawn = other.document(.file).compact
    #expect(drawn.contains("\"name\":\"B\"") && !drawn.contains("\"name\":\"C\""))
  }

  @Test func figuresAreDrawnWithAPage() throws {
    let scratch = try Scratch()
    let figure = PathFigure(curves: [.init(series: "a – b", measures: [Self.path(1)])], setting: "mlp")
    let set = FigureSet(
      name: "path", title: "Paths & more", description: "mlp", findings: ["One <thing>."], figures: [figure])
    do {
      let page = try set.write(to: scratch.folder, formats: [.svg])
      let text = try String(contentsOf: page, encoding: .utf8)
      #expect(
        text.contains("Paths &amp; more") && text.contains("One &lt;thing&gt;.") && text.contains("data-spec=\"path\""))
      #expect(
        try String(contentsOf: scratch.url("figures/path.svg"), encoding: .utf8).contains("<svg"))
    } catch ReportError.noRenderer {
      print("no figure renderer: pictures are not tested")
    }
    #expect(FileManager.default.fileExists(atPath: scratch.url("figures/path.csv").path))
  }
}
