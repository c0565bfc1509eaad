import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Networks

@Suite struct PretrainedTests {
  private static func network(_ name: Architecture.Name = .resnet, classes: Int, seed: UInt64 = 0) throws -> any Module
  {
    try Architecture(name: name).makeNetwork(
      input: .picture(height: 32, width: 32), classes: classes, generator: Generator(seed: seed))
  }

  private static func renamed(_ weights: Weights, _ rename: (String) -> String) -> Weights {
    Weights(weights.map { (rename($0), $1) })
  }

  @Test func prefixesOfTrainingScriptsAreTakenOff() throws {
    let (theirs, ours) = (try Self.network(classes: 10, seed: 1), try Self.network(classes: 10))
    let messages = try ours.loadPretrained(Self.renamed(theirs.weights) { "module._orig_mod.\($0)" })
    #expect(messages == ["'module.' taken off every name", "'_orig_mod.' taken off every name"])
    #expect(try ours.weights.isIdentical(to: theirs.weights))
  }

  @Test func aClassifierForOtherClassesIsReplacedAndItIsSaid() throws {
    let (theirs, ours) = (try Self.network(classes: 10, seed: 1), try Self.network(classes: 7))
    let own = try #require(ours.weights["fc.weight"])
    let messages = try ours.loadPretrained(theirs.weights)
    #expect(messages == ["the classifier fc for 10 classes is replaced by a fresh one for 7"])
    #expect(try ours.weights["fc.weight"]?.isIdentical(to: own) == true)
    #expect(try ours.weights["conv1.weight"]?.isIdentical(to: #require(theirs.weights["conv1.weight"])) == true)

    let bare = theirs.weights.filter { name, _ in !name.hasPrefix("fc.") }
    #expect(try ours.loadPretrained(bare) == ["the classifier fc is missing; it is a fresh one for 7 classes"])
    #expect { try ours.loadPretrained(theirs.weights, head: .kept) } throws: {
      "\($0)".contains("fc.weight is [10, 32]")
    }
    let same = try Self.network(classes: 10)
    #expect(try same.loadPretrained(theirs.weights, head: .replaced).count == 1)
    #expect(try !#require(same.weights["fc.weight"]).isIdentical(to: #require(theirs.weights["fc.weight"])))
  }

  @Test func whatDoesNotFitIsListedAndNothingChanges() throws {
    let network = try Self.network(classes: 10)
    let before = try network.weights.clone()
    var other = network.weights
    other["conv1.weight"] = nil
    other["layer1.0.conv1.weight"] = try .zeros([2, 2])
    other["extra"] = try .zeros([1])
    #expect {
      try network.loadPretrained(other)
    } throws: { error in
      [
        "conv1.weight [8, 3, 3, 3] float32 is missing", "layer1.0.conv1.weight is [2, 2]",
        "extra [1] float32 is not expected",
      ]
      .allSatisfy("\(error)".contains)
    }
    #expect(try network.weights.isIdentical(to: before))
  }

  @Test func halfPrecisionAndOldFilesAreTaken() throws {
    let (theirs, ours) = (
      try Self.network(.densenet121, classes: 3, seed: 1), try Self.network(.densenet121, classes: 3)
    )
    var old = try theirs.weights.to(.bfloat16).filter { name, _ in !name.hasSuffix("num_batches_tracked") }
    old = Self.renamed(old) { name in
      guard name.contains("denselayer") else { return name }
      return ["norm", "conv"].reduce(name) { name, kind in
        name.replacing(".\(kind)1.", with: ".\(kind).1.").replacing(".\(kind)2.", with: ".\(kind).2.")
      }
    }
    let messages = try ours.loadPretrained(old)
    #expect(messages.count == 3 && messages[0] == "names mapped from torchvision's first files")
    #expect(messages[1] == "bfloat16 converted to float32" && messages[2].hasPrefix("BatchNorm's counters"))
    #expect(try ours.weights.isIdentical(to: theirs.weights.to(.bfloat16).to(.float32)))
  }

  @Test(arguments: Architecture.Name.allCases)
  func aNetworkIsToldByItsNames(_ name: Architecture.Name) throws {
    guard name.declaration.input == .pictures else { return }
    var architecture = Architecture(name: name)
    for (option, size) in [Architecture.Option.depth: 1, .width: 64, .heads: 1] where architecture[option] != nil {
      architecture[option] = .integer(size)
    }
    let usual = architecture.usualInput
    let network = try architecture.makeNetwork(input: usual, classes: 6, generator: Generator(seed: 0))
    let guess = try #require(Architecture.guess(from: Self.renamed(network.weights) { "module.\($0)" }))
    #expect(guess.classes == 6 && (guess.input == usual || name == .convnextTiny), "\(guess)")
    let again = try guess.architecture.makeNetwork(input: guess.input, classes: 6, generator: Generator(seed: 0))
    #expect(again.weights.layoutDifferences(from: network.weights) == [])
  }

  @Test func namesOfNoNetworkAreToldApart() throws {
    #expect(Architecture.guess(from: Weights([("w", try .zeros([2]))])) == nil)
    #expect(Architecture.guess(from: Weights()) == nil)
  }
}
