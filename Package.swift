// swift-tools-version: 6.1
import PackageDescription

/// What other packages can import: a product for each target of the name.
let libraries = [
  "Support", "Search", "Schema", "Torch", "Weights", "Checkpoints", "Networks", "Datasets", "Training", "Merging",
  "DataMerging", "Alignment", "Landscape", "Studies", "Reports", "Workbench",
]

/// SwiftPM refuses a dependency by version whose targets have unsafe flags, so only a clone that is itself built has
/// them: without them debug builds are slow, and nothing else changes. Dependencies lie in a folder `checkouts` of
/// whoever uses them.
let isRoot = Context.packageDirectory.split(separator: "/").dropLast().last != "checkouts"

/// Merging and assignment in tests are real arithmetic, for which a debug build must not take minutes.
let optimised: [CSetting] = isRoot ? [.unsafeFlags(["-O3"])] : []

// What most targets stand on, and what those do that run networks on data.
let files: [Target.Dependency] = ["Support", "Torch", "Weights", "Checkpoints"]
let training: [Target.Dependency] = files + ["Networks", "Datasets", "Training"]
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "valley",
  platforms: [.macOS(.v15)],
  products: libraries.map { Product.library(name: $0, targets: [$0]) } + [
    .executable(name: "valley", targets: ["valley"]),
    .executable(name: "valley-bench", targets: ["ValleyBench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(name: "Support", dependencies: [.target(name: "CCrypto", condition: .when(platforms: [.linux]))]),
    // Optimised in debug builds too: fitting a model to observations is thousands of small matrix factorisations.
    .target(name: "Search", dependencies: ["Support"], swiftSettings: isRoot ? [.unsafeFlags(["-O"])] : []),
    .systemLibrary(name: "CTorch"),
    .plugin(name: "TorchLibrary", capability: .buildTool()),
    .target(name: "Torch", dependencies: ["CTorch"], plugins: ["TorchLibrary"]),
    .target(
      name: "Weights",
      dependencies: ["Support", "Torch", .product(name: "OrderedCollections", package: "swift-collections")]),
    .target(name: "Checkpoints", dependencies: ["Support", "Torch", "Weights"]),
    .target(name: "Networks", dependencies: files),
    .systemLibrary(
      name: "CTurboJPEG", pkgConfig: "libturbojpeg",
      providers: [.apt(["libturbojpeg0-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(name: "CPng", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "Datasets",
      dependencies: files + [
        "CTurboJPEG", "CPng", "CZlib", .product(name: "HeapModule", package: "swift-collections"),
      ],
      resources: [.embedInCode("Resources")]),
    .target(name: "Training", dependencies: files + ["Networks", "Datasets"]),
    .target(name: "Schema", dependencies: ["Support", "Yams"]),
    .target(name: "MergeKernels", cSettings: optimised),
    .target(name: "Merging", dependencies: files + ["MergeKernels", "Schema", "Search"]),
    .target(name: "DataMerging", dependencies: training + ["Merging", "Search"]),
    .target(name: "AssignmentKernel", cSettings: optimised),
    .target(name: "Alignment", dependencies: training + ["AssignmentKernel"]),
    .target(name: "Landscape", dependencies: training),
    .target(
      name: "Studies",
      dependencies: training + [
        "Merging", "Alignment", "Landscape", "Schema", .product(name: "GRDB", package: "GRDB.swift"),
      ],
      resources: [.embedInCode("Figures")]),
    .target(
      name: "Reports", dependencies: ["Support", "Weights", "Checkpoints", "Landscape", "Merging", "Studies"],
      resources: [.embedInCode("Resources")]),
    .target(
      name: "Workbench",
      dependencies: training + [
        "Merging", "DataMerging", "Alignment", "Landscape", "Search", "Studies", "Reports",
      ]),
    .executableTarget(
      name: "valley",
      dependencies: training + [
        "Merging", "DataMerging", "Alignment", "Landscape", "Search", "Studies", "Reports", "Workbench", arguments,
      ]),
    .executableTarget(
      name: "ValleyBench", dependencies: training + ["CTorch", "Alignment", "Landscape", "Studies", arguments],
      path: "Benchmarks/ValleyBench"),
    .target(name: "TestSupport", dependencies: files + ["Networks"], path: "Tests/TestSupport"),
    .testTarget(name: "SupportTests", dependencies: ["Support", "TestSupport"]),
    .testTarget(name: "WeightsTests", dependencies: ["Weights", "Merging", "TestSupport"]),
    .testTarget(name: "TorchTests", dependencies: ["Torch", "TestSupport"]),
    .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "Datasets", "TestSupport"]),
    .testTarget(name: "NetworksTests", dependencies: ["Networks", "TestSupport"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "TestSupport"]),
    .testTarget(name: "TrainingTests", dependencies: ["Training", "TestSupport"]),
    .testTarget(name: "MergingTests", dependencies: ["Merging", "MergeKernels", "TestSupport"]),
    .testTarget(name: "DataMergingTests", dependencies: ["DataMerging", "TestSupport"]),
    .testTarget(name: "AlignmentTests", dependencies: ["Alignment", "AssignmentKernel", "TestSupport"]),
    .testTarget(name: "LandscapeTests", dependencies: ["Landscape", "TestSupport"]),
    .testTarget(name: "SchemaTests", dependencies: ["Schema"]),
    .testTarget(name: "SearchTests", dependencies: ["Search"], exclude: ["Fixtures"]),
    .testTarget(name: "StudiesTests", dependencies: ["Studies", "Schema", "TestSupport"]),
    .testTarget(
      name: "ReportsTests", dependencies: ["Reports", "Landscape", "Studies", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(name: "WorkbenchTests", dependencies: ["Workbench", "TestSupport"]),
    .testTarget(name: "valleyTests", dependencies: ["valley", "Checkpoints", "Studies"]),
  ],
  swiftLanguageModes: [.v6]
)
