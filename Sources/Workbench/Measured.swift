/// A finding about weights, and what it was measured on.
///
/// It is encoded as one object, in which the finding's keys stand beside `setting`, `model`, `dataset` and `batchNorm`.
@dynamicMemberLookup
public struct Measured<Found: Encodable & Sendable>: Encodable, Sendable {
  /// "resnet18 on cifar10; measured on 10000 test examples; BatchNorm re-estimated …", for captions
  public var setting: String
  public var model, dataset: String
  /// What was done about BatchNorm; nil where the network has none
  public var batchNorm: String?
  /// What was found
  public var found: Found

  /// A part of the finding: `measured.paths` stands for `measured.found.paths`
  public subscript<Value>(dynamicMember path: KeyPath<Found, Value>) -> Value { found[keyPath: path] }

  private enum Key: String, CodingKey { case setting, model, dataset, batchNorm }

  /// Encodes the finding and what it was measured on as one object.
  public func encode(to encoder: any Encoder) throws {
    try found.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(setting, forKey: .setting)
    try container.encode(model, forKey: .model)
    try container.encode(dataset, forKey: .dataset)
    try container.encodeIfPresent(batchNorm, forKey: .batchNorm)
  }
}
