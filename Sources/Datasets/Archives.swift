import Foundation

extension KnownDataset {
  /// A file on a publisher's server.
  public struct Archive: Hashable, Sendable {
    /// The address, which ends with the file's name.
    public var address: String
    /// The published checksum in hexadecimal: an MD5 of 32 digits, or a SHA-256 of 64.
    public var checksum: String
    /// Its size in bytes.
    public var bytes: Int
    /// The members to unpack; empty when the file is used as it is.
    public var members: [Member] = []
    /// The folder inside a zip file that is unpacked as a whole; nil for other files.
    public var folder: String?

    /// A file inside an archive.
    public struct Member: Hashable, Sendable {
      /// Its path in the archive.
      public var name: String
      /// The most bytes it may have.
      public var bytes: Int
    }
  }

  /// What `fetch` downloads; empty where there is nothing to fetch, see `origin`.
  ///
  /// The files come from their publishers, except MNIST, whose publisher's server refuses programs: it comes from the
  /// mirror that torchvision uses. The checksums are stated by the publishers for CIFAR, by TensorFlow Datasets for
  /// CIFAR-10.1, and by torchvision and its users for the others.
  public var archives: [Archive] {
    func idx(_ server: String, _ files: [(String, String, Int)]) -> [Archive] {
      files.map { Archive(address: server + $0.0 + "-ubyte.gz", checksum: $0.1, bytes: $0.2) }
    }
    func cifar(_ layout: CIFAR.Layout, _ file: String, md5: String, bytes: Int, names: [String]) -> [Archive] {
      let data = Split.allCases.flatMap { split in
        layout.files(split).map {
          Archive.Member(name: "\(layout.folder)/\($0)", bytes: layout.records(split) * layout.recordBytes)
        }
      }
      return [
        Archive(
          address: "https://www.cs.toronto.edu/~kriz/\(file)", checksum: md5, bytes: bytes,
          members: data + names.map { Archive.Member(name: "\(layout.folder)/\($0)", bytes: 1 << 16) })
      ]
    }
    switch self {
    case .glyphs, .resisc45, .fmow, .fmowValidation, .fmowOOD, .fmowOODValidation, .imageFolder, .parquet, .tinyStories,
      .text:
      return []
    case .tinyShakespeare:
      return [
        Archive(
          address: "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
          checksum: "6fb458f1232090904fb40fe944165e91", bytes: 1_115_394)
      ]
    case .cifar10_1:
      return cifar10_1(
        "v6", data: ("2997188e5816f5bd545dc77771b6227828c28146049fcecf3fa10775474cacc6", 6_144_128),
        labels: ("ae40beda001693674edc94d925ee8268cfe68905f8f9aff800c8dcdfcd6c9448", 8128))
    case .cifar10_1v4:
      return cifar10_1(
        "v4", data: ("5aaedc268df8f4cffca2ac0cf9e608ae1897a8cddb630c7a850a2ea8f6558e75", 6_208_640),
        labels: ("1f9544300ded199539b6662364ce7fe6c2e1ea9f87408f06db4b1a6184cffb18", 8212))
    case .svhn: return [svhn("train"), svhn("test")]
    case .svhnExtra: return [svhn("train"), svhn("extra"), svhn("test")]
    case .tinyImageNet:
      return [
        Archive(
          address: "http://cs231n.stanford.edu/tiny-imagenet-200.zip", checksum: "90528d7ca1a48142e341f4ef8d21d0de",
          bytes: 248_100_043, folder: TinyImageNet.folder)
      ]
    case .cifar10:
      return cifar(
        CIFAR.ten, "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530", bytes: 170_052_171,
        names: ["batches.meta.txt"])
    case .cifar100:
      return cifar(
        CIFAR.hundred, "cifar-100-binary.tar.gz", md5: "03b5dce01913d631647c71ecec9e9cb8", bytes: 168_513_733,
        names: ["coarse_label_names.txt", "fine_label_names.txt"])
    case .mnist:
      return idx(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        [
          ("train-images-idx3", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
          ("train-labels-idx1", "d53e105ee54ea40749a09fcbcd1e9432", 28_881),
          ("t10k-images-idx3", "9fb629c4189551a2d022fa330f9573f3", 1_648_877),
          ("t10k-labels-idx1", "ec29112dd5afa0611ce80d1b7f02629c", 4_542),
        ])
    case .fashionMNIST:
      return idx(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        [
          ("train-images-idx3", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
          ("train-labels-idx1", "25c81989df183df01b3e8a0aad5dffbe", 29_515),
          ("t10k-images-idx3", "bef4ecab320f06d8554ea6380940ec79", 4_422_102),
          ("t10k-labels-idx1", "bb300cfdad3c16e7a12a480ee83cd310", 5_148),
        ])
    }
  }

  /// Where to get the files of a dataset that `fetch` cannot download; nil where it can, or there are none.
  public var origin: String? {
    switch self {
    case .resisc45:
      "NWPU-RESISC45 is on its authors' page, https://gcheng-nwpu.github.io; the published split lists "
        + "resisc45-train.txt, -val.txt and -test.txt at https://storage.googleapis.com/remote_sensing_representations/"
    case .fmow, .fmowValidation, .fmowOOD, .fmowOODValidation:
      "WILDS-FMoW (50 GB) is downloaded by the wilds package: https://wilds.stanford.edu/get_started/"
    case .imageFolder: "it is a folder of your own; give it as `path`"
    case .text: "it is a file of your own; give it as `path`"
    case .tinyStories:
      "TinyStoriesV2-GPT4-train.txt and -valid.txt are at https://huggingface.co/datasets/roneneldan/TinyStories"
    case .parquet:
      "download an image dataset from Hugging Face with `hf download --repo-type dataset` and give its folder as `path`"
    default: nil
    }
  }

  private func cifar10_1(_ version: String, data: (String, Int), labels: (String, Int)) -> [Archive] {
    [("data", data), ("labels", labels)].map { part, file in
      Archive(
        address: "https://github.com/modestyachts/CIFAR-10.1/raw/master/datasets/cifar10.1_\(version)_\(part).npy",
        checksum: file.0, bytes: file.1)
    }
  }

  private func svhn(_ part: String) -> Archive {
    let (md5, bytes) =
      switch part {
      case "train": ("e26dedcc434d2e4c54c9b2d4a06d8373", 182_040_794)
      case "extra": ("a93ce644f1a588dc4d68dda5feec44a7", 1_329_278_602)
      default: ("eb5a983be6a315427106f1b164d9cef3", 64_275_384)
      }
    return Archive(address: "http://ufldl.stanford.edu/housenumbers/\(part)_32x32.mat", checksum: md5, bytes: bytes)
  }
}
