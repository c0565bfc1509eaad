import Schema
import Training

extension Optimizer {
  static let section = Section(
    Optimizer.sgd(), variants: [.sgd(), .adamW()], variant: { $0.name.rawValue }
  ) {
    Key(
      "name", get: { $0.name }, set: { $0 = $1 == .adamw ? .adamW() : .sgd() }, .choice,
      "how gradients become updates")
    Key(
      "learning_rate", \.learningRate, .number(.above(0)), synonyms: ["lr"],
      "the learning rate η at its peak; the schedule scales it")
    Key(
      "momentum", \.sgd.momentum, .number(.within(0..<1), "at least 0 and below 1"), of: "sgd",
      "how much of the velocity an update keeps: μ")
    Key("nesterov", \.sgd.nesterov, .flag, of: "sgd", "Nesterov's look ahead; needs a momentum above 0")
    Key(
      "weight_decay", get: { $0.weightDecay },
      set: { if let decay = $1 { ($0.sgd.weightDecay, $0.adamW.weightDecay) = (decay, decay) } },
      .number(.atLeast(0)), synonyms: ["wd"],
      "the pull λ of all weights towards 0")
    Key(
      "decoupled_weight_decay", \.sgd.decoupledWeightDecay, .flag, synonyms: ["decoupled"], of: "sgd",
      "whether weights shrink by ηλ directly, instead of λ times the weight joining the gradient; adamw always does")
    Key(
      "betas", \.adamW.betas, .betas, of: "adamw",
      "how much of the running averages of the gradient and of its square an update keeps")
    Key(
      "epsilon", \.adamW.epsilon, .number(.above(0), "a number above 0, such as 1e-8"), synonyms: ["eps"], of: "adamw",
      "what is added to the divisor, so that it is never 0")
    Key(
      "exempt_norms_and_biases", \.adamW.exemptNormsAndBiases, .flag, of: "adamw",
      "whether to leave norms and biases without weight decay")
    Key(
      "clip", get: { $0.clip }, set: { ($0.sgd.clip, $0.adamW.clip) = ($1, $1) },
      .number(.above(0), "a number above 0, the largest norm of the gradient, such as 1, or null"),
      "the largest norm of the gradient; larger ones are scaled down to it")
  }

  /// Its settings where it is SGD. For another optimizer they are the usual ones, and changes are lost.
  private var sgd: SGD {
    get { if case .sgd(let sgd) = self { sgd } else { SGD() } }
    set { if case .sgd = self { self = .sgd(newValue) } }
  }

  /// Its settings where it is AdamW. For another optimizer they are the usual ones, and changes are lost.
  private var adamW: AdamW {
    get { if case .adamW(let adamW) = self { adamW } else { AdamW() } }
    set { if case .adamW = self { self = .adamW(newValue) } }
  }
}

extension Kind where Value == AdamW.Betas {
  fileprivate static var betas: Kind {
    let expected = "two numbers of at least 0 and below 1, such as [0.9, 0.999]"
    return Kind(
      expected, keys: [], text: { "[\(shortText($0.first)), \(shortText($0.second))]" },
      problems: { betas, keyPath, _ in
        [betas.first, betas.second].filter { !(0..<1).contains($0) }
          .map { ConfigurationProblem(keyPath: keyPath, message: "has \($0); expected \(expected)") }
      },
      value: { node, reader, keyPath, _ in
        guard let numbers = Kind<[Double]>.list(of: .number(), "").read(node, reader, at: keyPath) else { return nil }
        guard numbers.count == 2 else {
          reader.report(
            node.place, keyPath,
            "has \(numbers.count) \(numbers.count == 1 ? "number" : "numbers"); expected two, such as [0.9, 0.999]")
          return nil
        }
        return AdamW.Betas(numbers[0], numbers[1])
      })
  }
}

extension CrossEntropy {
  static let section = Section(CrossEntropy()) {
    Key(
      "label_smoothing", \.labelSmoothing, .number(.within(0..<1), "0 or more and below 1"),
      "the part of a label that is spread over all classes")
  }
}
