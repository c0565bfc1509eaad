// swift-tools-version: 6.1
import Foundation
import PackageDescription

// A package as others have it: it depends on a version of Valley, imports every library and builds a program. `run`
// makes a tagged copy of this clone to depend on and says where it is.
let environment = ProcessInfo.processInfo.environment
let libraries = [
  "Support", "Search", "Schema", "Torch", "Weights", "Checkpoints", "Networks", "Datasets", "Training", "Merging",
  "DataMerging",
  "Alignment", "Landscape", "Studies", "Reports", "Workbench",
]

let package = Package(
  name: "consumer",
  platforms: [.macOS(.v15)],
  dependencies: [.package(url: environment["VALLEY_REPOSITORY"] ?? "", from: "1.0.0")],
  targets: [
    .executableTarget(
      name: "average", dependencies: ["Merging", "Weights"].map { .product(name: $0, package: "valley") },
      path: "average"),
    .target(
      name: "Everything", dependencies: libraries.map { .product(name: $0, package: "valley") }, path: "Everything"),
  ],
  swiftLanguageModes: [.v6]
)
