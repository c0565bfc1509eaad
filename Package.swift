// swift-tools-version: 6.1
import PackageDescription

/// What other packages can import: a product for each target of the name.
let libraries = [
  "Torch", "Checkpoints", "Networks", "Datasets", "Training", "Merging", "DataMerging", "Alignment", "Landscape",
  "Search",
  "Studies", "Reports",
]

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
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(name: "CTorch"),
    .plugin(name: "TorchLibrary", capability: .buildTool()),
    .target(name: "Torch", dependencies: ["CTorch"], plugins: ["TorchLibrary"]),
    .target(
      name: "Checkpoints",
      dependencies: ["Torch", .product(name: "OrderedCollections", package: "swift-collections")]),
    .target(name: "Networks", dependencies: ["Torch", "Checkpoints"]),
    .systemLibrary(
      name: "CTurboJPEG", pkgConfig: "libturbojpeg",
      providers: [.apt(["libturbojpeg0-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(name: "CPng", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "Datasets",
      dependencies: [
        "Torch", "Checkpoints", "CTurboJPEG", "CPng", "CZlib", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "HeapModule", package: "swift-collections"),
      ],
      resources: [.embedInCode("Resources")]),
    .target(name: "Training", dependencies: ["Torch", "Checkpoints", "Networks", "Datasets"]),
    .target(name: "YAML", dependencies: ["Yams"]),
    // Optimised in debug builds too: tests merge real arithmetic, and a debug build must not take minutes for it.
    .target(name: "MergeKernels", cSettings: [.unsafeFlags(["-O3"])]),
    .target(
      name: "Merging",
      dependencies: [
        "MergeKernels", "Torch", "Checkpoints", "YAML", "Search", .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(
      name: "DataMerging",
      dependencies: ["Torch", "Checkpoints", "Networks", "Datasets", "Training", "Merging", "Search"]),
    .target(name: "AssignmentKernel", cSettings: [.unsafeFlags(["-O3"])]),
    .target(
      name: "Alignment",
      dependencies: ["AssignmentKernel", "Torch", "Checkpoints", "Networks", "Datasets", "Training"]),
    .target(name: "Landscape", dependencies: ["Torch", "Checkpoints", "Networks", "Datasets", "Training"]),
    // Optimised in debug builds too: fitting a model to observations is thousands of small matrix factorisations.
    .target(name: "Search", swiftSettings: [.unsafeFlags(["-O"])]),
    .target(
      name: "Studies",
      dependencies: [
        "Torch", "Checkpoints", "Networks", "Datasets", "Training", "Merging", "Alignment", "Landscape", "YAML",
        .product(name: "GRDB", package: "GRDB.swift"), .product(name: "Crypto", package: "swift-crypto"),
      ],
      resources: [.embedInCode("Figures")]),
    .target(
      name: "Reports", dependencies: ["Checkpoints", "Landscape", "Studies"], resources: [.embedInCode("Resources")]),
    .executableTarget(
      name: "valley",
      dependencies: [
        "Torch", "Checkpoints", "Networks", "Datasets", "Training", "Merging", "DataMerging", "Alignment", "Landscape",
        "Search",
        "Studies", "Reports", "YAML",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "ValleyBench",
      dependencies: [
        "CTorch", "Torch", "Checkpoints", "Networks", "Datasets", "Training", "Alignment", "Landscape", "Studies",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/ValleyBench"),
    .target(name: "TestSupport", dependencies: ["Torch", "Checkpoints", "Networks"], path: "Tests/TestSupport"),
    .testTarget(name: "TorchTests", dependencies: ["Torch", "TestSupport"]),
    .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "Datasets", "TestSupport"]),
    .testTarget(name: "NetworksTests", dependencies: ["Networks", "TestSupport"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "TestSupport"]),
    .testTarget(name: "TrainingTests", dependencies: ["Training", "TestSupport"]),
    .testTarget(name: "MergingTests", dependencies: ["Merging", "MergeKernels", "TestSupport"]),
    .testTarget(name: "DataMergingTests", dependencies: ["DataMerging", "TestSupport"]),
    .testTarget(name: "AlignmentTests", dependencies: ["Alignment", "AssignmentKernel", "TestSupport"]),
    .testTarget(name: "LandscapeTests", dependencies: ["Landscape", "TestSupport"]),
    .testTarget(name: "SearchTests", dependencies: ["Search"], exclude: ["Fixtures"]),
    .testTarget(name: "StudiesTests", dependencies: ["Studies", "TestSupport"]),
    .testTarget(
      name: "ReportsTests", dependencies: ["Reports", "Landscape", "Studies", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(name: "valleyTests", dependencies: ["valley", "Checkpoints", "Studies"]),
  ],
  swiftLanguageModes: [.v6]
)
