import Networks

// What of each family of networks moves together. Names are those of the parameters.

extension MLP: SymmetricNetwork {
  /// The neurons of every hidden layer.
  public func declare(_ symmetry: inout Symmetry) {
    var inputs = Symmetry.Axis.fixed
    for index in layers.indices {
      let name = "layers.\(index)"
      let outputs = index < layers.count - 1 ? symmetry.units(name) : .fixed
      symmetry.layer(name, from: inputs, to: outputs)
      inputs = outputs
    }
  }
}

extension VGG: SymmetricNetwork {
  /// The channels of every convolution and the neurons of every hidden linear layer. Flattening leaves the pixels of a channel side by side.
  public func declare(_ symmetry: inout Symmetry) {
    var channels = Symmetry.Axis.fixed
    for (index, layer) in features.layers.enumerated() {
      let name = "features.\(index)"
      if layer is Conv2d {
        let outputs = symmetry.units(name)
        symmetry.layer(name, from: channels, to: outputs)
        channels = outputs
      } else if layer is BatchNorm2d {
        symmetry.norm(name, channels)
      }
    }
    guard let linears = classifier as? Sequential else { return symmetry.layer("classifier", from: channels) }
    let places = linears.layers.indices.filter { linears.layers[$0] is Linear }
    for place in places {
      let name = "classifier.\(place)"
      if place == places.first, let linear = linears.layers[place] as? Linear, channels.length > 0 {
        channels = channels.inBlocks(of: linear.weight.value.shape[1] / channels.length)
      }
      let outputs = place == places.last ? .fixed : symmetry.units(name)
      symmetry.layer(name, from: channels, to: outputs)
      channels = outputs
    }
  }
}

extension ResNet: SymmetricNetwork {
  /// The channels of every stage, which all its blocks add to, and those inside each block.
  public func declare(_ symmetry: inout Symmetry) {
    var stage = symmetry.units("conv1")
    symmetry.layer("conv1", to: stage)
    symmetry.norm("bn1", stage)
    for (index, blocks) in [layer1, layer2, layer3, layer4].enumerated() {
      for (place, block) in blocks.enumerated() {
        let name = "layer\(index + 1).\(place)"
        let input = stage
        if !block.downsample.isEmpty {
          stage = symmetry.units("\(name).downsample.0")
          symmetry.layer("\(name).downsample.0", from: input, to: stage)
          symmetry.norm("\(name).downsample.1", stage)
        }
        var inner = input
        let last = block.conv3 == nil ? 2 : 3
        for number in 1...last {
          let output = number == last ? stage : symmetry.units("\(name).conv\(number)")
          symmetry.layer("\(name).conv\(number)", from: inner, to: output)
          symmetry.norm("\(name).bn\(number)", output)
          inner = output
        }
      }
    }
    symmetry.layer("fc", from: stage)
  }
}

extension DenseNet: SymmetricNetwork {
  /// The maps that each layer adds and those inside it. A layer reads the maps of all before it in its block, side by side.
  public func declare(_ symmetry: inout Symmetry) {
    var maps = symmetry.units("features.conv0")
    symmetry.layer("features.conv0", to: maps)
    symmetry.norm("features.norm0", maps)
    for (index, block) in features.blocks.enumerated() {
      for place in block.layers.indices {
        let name = "features.denseblock\(index + 1).denselayer\(place + 1)"
        let (inner, growth) = (symmetry.units("\(name).conv1"), symmetry.units("\(name).conv2"))
        symmetry.norm("\(name).norm1", maps)
        symmetry.layer("\(name).conv1", from: maps, to: inner)
        symmetry.norm("\(name).norm2", inner)
        symmetry.layer("\(name).conv2", from: inner, to: growth)
        maps = maps + growth
      }
      guard index < features.transitions.count else { continue }
      let name = "features.transition\(index + 1)"
      let output = symmetry.units("\(name).conv")
      symmetry.norm("\(name).norm", maps)
      symmetry.layer("\(name).conv", from: maps, to: output)
      maps = output
    }
    symmetry.norm("features.norm5", maps)
    symmetry.layer("classifier", from: maps)
  }
}

extension ConvNeXt: SymmetricNetwork {
  /// The channels of every stage, which all its blocks add to, and the neurons of each block's MLP.
  public func declare(_ symmetry: inout Symmetry) {
    var channels = symmetry.units("stem.0")
    symmetry.layer("stem.0", to: channels)
    symmetry.norm("stem.1", channels)
    for (index, stage) in stages.enumerated() {
      if !stage.downsample.isEmpty {
        let name = "stages.\(index).downsample"
        let output = symmetry.units("\(name).1")
        symmetry.norm("\(name).0", channels)
        symmetry.layer("\(name).1", from: channels, to: output)
        channels = output
      }
      for place in stage.blocks.indices {
        let name = "stages.\(index).blocks.\(place)"
        let hidden = symmetry.units("\(name).mlp.fc1")
        symmetry.parameter("\(name).gamma", channels)
        symmetry.depthwise("\(name).conv_dw", channels)
        symmetry.norm("\(name).norm", channels)
        symmetry.layer("\(name).mlp.fc1", from: channels, to: hidden)
        symmetry.layer("\(name).mlp.fc2", from: hidden, to: channels)
      }
    }
    symmetry.norm("head.norm", channels)
    symmetry.layer("head.fc", from: channels)
  }
}
