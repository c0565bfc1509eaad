import Foundation

/// Lines of equal value on a rectangular grid, by marching squares with linear interpolation along the cells' edges.
struct ContourLines {
  struct Segment: Hashable {
    var x1, y1, x2, y2: Double
  }

  let xs: [Double]
  let ys: [Double]
  /// Row by row: `values[row * xs.count + column]`; NaN where nothing is known, which leaves the cells around it empty
  let values: [Double]

  /// `count` evenly spaced levels between the smallest and the largest value, without these two.
  func levels(_ count: Int) -> [Double] {
    let finite = values.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max(), high > low else { return [] }
    return (1...max(1, count)).map { low + (high - low) * Double($0) / Double(count + 1) }
  }

  func segments(at level: Double) -> [Segment] {
    guard xs.count > 1, ys.count > 1, values.count == xs.count * ys.count else { return [] }
    return (0..<(ys.count - 1)).flatMap { row in
      (0..<(xs.count - 1)).flatMap { column in cell(row, column, level) }
    }
  }

  /// The place of each line's label, far from other labels, from `taken` and from the frame; nil where there is none.
  func labelPlaces(_ lines: [[Segment]], awayFrom taken: [(x: Double, y: Double)]) -> [(x: Double, y: Double)?] {
    guard let left = xs.first, let right = xs.last, let bottom = ys.first, let top = ys.last, right > left, top > bottom
    else { return lines.map { _ in nil } }
    func unit(_ place: (x: Double, y: Double)) -> (x: Double, y: Double) {
      ((place.x - left) / (right - left), (place.y - bottom) / (top - bottom))
    }
    var placed = taken.map(unit)
    return lines.map { line in
      var best: (distance: Double, place: (x: Double, y: Double))?
      for segment in line {
        let place = (x: (segment.x1 + segment.x2) / 2, y: (segment.y1 + segment.y2) / 2)
        let own = unit(place)
        guard own.x > 0.08, own.x < 0.92, own.y > 0.05, own.y < 0.95 else { continue }
        let distance = placed.map { hypot($0.x - own.x, $0.y - own.y) }.min() ?? 1
        if distance > best?.distance ?? 0.13 { best = (distance, place) }
      }
      if let best { placed.append(unit(best.place)) }
      return best?.place
    }
  }

  private func cell(_ row: Int, _ column: Int, _ level: Double) -> [Segment] {
    // The corners in order around the cell, each edge from one to the next.
    let corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)].map { row, column in
      (x: xs[column], y: ys[row], value: values[row * xs.count + column])
    }
    guard corners.allSatisfy(\.value.isFinite) else { return [] }
    let crossings = (0..<4).compactMap { edge -> (x: Double, y: Double)? in
      let (from, to) = (corners[edge], corners[(edge + 1) % 4])
      guard (from.value > level) != (to.value > level) else { return nil }
      let t = (level - from.value) / (to.value - from.value)
      return (from.x + t * (to.x - from.x), from.y + t * (to.y - from.y))
    }
    func segment(_ a: Int, _ b: Int) -> Segment {
      Segment(x1: crossings[a].x, y1: crossings[a].y, x2: crossings[b].x, y2: crossings[b].y)
    }
    switch crossings.count {
    case 2: return [segment(0, 1)]
    case 4:
      // A saddle: the centre says which corners belong together.
      let centre = corners.reduce(0) { $0 + $1.value } / 4
      return (centre > level) == (corners[0].value > level)
        ? [segment(0, 1), segment(2, 3)] : [segment(0, 3), segment(1, 2)]
    default: return []
    }
  }
}
