import Testing

@testable import Schema

/// What a made-up file describes: a train.
private struct Train: Equatable, Sendable {
  enum Engine: String, CaseIterable, Sendable { case steam, electric }
  struct Car: Equatable, Sendable {
    var seats = 80
    var class_: String?
  }
  var engine = Engine.steam
  var coal: Double? = 5
  var speed = 60
  var cars: [Car] = []
  var buffet: Car?
  var stops: [Double]?

  static let section = Section(
    Train(), variants: [Train(), Train(engine: .electric, coal: nil)], variant: { $0.engine.rawValue }
  ) {
    Key(
      "engine", get: { $0.engine },
      set: { if let engine = $1 { $0 = Train(engine: engine, coal: engine == .steam ? 5 : nil) } },
      .choice, "what pulls it")
    Key("coal", \.coal, .number(.above(0)), synonyms: ["fuel"], unit: "tonnes", of: "steam", "what is burnt")
    Key(
      "top_speed", \.speed, .integer(.within(10...300)), synonyms: ["v"], usual: { $0.engine == .steam ? 60 : 160 },
      words: "by the engine", "how fast it goes")
    Key("cars", \.cars, .list(of: .section(carSection), "a list of mappings"), "what it pulls")
    Key("buffet", \.buffet, .section(carSection), takesNone: true, "where to eat")
    Key("stops", \.stops, .list(of: .number(.atLeast(0)), "a list of numbers"), absent: [0], "where it halts")
  }

  static let carSection = Section(Car()) {
    Key("seats", \.seats, .integer(.atLeast(1, upTo: 1000)), "for how many")
    Key("class", \.class_, .name(of: ["first", "second"]), "how comfortable")
  }
}

@Suite struct SectionTests {
  private func read(_ yaml: String) throws -> (train: Train, problems: [String]) {
    let reader = SchemaReader(KeySpelling(Train.section.declarations))
    let fields = Fields(try YAMLNode.parse(yaml), at: "", keys: Train.section.declarations, reader: reader)
    let train = Train.section.read(fields)
    let problems = reader.problems.map { "\($0.line):\($0.column): \($0.keyPath): \($0.message)" }
    return (train, problems + Train.section.problems(train).map(\.description))
  }

  @Test func whatIsLeftOutHasItsDefault() throws {
    #expect(try read("").train == Train())
    #expect(try read("engine: electric").train == Train(engine: .electric, coal: nil, speed: 160))
    // null leaves a key out, unless it takes none.
    #expect(try read("{coal: null, buffet: null}").train == Train())
  }

  @Test func everyKindIsRead() throws {
    let (train, problems) = try read(
      """
      {fuel: 2.5, topSpeed: 90, cars: [{}, {seats: 40, class: First}], buffet: {seats: 20}, stops: 0}
      """)
    #expect(problems.isEmpty, "\(problems)")
    #expect(
      train
        == Train(
          engine: .steam, coal: 2.5, speed: 90, cars: [.init(), .init(seats: 40, class_: "first")],
          buffet: .init(seats: 20)))
    #expect(try read("{buffet: {}, v: 20}").train == Train(speed: 20, buffet: .init()))
    #expect(try read("buffet: none").train.buffet == nil && read("stops: [1, 2]").train.stops == [1, 2])
  }

  @Test(arguments: [
    ("spede: 3", "1:1: spede: is not a key here; expected one of engine, coal, top_speed, cars, buffet, stops"),
    ("top_sped: 3", "1:1: top_sped: is not a key here; did you mean `top_speed`?"),
    ("fule: 3", "1:1: fule: is not a key here; did you mean `fuel`?"),
    ("{v: 20, top-speed: 30}", "1:9: top-speed: is given more than once (as `top_speed` or another spelling of it)"),
    ("engine: diesel", "1:9: engine: is diesel; expected one of steam, electric"),
    ("engine: electrc", "expected one of steam, electric; did you mean `electric`?"),
    ("{engine: electric, coal: 3}", "1:26: coal: belongs to steam; electric has "),
    ("coal: lots", "1:7: coal: is lots; expected a finite number such as 0.1 or 5e-4"),
    ("coal: -1", "coal: is -1.0; expected a number above 0"),
    ("v: 5", "top_speed: is 5; expected a whole number between 10 and 300"),
    ("cars: [{seats: x}]", "1:16: cars.seats: is x; expected a whole number"),
    ("cars: [{}, {seats: 0}]", "cars.1.seats: is 0; expected a whole number of at least 1"),
    ("cars: [{seats: 2000}]", "cars.0.seats: is 2000; expected a whole number of at least 1"),
    ("buffet: yes", "1:9: buffet: is yes; expected a mapping with the keys seats, class"),
    ("stops: [1, -1]", "stops: has -1.0; expected a number, 0 or more"),
    ("[1]", "1:1: : is a list; expected a mapping with the keys engine"),
  ])
  func mistakesNameTheirPlaceAndTheRemedy(_ yaml: String, _ expected: String) throws {
    let problems = try read(yaml).problems
    #expect(problems.contains { $0.contains(expected) }, "\(problems)")
  }

  @Test func declarationsSayWhatIsWritten() {
    let keys = Train.section.declarations
    #expect(keys.map(\.usual) == ["steam", "5", "by the engine", nil, nil, "[0]"])
    let list = KeyList(keys, meaning: "a train")
    // The buffet's keys are those of cars, which are described already.
    #expect(list.sections.map(\.path) == ["", "cars"])
    #expect(list.line(keys[1]) == "coal (fuel) = 5: what is burnt (a number above 0; in tonnes; with steam only)")
    #expect(list.line(keys[4], mark: "`") == "`buffet`: where to eat (a mapping, see `cars`)")
    #expect(list.named(["seats"]).sections.map { $0.keys.map(\.name) } == [["seats"]])
    #expect(list.named(["cars"]).sections.map(\.path) == ["", "cars"] && list.named(["wheels"]).sections.isEmpty)
  }
}
