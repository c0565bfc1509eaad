import Foundation
import Testing

@testable import Datasets

/// Folders of pictures in the layouts of the published datasets.
@Suite struct PictureFolderTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func put(_ names: String...) throws {
    let picture = try ArrayFileTests.bytes("420.jpg")
    for name in names { try scratch.write(picture, to: name) }
  }

  private func paths(_ dataset: KnownDataset, _ split: Split) throws -> [String] {
    try #require(try dataset.listing(split, in: scratch.folder)).entries.map { "\($0.path) \($0.label)" }
  }

  private func failure(_ dataset: KnownDataset, _ split: Split = .train) -> String {
    Scratch.failure { try dataset.listing(split, in: scratch.folder)?.entries }
  }

  @Test func foldersWithSplits() throws {
    try put("train/dog/2.JPG", "train/dog/1.png", "train/cat/sub/a.jpeg", "train/cat/.hidden.jpg", "val/dog/9.jpg")
    try scratch.write([1], to: "train/cat/notes.txt")
    #expect(try paths(.imageFolder, .train) == ["cat/sub/a.jpeg 0", "dog/1.png 1", "dog/2.JPG 1"])
    #expect(try paths(.imageFolder, .test) == ["dog/9.jpg 1"])
    let survey = try KnownDataset.imageFolder.survey(scratch.folder)
    #expect(survey.train == 3 && survey.test == 1 && survey.classNames == ["cat", "dog"])
    #expect(KnownDataset.recognise(scratch.folder) == .imageFolder)
    try put("val/bird/1.jpg")
    #expect(failure(.imageFolder, .test).contains("has the class 'bird', which"), "\(failure(.imageFolder, .test))")
  }

  @Test func foldersWithoutSplitsAreSplit() throws {
    for label in ["a", "b"] { for number in 0..<10 { try put("\(label)/\(number).jpg") } }
    let (train, test) = (try paths(.imageFolder, .train), try paths(.imageFolder, .test))
    #expect(train.count == 16 && test.count == 4 && Set(train + test).count == 20)
    #expect(test.count { $0.hasSuffix(" 0") } == 2)
    #expect(try paths(.imageFolder, .train) == train)
    let listing = try #require(try KnownDataset.imageFolder.listing(.train, in: scratch.folder))
    let chosen = try listing.keeping([1])
    #expect(chosen.entries.count == 8 && chosen.entries.allSatisfy { $0.label == 0 && $0.path.hasPrefix("b/") })
    #expect(chosen.classNames == ["b"])
    let some = try listing.sample(6)
    #expect(some.entries.count == 6 && Set(some.entries.map(\.label)) == [0, 1])
    #expect(
      Scratch.failure { try listing.sample(17) }
        == "image-folder train has 16 examples, 17 were asked for; ask for 1 to 16")
    #expect(
      Scratch.failure { try listing.keeping([2]) } == "image-folder train has no label 2; name labels from 0 to 1")
    #expect(Scratch.failure { try listing.keeping([1, 1]) } == "image-folder train: label 1 is named twice")
  }

  @Test func whatIsNoFolderOfPicturesIsSaid() throws {
    #expect(failure(.imageFolder).contains("has no folders, where one for each class was expected"))
    try put("train/a/1.jpg")
    #expect(failure(.imageFolder, .test).contains("has train/ but neither test/ nor val/"))
    #expect(failure(.resisc45).contains("has no folder 'airplane'; download NWPU-RESISC45 from"))
    #expect(failure(.fmow).contains("rgb_metadata.csv: no such file; download FMoW"))
    let missing = Scratch.failure { try KnownDataset.imageFolder.survey(URL(fileURLWithPath: "/no/such")) }
    #expect(missing.contains("/no/such: no such folder"), "\(missing)")
  }

  @Test func tinyImageNetHasAnnotations() throws {
    try put("tiny-imagenet-200/train/n02/images/n02_0.JPEG", "tiny-imagenet-200/train/n01/images/n01_0.JPEG")
    let annotations = "val_0.JPEG\tn02\t0\t32\t44\t62\nval_1.JPEG\tn01\t5\t5\t6\t6\n"
    try scratch.write(Array(annotations.utf8), to: "tiny-imagenet-200/val/val_annotations.txt")
    try scratch.write(Array("n01\tfish, trout\nn99\tcar\n".utf8), to: "tiny-imagenet-200/words.txt")
    #expect(try paths(.tinyImageNet, .train) == ["n01/images/n01_0.JPEG 0", "n02/images/n02_0.JPEG 1"])
    #expect(try paths(.tinyImageNet, .test) == ["images/val_0.JPEG 1", "images/val_1.JPEG 0"])
    #expect(try KnownDataset.tinyImageNet.listing(.test, in: scratch.folder)?.classNames == ["fish, trout", "n02"])
    #expect(KnownDataset.recognise(scratch.folder) == .tinyImageNet)
    try scratch.write(Array("val_0.JPEG\tn07\n".utf8), to: "tiny-imagenet-200/val/val_annotations.txt")
    #expect(failure(.tinyImageNet, .test).contains("line 1 is 'val_0.JPEG\tn07'"))
  }

  @Test func resisc45HasListsOrASplitOfOurs() throws {
    for label in RESISC45.classNames {
      for number in 1...5 { try put("NWPU-RESISC45/\(label)/\(label)_00\(number).jpg") }
    }
    #expect(RESISC45.classNames.count == 45)
    let (train, test) = (try paths(.resisc45, .train), try paths(.resisc45, .test))
    #expect(train.count == 45 * 3 && test.count == 45 && Set(train).isDisjoint(with: test))
    try scratch.write(Array("sea_ice_004.jpg\r\nairplane_001.jpg\n".utf8), to: "resisc45-train.txt")
    #expect(try paths(.resisc45, .train) == ["sea_ice/sea_ice_004.jpg 35", "airplane/airplane_001.jpg 0"])
    try scratch.write(Array("airplane_001.jpg\n../x_1.jpg\n".utf8), to: "resisc45-test.txt")
    #expect(failure(.resisc45, .test).contains("line 2 is '../x_1.jpg'"), "\(failure(.resisc45, .test))")
  }

  @Test func fmowIsSplitByTime() throws {
    var rows = ["index,split,img_filename,timestamp,country_code,category"]
    for (split, year, category) in [
      ("train", 2012, "airport"), ("train", 2013, "zoo"), ("val", 2012, "zoo"), ("val", 2013, "dam"),
      ("val", 2016, "dam"),
      ("test", 2015, "dam"), ("test", 2016, "\"wind_farm\""), ("seq", 2010, "dam"), ("test", 2002, "barn"),
      ("test", 2017, "port"),
    ] { rows.append("\(rows.count),\(split),x.jpg,\(year)-01-01T00:00:00Z,USA,\(category)") }
    try scratch.write(Array(rows.joined(separator: "\n").utf8), to: "fmow_v1.1/rgb_metadata.csv")
    #expect(FMoW.classNames.count == 62)
    #expect(try paths(.fmow, .train) == ["images/rgb_img_0.png 0"])
    #expect(try paths(.fmow, .test) == ["images/rgb_img_8.png 6"])
    #expect(try paths(.fmowValidation, .test) == ["images/rgb_img_2.png 61"])
    #expect(try paths(.fmowOODValidation, .test) == ["images/rgb_img_3.png 12"])
    #expect(try paths(.fmowOOD, .test) == ["images/rgb_img_6.png 60", "images/rgb_img_9.png 38"])
    #expect(KnownDataset.fmowOOD.count(.train) == 0)
    try scratch.write(Array("split,timestamp,category\ntrain,never,zoo\n".utf8), to: "fmow_v1.1/rgb_metadata.csv")
    #expect(failure(.fmow).contains("row 2 has the time 'never'"), "\(failure(.fmow))")
  }

  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["VALLEY_PYARROW"] != nil, "set VALLEY_PYARROW to a Python with pyarrow"))
  func parquetFilesAreUnpackedOnce() throws {
    for split in ["train", "test"] {
      let name = "\(split)-00000-of-00001.parquet"
      try scratch.write(ArrayFileTests.bytes(name), to: "set/data/\(name)")
    }
    let folder = scratch.folder.appendingPathComponent("set")
    let cache = scratch.folder.appendingPathComponent("cache")
    let listing = try Parquet.list(.train, in: folder, cache: cache)
    #expect(listing.entries.map(\.label) == [0, 1, 0, 1, 0, 1] && listing.classNames == ["even", "odd"])
    let pictures = try PictureCache.open(listing, in: cache, threads: 2).imageDataset()
    #expect(pictures.pixels == ArrayFileTests.samples(6))
    #expect(try Parquet.list(.train, in: folder, cache: cache).entries == listing.entries)
    #expect(Parquet.hasFiles(folder) && KnownDataset.recognise(folder) == .parquet)
    try scratch.write([1, 2, 3], to: "bad/train.parquet")
    let bad = Scratch.failure {
      try Parquet.list(.train, in: scratch.folder.appendingPathComponent("bad"), cache: cache)
    }
    #expect(bad.contains("train.parquet: ArrowInvalid"), "\(bad)")
  }

  @Test func missingPyarrowIsSaid() throws {
    try scratch.write([1], to: "train-0.parquet")
    guard ProcessInfo.processInfo.environment["VALLEY_PYARROW"] == nil else { return }
    let message = Scratch.failure { try Parquet.list(.train, in: scratch.folder, cache: scratch.folder) }
    // A python3 that happens to have pyarrow refuses the file.
    #expect(message.contains("pip install pyarrow") || message.contains("ArrowInvalid"), "\(message)")
    #expect(
      Scratch.failure { try Parquet.files(.test, in: scratch.folder) }.contains("no parquet files of the test split"))
  }
}
