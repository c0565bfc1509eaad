/// What pictures are normalised by before a network sees them: the numbers of its pretraining, or the dataset's own.
public enum Normalisation: String, Codable, CaseIterable, Hashable, Sendable {
  /// The mean and standard deviation of the training split.
  case dataset
  /// The numbers for ImageNet that torchvision and most of timm's models use.
  case imagenet
  /// The numbers of OpenAI's CLIP.
  case clip
  /// A mean and a deviation of ½, which give −1 to 1: what timm's models trained on ImageNet-21k take.
  case half

  /// The numbers, for three channels; nil for `dataset`.
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
