/// What pictures are normalised with before a network sees them: what its pretraining used, or the dataset's own statistics.
public enum Normalisation: String, Codable, CaseIterable, Hashable, Sendable {
  /// The mean and standard deviation of the training split.
  case dataset
  /// torchvision's, and most of timm's, for ImageNet.
  case imagenet
  /// OpenAI's CLIP.
  case clip
  /// ½ and ½: from −1 to 1, as timm's models trained on ImageNet-21k take it.
  case half

  /// The numbers of a named normalisation; nil for `dataset`.
  public var statistics: ChannelStatistics? {
    switch self {
    case .dataset: nil
    case .imagenet: ChannelStatistics(mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225])
    case .clip:
      ChannelStatistics(
        mean: [0.48145466, 0.4578275, 0.40821073], standardDeviation: [0.26862954, 0.26130258, 0.27577711])
    case .half: ChannelStatistics(mean: [0.5, 0.5, 0.5], standardDeviation: [0.5, 0.5, 0.5])
    }
  }
}
